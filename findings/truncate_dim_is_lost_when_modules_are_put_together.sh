#!/usr/bin/env bash
# sentence-transformers 6.2.0: modules of a model that was saved with truncate_dim give all numbers when put into another.
#
# A model loaded from such a folder says that it has 16 dimensions and gives vectors of 16. One would guess that a model
# made of its modules does the same, and that a Dense behind them is given the 16. Truncation is a setting of the model
# that is applied after the last module: SentenceTransformer(modules=[*base]) gives 32, and a Dense behind them that was
# made for get_embedding_dimension() fails at the first text; one made for 32 trains, as another model than was meant.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check sentence-transformers==6.2.0 transformers==5.23.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from importlib.metadata import version

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizerFast

print("sentence-transformers", version("sentence-transformers"))
with open("vocab.txt", "w") as stream:
    stream.write("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "rent", "is", "due"]))
BertTokenizerFast(vocab_file="vocab.txt").save_pretrained("bert")
BertModel(BertConfig(vocab_size=8, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                     intermediate_size=32, max_position_embeddings=16)).save_pretrained("bert")
made = SentenceTransformer(modules=[Transformer("bert"), Pooling(32, "mean")], device="cpu", truncate_dim=16)
made.save("short")

base = SentenceTransformer("short", device="cpu")
again = SentenceTransformer(modules=list(base), device="cpu")
size = base.get_embedding_dimension()
print("loaded:", size, base.encode("rent is due").shape, "its modules again:", again.encode("rent is due").shape)
behind = SentenceTransformer(modules=[*base, Dense(size, size)], device="cpu")
try:
    behind.encode("rent is due")
    raised = ""
except RuntimeError as error:
    raised = str(error)
print("a Dense of its size behind them:", raised or "works")
assert (size, base.encode("rent is due").shape, again.encode("rent is due").shape) == (16, (16,), (32,))
assert "cannot be multiplied" in raised, raised
PYTHON
