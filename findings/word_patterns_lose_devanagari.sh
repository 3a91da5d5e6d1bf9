#!/usr/bin/env bash
# bm25s 0.3.16, scikit-learn 1.9, gensim 4.4: the usual pattern of a word leaves Hindi without words.
#
# Their tokenizers look for runs of \w, most of at least two. In Python's re a vowel sign or a virama is no \w, so a
# Hindi word is parted at each of them: the letters that are left stand alone and are dropped as too short. One would
# guess that a keyword index of "स्वास्थ्य विभाग" (health department) holds two words. It holds none: bm25s and
# scikit-learn return nothing at all, gensim single consonants. No error, no warning; every Hindi query scores 0.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check bm25s==0.3.16 scikit-learn==1.9.1 gensim==4.4.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import bm25s
from gensim.utils import simple_preprocess, tokenize
from sklearn.feature_extraction.text import CountVectorizer

for name in ("bm25s", "scikit-learn", "gensim"):
    print(name, version(name))
text = "स्वास्थ्य विभाग"
of_bm25s = bm25s.tokenize([text], return_ids=False, show_progress=False)[0]
of_sklearn = CountVectorizer().build_analyzer()(text)
of_gensim = list(tokenize(text))
print("bm25s:", of_bm25s, "scikit-learn:", of_sklearn, "gensim:", of_gensim, simple_preprocess(text))
assert of_bm25s == [] and of_sklearn == [] and simple_preprocess(text) == []
assert len(of_gensim) > 2 and all(len(word) == 1 for word in of_gensim)
PYTHON
