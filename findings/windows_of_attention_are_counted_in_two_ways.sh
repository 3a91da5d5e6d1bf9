#!/usr/bin/env bash
# transformers 5.23: `sliding_window` is half of ModernBERT's window, and the whole of Mistral's.
#
# Both configurations have an attribute of this name, and one would guess that it says how far a token sees. ModernBERT's
# is derived from local_attention and counts one side (8 gives 4); Mistral's counts all that is seen, to the left (8 gives
# 8). Code that decides by it whether a text is longer than the window, pads by it, or builds a mask for an exported model
# is off by a factor of two for one of the two families.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check transformers==5.23.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import transformers
from transformers import MistralConfig, ModernBertConfig

print("transformers", transformers.__version__)
modern, mistral = ModernBertConfig(local_attention=8), MistralConfig(sliding_window=8)
print("ModernBERT, local_attention 8:", modern.sliding_window, "Mistral, sliding_window 8:", mistral.sliding_window)
assert (modern.sliding_window, mistral.sliding_window) == (4, 8)
PYTHON
