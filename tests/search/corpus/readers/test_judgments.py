"""Queries and judgments, of BEIR and of TREC shape."""

import pytest

from search.corpus.labels import query_id
from search.corpus.readers.judgments import (
    JudgedColumns,
    read_judged_queries,
    read_judgments,
    read_queries,
)
from search.projects.errors import Refused


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
    with pytest.raises(Refused, match=r"^q\.tsv, line 2: holds NUL bytes"):
        read_judgments(file("q.tsv", b"a\tb\t1\n\x00\tb\t1\x00\n"))


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


def test_a_document_is_judged_once_for_a_query(file):
    judgments, report = read_judgments(
        file("q.tsv", "q1\td1\t2\nq1\td1\t2\nq1\td1\t1\nq2\td1\t1\n")
    )
    assert judgments == {"q1": {"d1": 2}, "q2": {"d1": 1}}
    assert refusals(report) == [
        ("line 2", "the same judgment stands in an earlier row"),
        ("line 3", "an earlier row gives 'd1' the grade 2"),
    ]


@pytest.mark.parametrize(
    ("grade", "reason"),
    [
        ("0.5", "the grade '0.5' is not a whole number"),
        ("1e300", "the grade '1e300' is over the limit of 1,000,000"),
        ("1e999", "the grade '1e999' is not a number"),
        ("", "the grade '' is not a number"),
    ],
)
def test_grades_that_cannot_be_counted_with(file, grade, reason):
    _, report = read_judgments(file("q.tsv", f"q1\td1\t1\nq1\td2\t{grade}\n"))
    assert refusals(report) == [("line 2", reason)]


# --- tables of queries and judgments ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.csv", "query,document_id,grade\none,d1,2\none,d2,0\ntwo,d1,1\n"),
        ("q.csv", "Question;Doc ID;Relevance\none;d1;2.0\none;d2;-1\ntwo;d1;1\n"),
        ("q.tsv", "rel\tcorpus-id\ttext\n2\td1\tone\n0\td2\tone\n1\td1\ttwo\n"),
        (
            "q.jsonl",
            '{"query": "one", "document": "d1", "score": 2}\n'
            '{"query": "one", "document": "d2", "score": 0}\n'
            '{"query": "two", "document": "d1", "score": 1}\n',
        ),
    ],
)
def test_one_table_of_both(file, name, content):
    queries, judgments, report = read_judged_queries(file(name, content))
    one, two = query_id("one"), query_id("two")
    assert queries == {one: "one", two: "two"}
    assert judgments == {one: {"d1": 2, "d2": 0}, two: {"d1": 1}}
    assert (report.accepted, report.refused_count) == (3, 0)
    assert set(report.roles) == {"query", "document", "grade"}
    assert one != two


def test_without_grades_each_row_counts_one(file):
    path = file("q.csv", "query,doc_id\none,d1\n one ,d2\n")
    queries, judgments, _ = read_judged_queries(path)
    assert list(queries.values()) == ["one"]
    assert judgments == {query_id("one"): {"d1": 1, "d2": 1}}
    path = file("q.csv", "query,doc_id,label\none,d1,Exact\n")
    with pytest.raises(Refused, match=r"row 2: the grade 'Exact' is not a number"):
        read_judged_queries(path)
    _, judgments, _ = read_judged_queries(path, JudgedColumns(grade=""))
    assert judgments == {query_id("one"): {"d1": 1}}


def test_ids_of_queries_are_kept_where_there_are_some(file):
    queries, judgments, report = read_judged_queries(
        file("q.csv", "query_id,query,doc_id\n7,one,d1\n7,one,d2\n7,two,d3\n,three,d1\n8,one,d1\n")
    )
    assert queries == {"7": "one", query_id("three"): "three", "8": "one"}
    assert judgments == {
        "7": {"d1": 1, "d2": 1}, query_id("three"): {"d1": 1}, "8": {"d1": 1}
    }  # fmt: skip
    assert refusals(report) == [("row 4", "an earlier row has another query with the id '7'")]


def test_rows_of_a_table_that_are_left_out(file):
    queries, judgments, report = read_judged_queries(
        file(
            "q.csv",
            f"query,doc_id,grade\none,d1,1\none,d1,1\none,d1,2\n,d1,1\none,,1\none,d2,many\n"
            f"{'q' * 10_001},d1,1\n",
        )
    )
    assert list(queries.values()) == ["one"]
    assert judgments == {query_id("one"): {"d1": 1}}
    assert refusals(report) == [
        ("row 3", "the same judgment stands in an earlier row"),
        ("row 4", "an earlier row gives 'd1' the grade 1"),
        ("row 5", "the query or the document id is empty"),
        ("row 6", "the query or the document id is empty"),
        ("row 7", "the grade 'many' is not a number"),
        ("row 8", "query has 10,001 characters; the limit is 10,000"),
    ]


def test_chosen_columns_of_a_table(file):
    path = file("q.csv", "frage,artikel,note,query\none,d1,3,no\n")
    queries, judgments, report = read_judged_queries(
        path, JudgedColumns("frage", "artikel", "note")
    )
    assert (queries, judgments) == (
        {query_id("one"): "one"},
        {query_id("one"): {"d1": 3}},
    )
    assert report.roles == {"query": "frage", "document": "artikel", "grade": "note"}
    with pytest.raises(Refused, match=r"^q\.csv has no document id column: its columns are frage"):
        read_judged_queries(path)
    with pytest.raises(
        Refused, match=r"has no query and no document id column: .* \(--qrels QRELS\)"
    ):
        read_judged_queries(file("x.csv", "a,b\n1,2\n"))
    with pytest.raises(
        Refused, match=r"^t\.xml holds queries alone\. Give the judgments too: --qrels"
    ):
        read_judged_queries(file("t.xml", "<topics/>"))
