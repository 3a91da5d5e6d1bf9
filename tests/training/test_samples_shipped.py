"""What ships with the samples: whole, small, and what anybody would make of the same data."""

from pathlib import Path

import numpy as np
import pytest

from search.corpus.corpus import embedded_key
from search.evaluation.evaluation import load_evaluation, newest_evaluation
from search.models.encoding.backends.probe import LOWEST_COSINE
from search.models.linear_adapter import read_matrix
from search.models.registry import GENERIC, GENERIC_SHA256, find_model
from search.models.sentence_transformer import load_generic
from search.projects.errors import Failed
from search.projects.project import project_to_be
from training.samples import SAMPLES, constitution, create_sample
from training.samples.shipped import FOLDER, Shipped, write
from training.samples.shipped.make import make


@pytest.mark.parametrize("key", SAMPLES)
def test_what_ships_is_small_and_says_what_it_is(key: str) -> None:
    shipped = Shipped.of(key)
    assert (FOLDER / key / "matrix.safetensors").stat().st_size <= 600_000
    assert shipped.details["adapter_base"]["fingerprint"] == GENERIC_SHA256
    assert shipped.details["name"] == SAMPLES[key].model
    assert np.allclose(np.linalg.norm(shipped.vectors, axis=1), 1, atol=1e-5)
    assert len(set(shipped.texts)) == len(shipped.texts) == len(shipped.vectors)
    assert shipped.picture["question"] in SAMPLES[key].examples
    assert shipped.picture["custom"]["rank"] == 1 < shipped.picture["generic"]["rank"]


def test_all_that_is_searched_and_asked_is_there() -> None:
    documents, split = constitution.read()
    texts = [*(one.embedded for one in documents), *split.test.queries.values()]
    assert {embedded_key(text) for text in texts} == set(Shipped.of("legal").texts)


def test_vectors_that_eight_bits_spoil_are_refused(tmp_path: Path) -> None:
    one = np.full((1, 384), 0.003, dtype=np.float32)
    one[0, 0] = 1.0  # All others are less than half a step.
    with pytest.raises(Failed, match=r"Eight bits keep a cosine of 0\.998"):
        write(tmp_path, ["rent"], one, np.eye(384, dtype=np.float32), {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("key", SAMPLES)
def test_the_vectors_are_the_generic_models(key: str) -> None:
    """Of texts spread over the sample, encoded here and now."""
    shipped, model = Shipped.of(key), load_generic()
    documents, split = SAMPLES[key].read()
    texts = [*(one.embedded for one in documents), *split.test.queries.values()][::150]
    rows = [shipped.texts.index(embedded_key(text)) for text in texts]
    cosines = np.einsum("nd,nd->n", model.encode_document(texts), shipped.vectors[rows])
    assert cosines.min() >= LOWEST_COSINE


@pytest.mark.slow
def test_the_command_makes_the_same_again_and_the_sample_opens_with_it(tmp_path: Path) -> None:
    """The legal one, which is the smaller. Its vectors are held against the model above; here the training is repeated."""
    project = project_to_be("opened")
    create_sample(project, "legal")
    generic, model = find_model(project, GENERIC), find_model(project, "plain-law")
    assert {generic.id, model.id} < {
        one.made_from["model"] for one in project.manifests("indexes")
    }, "beside the words"
    measured = newest_evaluation(project)
    assert measured is not None
    result = load_evaluation(project, measured)
    assert list(result.scores) == [GENERIC, "plain-law", "bm25"]
    make(project_to_be("made"), "legal", tmp_path / "legal")
    again, shipped = Shipped.of("legal", tmp_path), Shipped.of("legal")
    assert again.texts == shipped.texts
    assert np.einsum("nd,nd->n", again.vectors, shipped.vectors).min() > LOWEST_COSINE
    assert again.picture == shipped.picture
    apart = read_matrix(again.folder) - read_matrix(shipped.folder)
    assert np.linalg.norm(apart) < 0.02 * np.linalg.norm(read_matrix(shipped.folder))
