"""The adapter: the loss by hand, never worse than the start on dev, and an index by one matrix product."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from indexes.opening import stored_vectors
from indexes.vector_index import normalised
from search.corpus import current_corpus
from search.errors import Refused
from search.evaluation import evaluate
from search.indexing import find_index, index_model
from search.models import find_model
from search.workspace import project_to_be
from training import adapter
from training.adapter import Embedded, numbered, train_adapter
from training.intake import import_beir
from training.material import gather
from training.recipes.adapter import Adapter
from training.train import train


@pytest.fixture
def project(tiny_beir):
    found = project_to_be("tiny")
    import_beir(found, tiny_beir)
    return found


def embedded(project, model):
    """The training data of the tiny project as vectors of the tiny model, without the product's code."""
    material = gather(project)
    texts = material.corpus.embedded_texts(0, len(material.corpus))
    ids = material.corpus.ids()
    pairs = material.guarded.pairs

    def encode(items):
        return normalised(model.encode(items))

    return material.dev, Embedded(
        queries=encode([p.query for p in pairs]),
        responses=encode([p.response for p in pairs]),
        negatives=np.zeros((len(pairs), 0, model.get_embedding_dimension()), dtype=np.float32),
        answers=np.array([ids.index(p.document) for p in pairs]),
        texts=numbered([p.query for p in pairs]),
        documents=encode(texts),
        owners=material.corpus.owners,
        dev_queries=encode(material.dev.queries),
    )


@pytest.fixture
def tiny(tiny_model):
    return SentenceTransformer(str(tiny_model), device="cpu")


def quiet(done, total, message, metrics):
    """A report that nobody reads."""


def test_numbers_tell_equal_texts():
    assert numbered(["b", "a", "b", "c", "a"]).tolist() == [0, 1, 0, 2, 1]


@pytest.mark.parametrize("kind", ["batch", "corpus"])
@pytest.mark.parametrize("given", [0, 2])
def test_the_loss_by_hand(kind, given):
    rng = np.random.default_rng(3)

    def vectors(*shape):
        return rng.normal(size=shape).astype(np.float32)

    passages = normalised(vectors(8, 4))
    owners = np.array([0, 1, 1, 2, 2, 3, 4, 5])  # Documents 1 and 2 have two passages each.
    answers = np.array([0, 1, 1, 2, -1])
    texts = np.array([0, 1, 2, 0, 3])  # Pairs 0 and 3 ask the same; pairs 1 and 2 share an answer.
    responses = passages[[0, 1, 2, 3, 0]].copy()
    responses[4] = normalised(vectors(1, 4))[0]
    queries = normalised(vectors(5, 4))
    negatives = np.zeros((5, given, 4), dtype=np.float32)
    if given:  # Pair 0 came with two wrong answers, pair 2 with one, the others with none.
        negatives[0] = normalised(vectors(2, 4))
        negatives[2, 0] = normalised(vectors(1, 4))[0]
    data = Embedded(
        queries, responses, negatives, answers, texts, passages, owners, dev_queries=queries[:1]
    )
    learner = adapter._Learner(data, Adapter(batch_size=5, epochs=1), kind)
    losses = []
    right = {0: {0, 2}, 1: {1}, 2: {1}, 3: {0, 2}, 4: set()}
    for row in range(5):
        own = queries[row] @ responses[row]
        if kind == "corpus":
            scores = [queries[row] @ passages[p] for p in range(8) if owners[p] not in right[row]]
        else:
            scores = [
                queries[row] @ responses[other]
                for other in range(5)
                if other != row
                and not (texts[other] == texts[row] or (answers[other] == answers[row] >= 0))
            ]
        scores += [queries[row] @ wrong for wrong in negatives[row] if wrong.any()]
        scaled = 20 * np.array([own, *scores], dtype=np.float64)
        losses.append(np.log(np.exp(scaled).sum()) - scaled[0])
    loss = float(learner._loss(torch.arange(5)).detach())
    assert loss == pytest.approx(np.mean(losses), abs=1e-4)


def test_it_improves_dev_and_is_never_worse_than_the_start(project, tiny):
    dev, data = embedded(project, tiny)
    start = dev.ndcg_of_vectors(data.dev_queries, data.documents[dev.positions])
    found = train_adapter(data, dev, Adapter(epochs=20, learning_rate=1e-2), quiet)
    assert found.start == pytest.approx(start)
    moved = dev.ndcg_of_vectors(
        data.dev_queries @ found.matrix.T, data.documents[dev.positions] @ found.matrix.T
    )
    assert found.best == pytest.approx(moved)
    assert found.best >= found.start
    if found.kept == "start":
        np.testing.assert_array_equal(found.matrix, np.eye(len(found.matrix)))


def test_where_nothing_helps_the_start_is_kept(project, tiny):
    dev, data = embedded(project, tiny)
    answers = {q: dict.fromkeys(dev.query_set.relevant(q), 1) for q in dev.query_set.queries}
    place = {identity: row for row, identity in enumerate(dev.ids)}
    pool = data.documents[dev.positions]
    # Queries that equal their answers: the start is perfect, and no training can beat it.
    perfect = np.array([pool[place[next(iter(answers[q]))]] for q in sorted(answers)])
    data = replace(data, dev_queries=perfect)
    found = train_adapter(data, dev, Adapter(epochs=3, learning_rate=0.5), quiet)
    assert (found.start, found.best, found.kept) == (1.0, 1.0, "start")
    np.testing.assert_array_equal(found.matrix, np.eye(len(found.matrix), dtype=np.float32))


def test_the_same_seed_gives_the_same_matrix(project, tiny):
    dev, data = embedded(project, tiny)
    settings = Adapter(epochs=3, batch_size=16, learning_rate=1e-2, negatives="corpus")
    one, two = (train_adapter(data, dev, settings, quiet) for _ in range(2))
    np.testing.assert_array_equal(one.matrix, two.matrix)
    learners = [
        adapter._Learner(data, settings.model_copy(update={"seed": seed}), "corpus")
        for seed in (1, 2)
    ]
    for learner in learners:
        learner.epoch()
    assert np.abs(learners[0].matrix - learners[1].matrix).max() > 1e-6


def test_the_model_is_standard_and_its_index_is_one_matrix_product(
    project, tiny_model, tmp_path, monkeypatch
):
    train(project, "fine-tune", "base", {"base": str(tiny_model), "epochs": 1, "batch_size": 16})
    made = train(project, "adapter", None, {"base": "base", "epochs": 10, "learning_rate": 0.02})
    info = find_model(project, made.name)
    folder = project.folder / "models" / made.id
    assert not list(folder.rglob("*.bin"))
    plain = SentenceTransformer(str(folder), device="cpu")
    base = SentenceTransformer(str(project.folder / "models" / find_model(project, "base").id))
    matrix = plain[-2].linear.weight.detach().numpy()
    texts = ["what helps against velkorin in the hand", "the registrar files a summons"]
    wanted = normalised(normalised(base.encode(texts)) @ matrix.T)
    np.testing.assert_allclose(plain.encode(texts), wanted, atol=2e-6)

    manifest, corpus = current_corpus(project)
    everything = corpus.embedded_texts(0, len(corpus))
    monkeypatch.setattr(
        "search.encoding.corpus.encode_corpus", lambda *_: pytest.fail("encoded again")
    )
    index = index_model(project, made.name)
    assert index == find_index(project, info, manifest)
    vectors = stored_vectors(project.folder_of(index))
    np.testing.assert_allclose(vectors, plain.encode(everything), atol=2e-6)


def test_an_adapter_over_a_foreign_folder_is_encoded_and_evaluated(project, tiny_model):
    made = train(project, "adapter", "mine", {"base": str(tiny_model), "epochs": 2})
    result = evaluate(project, ["bm25", "mine"])
    assert list(result.scores) == ["bm25", "mine"]
    details = project.artifact("models", made.id).details
    assert details["recipe"] == "adapter"
    assert details["origin"] == str(tiny_model)
    assert "adapter_of" not in details
    rows = (project.folder / "models" / made.id / "trained_on.jsonl").read_text().splitlines()
    assert len(rows) == details["pairs"]
    assert set(json.loads(rows[0])) == {"query", "response", "document", "negatives", "mined"}


def test_word_vectors_cannot_be_a_base(project):
    train(project, "word2vec", None, {"min_count": 1, "epochs": 1})
    with pytest.raises(Refused, match="made of word vectors"):
        train(project, "adapter", None, {"base": "word2vec"})
