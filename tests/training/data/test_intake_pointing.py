"""Pairs that point to documents by id, and negatives that come with them."""

import json

import pytest
from pair_rows import numbered, rows, texts

from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.evaluation.query_sets.query_set import current_query_set
from search.projects.errors import Refused
from training.data.intake import add_pairs
from training.data.pair_sets import current_pairs


def test_pairs_by_id(with_corpus, write):
    made = add_pairs(with_corpus, write(numbered(0, 40)))
    assert (made.documents, made.test_queries, made.dev_queries, made.pairs) == (0, 8, 4, 28)
    assert made.notes == []
    _, corpus = current_corpus(with_corpus)
    for pair in current_pairs(with_corpus)[1].pairs:
        assert pair.document == "doc-" + pair.query.split()[1]
        assert pair.response == corpus.document(pair.document).embedded
    _, queries = current_query_set(with_corpus)
    for query, judged in queries.judgments.items():
        assert judged == {"doc-" + queries.queries[query].split()[1]: 1}


def test_unknown_ids_are_refused_row_by_row(with_corpus, write):
    made = add_pairs(with_corpus, write(numbered(30, 42) + numbered(0, 20)))
    assert [(row.where, row.reason) for row in made.reports[0].refused] == [
        ("item 11", "the corpus has no document 'doc-40'"),
        ("item 12", "the corpus has no document 'doc-41'"),
    ]
    assert made.pairs + made.dev_queries + made.test_queries == 30


def test_unknown_ids_with_a_text_may_be_added(with_corpus, write):
    data = [
        *numbered(0, 20),
        {"query": "a new one", "doc_id": "own-1", "response": "text of its own"},
        {"query": "another", "doc_id": "own-1", "response": "text of its own"},
        {"query": "a wrong one", "doc_id": "own-1", "response": "another text"},
        {"query": "by its words", "doc_id": "", "response": "TEXT of its own!"},
        {"query": "unmatched", "doc_id": "", "response": "of no document yet"},
    ]
    made = add_pairs(with_corpus, write(data), add_responses=True)
    assert [(row.where, row.reason) for row in made.reports[0].refused] == [
        ("item 23", "an earlier row gives the document 'own-1' another text")
    ]
    assert made.documents == 2
    _, corpus = current_corpus(with_corpus)
    assert corpus.ids()[40:] == ["own-1", "pairs-r42"]
    assert [corpus.document(name).text for name in ("own-1", "pairs-r42")] == [
        "text of its own", "of no document yet"
    ]  # fmt: skip
    _, queries = current_query_set(with_corpus)
    _, pairs = current_pairs(with_corpus)
    found = {p.query: {p.document} for p in pairs.pairs}
    for held in (queries, pairs.dev):
        found |= {text: set(held.judgments[key]) for key, text in held.queries.items()}
    assert found["a new one"] == found["another"] == found["by its words"] == {"own-1"}
    assert found["unmatched"] == {"pairs-r42"}


def test_unknown_ids_with_a_text_are_refused_where_nothing_is_to_be_added(with_corpus, write):
    data = [*numbered(0, 20), {"query": "new", "doc_id": "own-1", "response": "text of its own"}]
    made = add_pairs(with_corpus, write(data))
    assert [(row.where, row.reason) for row in made.reports[0].refused] == [
        ("item 21", "the corpus has no document 'own-1' (--add-responses would add it)")
    ]
    assert len(current_corpus(with_corpus)[1]) == 40


def test_ids_become_those_of_a_new_corpus(home, write):
    data = [{**row, "response": f"text{n} of{n}"} for n, row in enumerate(numbered(0, 20))]
    add_pairs(home, write(data))
    manifest, corpus = current_corpus(home)
    assert corpus.ids() == [f"doc-{n}" for n in range(20)]
    assert manifest.details["written"] == 20


def test_ids_alone_need_documents(home, write, workspace, tree):
    with pytest.raises(
        Refused, match=r"item 1: the project has no documents yet, so none with the id 'doc-0'"
    ):
        add_pairs(home, write(numbered(0, 20)))
    assert tree(workspace) == {}


def test_a_refused_row_leaves_no_document_behind(home, write):
    data = [{**row, "response": f"text{n} of{n}"} for n, row in enumerate(numbered(0, 20))]
    data.append({"query": "x", "doc_id": "bad", "response": "text", "negative": "Text!"})
    add_pairs(home, write(data))
    assert "bad" not in current_corpus(home)[1].ids()


def test_made_up_ids_give_way_to_those_of_the_corpus(home, write, tmp_path):
    (tmp_path / "d.jsonl").write_text(
        "".join(json.dumps({"id": f"pairs-r{n}", "text": f"word{n}"}) + "\n" for n in (1, 3, 4))
    )
    add_documents(home, [tmp_path / "d.jsonl"])
    made = add_pairs(home, write(rows(0, 20)), add_responses=True)
    assert made.documents == 20
    ids = current_corpus(home)[1].ids()
    assert len(set(ids)) == 23
    assert ids[3:5] == ["pairs-r5", "pairs-r6"]
    assert all(p.document for p in current_pairs(home)[1].pairs)


def test_negatives_are_kept_and_counted(with_corpus, write):
    data = rows(0, 40)
    data[0]["negative"], data[1]["negatives"] = "no answer", ["not this", "nor that"]
    data[2]["negative"] = data[2]["response"]
    made = add_pairs(with_corpus, write(data))
    assert made.notes == ["2 pairs bring hard negatives (3 in all)"]
    assert made.reports[0].refused_count == 1
    found = {p.query.split()[1]: p.negatives for p in current_pairs(with_corpus)[1].pairs}
    held = texts(current_query_set(with_corpus)[1]) | texts(current_pairs(with_corpus)[1].dev)
    for number, negatives in (("0", ("no answer",)), ("1", ("not this", "nor that"))):
        if f"question {number} about topic{number}" not in held:
            assert found[number] == negatives


def test_chosen_encoding_and_delimiter(home, tmp_path):
    path = tmp_path / "pairs.csv"
    lines = "".join(f"Stra\xdfe{n}, wo{n};Gr\xfc\xdfe{n} von{n}\n" for n in range(10))
    path.write_bytes(f"query;answer\n{lines}".encode("cp850"))
    made = add_pairs(home, path, encoding="cp850", delimiter=";")
    assert (made.reports[0].encoding, made.reports[0].accepted) == ("cp850", 10)
    assert current_corpus(home)[1].document("pairs-r1").text == "Gr\xfc\xdfe0 von0"
