"""What an index keeps is handed out as it is; what is damaged or too old is one sentence."""

import numpy as np
import pytest

from indexes.vector_index import normalised
from search.corpus.corpus import current_corpus
from search.models.encoding.index_vectors import vectors_of
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.errors import Failed
from search.projects.project import project_to_be
from search.retrieval.indexing.build import index_model
from training.train import train


@pytest.fixture
def project(import_tiny):
    made = project_to_be("lab")
    import_tiny(made)
    train(made, "word2vec", "words", {"vector_size": 8, "min_count": 1, "epochs": 1})
    return made


def test_they_are_the_vectors_of_all_passages(project):
    found = vectors_of(project, index_model(project, "words"))
    corpus = current_corpus(project)[1]
    encoder = load_encoder(project, find_model(project, "words"))
    wanted = normalised(encoder.encode_document(corpus.embedded_texts(0, corpus.passages)))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_an_index_without_them_says_what_to_do(project):
    index = index_model(project, "words")
    folder = project.folder_of(index)
    manifest = folder / "manifest.json"
    (folder / "vectors.npy").unlink()
    kept = index.model_copy(update={"files": {}})
    manifest.write_text(kept.model_dump_json(), encoding="utf-8")
    with pytest.raises(Failed, match="and make it again") as told:
        vectors_of(project, project.artifact("indexes", index.id))
    assert str(folder) in str(told.value)
