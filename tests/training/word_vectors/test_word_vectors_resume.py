"""Word vectors whose process was killed: nothing half made, and they end as the vectors they would have been."""

import killing
import numpy as np
import pytest

from search.corpus.corpus import current_corpus
from search.projects import runs
from search.projects.errors import Cancelled
from search.projects.progress import silent
from search.projects.project import Project, project
from training.checkpoints import Checkpointer
from training.word_vectors import training
from training.word_vectors.settings import FastTextSettings, Word2VecSettings
from training.word_vectors.training import train_word_vectors

SMALL = {"vector_size": 12, "min_count": 1, "epochs": 6}
KINDS = {
    "word2vec": Word2VecSettings(**SMALL),
    "cbow": Word2VecSettings(**SMALL, algorithm="cbow"),
    "phrases": Word2VecSettings(**SMALL, phrases=True),
    "pieces": Word2VecSettings(**SMALL, tokens="pieces", pieces=300),
    "fasttext": FastTextSettings(**SMALL, buckets=1_500),
}


@pytest.fixture
def corpus(tmp_path, import_tiny):
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    return current_corpus(made)[1]


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(training, "_KEEP_EVERY", 0.0)


def _measure(epoch, vectors):
    return {"norm": float(np.linalg.norm(vectors.vectors))}


def _stopped_after(epoch):
    def progress(done, total, message, metrics=None):
        if total and done >= epoch:
            raise Cancelled("stop")

    return progress


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_as_if_it_had_never_stopped(corpus, tmp_path, kind, often):
    settings = KINDS[kind]
    wanted, whole = train_word_vectors(corpus, settings, silent, _measure)
    kept = Checkpointer(tmp_path / "kept", {"kind": kind})
    for epoch in (2, 3, 5):  # Killed three times.
        with pytest.raises(Cancelled):
            train_word_vectors(corpus, settings, _stopped_after(epoch), _measure, kept)
    told = []
    found, epochs = train_word_vectors(
        corpus, settings, lambda *said: told.append(said), _measure, kept
    )
    assert found.vectors.tobytes() == wanted.vectors.tobytes()
    assert found.common.tobytes() == wanted.common.tobytes()
    if kind == "fasttext":
        assert found.subwords.tobytes() == wanted.subwords.tobytes()
    assert epochs == whole
    assert [one.number for one in epochs] == [1, 2, 3, 4, 5, 6]
    assert [said[0] for said in told if said[1]] == [0, 1, 2, 3, 4, 5, 6]


def test_what_was_stopped_is_not_begun_again(corpus, tmp_path, often):
    kept = Checkpointer(tmp_path / "kept", {})
    with pytest.raises(Cancelled):
        train_word_vectors(corpus, KINDS["word2vec"], _stopped_after(4), _measure, kept)
    asked = []

    def measure(epoch, vectors):
        asked.append(epoch)
        return {}

    train_word_vectors(corpus, KINDS["word2vec"], silent, measure, kept)
    assert asked == [5, 6]


def test_checkpoints_of_other_words_are_not_used(corpus, tmp_path, often):
    kept = Checkpointer(tmp_path / "kept", {})
    with pytest.raises(Cancelled):
        train_word_vectors(corpus, KINDS["word2vec"], _stopped_after(4), _measure, kept)
    other = KINDS["word2vec"].model_copy(update={"min_count": 3})
    found, epochs = train_word_vectors(corpus, other, silent, _measure, kept)
    anew, _ = train_word_vectors(corpus, other, silent)
    assert found.vectors.tobytes() == anew.vectors.tobytes()
    assert len(epochs) == 6


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["word2vec", pytest.param("fasttext", marks=pytest.mark.prove)])
def test_a_run_that_was_killed_is_resumed(recipe, shared_data, workspace, call_cli, run_cli):
    assert call_cli("import", "lab", shared_data / "ask_cfpb").status == 0
    lab = project("lab")
    command = ["train", "lab", "--recipe", recipe, "--set", "epochs=12", "--set", "vector_size=50"]
    run = runs.start(lab, [*command, "--name", "broken"])
    killing.checkpointed(run, 120)
    killing.kill(run)
    assert lab.manifests("models") == []
    killing.resume(run, 300)
    assert run_cli(*command, "--name", "whole", timeout=300).returncode == 0
    one, two = lab.manifests("models")
    assert one.details["dev"] == two.details["dev"]
    assert one.fingerprint == two.fingerprint
