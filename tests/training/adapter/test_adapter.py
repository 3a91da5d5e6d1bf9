"""The adapter: the loss by hand, never worse than the start on dev, and an index by one matrix product."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from indexes.opening import stored_vectors
from indexes.vector_index import normalised
from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.models.encoding.index_vectors import how_encoded
from search.models.encoding.texts import encode_texts
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.errors import Cancelled, Refused
from search.projects.project import project_to_be
from search.retrieval.indexing.build import find_index, index_model
from training.adapter.fit import Learner, train_adapter
from training.adapter.settings import AdapterSettings
from training.checkpoints import Checkpointer
from training.embeddings import Embedded, numbered
from training.export.export import export
from training.train import train
from training.training_data import load_training_data


@pytest.fixture
def project(import_tiny):
    found = project_to_be("tiny")
    import_tiny(found)
    return found


def embedded(project, model):
    """The training data of the tiny project as vectors of the tiny model, without the product's code."""
    material = load_training_data(project)
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
    learner = Learner(data, AdapterSettings(batch_size=5, epochs=1), kind)
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
    loss = float(learner.loss(torch.arange(5)).detach())
    assert loss == pytest.approx(np.mean(losses), abs=1e-4)


def test_it_improves_dev_and_is_never_worse_than_the_start(project, tiny):
    dev, data = embedded(project, tiny)
    start = dev.ndcg_of_vectors(data.dev_queries, data.documents[dev.positions])
    found = train_adapter(data, dev, AdapterSettings(epochs=20, learning_rate=1e-2), quiet)
    assert found.start == pytest.approx(start)
    moved = dev.ndcg_of_vectors(
        data.dev_queries @ found.matrix.T, data.documents[dev.positions] @ found.matrix.T
    )
    assert found.best == pytest.approx(moved)
    assert found.best >= found.start
    if found.selected == "start":
        np.testing.assert_array_equal(found.matrix, np.eye(len(found.matrix)))


def test_where_nothing_helps_the_start_is_kept(project, tiny):
    dev, data = embedded(project, tiny)
    answers = {q: dict.fromkeys(dev.query_set.relevant(q), 1) for q in dev.query_set.queries}
    place = {identity: row for row, identity in enumerate(dev.ids)}
    pool = data.documents[dev.positions]
    # Queries that equal their answers: the start is perfect, and no training can beat it.
    perfect = np.array([pool[place[next(iter(answers[q]))]] for q in sorted(answers)])
    data = replace(data, dev_queries=perfect)
    found = train_adapter(data, dev, AdapterSettings(epochs=3, learning_rate=0.5), quiet)
    assert (found.start, found.best, found.selected) == (1.0, 1.0, "start")
    np.testing.assert_array_equal(found.matrix, np.eye(len(found.matrix), dtype=np.float32))


def test_patience_gives_up_a_kind_of_negatives_that_comes_no_closer(project, tiny):
    dev, data = embedded(project, tiny)

    def scores_by_kind(patience, epochs=40):
        told = []
        adapted = train_adapter(
            data,
            dev,
            AdapterSettings(batch_size=8, epochs=epochs, patience=patience),
            lambda done, total, message, numbers: told.append((message.split()[0], numbers)),
        )
        scores = {kind: [] for kind in ("batch", "corpus")}
        for kind, numbers in told:
            if kind in scores and "dev ndcg@10" in numbers:
                scores[kind].append(numbers["dev ndcg@10"])
        return adapted, scores

    patient, whole = scores_by_kind(0)
    assert {kind: len(found) for kind, found in whole.items()} == {"batch": 10, "corpus": 10}
    hasty, cut = scores_by_kind(2)
    for kind, found in cut.items():
        assert found == whole[kind][: len(found)], "up to there it is the same training"
        best = int(np.argmax(found))
        assert len(found) == 10 or len(found) - 1 - best == 2
    assert sum(map(len, cut.values())) < 20, "something was given up"
    assert hasty.start <= hasty.best <= patient.best


def test_the_same_seed_gives_the_same_matrix(project, tiny):
    dev, data = embedded(project, tiny)
    settings = AdapterSettings(epochs=3, batch_size=16, learning_rate=1e-2, negatives="corpus")
    one, two = (train_adapter(data, dev, settings, quiet) for _ in range(2))
    np.testing.assert_array_equal(one.matrix, two.matrix)
    learners = [
        Learner(data, settings.model_copy(update={"seed": seed}), "corpus") for seed in (1, 2)
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
    export(project, made.name, tmp_path / "out")
    plain = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    base = SentenceTransformer(str(project.folder / "models" / find_model(project, "base").id))
    matrix = plain[-2].linear.weight.detach().numpy()
    texts = ["what helps against velkorin in the hand", "the registrar files a summons"]
    wanted = normalised(normalised(base.encode(texts)) @ matrix.T)
    np.testing.assert_allclose(plain.encode(texts), wanted, atol=2e-6)

    manifest, corpus = current_corpus(project)
    everything = corpus.embedded_texts(0, len(corpus))
    monkeypatch.setattr(
        "search.models.encoding.corpus.encode_corpus", lambda *_: pytest.fail("encoded again")
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
    base = project.artifact("models", details["adapter_of"])
    assert base.details["reference"] == str(tiny_model)
    rows = (project.folder / "models" / made.id / "trained_on.jsonl").read_text().splitlines()
    assert len(rows) == details["pairs"]
    assert set(json.loads(rows[0])) == {"query", "response", "document", "negatives", "mined"}


def test_mined_negatives_stand_against_the_answer_beside_the_batch():
    rng = np.random.default_rng(5)
    passages = normalised(rng.normal(size=(6, 4)).astype(np.float32))
    queries = normalised(rng.normal(size=(2, 4)).astype(np.float32))
    data = Embedded(
        queries,
        responses=passages[:2],
        negatives=np.zeros((2, 0, 4), dtype=np.float32),
        answers=np.array([0, 1]),
        texts=np.array([0, 1]),
        documents=passages,
        owners=np.arange(6),
        dev_queries=queries[:1],
        mined=np.array([[4, 5], [3, -1]]),
    )
    learner = Learner(data, AdapterSettings(batch_size=2, temperature=0.1), "mined")
    losses = []
    for row, others in ((0, [1, 4, 5]), (1, [0, 3])):
        scaled = 10 * (passages[[row, *others]] @ queries[row]).astype(np.float64)
        losses.append(np.log(np.exp(scaled).sum()) - scaled[0])
    assert float(learner.loss(torch.arange(2)).detach()) == pytest.approx(np.mean(losses), abs=1e-5)
    without = Learner(data, AdapterSettings(batch_size=2, temperature=0.1), "batch")
    assert float(without.loss(torch.arange(2)).detach()) < np.mean(losses) - 1e-3


def test_on_the_query_side_documents_stay_as_they_are(project, tiny):
    dev, data = embedded(project, tiny)
    settings = AdapterSettings(epochs=10, learning_rate=1e-2, side="query")
    found = train_adapter(data, dev, settings, quiet)
    pool = data.documents[dev.positions]
    assert found.epoch > 0
    assert found.best == dev.ndcg_of_vectors(data.dev_queries @ found.matrix.T, pool)
    learner = Learner(data, settings, "batch")
    learner.epoch()
    batch = torch.arange(4)
    turned = normalised(data.queries[:4] @ learner.matrix.T)
    scores = 20 * (turned @ data.responses[:4].T).astype(np.float64)
    same = data.answers[:4, None] == data.answers[None, :4]
    scores[same & ~np.eye(4, dtype=bool)] = -np.inf
    by_hand = np.mean(np.log(np.exp(scores).sum(axis=1)) - np.diagonal(scores))
    assert float(learner.loss(batch).detach()) == pytest.approx(by_hand, abs=1e-4)


def test_a_low_rank_is_a_small_residual(project, tiny):
    _, data = embedded(project, tiny)
    learner = Learner(data, AdapterSettings(rank=2, learning_rate=1e-2), "batch")
    identity = np.eye(data.queries.shape[1], dtype=np.float32)
    np.testing.assert_array_equal(learner.matrix, identity)
    before = learner.epoch()
    for _ in range(4):
        after = learner.epoch()
    assert after < before
    values = np.linalg.svd(learner.matrix - identity, compute_uv=False)
    assert values[1] > 1e-4 and values[2] < 1e-6


@pytest.mark.sample(3)
@pytest.mark.parametrize("rank", [0, 3])
@pytest.mark.parametrize(
    ("negatives", "stopped_after"), [("auto", 1), ("auto", 4), ("auto", 6), ("corpus", 3)]
)
def test_what_was_stopped_ends_as_if_it_had_not_been(
    project, tiny, tmp_path, negatives, rank, stopped_after
):
    dev, data = embedded(project, tiny)
    settings = AdapterSettings(
        epochs=4, batch_size=8, learning_rate=1e-2, negatives=negatives, rank=rank
    )
    whole, again = [], []
    unbroken = train_adapter(data, dev, settings, lambda *told: whole.append(told))
    kept = Checkpointer(tmp_path / "kept", {"settings": settings.model_dump(mode="json")})
    epochs = 0

    def stop(done, total, message, metrics):
        nonlocal epochs
        epochs += "loss" in metrics
        if epochs > stopped_after:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        train_adapter(data, dev, settings, stop, kept)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["adapter.safetensors"]
    resumed = train_adapter(data, dev, settings, lambda *told: again.append(told), kept)
    np.testing.assert_array_equal(resumed.matrix, unbroken.matrix)
    assert replace(resumed, matrix=None) == replace(unbroken, matrix=None)
    assert [list(told) for told in again] == [list(told) for told in whole], (
        "the curve is told again"
    )


def test_one_that_turns_queries_searches_the_index_of_its_start(
    project, tiny_model, tmp_path, monkeypatch
):
    train(project, "fine-tune", "base", {"base": str(tiny_model), "epochs": 1, "batch_size": 16})
    values = {"base": "base", "epochs": 10, "learning_rate": 0.02, "side": "query"}
    made = train(project, "adapter", "asks", values)
    info, base = find_model(project, "asks"), find_model(project, "base")
    assert info.documents_as == (base.id, base.fingerprint)
    index = find_index(project, info, project.newest("corpora"))
    assert index.made_from["model"] == base.id
    before = [m.id for m in project.manifests("indexes") if m.made_from["model"] != "bm25"]
    assert index_model(project, "asks", rebuild=False) == index
    found = evaluate(project, ["base", "asks"])
    after = [m.id for m in project.manifests("indexes") if m.made_from["model"] != "bm25"]
    assert after == before, "no vectors of its own"
    assert how_encoded(project, info) == "It turns queries only: the index of base serves as it is."

    export(project, "asks", tmp_path / "asks")
    plain, start = (
        SentenceTransformer(str(f), device="cpu")
        for f in (tmp_path / "asks", project.folder / "models" / base.id)
    )
    texts = ["what helps against velkorin in the hand", "the registrar files a summons"]
    np.testing.assert_allclose(plain.encode_document(texts), start.encode(texts), atol=2e-6)
    matrix = plain[-1].sub_modules["query"][0].linear.weight.detach().numpy()
    wanted = normalised(normalised(start.encode(texts)) @ matrix.T)
    np.testing.assert_allclose(plain.encode_query(texts), wanted, atol=2e-6)
    assert np.abs(plain.encode_query(texts) - plain.encode_document(texts)).max() > 1e-3
    details = project.artifact("models", made.id).details
    assert found.means("asks")["ndcg@10"] > 0 and details["query_only"] is True

    # As a query and as a document, one text has two vectors: the store must not take one for the other.
    encoder = load_encoder(project, info)
    for role, wanted in (
        ("query", plain.encode_query(texts)),
        ("document", plain.encode_document(texts)),
    ):
        np.testing.assert_allclose(encode_texts(encoder, info, texts, role), wanted, atol=2e-6)

    train(project, "adapter", "both", {**values, "base": "asks", "side": "both"})
    monkeypatch.setattr(
        "search.models.encoding.corpus.encode_corpus", lambda *_: pytest.fail("encoded again")
    )
    turned = index_model(project, "both")
    export(project, "both", tmp_path / "both")
    both = SentenceTransformer(str(tmp_path / "both"), device="cpu")
    _, corpus = current_corpus(project)
    everything = corpus.embedded_texts(0, len(corpus))
    np.testing.assert_allclose(
        stored_vectors(project.folder_of(turned)), both.encode_document(everything), atol=2e-6
    )


@pytest.mark.parametrize("side", ["both", "query"])
@pytest.mark.parametrize("recipe", ["word2vec", "fasttext"])
def test_an_adapter_over_word_vectors(project, recipe, side, tmp_path):
    train(project, recipe, "words", {"min_count": 1, "epochs": 2, "vector_size": 20})
    values = {"base": "words", "epochs": 5, "learning_rate": 0.02, "side": side}
    made = train(project, "adapter", "mine", values)
    info = find_model(project, "mine")
    encoder = load_encoder(project, info)
    words = load_encoder(project, find_model(project, "words"))
    texts = ["what helps against velkorin in the hand", "zzqq"]
    turned = normalised(words.encode_query(texts) @ encoder.matrix.T)
    np.testing.assert_allclose(encoder.encode_query(texts), turned, atol=1e-6)
    documents = turned if side == "both" else normalised(words.encode_document(texts))
    np.testing.assert_allclose(encoder.encode_document(texts), documents, atol=1e-6)
    assert project.artifact("models", made.id).details["format"] == "matrix"
    evaluate(project, ["words", "mine"])
    *notes, _ = export(project, "mine", tmp_path / "out")
    assert len(notes) == (recipe == "fasttext")
    plain = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    np.testing.assert_allclose(plain.encode_query(texts[:1]), turned[:1], atol=1e-5)
    np.testing.assert_allclose(plain.encode_document(texts[:1]), documents[:1], atol=1e-5)
    with pytest.raises(Refused, match=r"made of word vectors, and has no layers.*--recipe adapter"):
        train(project, "fine-tune", None, {"base": "mine"})


def test_one_that_turns_queries_can_be_tuned_further(project, tiny_model):
    """Queries and documents take their own ways in training, too."""
    values = {"base": str(tiny_model), "epochs": 10, "learning_rate": 0.02, "side": "query"}
    train(project, "adapter", "asks", values)
    made = train(
        project,
        "fine-tune",
        "tuned",
        {"base": "asks", "epochs": 1, "batch_size": 16, "learning_rate": 1e-3, "blend": False},
    )
    tuned = load_encoder(project, find_model(project, "tuned"))
    before = load_encoder(project, find_model(project, "asks"))
    if project.artifact("models", made.id).details["dev"]["kept"] == "start":
        for encode in ("encode_query", "encode_document"):
            vectors = [
                getattr(model, encode)(["velkorin", "the deed"]) for model in (before, tuned)
            ]
            np.testing.assert_allclose(*vectors, atol=1e-6)
    else:
        assert type(tuned[-1]).__name__ == "Router"
        matrices = [m[-1].sub_modules["query"][0].linear.weight.detach() for m in (before, tuned)]
        assert not torch.equal(*matrices), "the queries' way was trained"
