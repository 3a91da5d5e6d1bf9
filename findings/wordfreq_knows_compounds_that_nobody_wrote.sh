#!/usr/bin/env bash
# wordfreq 3.1.1: a compound that nobody ever wrote is an everyday word.
#
# One would guess that zipf_frequency of a hyphenated word is how often it was seen, and 0 for one that never was:
# so a reader could ask whether the hyphen at the end of a line belongs to the word. But the word is parted first and
# the frequencies of its parts are combined, so that "purple-giraffe-tax" is about as frequent as "clinician", while a
# real word without a hyphen that the list lacks ("noninferiority") has 0. A number has the frequency of its digits'
# shape. Ask for the parts and for the joined form; never for the compound.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check wordfreq==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from wordfreq import zipf_frequency

print("wordfreq", version("wordfreq"))
words = ("purple-giraffe-tax", "non-inferiority", "noninferiority", "clinician")
seen = {word: zipf_frequency(word, "en") for word in words}
print(seen)
assert seen["purple-giraffe-tax"] > 3 and seen["non-inferiority"] > 2.5 and seen["noninferiority"] == 0
PYTHON
