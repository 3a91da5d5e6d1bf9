"""Queries and judgments, of BEIR and of TREC shape."""

import pytest

from search.errors import Refused
from search.readers.judgments import read_judgments, read_queries


def refusals(report):
    return [(row.where, row.reason) for row in report.refused]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td 2\t0\nq2\td1\t1\n"),
        ("qrels.tsv", "q1\td1\t2\nq1\td 2\t0\nq2\td1\t1\n"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\r\nq1\td1\t2\r\n\r\nq1\td 2\t-1\r\nq2\td1\t1.0"),
        ("qrels.txt", "q1\t0\td1\t2\nq1\tQ0\td 2\t0\nq2\t0\td1\t1\n"),
        ("qrels", b"\xef\xbb\xbfq1\td1\t2\nq1\td 2\t0\nq2\td1\t1\n".decode()),
    ],
)
def test_shapes(file, name, content):
    judgments, report = read_judgments(file(name, content))
    assert judgments == {"q1": {"d1": 2, "d 2": 0}, "q2": {"d1": 1}}
    assert (report.accepted, report.refused_count) == (3, 0)


def test_trec_with_spaces(file):
    judgments, _ = read_judgments(file("qrels.test", "q1 0 d1 1\nq1  0   d2  0\nq2 0 d3 3\n"))
    assert judgments == {"q1": {"d1": 1, "d2": 0}, "q2": {"d3": 3}}


def test_lines_that_are_left_out(file):
    judgments, report = read_judgments(
        file(
            "q.tsv",
            "query-id\tcorpus-id\tscore\nq1\td1\nq1\td1\tmany\nq1\td1\tinf\nq1\td1\tnan\n"
            "\td1\t1\nq1\t\t1\nq1\td2\t1\na\tb\tc\td\te\n",
        )
    )
    assert judgments == {"q1": {"d2": 1}}
    assert refusals(report) == [
        ("line 2", "has 2 fields instead of 3 (BEIR) or 4 (TREC)"),
        ("line 3", "the grade 'many' is not a number"),
        ("line 4", "the grade 'inf' is not a number"),
        ("line 5", "the grade 'nan' is not a number"),
        ("line 6", "the query id or the document id is empty"),
        ("line 7", "the query id or the document id is empty"),
        ("line 9", "has 5 fields instead of 3 (BEIR) or 4 (TREC)"),
    ]


def test_files_without_judgments(file):
    with pytest.raises(Refused, match=r"^q\.tsv holds no judgments: it is empty\.$"):
        read_judgments(file("q.tsv", "query-id\tcorpus-id\tscore\n"))
    with pytest.raises(Refused, match=r"^q\.tsv is empty \(0 bytes\)\.$"):
        read_judgments(file("q.tsv", ""))
    with pytest.raises(Refused, match=r"holds no usable judgments: all 1 rows were refused"):
        read_judgments(file("q.tsv", "a\tb\tc\nq\td\tx\n"))
    with pytest.raises(Refused, match=r"^q\.tsv, line 2: not UTF-8"):
        read_judgments(file("q.tsv", b"a\tb\t1\n\xff\tb\t1\n"))


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
            '{"_id": "1", "text": "one"}\n{"_id": "1", "text": "again"}\n{"_id": "", "text": "x"}\n'
            '{"_id": "3", "text": " "}\n{"_id": "4", "text": "\\ud800"}\n{"_id": "5"}\n',
        )
    )
    assert queries == {"1": "one"}
    assert refusals(report) == [
        ("line 2", "the id '1' was used by an earlier row"),
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
