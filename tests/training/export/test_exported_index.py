"""The index with its ids, read by the engines that it is for."""

import json
import re

import faiss
import numpy as np
import pyarrow.parquet as pq
import pytest

from search.corpus.corpus import current_corpus
from search.corpus.passages import Chunking
from search.corpus.tokenizer import generic_subwords
from search.models.encoding.index_vectors import vectors_of
from search.projects.errors import Failed, Refused
from search.projects.project import Project
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.export.export import export
from training.export.index_files import INDEX_FORMS
from training.train import train


@pytest.fixture
def cut(workspace, tiny_beir):
    """A project whose documents are cut into passages, indexed with word vectors."""
    project = Project(workspace / "cut")
    import_beir(project, tiny_beir, cut=(Chunking(24, 0), generic_subwords()))
    train(project, "word2vec", "words", {"vector_size": 8, "min_count": 1, "epochs": 1})
    index_model(project, "words")
    return project


@pytest.fixture(autouse=True)
def as_in_a_new_process():
    """Whoever takes an index away has FAISS as it starts; here other tests have read indexes, each with its own limit."""
    before = faiss.get_deserialization_vector_byte_limit()
    faiss.set_deserialization_vector_byte_limit(1 << 40)
    yield
    faiss.set_deserialization_vector_byte_limit(before)


def test_each_row_is_named_by_its_document(cut, tmp_path):
    export(cut, "words", tmp_path / "faiss", form="faiss")
    export(cut, "words", tmp_path / "parquet", form="parquet")
    index = faiss.read_index(str(tmp_path / "faiss" / "index.faiss"))
    lines = (tmp_path / "faiss" / "ids.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    table = pq.read_table(tmp_path / "parquet" / "vectors.parquet")
    _, corpus = current_corpus(cut)
    assert index.ntotal == len(rows) == table.num_rows == corpus.passages > len(corpus)
    wanted = vectors_of(cut, cut.newest("indexes"))
    assert np.array_equal(index.reconstruct_n(0, index.ntotal), wanted)
    assert np.array_equal(np.vstack(table.column("vector").to_pylist()).astype("f4"), wanted)
    assert table.drop(["vector"]).to_pylist() == rows
    for row in rows:
        passage = corpus.passage_texts(row["id"])[row["passage"]]
        assert corpus.document(row["id"]).text[row["start"] : row["stop"]] == passage


@pytest.mark.parametrize("form", INDEX_FORMS)
def test_the_card_says_how_it_is_used_and_holds_no_text(cut, tmp_path, form):
    export(cut, "words", tmp_path / "out", form=form)
    card = (tmp_path / "out" / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL).group(1)
    exec(code.replace("path/to/this/folder", str(tmp_path / "out")), {})
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert b"velkorin" not in everything.lower() and b"d0" in everything


def test_what_cannot_be_is_refused(cut, tmp_path, monkeypatch):
    with pytest.raises(Refused, match=r"has no index of the newest documents yet.*--model generic"):
        export(cut, "generic", tmp_path / "out", form="faiss")
    with pytest.raises(Refused, match="faiss has no int8: it holds vectors"):
        export(cut, "words", tmp_path / "out", form="faiss", precision="int8")
    monkeypatch.setattr("training.export.index_files.np.array_equal", lambda *_: False)
    with pytest.raises(Failed, match="read again is not what was written"):
        export(cut, "words", tmp_path / "out", form="parquet")
    assert not (tmp_path / "out").exists()
