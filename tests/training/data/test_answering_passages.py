"""The passage a query is about, by words: for fine-tuning and for the dev pool of long documents."""

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import IngestChoices, add_documents
from search.corpus.labels import Pair
from search.evaluation.query_sets.query_set import QuerySet
from search.projects.project import project_to_be
from training.data.answering_passages import answering_passages, nearest
from training.dev_set import DevSet

PASSAGES = [
    "the rent is due",
    "the deposit is due",
    "the notice is due in writing",
    "other matters",
]


def test_nearest():
    assert nearest(["when is the deposit due?"], PASSAGES) == [1]
    assert nearest(["the notice in writing", "the rent"], PASSAGES, 2) == [0, 2]
    assert nearest(["zebra"], PASSAGES) == [0]
    assert nearest(["rent"], PASSAGES, 9) == [0, 1, 2, 3]


@pytest.fixture
def books(tmp_path):
    """Two documents of forty sentences each, and a short one."""
    project = project_to_be("books")
    rows = ["id,text"]
    for name in ("lease", "will"):
        text = " ".join(f"Clause {n} of the {name} speaks of the {name}term{n}." for n in range(40))
        rows.append(f"{name},{text}")
    path = tmp_path / "books.csv"
    path.write_text("\n".join([*rows, "note,A short note."]))
    add_documents(project, [path], IngestChoices(tokens=40, overlap=0))
    return project


def test_a_whole_document_as_response_becomes_the_passage_that_answers(books):
    _, corpus = current_corpus(books)
    whole = corpus.document("lease").text
    pairs = [
        Pair("what does leaseterm31 mean", whole, "lease"),
        Pair("a part of it", "Clause 3 of the lease", "lease"),
        Pair("what is short", "A short note.", "note"),
        Pair("no document", "free text"),
    ]
    made = answering_passages(pairs, corpus)
    assert "leaseterm31" in made[0].response
    assert len(made[0].response) < len(whole) / 5
    assert made[1:] == pairs[1:]


def test_the_dev_pool_holds_a_few_passages_of_a_long_document(books):
    _, corpus = current_corpus(books)
    assert len(corpus.passages_of(0)) > 8
    queries = QuerySet({"q": "what does leaseterm31 mean"}, {"q": {"lease": 1}})
    dev = DevSet.of(corpus, queries)
    assert {name: dev.ids.count(name) for name in dev.ids} == {
        "lease": 8,
        "will": pytest.approx(8, abs=3),
        "note": 1,
    }
    assert any("leaseterm31" in text for text in dev.texts)
    assert dev.texts == corpus.embedded_at(dev.positions)
