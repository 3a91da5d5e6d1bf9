"""What an approximate index promises holds on real texts whose vectors lie in a narrow cone.

Raw BERT-like checkpoints make such vectors (Ethayarajh 2019, "How Contextual are Contextualized Word Representations?"):
any two texts have a high cosine, and what tells them apart is small. Here a BERT with the weights it begins its training
with and the mean of its last layer, and in `make prove` all-MiniLM-L6-v2 with a constant added to each of its vectors.
The passages are those of all shared sets, so many that `auto` builds no flat index; the questions are those of their tests,
one half to tune by, the other held out.
"""

import json

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from indexes.opening import build, open_index
from indexes.vector_index import FLAT_BYTES, IndexPlan, normalised
from search.corpus.tokenizer import generic_folder

pytestmark = [pytest.mark.slow, pytest.mark.sample(1), pytest.mark.timeout(3600)]

SETS = ("ask_cfpb", "esci_sample", "hinglish_top", "medquad_small", "scifact", "tos_plain_english")
TOKENS = 32


def raw_bert(folder):
    """A BERT of one layer that learned nothing, with the word pieces of all-MiniLM-L6-v2."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    tokenizer = AutoTokenizer.from_pretrained(str(generic_folder()))
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=384, num_hidden_layers=1, num_attention_heads=6,
        intermediate_size=384, max_position_embeddings=TOKENS,
    )  # fmt: skip
    before = torch.get_rng_state()
    torch.manual_seed(7)
    BertModel(config).save_pretrained(str(folder))
    torch.set_rng_state(before)
    tokenizer.save_pretrained(str(folder))
    return with_mean(folder)


def with_mean(folder):
    module = Transformer(str(folder))
    module.max_seq_length = TOKENS
    return SentenceTransformer(modules=[module, Pooling(384, "mean")], device="cpu")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module", params=["raw", pytest.param("constant", marks=pytest.mark.prove)])
def cone(request, shared_data, tmp_path_factory):
    """Vectors of all passages and of all questions of tests, of length 1."""
    folder = tmp_path_factory.mktemp("bert")
    model = raw_bert(folder) if request.param == "raw" else with_mean(generic_folder())
    texts, asked = [], []
    for name in SETS:
        rows = lines(shared_data / name / "corpus.jsonl")
        texts += [f"{row.get('title', '')} {row['text']}".strip() for row in rows]
        judged = (shared_data / name / "qrels" / "test.tsv").read_text().splitlines()[1:]
        tested = {line.split("\t")[0] for line in judged}
        asked += [
            row["text"]
            for row in lines(shared_data / name / "queries.jsonl")
            if row["_id"] in tested
        ]
    encoded = [
        model.encode(part, batch_size=64, normalize_embeddings=request.param == "constant")
        for part in (texts, asked)
    ]
    if request.param == "constant":
        away = np.random.default_rng(5).normal(size=384)
        encoded = [part + 3 * (away / np.linalg.norm(away)) for part in encoded]
    return [normalised(np.asarray(part, dtype=np.float32)) for part in encoded]


@pytest.mark.parametrize("kind", ["auto", "hnsw", "ivf", "ivf-sq8", "ivf-pq", "ivf-rabitq"])
@pytest.mark.parametrize("tuned", ["by questions", "by what is made up"])
def test_what_is_promised_is_found(cone, tmp_path, kind, tuned):
    vectors, asked = cone
    assert len(vectors) > 21_845 and vectors.nbytes > FLAT_BYTES
    some = np.random.default_rng(1).permutation(len(vectors))[:400]
    assert float(np.median(vectors[some[:200]] @ vectors[some[200:]].T)) > 0.8, "a cone"
    order = np.random.default_rng(2).permutation(len(asked))
    tune, held = asked[order[::2]][:1_000], asked[order[1::2]][:400]
    plan = IndexPlan(type=kind, questions=tune if tuned == "by questions" else None)
    facts = build(vectors, plan, tmp_path)
    promised = facts.figures.get("recall@10", 1.0)
    if facts.type == "flat":
        return  # Exact: it promises nothing less.
    index = open_index(tmp_path, facts.details())
    scores, best = index.search(held, 10)[1], index.stored.search(held, 10)[1]
    found = float((scores >= best.min(axis=1, keepdims=True) - 1e-6).mean())
    print(kind, tuned, facts.type, f"promised {promised:.4f}, found {found:.4f}")
    assert found >= promised - 0.01
