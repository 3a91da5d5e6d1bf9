"""What ranks in an evaluation reads each query once, and a fusion of sides with copies is that of sides without any."""

import random

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.document import Document
from search.corpus.writer import CorpusWriter
from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.evaluation.rankings.parts import MeasuredParts, PartsOnce
from search.models.word_vectors import WordVectors
from search.projects.project import Project
from search.retrieval.columns import chosen_columns
from search.retrieval.search import assemble
from tests.conftest import write_tiny_beir
from training.data.intake import import_beir
from training.train import train

COLUMNS = ["bm25", "words", "hybrid:words", "hybrid:words@0.3"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    made = Project(folder / "p")
    import_beir(made, write_tiny_beir(folder / "beir"))
    train(made, "word2vec", "words", {"vector_size": 16, "min_count": 1, "epochs": 3})
    return made


def test_no_query_is_read_twice_however_many_columns_have_its_model(project, monkeypatch):
    read = []
    encode = WordVectors.encode_query

    def counted(self, inputs):
        read.extend(inputs)
        return encode(self, inputs)

    _, query_set = current_query_set(project)
    manifest, corpus = current_corpus(project)
    texts = list(query_set.queries.values())
    columns = chosen_columns(project, COLUMNS)
    wanted = {
        r.name: r.rank(texts, 20)
        for r in assemble(project, columns, PartsOnce(project, manifest, corpus))
    }
    monkeypatch.setattr(WordVectors, "encode_query", counted)
    parts = MeasuredParts(PartsOnce(project, manifest, corpus), texts)
    for retriever in assemble(project, columns, parts):
        found = retriever.rank(texts, 20)
        assert [[hit.document for hit in one] for one in found] == [
            [hit.document for hit in one] for one in wanted[retriever.name]
        ]
    asked = [text for text in read if text != "warm up"]
    assert sorted(asked) == sorted(set(texts))
    read.clear()
    for retriever in assemble(
        project, columns, MeasuredParts(PartsOnce(project, manifest, corpus), texts)
    ):
        retriever.rank(texts, 20)
    assert set(read) <= {"warm up"}, "their vectors are kept"


def test_half_the_corpus_copied_under_new_ids_changes_no_figure_of_any_column(project, tmp_path):
    whole = evaluate(project, COLUMNS)
    manifest, corpus = current_corpus(project)
    documents = corpus.documents_at(range(len(corpus)))
    drawn = random.Random(3).sample(documents, len(documents) // 2)
    with project.publish("corpora", manifest.made_from) as draft:
        writer = CorpusWriter(draft.folder)
        writer.add(documents)
        writer.add([Document(f"copy-{d.id}", d.title, d.text) for d in drawn])
        passages = writer.close()
        draft.details.update(
            manifest.details, documents=len(documents) + len(drawn), passages=passages
        )
    with project.publish("queries", {"corpus": draft.id}) as made:
        QuerySet(*_of(current_query_set(project)[1])).save(made)
    try:
        copied = evaluate(project, COLUMNS)
        assert copied.copies.documents == len(drawn)
        assert copied.copies.skipped["words"] > 0
        for name in COLUMNS:
            same = pytest.approx(whole.means(name)["ndcg@10"], abs=1e-9)
            assert copied.means(name)["ndcg@10"] == same
            assert copied.copies.before[name]["ndcg@10"] <= copied.means(name)["ndcg@10"]
    finally:
        for kind in ("queries", "corpora"):
            project.remove(project.newest(kind))


def _of(query_set):
    return query_set.queries, query_set.judgments
