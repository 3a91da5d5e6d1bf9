"""Tables with a row for each judged document: queries, judgments, and what the grades mean."""

import json

import pytest

from search.corpus.labels import query_id
from search.corpus.readers.grades import GradeRules, UnclearGrades
from search.corpus.readers.judged import RELEVANT, JudgedColumns
from search.corpus.readers.judgments import read_judged_queries
from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals


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


def test_without_grades_each_row_counts_one_and_that_is_said(file):
    path = file("q.csv", "query,doc_id\none,d1\n one ,d2\n")
    queries, judgments, report = read_judged_queries(path)
    assert list(queries.values()) == ["one"]
    assert judgments == {query_id("one"): {"d1": 1, "d2": 1}}
    assert report.notes == [RELEVANT]
    path = file("q.csv", "query,doc_id,label\none,d1,Exact\n")
    _, judgments, report = read_judged_queries(path, JudgedColumns(grade=""))
    assert judgments == {query_id("one"): {"d1": 1}}
    assert report.notes == [RELEVANT]


def test_ids_of_queries_are_kept_where_there_are_some(file):
    queries, judgments, report = read_judged_queries(
        file("q.csv", "query_id,query,doc_id\n7,one,d1\n7,one,d2\n9,two,d3\n,three,d1\n8,one,d1\n")
    )
    assert queries == {"7": "one", "9": "two", query_id("three"): "three", "8": "one"}
    assert judgments == {
        "7": {"d1": 1, "d2": 1}, "9": {"d3": 1}, query_id("three"): {"d1": 1}, "8": {"d1": 1}
    }  # fmt: skip
    assert report.refused_count == 0


def test_an_id_of_two_queries_is_of_neither(file):
    path = file("q.csv", "query_id,query,doc_id\n7,one,d1\n8,three,d3\n7,two,d2\n")
    queries, judgments, report = read_judged_queries(path)
    assert (queries, judgments) == ({"8": "three"}, {"8": {"d3": 1}})
    why = "the id '7' is used for different queries, 'one' and 'two': none of them is used; give each an id of its own"
    assert refusals(report) == [("row 2", why), ("row 4", why)]
    whole, _, _ = read_judged_queries(path, JudgedColumns(id=""))
    assert sorted(whole.values()) == ["one", "three", "two"]


def test_rows_of_a_table_that_are_left_out(file):
    queries, judgments, report = read_judged_queries(
        file(
            "q.csv",
            f"query,doc_id,grade\none,d1,1\none,d1,1\n,d1,1\none,,1\none,d2,many\n{'q' * 10_001},d1,1\none,d4,\n",
        )
    )
    assert list(queries.values()) == ["one"]
    assert judgments == {query_id("one"): {"d1": 1}}
    assert refusals(report) == [
        ("row 3", "the same judgment stands in an earlier row"),
        ("row 4", "the query or the document id is empty"),
        ("row 5", "the query or the document id is empty"),
        ("row 6", "the grade 'many' is not a number"),
        ("row 7", "query has 10,001 characters; the limit is 10,000"),
        ("row 8", "the grade is empty"),
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


# --- what a judgment may be called, and what it may say ---------------------------------------------------


def judged(file, column, values, **columns):
    rows = "".join(f"one,d{n},{value}\n" for n, value in enumerate(values))
    path = file("q.csv", f"query,doc_id,{column}\n{rows}")
    _, judgments, report = read_judged_queries(path, JudgedColumns(**columns))
    return list(judgments[query_id("one")].values()), report


@pytest.mark.parametrize(
    "column",
    ["esci_label", "rating", "Label", "is_relevant", "relevanceGrade", "gold label", "Bewertung"],
)
@pytest.mark.parametrize(
    ("values", "grades"),
    [
        (["E", "S", "C", "I"], [3, 2, 1, 0]),
        (["Exact", "Partial", "Irrelevant"], [2, 1, 0]),
        (["yes", "no", "NO"], [1, 0, 0]),
        (["TRUE", "FALSE"], [1, 0]),
        (["relevant", "Not Relevant", "partially_relevant", "highly relevant"], [2, 0, 1, 3]),
        (["Perfect", "Good", "Fair", "Bad"], [4, 2, 1, 0]),
        (["👍", "👎"], [1, 0]),
        (["2 - relevant", "0 - not relevant"], [2, 0]),
        (["3", "0", "-2", "1.0"], [3, 0, 0, 1]),
    ],
)
def test_a_no_is_a_judgment_whatever_it_is_called(file, column, values, grades):
    made, report = judged(file, column, values)
    assert made == grades
    assert report.roles["grade"] == column
    assert any(note.startswith(f"grades from {column!r}: ") for note in report.notes)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["A", "B", "C"], "'A', 'B', 'C', and that is not a scale that is known here"),
        (["high", "low"], 'Say what each means, 0 for not relevant: --grades "high=\\?,low=\\?"'),
        (["0.9", "0.1"], 'from which number on a document is relevant.* --grades ">=0.5=1"'),
        (["1", "2", "3", "4", "5"], 'whether 1 means relevant.* --grades "1=0,2=1,3=2,4=3,5=4"'),
        ([str(n) for n in range(30)], "which are many for grades"),
    ],
)
def test_what_is_not_understood_is_asked_for(file, values, says):
    with pytest.raises(
        UnclearGrades, match=rf"^q\.csv: the grades in 'rating' are .*{says}"
    ) as caught:
        judged(file, "rating", values)
    assert caught.value.column == "rating"
    assert set(caught.value.values) == set(values)


@pytest.mark.parametrize(
    ("rules", "values", "grades"),
    [
        ("A=2,B=1,C=0", ["A", "b", "C"], [2, 1, 0]),
        ("1=0,2=1,3=2,4=3,5=4", ["1", "3.0", "5"], [0, 2, 4]),
        (">=0.5=1,>=0.8=2", ["0.9", "0.5", "0.49"], [2, 1, 0]),
        ("numbers", ["0.5", "0.25", "0"], [50, 25, 0]),
        ("numbers", ["1", "5"], [1, 5]),
        ('{"a, b": 1, "c": 0}', ['"a, b"', "c"], [1, 0]),
    ],
)
def test_a_person_says_what_values_mean(file, rules, values, grades):
    assert judged(file, "rating", values, grades=GradeRules.parse(rules))[0] == grades


def test_values_that_no_rule_names_are_listed(file):
    made, report = judged(file, "rating", ["A", "B"], grades=GradeRules.parse("A=1"))
    assert made == [1]
    assert refusals(report) == [("row 3", "the grade 'B' is none of those that --grades names")]


@pytest.mark.parametrize("rules", ["A", "A=", "A=many", "=1", "A=-1", "{", "A=1.5"])
def test_rules_that_are_none(rules):
    with pytest.raises(Refused, match=r"^--grades"):
        GradeRules.parse(rules)


def test_a_column_that_may_hold_grades_is_asked_for(file):
    with pytest.raises(
        Refused, match=r"the column 'passt' \('ja', 'nein'\) may hold grades.*--grade-column \"\""
    ):
        judged(file, "passt", ["ja", "nein"])
    assert judged(file, "passt", ["ja", "nein"], grade="passt")[0] == [1, 0]
    assert judged(file, "passt", ["ja", "nein"], grade="")[0] == [1, 1]
    for column, values in (
        ("department", ["cardiology", "oncology"]),
        ("split", ["0", "1"]),
        ("locale", ["us", "uk"]),
    ):
        made, report = judged(file, column, values)
        assert (made, report.notes) == ([1, 1], [RELEVANT])


def test_letters_that_differ_between_documents_and_queries_are_asked_for(file):
    rows = "one,d1,A\none,d2,B\ntwo,d1,B\ntwo,d2,A\n"
    with pytest.raises(Refused, match=r"the column 'x' .* may hold grades"):
        read_judged_queries(file("q.csv", f"query,doc_id,x\n{rows}"))


def test_two_columns_that_may_be_meant(file):
    path = file("q.csv", "query,doc_id,score,label\none,d1,12.5,yes\none,d2,11.5,no\n")
    with pytest.raises(Refused, match=r"the columns 'score', 'label' may hold grades. Say which"):
        read_judged_queries(path)
    assert read_judged_queries(path, JudgedColumns(grade="label"))[1] == {
        query_id("one"): {"d1": 1, "d2": 0}
    }
    sure = file("q.csv", "query,doc_id,score,relevance\none,d1,12.5,1\none,d2,11.5,0\n")
    _, judgments, report = read_judged_queries(sure)
    assert judgments == {query_id("one"): {"d1": 1, "d2": 0}}
    assert report.notes[0] == "not read as grades: 'score'"


@pytest.mark.parametrize(
    "names", ["rater_1,rater_2,rater_3", "label A,label B,label C", "grade1,grade2,grade3"]
)
def test_several_raters_are_read_together(file, names):
    path = file("q.csv", f"query,doc_id,{names}\none,d1,yes,yes,no\none,d2,no,,yes\none,d3,,,\n")
    _, judgments, report = read_judged_queries(path)
    assert judgments == {query_id("one"): {"d1": 1, "d2": 0}}
    assert refusals(report) == [("row 4", "the grade is empty")]
    assert report.roles["grade"] == names.replace(",", ", ")


def test_several_rows_of_raters_are_read_together(file):
    rows = "one,d1,Ann,1\none,d1,Ben,1\none,d1,Eva,0\none,d2,Ann,0\none,d2,Ben,0\n"
    _, judgments, report = read_judged_queries(
        file("q.csv", f"query,doc_id,rater,relevant\n{rows}")
    )
    assert judgments == {query_id("one"): {"d1": 1, "d2": 0}}
    assert (report.accepted, report.refused_count) == (5, 0)
    assert report.notes[-1].startswith("1 document was judged several times for a query")


def test_a_table_without_a_header(file):
    _, judgments, report = read_judged_queries(
        file("q.csv", "cane,B000,2\ncane,B001,0\nbox,B004,1\n")
    )
    assert judgments == {query_id("cane"): {"B000": 2, "B001": 0}, query_id("box"): {"B004": 1}}
    assert "there is no header" in report.notes[0]


def test_several_ids_in_one_cell(file):
    path = file(
        "q.jsonl",
        '{"query": "one", "relevant_docs": ["d1", "d2"]}\n{"query": "two", "relevant_docs": "d1\\nd2"}\n',
    )
    queries, judgments, report = read_judged_queries(path)
    assert judgments == {query_id("one"): {"d1": 1, "d2": 1}}
    assert queries == {query_id("one"): "one"}
    assert "holds a line break or a tab" in refusals(report)[0][1]


TASK = {"id": 1, "data": {"query": "one", "doc_id": "d1"}}
EXPORTS = {
    "Label Studio": [
        TASK | {"annotations": [{"completed_by": 1, "result": [{"from_name": "relevance", "type": "choices", "value": {"choices": ["Relevant"]}}]}]},
        {"id": 2, "data": {"query": "one", "doc_id": "d2"}, "annotations": [
            {"was_cancelled": True, "result": [{"from_name": "relevance", "value": {"choices": ["Relevant"]}}]},
            {"completed_by": 2, "result": [{"from_name": "relevance", "value": {"choices": ["Not relevant"]}}]}]},
        {"id": 3, "data": {"query": "one", "doc_id": "d3"}, "annotations": []},
    ],
    "Argilla": [
        {"fields": {"query": "one", "text": "t"}, "metadata": {"doc_id": d}, "responses": {"label": answers}}
        for d, answers in (
            ("d1", [{"value": "yes", "status": "submitted"}, {"value": "yes"}, {"value": "no"}]),
            ("d2", [{"value": "no"}, {"value": "yes", "status": "discarded"}]),
            ("d3", [{"value": "yes", "status": "draft"}]),
        )
    ],
    "Argilla, flat": [
        {"query": "one", "doc_id": d, "label.responses": v, "label.responses.status": s, "label.suggestion": "yes"}
        for d, v, s in (("d1", ["yes"], ["submitted"]), ("d2", ["no"], ["submitted"]), ("d3", ["yes"], ["discarded"]))
    ],
    "Argilla before 1.8": [
        {"inputs": {"query": "one", "doc_id": d}, "annotation": a, "status": s, "prediction": [["yes", 0.9]]}
        for d, a, s in (("d1", "yes", "Validated"), ("d2", "no", "Validated"), ("d3", None, "Default"))
    ],
    "Quepid, a book": [
        {"query_text": "one", "doc_id": d, "judgements": [{"rating": r, "unrateable": u} for r, u in rated]}
        for d, rated in (("d1", [(1.0, False), (2.0, False)]), ("d2", [(0.0, False)]), ("d3", [(None, True)]))
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_annotation_tools(file, name):
    queries, judgments, report = read_judged_queries(file("x.json", json.dumps(EXPORTS[name])))
    assert queries == {query_id("one"): "one"}
    assert {d: min(g, 1) for d, g in judgments[query_id("one")].items()} == {"d1": 1, "d2": 0}
    tool = name.split()[0].strip(",")
    assert report.notes[0] == f"read as an export of {'Label Studio' if tool == 'Label' else tool}"
    assert [reason for _, reason in refusals(report)] == [
        f"holds no judgment that {'Label Studio' if tool == 'Label' else tool} counts as submitted"
    ]


def test_a_case_of_quepid_and_a_table_of_ratings(file):
    case = {"name": "c", "queries": [{"query": "one", "ratings": {"d1": 3, "d2": 0}}]}
    assert read_judged_queries(file("c.json", json.dumps(case)))[1] == {
        query_id("one"): {"d1": 3, "d2": 0}
    }
    table = (
        "Case Name,Query Text,Doc ID,Doc Position,Title,Rating\nc,one,d1,1,t,3\nc,one,d2,2,u,0\n"
    )
    _, judgments, report = read_judged_queries(file("c.csv", table))
    assert judgments == {query_id("one"): {"d1": 3, "d2": 0}}
    assert report.roles == {"query": "Query Text", "document": "Doc ID", "grade": "Rating"}


def test_queries_and_their_answers_in_one_object(file):
    both = {
        "queries": {"q1": "one", "q2": "two"},
        "corpus": {"d1": "x"},
        "relevant_docs": {"q1": ["d1"], "q2": ["d2"]},
    }
    queries, judgments, _ = read_judged_queries(file("d.json", json.dumps(both)))
    assert queries == {"q1": "one", "q2": "two"}
    assert judgments == {"q1": {"d1": 1}, "q2": {"d2": 1}}


def test_a_column_whose_name_says_not_is_asked_for(file):
    for values in (["1", "0"], ["yes", "no"]):
        with pytest.raises(UnclearGrades, match='its name says "not"'):
            judged(file, "not_relevant", values)
    assert judged(file, "not_relevant", ["1", "0"], grades=GradeRules.parse("1=0,0=1"))[0] == [0, 1]


def test_columns_of_raters_whose_letters_nobody_knows(file):
    path = file("q.csv", "query,doc_id,annotator_1,annotator_2\none,d1,R,R\none,d2,N,R\n")
    with pytest.raises(
        UnclearGrades, match=r"the grades in 'annotator_1, annotator_2' are 'R', 'N'"
    ):
        read_judged_queries(path)
    rules = JudgedColumns(grades=GradeRules.parse("R=1,N=0"))
    assert read_judged_queries(path, rules)[1] == {query_id("one"): {"d1": 1, "d2": 0}}


@pytest.mark.parametrize(
    "content",
    [
        '{"query": "one", "pos": ["d1", "d2"], "neg": ["d3"]}',
        '{"query": "one", "positive_ids": ["d1", "d2"], "hard_negative_ids": ["d3"]}',
        '{"query": "one", "relevant_docs": "[\\"d1\\", \\"d2\\"]", "irrelevant_docs": ["d3"]}',
    ],
)
def test_lists_of_ids_of_both_kinds(file, content):
    _, judgments, report = read_judged_queries(file("q.jsonl", content))
    assert judgments == {query_id("one"): {"d1": 1, "d2": 1, "d3": 0}}
    assert "name is not relevant, what" in report.notes[0]


def test_two_values_of_which_one_denies_the_other(file):
    assert judged(file, "label", ["paraphrase", "not paraphrase"])[0] == [1, 0]
