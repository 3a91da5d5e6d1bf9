"""A small model with prompts and an adapter whose tokenizer is a real one: what servers do to it shows in its vectors."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def adapted(tmp_path_factory):
    """A SentenceTransformer of one layer with random weights that reads 256 tokens of 512, and a Dense layer behind it."""
    import torch
    from planted import PROMPTS
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertConfig, BertModel

    from search.models.linear_adapter import with_adapter
    from search.models.sentence_transformer import load_generic

    folder = tmp_path_factory.mktemp("adapted")
    load_generic().tokenizer.save_pretrained(str(folder))
    state = torch.get_rng_state()
    torch.manual_seed(7)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.4,
    )
    BertModel(config).save_pretrained(str(folder), safe_serialization=True)
    torch.set_rng_state(state)
    parts = [Transformer(str(folder), max_seq_length=256), Pooling(32, "mean"), Normalize()]
    base = SentenceTransformer(modules=parts, device="cpu")
    turned, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((32, 32)))
    made = with_adapter(base, (0.7 * np.eye(32) + 0.5 * turned).astype(np.float32))
    made.prompts = dict(PROMPTS)
    return made
