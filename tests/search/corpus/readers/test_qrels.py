"""Judgments of ids (qrels): BEIR's three columns and TREC's four, whatever parts them, with a header or none."""

import pytest

from search.corpus.readers.judged import RELEVANT, JudgedColumns
from search.corpus.readers.qrels import read_judgments
from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals


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
        read_judgments(file("q.tsv", "qid\tdocid\trel\nq\td\tinf\n"))
    with pytest.raises(Refused, match=r"^q\.tsv, line 2: holds NUL bytes"):
        read_judgments(file("q.tsv", b"a\tb\t1\n\x00\tb\t1\x00\n"))


def test_a_document_is_judged_once_for_a_query(file):
    judgments, report = read_judgments(
        file(
            "q.tsv",
            "q1\td1\t2\nq1\td1\t2\nq1\td2\t1\nq1\td2\t0\nq1\td2\t3\nq2\td1\t1\nq2\td3\t2\nq2\td3\t1\n",
        )
    )
    assert judgments == {"q1": {"d1": 2, "d2": 1}, "q2": {"d1": 1, "d3": 1}}
    assert refusals(report) == [("line 2", "the same judgment stands in an earlier row")]
    assert report.accepted == 7
    assert report.notes == [
        "2 documents were judged several times for a query, with different grades: the middle one counts, of two the "
        "lower ('d2' for 'q1': 1, 0, 3)"
    ]


@pytest.mark.parametrize(
    ("grade", "reason"),
    [
        ("1e300", "the grade '1e300' is over the limit of 1,000,000"),
        ("1e999", "the grade '1e999' is not a number"),
        ("", "the grade is empty"),
    ],
)
def test_grades_that_cannot_be_counted_with(file, grade, reason):
    _, report = read_judgments(file("q.tsv", f"q1\td1\t1\nq1\td2\t{grade}\n"))
    assert refusals(report) == [("line 2", reason)]


# --- what parts the fields, and who says what they are ----------------------------------------------------

BODY = [("q1", "d1", "2"), ("q1", "d 2", "0"), ("q2", "d1", "1")]
READ = {"q1": {"d1": 2, "d 2": 0}, "q2": {"d1": 1}}


@pytest.mark.parametrize("name", ["r.csv", "r.tsv", "r.txt", "r.qrels", "r"])
@pytest.mark.parametrize("sign", ["\t", ",", ";", "|"])
@pytest.mark.parametrize(
    "header", ["", "query_id doc_id relevance", "qid docid label", "topic pid rel"]
)
def test_any_sign_parts_the_fields(file, name, sign, header):
    lines = [sign.join(header.split())] * bool(header) + [sign.join(row) for row in BODY]
    judgments, report = read_judgments(file(name, "\n".join(lines) + "\n"))
    assert judgments == READ
    assert (report.accepted, report.refused_count, report.notes) == (3, 0, [])


def test_a_sign_at_the_end_of_the_line_is_no_field(file):
    lines = "".join(f"{query}\t0\t{document}\t{grade}\t\n" for query, document, grade in BODY)
    assert read_judgments(file("r.txt", lines))[0] == READ


def test_a_header_says_which_column_is_which(file):
    judgments, report = read_judgments(
        file("r.csv", 'score,rank,corpus-id,query-id\n2,1,"d1",q1\n0,2,d 2,q1\n1,1,d1,q2\n')
    )
    assert judgments == READ
    assert report.roles == {"document": "corpus-id", "id": "query-id", "grade": "score"}


def test_the_first_row_is_no_header_where_it_looks_like_the_rest(file):
    labels = file("r.csv", "1,B000,E\n1,B006,I\n2,B004,E\n")
    judgments, report = read_judgments(labels)
    assert judgments == {"1": {"B000": 3, "B006": 0}, "2": {"B004": 3}}
    assert report.notes == ["grades from 'grade': E = 3, I = 0; 0 is not relevant"]


def test_without_grades_every_row_counts_and_that_is_said(file):
    for content in ("q1\td1\nq2\td2\n", "qid,pid\nq1,d1\nq2,d2\n"):
        judgments, report = read_judgments(file("r.tsv", content))
        assert judgments == {"q1": {"d1": 1}, "q2": {"d2": 1}}
        assert report.notes == [RELEVANT]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.jsonl", '{"query-id": "q1", "corpus-id": "d1", "score": 1}\n{"query-id": "q1", "corpus-id": "d2", "score": 0}\n'),
        ("r.json", '{"q1": {"d1": 1, "d2": 0}}'),
        ("r.json", '[{"qid": "q1", "docid": "d1", "rel": true}, {"qid": "q1", "docid": "d2", "rel": false}]'),
    ],
)  # fmt: skip
def test_judgments_as_json(file, name, content):
    assert read_judgments(file(name, content))[0] == {"q1": {"d1": 1, "d2": 0}}
    assert read_judgments(file("l.json", '{"q1": ["d1", "d2"]}'))[0] == {"q1": {"d1": 1, "d2": 1}}


def test_options_are_not_ignored(file):
    path = file("r.csv", "frage,text_nr,note\n1,B0,2\n1,B1,0\n")
    judgments, _ = read_judgments(path, JudgedColumns(id="frage", document="text_nr", grade="note"))
    assert judgments == {"1": {"B0": 2, "B1": 0}}
    with pytest.raises(
        Refused,
        match=r"has no query id and no document id column: its columns are frage, text_nr, note.*--id",
    ):
        read_judgments(path)
    with pytest.raises(Refused, match="has no column 'note'"):
        read_judgments(file("s.csv", "q1,d1,1\n"), JudgedColumns(grade="note"))


def test_a_run_is_no_qrels(file):
    with pytest.raises(Refused, match=r"^r\.txt is a run .* not judgments\. Give the qrels"):
        read_judgments(file("r.txt", "q1 Q0 d1 1 12.5 bm25\nq1 Q0 d2 2 11.5 bm25\n"))


def test_ids_that_would_tear_a_line_are_refused(file):
    content = '{"qid": "q1", "docid": "B0\\nB1", "rel": 1}\n{"qid": "q1", "docid": "B2", "rel": 1}\n{"qid": "q\\t2", "docid": "B2", "rel": 1}\n'
    judgments, report = read_judgments(file("r.jsonl", content))
    assert judgments == {"q1": {"B2": 1}}
    ids = "holds a line break or a tab: are these several ids in one cell? Give each a row"
    assert refusals(report) == [
        ("line 1", f"the document id 'B0\\nB1' {ids}"),
        ("line 3", f"the query id 'q\\t2' {ids}"),
    ]
