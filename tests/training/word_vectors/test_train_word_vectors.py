"""Word2Vec and FastText from scratch: reproducible, each setting reaches gensim, progress moves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from search.corpus.corpus import current_corpus
from search.models.registry import GENERIC
from search.models.sentence_transformer import load_generic
from search.models.word_tokenizers import words_of
from search.projects.errors import Cancelled, Refused
from search.projects.progress import silent
from search.projects.project import Project
from search.retrieval.indexing.build import index_model
from training.data.pair_sets import PairSet
from training.dev_set import DevSet
from training.train import train
from training.word_vectors.settings import FastTextSettings, Word2VecSettings
from training.word_vectors.training import train_word_vectors

SMALL = {"vector_size": 12, "min_count": 1, "epochs": 3}


@pytest.fixture
def project(tmp_path, import_tiny):
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    return made


@pytest.fixture
def corpus(project):
    return current_corpus(project)[1]


def _recipe(kind, **changes):
    if kind == "word2vec":
        return Word2VecSettings(**{**SMALL, **changes})
    return FastTextSettings(**{**SMALL, "buckets": 1_500, **changes})


@pytest.mark.parametrize("kind", ["word2vec", "fasttext"])
def test_the_same_seed_gives_the_same_vectors(corpus, kind):
    one = train_word_vectors(corpus, _recipe(kind), silent)[0]
    two = train_word_vectors(corpus, _recipe(kind), silent)[0]
    assert one.words == two.words
    assert one.vectors.tobytes() == two.vectors.tobytes()
    assert one.common.tobytes() == two.common.tobytes()
    if kind == "fasttext":
        assert one.subwords.tobytes() == two.subwords.tobytes()
    other = train_word_vectors(corpus, _recipe(kind, seed=43), silent)[0]
    assert one.vectors.tobytes() != other.vectors.tobytes()


@pytest.mark.parametrize("kind", ["word2vec", "fasttext"])
def test_published_twice_the_fingerprint_is_the_same(project, kind):
    values = {**SMALL, **({"buckets": 1_500} if kind == "fasttext" else {})}
    ids = [train(project, kind, None, values).id for _ in range(2)]
    one, two = (project.artifact("models", identity) for identity in ids)
    assert one.fingerprint == two.fingerprint
    assert [m.details["name"] for m in (one, two)] == [kind, f"{kind}-2"]


def _say_dev_scores(folder):
    """Print what trainings of a project in this process score on dev, and the models' fingerprints."""
    made = Project(Path(folder))
    for kind in ("word2vec", "fasttext"):
        values = {**SMALL, "epochs": 10, **({"buckets": 1_500} if kind == "fasttext" else {})}
        train(made, kind, None, values)
        model = made.newest("models")
        print(kind, model.details["dev"]["ndcg@10"], model.fingerprint)


@pytest.mark.slow
def test_two_processes_give_the_same_dev_scores(project):
    program = (
        "from tests.training.word_vectors.test_train_word_vectors import _say_dev_scores; "
        f"_say_dev_scores({str(project.folder)!r})"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count("fasttext [0.") == 1


def _spelt_out(kind, recipe, corpus):
    """The same training in gensim's own words."""
    import gensim.models

    common = {
        "sentences": [words_of(text) for text in corpus.embedded_texts(0, 100)],
        "vector_size": recipe.vector_size,
        "window": recipe.window,
        "min_count": recipe.min_count,
        "epochs": recipe.epochs,
        "seed": recipe.seed,
        "sg": 1 if recipe.algorithm == "skip-gram" else 0,
        "workers": 1,
    }
    if kind == "word2vec":
        return gensim.models.Word2Vec(**common)
    return gensim.models.FastText(
        **common, min_n=recipe.min_n, max_n=recipe.max_n, bucket=recipe.buckets
    )


@pytest.mark.parametrize("kind", ["word2vec", "fasttext"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"algorithm": "cbow"},
        {"window": 1},
        {"min_count": 3},
        {"epochs": 6},
        {"vector_size": 5},
        {"seed": 1},
    ],
    ids=str,
)
def test_every_setting_reaches_gensim(corpus, kind, changes):
    recipe = _recipe(kind, **changes)
    mine = train_word_vectors(corpus, recipe, silent)[0]
    theirs = _spelt_out(kind, recipe, corpus).wv
    assert mine.words == theirs.index_to_key
    assert mine.vectors.tobytes() == theirs.vectors.tobytes()
    assert mine.vectors.shape == (len(mine.words), recipe.vector_size)


@pytest.mark.parametrize("changes", [{"min_n": 2}, {"max_n": 4}, {"buckets": 1_000}], ids=str)
def test_n_gram_settings_reach_gensim(corpus, changes):
    recipe = _recipe("fasttext", **changes)
    mine = train_word_vectors(corpus, recipe, silent)[0]
    theirs = _spelt_out("fasttext", recipe, corpus).wv
    assert mine.subwords.tobytes() == theirs.vectors_ngrams.tobytes()
    assert mine.ngrams == (recipe.min_n, recipe.max_n)
    assert mine.vector("velkorinus") == pytest.approx(theirs["velkorinus"], abs=1e-6)


def test_measuring_on_the_way_changes_nothing(corpus):
    seen = []

    def measure(epoch, vectors):
        vectors.encode_document(["velkorin frost"])
        seen.append((epoch, vectors.vectors.copy()))
        return {"epoch": epoch}

    for kind in ("word2vec", "fasttext"):
        seen.clear()
        watched = train_word_vectors(corpus, _recipe(kind), silent, measure)[0]
        alone = train_word_vectors(corpus, _recipe(kind), silent)[0]
        assert watched.vectors.tobytes() == alone.vectors.tobytes()
        assert [epoch for epoch, _ in seen] == [1, 2, 3]
        assert (seen[-1][1] == watched.vectors).all(), "the last measurement is of the result"
        assert (seen[0][1] != seen[1][1]).any()


def test_progress_counts_epochs_and_carries_metrics(corpus):
    told = []
    train_word_vectors(
        corpus,
        _recipe("word2vec"),
        lambda done, total, message, metrics=None: told.append((done, total, message, metrics)),
        lambda epoch, vectors: {"epoch": epoch},
    )
    assert [report for report in told if report[1]] == [
        (0, 3, "epoch 1 of 3", None),
        (1, 3, "epoch 2 of 3", {"epoch": 1}),
        (2, 3, "epoch 3 of 3", {"epoch": 2}),
        (3, 3, "epoch 3 of 3", {"epoch": 3}),
    ]


@pytest.mark.parametrize("kind", ["word2vec", "fasttext"])
def test_a_minimum_count_that_no_word_reaches_is_refused(project, kind):
    with pytest.raises(Refused, match=r"No word of the corpus occurs 5000 times.*Lower min_count"):
        train(project, kind, None, {"min_count": 5000})
    assert project.manifests("models") == []


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_cancel_stops_it_after_the_epoch(project, epoch):
    def stop(done, total, message, metrics=None):
        if total and done >= epoch:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        train(project, "word2vec", None, SMALL, stop)
    assert project.manifests("models") == []


def test_dev_scores_are_measured_where_there_are_dev_queries(project):
    train(project, "word2vec", None, {**SMALL, "epochs": 10})
    dev = project.newest("models").details["dev"]
    assert dev["queries"] == 8
    assert len(dev["ndcg@10"]) == 5, "every second epoch of ten"
    assert all(0 < value <= 1 for value in dev["ndcg@10"])


def test_it_is_held_against_the_generic_model_where_the_documents_are_encoded(project):
    made = train(project, "word2vec", None, SMALL)
    assert made.notes == [], "without an index, encoding them would take longer than the training"
    index_model(project, GENERIC)
    made = train(project, "word2vec", None, SMALL)
    dev = project.newest("models").details["dev"]
    _, corpus = current_corpus(project)
    asked = DevSet.of(corpus, PairSet.load(project, project.newest("pairs")).dev)
    assert dev["generic"] == pytest.approx(asked.ndcg(load_generic()), abs=1e-6)
    own = dev["ndcg@10"][-1]
    said = (
        f"On the dev queries it scores {own:.3f} nDCG@10, the generic model {dev['generic']:.3f}."
    )
    assert made.notes == [
        said + ("" if own > dev["generic"] else " Keep to that one for searching.")
    ]


def test_documents_alone_are_enough(tmp_path):
    from search.corpus.ingest import IngestChoices, add_documents
    from search.corpus.readers.documents import DocumentColumns

    path = tmp_path / "documents.txt"
    path.write_text(
        "".join(f"the knee number {n} hurts after running\n\n" for n in range(20)), encoding="utf-8"
    )
    project = Project(tmp_path / "workspace" / "documents-only")
    parts = DocumentColumns(document_per="paragraph")
    add_documents(project, [path], IngestChoices(columns=parts))
    made = train(project, "word2vec", None, SMALL)
    details = project.artifact("models", made.id).details
    assert details["dev"] is None
    assert (details["recipe"], details["dimension"]) == ("word2vec", 12)
    assert made.notes == []
