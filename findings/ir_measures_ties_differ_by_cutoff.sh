#!/usr/bin/env bash
# ir-measures 0.4.3: of documents with equal scores, RR and RR@10 put opposite ones first.
#
# Two documents tie and one of them is relevant. One would guess that RR and RR@10 of one ranking are the same
# number when the ranking has two documents. They are computed by different providers (pytrec_eval, msmarco), which
# break ties by document id in opposite directions: where one gives 1.0 the other gives 0.5, in one call.
# Who compares a figure with a cutoff against one without, on scores that tie (keyword search, votes, graded
# labels), compares ids. Give scores that cannot tie, for instance the negated rank.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check ir-measures==0.4.3 pytrec-eval-terrier==0.5.11
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import ir_measures
from ir_measures import RR, P, Qrel, ScoredDoc

print("ir-measures", ir_measures.__version__)
seen = {}
for relevant in ("a", "b"):
    run = [ScoredDoc("q", "a", 1.0), ScoredDoc("q", "b", 1.0)]
    told = ir_measures.calc_aggregate([RR, RR @ 10, P @ 1], [Qrel("q", relevant, 1)], run)
    seen[relevant] = (told[RR], told[RR @ 10], told[P @ 1])
    print(f"relevant {relevant}: RR {told[RR]}, RR@10 {told[RR @ 10]}, P@1 {told[P @ 1]}")
assert seen == {"a": (0.5, 1.0, 0.0), "b": (1.0, 0.5, 1.0)}, seen
PYTHON
