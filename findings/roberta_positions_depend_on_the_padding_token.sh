#!/usr/bin/env bash
# transformers 5.23, sentence-transformers 6.2.0: how long a text RoBERTa reads depends on the number of its padding token.
#
# A table of 66 positions holds 66 word pieces, one would guess, and sentence-transformers does: it caps max_seq_length at
# 66. RoBERTa counts its positions from pad_token_id + 1 on, so with pad_token_id 1 it holds 64, with 0 it holds 65 (the
# 514 of the published ones are 512). The model loads, short texts work, and the first text of 65 pieces ends in an
# "index 66 is out of bounds", or on a GPU in an assertion of CUDA after which the process is of no use.
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

import torch
from sentence_transformers.sentence_transformer.modules import Transformer
from transformers import BertTokenizerFast, RobertaConfig, RobertaModel

print("transformers", version("transformers"), "sentence-transformers", version("sentence-transformers"))
with open("vocab.txt", "w") as stream:
    stream.write("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "rent", "is", "due"]))


def reads(model: RobertaModel, pieces: int) -> bool:
    try:
        model(torch.full((1, pieces), 5))
    except (IndexError, RuntimeError):
        return False
    return True


longest = {}
for padding in (0, 1):
    model = RobertaModel(RobertaConfig(
        vocab_size=8, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=66, pad_token_id=padding, bos_token_id=2, eos_token_id=3,
    )).eval()
    folder = f"roberta-{padding}"
    model.save_pretrained(folder)
    BertTokenizerFast(vocab_file="vocab.txt").save_pretrained(folder)
    said = Transformer(folder).max_seq_length
    longest[padding] = (said, max(n for n in range(60, 67) if reads(model, n)))
    print("pad_token_id", padding, "max_seq_length", said, "the longest it reads", longest[padding][1])
assert longest == {0: (66, 65), 1: (66, 64)}, longest
PYTHON
