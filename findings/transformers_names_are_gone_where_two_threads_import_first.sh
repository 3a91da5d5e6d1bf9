#!/usr/bin/env bash
# transformers 5.23.0: a name of it cannot be imported while another thread imports sentence-transformers for the first time.
#
# One would guess that imports are safe in threads: Python locks each module while it is imported. But transformers loads
# its parts when they are asked for by name, and parts import each other. Of two threads that begin at different ends, each
# holds a part that the other waits for; Python sees that and hands out the module as it is, half imported: "cannot import
# name 'AutoTokenizer' from 'transformers'". A server whose first two requests come at once answers one with an error; the
# next one works. Whoever imports sentence_transformers in every thread before asking for a name waits instead.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check sentence-transformers==6.2.0 transformers==5.23.0
cd "$folder"
cat > race.py <<'PYTHON'
import sys
import threading

sys.setswitchinterval(1e-5)
begin = threading.Barrier(6)
refused = []


def tokenizer():
    begin.wait()
    if sys.argv[1:] == ["in order"]:
        import sentence_transformers
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        refused.append(str(error).partition(" (")[0])


def model():
    begin.wait()
    from sentence_transformers import SentenceTransformer


threads = [threading.Thread(target=work) for work in (tokenizer, model) * 3]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*(refused or ["all were imported"]), sep="\n")
PYTHON
for _ in 1 2 3; do
    "$folder/venv/bin/python" race.py | tee -a said
done
echo "In order:"
"$folder/venv/bin/python" race.py "in order" | tee ordered
grep -q "cannot import name 'AutoTokenizer'" said
grep -qx "all were imported" ordered
