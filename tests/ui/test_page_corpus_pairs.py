"""Pairs on the Documents page, and judgments of a query set on that of questions."""

import json

import pytest
from app_help import TINY, files_of_questions, open_page, press, run, shown, upload
from streamlit.testing.v1 import AppTest

from search.projects.project import Project


def test_the_preview_of_pairs(documents_only: Project, started: list[list[str]]) -> None:
    rows = [{"query": f"question {n}", "response": f"answer {n}"} for n in range(9)]
    rows += [{"query": "", "response": "x"}, {"query": "question 1", "response": "answer 1"}]
    at = upload(open_page("corpus", TINY), "pairs-Tiny", "p.json", json.dumps(rows))
    assert "**9 pairs** found in p.json (JSON, encoding utf-8)." in shown(at)
    said = "2 of 11 rows will be left out: the query is empty and other reasons"
    (refused,) = [part.dataframe[0].value for part in at.expander if part.label == said]
    assert dict(zip(refused["where"], refused["why"], strict=True)) == {
        "item 10": "the query is empty",
        "item 11": "the same pair stands in an earlier row",
    }
    next(box for box in at.checkbox if (box.key or "").startswith("extend-")).check()
    run(at)
    press(at, "add-pairs")
    assert started[0][:2] == ["pairs", TINY]
    assert started[0][3:] == [
        "--query-column", "query", "--response-column", "response", "--add-responses"
    ]  # fmt: skip


def tick(at: AppTest, key: str = "question-") -> None:
    next(box for box in at.checkbox if (box.key or "").startswith(key)).check()
    run(at)


def test_the_proof_may_be_about_new_documents(
    documents_only: Project, started: list[list[str]]
) -> None:
    rows = [{"query": f"question {n}", "response": f"answer {n}"} for n in range(9)]
    at = upload(open_page("corpus", TINY), "pairs-Tiny", "p.json", json.dumps(rows))
    tick(at)
    press(at, "add-pairs")
    assert started[0][-2:] == ["--question", "new_documents"]


def test_more_pairs_are_asked_what_the_first_ones_were(
    data: Project, started: list[list[str]]
) -> None:
    rows = [{"query": f"question {n}", "response": f"answer {n}"} for n in range(9)]
    at = upload(open_page("corpus", TINY, add="pairs"), "pairs-Tiny", "p.json", json.dumps(rows))
    assert not [box for box in at.checkbox if (box.key or "").startswith("question-")]


def test_judgments_may_be_about_new_documents(
    documents_only: Project, started: list[list[str]]
) -> None:
    at = upload(files_of_questions(), "queries-Tiny", "q.csv", "query,doc_id\nwhat is it,d0\n")
    tick(at)
    press(at, "add-queries")
    assert started[0][-2:] == ["--question", "new_documents"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.json", b'"query"', "not a JSON list"),
        ("p.json", b"[]", "holds no pairs"),
        ("p.json", b'[{"query": "", "response": ""}]', "no usable pairs"),
        ("p.json", b'[{"question": 1}]', "no response column"),
        ("p.csv", b"a,b\n1,2\n", "no query and no response column"),
    ],
)
def test_bad_pairs_are_one_clear_message(
    documents_only: Project, name: str, content: bytes, says: str
) -> None:
    at = upload(open_page("corpus", TINY), "pairs-Tiny", name, content)
    assert len(at.error) == 1
    assert says in at.error[0].value


def test_judgments_in_a_file_of_their_own(
    documents_only: Project, started: list[list[str]]
) -> None:
    at = upload(files_of_questions(), "queries-Tiny", "q.jsonl", '{"_id": "1", "text": "a"}')
    at = upload(at, "qrels-Tiny", "r.tsv", "query-id\tcorpus-id\tscore\n1\td0\t1\n1\td1\t0\n")
    assert "**1 query** found in q.jsonl" in shown(at)
    assert "**2 judgments** found in r.tsv" in shown(at)
    assert at.dataframe[-1].value.values.tolist() == [["a", "d0", 1], ["a", "d1", 0]]
    assert "2 judgments, of which 1 say not relevant; 1 query with a relevant document." in shown(
        at
    )
    keys = [box.key or "" for box in at.selectbox]
    key = next(key for key in keys if key.startswith("delimiter-") and key.endswith("r.tsv"))
    at.selectbox(key=key).set_value("\t").run()
    press(at, "add-queries")
    (arguments,) = started
    assert arguments[:2] == ["queries", TINY]
    assert arguments[2].endswith("/q.jsonl")
    assert arguments[3] == "--qrels"
    assert arguments[4].endswith("/r.tsv")
    assert arguments[5:] == [
        "--query-column", "text", "--document-column", "corpus-id", "--grade-column", "score",
        "--qrels-delimiter", "\t",
    ]  # fmt: skip


def test_a_column_that_may_hold_grades_is_chosen_or_not(
    documents_only: Project, started: list[list[str]]
) -> None:
    rows = "query,doc_id,passt\nx,d0,ja\nx,d1,nein\n"
    at = upload(files_of_questions(), "queries-Tiny", "q.csv", rows)
    assert "may hold grades" in at.warning[0].value
    boxes = {box.label: box for box in at.selectbox}
    assert boxes["Column of the document"].value == "doc_id"
    boxes["Column of the grade"].set_value("(none)")
    run(at)
    assert at.dataframe[-1].value["grade"].tolist() == [1, 1]
    next(box for box in at.selectbox if box.label == "Column of the grade").set_value("passt")
    run(at)
    assert at.dataframe[-1].value["grade"].tolist() == [1, 0]
    press(at, "add-queries")
    assert started[0][-2:] == ["--grade-column", "passt"]


def test_judgments_in_one_table(documents_only: Project, started: list[list[str]]) -> None:
    at = upload(files_of_questions(), "queries-Tiny", "q.csv", "query,document_id\nx,d0\n")
    assert "every row counts as relevant" in shown(at)
    press(at, "add-queries")
    (arguments,) = started
    assert arguments[2].endswith("/q.csv")
    assert arguments[3:] == ["--query-column", "query", "--document-column", "document_id"]


def test_what_labels_mean_is_shown_and_can_be_changed(
    documents_only: Project, started: list[list[str]]
) -> None:
    rows = "query,product,label\nx,d0,Exact\nx,d1,Irrelevant\n"
    at = upload(files_of_questions(), "queries-Tiny", "q.csv", rows)
    assert "has no document id column" in at.error[0].value
    next(box for box in at.selectbox if box.label == "Column of the document").set_value("product")
    run(at)
    assert at.dataframe[-1].value.values.tolist() == [["x", "d0", 3], ["x", "d1", 0]]
    boxes = {box.label: box for box in at.selectbox}
    assert (boxes["Exact"].value, boxes["Irrelevant"].value) == (3, 0)
    boxes["Irrelevant"].set_value(1)
    run(at)
    assert at.dataframe[-1].value.values.tolist() == [["x", "d0", 3], ["x", "d1", 1]]
    press(at, "add-queries")
    assert started[0][-2:] == ["--grades", '{"Exact": 3, "Irrelevant": 1}']


def test_labels_that_nobody_knows_are_asked_for(
    documents_only: Project, started: list[list[str]]
) -> None:
    at = upload(
        files_of_questions(),
        "queries-Tiny",
        "q.csv",
        "query,doc_id,rating\nx,d0,A\nx,d1,B\n",
    )
    assert "Say what each means" in at.warning[0].value
    assert "add-queries" not in [button.key for button in at.button]
    for label, grade in (("A", 2), ("B", 0)):
        next(box for box in at.selectbox if box.label == label).set_value(grade)
    run(at)
    assert not at.warning
    assert at.dataframe[-1].value.values.tolist() == [["x", "d0", 2], ["x", "d1", 0]]
    press(at, "add-queries")
    assert started[0][-2:] == ["--grades", '{"A": 2, "B": 0}']


def test_pairs_that_say_no_are_shown_as_negatives(
    documents_only: Project, started: list[list[str]]
) -> None:
    rows = "query,answer,label\na,b,yes\na,c,no\nd,e,yes\n"
    at = upload(open_page("corpus", TINY), "pairs-Tiny", "p.csv", rows)
    assert at.dataframe[-1].value["negatives"].dropna().tolist() == ["c"]
    assert "1 row says no" in shown(at)
    press(at, "add-pairs")
    assert started[0][-2:] == ["--label-column", "label"]
