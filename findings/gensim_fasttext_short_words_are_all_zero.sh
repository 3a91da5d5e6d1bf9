#!/usr/bin/env bash
# gensim 4.4: FastText gives an unknown short word a vector of zeros, and a similarity of 0.0 to everything.
#
# FastText is chosen because it has a vector for any word: of its letter n-grams. One would guess that a word too short
# for any n-gram raises KeyError, as an unknown word does in Word2Vec. With min_n=5, common for English, "BP" has none:
# its vector is zeros, `similarity` is 0.0 without an error, and a query of abbreviations alone ranks documents by
# chance, whereas most_similar raises nothing either and lists ten words at 0.0.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check gensim==4.4.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import gensim
import numpy
from gensim.models import FastText

print("gensim", gensim.__version__)
sentences = [["pressure", "heart", "kidney", "failure"]] * 50
model = FastText(sentences, vector_size=8, min_count=1, min_n=5, max_n=6, bucket=1_000, epochs=1, workers=1)
vector = model.wv["bp"]
similarity = float(model.wv.similarity("bp", "heart"))
near = model.wv.most_similar("bp", topn=2)
print("vector of 'bp':", vector, "similarity to 'heart':", similarity, "most similar:", near)
assert "bp" not in model.wv.key_to_index and not numpy.any(vector) and similarity == 0.0
assert all(score == 0.0 for _, score in near), near
assert numpy.any(model.wv["failures"])
PYTHON
