"""Queries with ids, from tables of any shape."""

import pytest

from search.corpus.readers.queries import QueryColumns, read_queries
from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.jsonl", '{"_id": "1", "text": "one", "metadata": {}}\n{"_id": 2, "text": "two"}\n'),
        ("q.json", '[{"id": 1, "query": "one"}, {"id": "2", "query": "two"}]'),
        ("q.csv", "qid,question\n1,one\n2,two\n"),
        ("q.tsv", "query-id\ttext\n1\tone\n2\ttwo\n"),
    ],
)
def test_queries(file, name, content):
    queries, report = read_queries(file(name, content))
    assert queries == {"1": "one", "2": "two"}
    assert (report.accepted, report.refused_count) == (2, 0)


def test_queries_that_are_left_out(file):
    queries, report = read_queries(
        file(
            "q.jsonl",
            '{"_id": "1", "text": "one"}\n{"_id": "1", "text": " one "}\n{"_id": "", "text": "x"}\n'
            '{"_id": "3", "text": " "}\n{"_id": "4", "text": "\\ud800"}\n{"_id": "5"}\n',
        )
    )
    assert queries == {"1": "one"}
    assert refusals(report) == [
        ("line 2", "the id '1' and its query stand in an earlier row"),
        ("line 3", "the id or the text is empty"),
        ("line 4", "the id or the text is empty"),
        ("line 5", "text holds a broken character (an unpaired surrogate)"),
        ("line 6", "the id or the text is empty"),
    ]


def test_queries_without_their_columns(file):
    with pytest.raises(Refused, match=r"q\.csv needs a column of ids .* its columns are a, text\."):
        read_queries(file("q.csv", "a,text\n1,x\n"))
    with pytest.raises(Refused, match=r"q\.csv needs a column of ids .* its columns are id, x\."):
        read_queries(file("q.csv", "id,x\n1,x\n"))
    with pytest.raises(Refused, match=r"^q\.csv holds no queries: it is empty\.$"):
        read_queries(file("q.csv", "id,text\n"))


def test_an_id_of_two_queries_is_of_neither(file):
    queries, report = read_queries(
        file("q.tsv", "_id\ttext\n44\twalking stick\n45\tcuff\n44\torganiser for pills\n")
    )
    assert queries == {"45": "cuff"}
    why = (
        "the id '44' is used for different queries, 'walking stick' and 'organiser for pills': none of them is used; "
        "give each an id of its own"
    )
    assert refusals(report) == [("row 2", why), ("row 4", why)]
    assert report.accepted == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.tsv", "query_id\tquery_text\tlanguage\n7\tcane that folds\ten\n8\tcuff\ten\n"),
        ("q.csv", "qid,query\n7,cane that folds\n8,cuff\n"),
        ("q.csv", "query,text\n7,cane that folds\n8,cuff\n"),
        ("q.csv", "topic;title\n7;cane that folds\n8;cuff\n"),
        ("q.tsv", "7\tcane that folds\n8\tcuff\n"),
        ("q.csv", "7,cane that folds\n8,cuff\n"),
        ("q.txt", "7\tcane that folds\n8\tcuff\n"),
        ("q.txt", "7 cane that folds\n8 cuff\n"),
        ("q.txt", "qid\tquery\n7\tcane that folds\n8\tcuff\n"),
        ("q.json", '{"7": "cane that folds", "8": "cuff"}'),
        ("q.jsonl", '{"query_id": 7, "query": "cane that folds"}\n{"query_id": 8, "query": "cuff"}\n'),
    ],
)  # fmt: skip
def test_queries_as_people_have_them(file, name, content):
    queries, report = read_queries(file(name, content))
    assert queries == {"7": "cane that folds", "8": "cuff"}
    assert report.refused_count == 0


def test_chosen_columns_of_queries(file):
    path = file("q.csv", "nr,frage,text\n7,worin,x\n8,woran,y\n")
    assert read_queries(path, QueryColumns("nr", "frage"))[0] == {"7": "worin", "8": "woran"}
    with pytest.raises(Refused, match=r"has no column 'fragen'\. Its columns are: nr, frage, text"):
        read_queries(path, QueryColumns("nr", "fragen"))
