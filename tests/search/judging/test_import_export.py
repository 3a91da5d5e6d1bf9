"""Out and in again: nothing is lost or doubled, what is newer here stays, what cannot be read is named."""

import csv
import io

import ir_measures
import pytest

from search.corpus.labels import query_id
from search.corpus.readers.grades import GradeRules
from search.corpus.readers.judged import JudgedColumns
from search.judging.import_export import as_csv, as_qrels, as_queries, export, import_judgments
from search.judging.store import JudgmentStore, Question
from search.judging.votes import ColumnPair, grade, vote
from search.projects.errors import Refused
from search.projects.project import project_to_be

PAIR = ColumnPair.of("bm25", "words")


@pytest.fixture
def full(workspace):
    made = project_to_be("From").create()
    store = JudgmentStore.of(made)
    store.ask(
        [
            Question("q1", 'A "quoted",\nbroken question?', "query set"),
            Question("q2", "ठंड?", "typed"),
        ]
    )
    for name in ("Anna", "Ben"):
        store.join(name)
    store.add(
        [
            vote("Anna", "q1", PAIR, "first"), vote("Anna", "q2", PAIR, "neither"),
            vote("Ben", "q1", PAIR, "second"), vote("Anna", "q1", PAIR, "both", final=True),
            grade("Anna", "q1", "d1", 3), grade("Ben", "q1", "d1", 2), grade("Ben", "q2", "doc two", 0),
        ]
    )  # fmt: skip
    store.add([vote("Ben", "q2", PAIR, "first")])
    store.undo("Ben")
    return made


def said(project):
    return {mark.key: (mark.value, mark.time) for mark in JudgmentStore.of(project).standing()}


def test_a_csv_comes_back_as_it_was(full, workspace, tmp_path):
    export(full, tmp_path / "all.csv")
    other = project_to_be("To").create()
    made = import_judgments(other, tmp_path / "all.csv")
    assert (made.judgments, made.notes) == (7, [])
    assert said(other) == said(full)
    texts = {q.id: q.text for q in JudgmentStore.of(other).questions()}
    assert texts["q2"] == "ठंड?" and texts["q1"].split() == ["A", '"quoted",', "broken", "question?"]
    assert as_csv(other).splitlines()[0] == as_csv(full).splitlines()[0]
    again = import_judgments(other, tmp_path / "all.csv")
    assert (again.judgments, again.notes) == (0, ["7 were here already, as new or newer"])
    assert len(JudgmentStore.of(other).history()) == 7


def test_what_is_newer_here_stays(full, tmp_path):
    export(full, tmp_path / "old.csv")
    JudgmentStore.of(full).add([grade("Anna", "q1", "d1", 0)])
    made = import_judgments(full, tmp_path / "old.csv")
    assert made.judgments == 0
    assert said(full)[("Anna", "q1", "grade", "d1", False)][0] == "0"


def test_the_csv_can_be_read_by_anybody(full):
    rows = list(csv.DictReader(io.StringIO(as_csv(full))))
    assert [(r["kind"], r["judge"], r["vote"], r["grade"], r["final"]) for r in rows] == [
        ("vote", "Anna", "first", "", ""), ("vote", "Anna", "neither", "", ""), ("vote", "Ben", "second", "", ""),
        ("vote", "Anna", "both", "", "yes"), ("grade", "Anna", "", "3", ""), ("grade", "Ben", "", "2", ""),
        ("grade", "Ben", "", "0", ""),
    ]  # fmt: skip
    assert {(r["first"], r["second"]) for r in rows if r["kind"] == "vote"} == {("bm25", "words")}


def test_qrels_are_trecs_and_read_by_ir_measures(full, tmp_path):
    export(full, tmp_path / "x.qrels")
    assert (
        (tmp_path / "x.qrels").read_text() == "q1\t0\td1\t2\nq2\t0\tdoc two\t0\n" == as_qrels(full)
    )
    (tmp_path / "one.qrels").write_text(as_qrels(full).splitlines()[0])
    known = list(ir_measures.read_trec_qrels(str(tmp_path / "one.qrels")))
    assert [(q.query_id, q.doc_id, q.relevance) for q in known] == [("q1", "d1", 2)]


def test_qrels_come_in_for_questions_that_are_known_or_given(full, tmp_path):
    (tmp_path / "carol.qrels").write_text("q1 0 d9 4\nq1 0 d8 -1\nzz 0 d1 1\n")
    made = import_judgments(full, tmp_path / "carol.qrels")
    assert made.judgments == 2
    assert made.notes == ["1 rows left out ('zz': no question has this id: give --queries)"]
    assert said(full)[("carol", "q1", "grade", "d9", False)][0] == "3"
    assert said(full)[("carol", "q1", "grade", "d8", False)][0] == "0"
    (tmp_path / "q.jsonl").write_text('{"_id": "zz", "text": "what is new?"}\n')
    made = import_judgments(full, tmp_path / "carol.qrels", "Carol", tmp_path / "q.jsonl")
    assert ("carol", "zz", "grade", "d1", False) in said(full), (
        "Carol is the carol who was here before"
    )


def test_queries_and_qrels_make_a_query_set_elsewhere(full, tmp_path):
    from search.corpus.readers.qrels import read_judgments
    from search.corpus.readers.queries import read_queries

    export(full, tmp_path / "q.jsonl")
    export(full, tmp_path / "q.qrels")
    queries, _ = read_queries(tmp_path / "q.jsonl")
    judgments, _ = read_judgments(tmp_path / "q.qrels")
    assert queries.keys() == judgments.keys() == {"q1", "q2"}
    assert as_queries(full).count("\n") == 2


def test_an_id_that_means_another_question_here_is_not_mixed_up(full, workspace, tmp_path):
    export(full, tmp_path / "all.csv")
    other = project_to_be("To").create()
    JudgmentStore.of(other).ask([Question("q2", "something else", "query set")])
    import_judgments(other, tmp_path / "all.csv")
    assert ("Ben", query_id("ठंड?"), "grade", "doc two", False) in said(other)
    assert not any(key[1] == "q2" for key in said(other))


def test_a_vote_with_the_columns_the_other_way_round(workspace, tmp_path):
    (tmp_path / "x.csv").write_text(
        "kind,judge,question,first,second,vote\nvote,Anna,why?,words,bm25,first\nvote,Anna,how?,words,bm25,both\n"
    )
    made = project_to_be("To").create()
    assert import_judgments(made, tmp_path / "x.csv").judgments == 2
    votes = {k[1]: v[0] for k, v in said(made).items()}
    assert votes == {query_id("why?"): "second", query_id("how?"): "both"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("grade,Anna,q1,why?,d1,9,,,,,", "a number from 0 to 3"),
        ("grade,Anna,q1,why?,,1,,,,,", "a grade needs a document"),
        ("vote,Anna,q1,why?,,,a,b,left,,", "neither a grade nor a vote"),
        ("vote,Anna,q1,why?,,,a,a,first,,", "Two different columns"),
        ("vote,,q1,why?,,,a,b,first,,", "Say who you are"),
        ("vote,Anna,,,,,a,b,first,,", "the question is empty"),
        ("opinion,Anna,q1,why?,,,a,b,first,,", "neither a grade nor a vote"),
    ],
)
def test_rows_that_cannot_be_used_are_named(workspace, tmp_path, row, reason):
    head = "kind,judge,question_id,question,document_id,grade,first,second,vote,final,time\n"
    (tmp_path / "x.csv").write_text(head + row + "\n" + "grade,Anna,q1,why?,d1,2,,,,,\n")
    made = import_judgments(project_to_be("To").create(), tmp_path / "x.csv")
    assert made.judgments == 1 and reason in made.notes[0] and "1 rows left out" in made.notes[0]
    (tmp_path / "y.csv").write_text(head + row + "\n")
    with pytest.raises(Refused, match="no usable judgments"):
        import_judgments(project_to_be("Other").create(), tmp_path / "y.csv")


def test_other_tables_and_empty_projects_are_refused(workspace, tmp_path):
    made = project_to_be("To").create()
    (tmp_path / "x.csv").write_text("colour,weight,taste\nred,d1,sour\n")
    with pytest.raises(Refused, match=r"x\.csv"):
        import_judgments(made, tmp_path / "x.csv")
    for name, what in (("a.csv", "judgments"), ("a.qrels", "grades"), ("a.jsonl", "grades")):
        with pytest.raises(Refused, match=f"no {what} yet"):
            export(made, tmp_path / name)
        assert not (tmp_path / name).exists()
    assert not (made.folder / "judgments").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "query,document_id,label\nठंड?,d1,Exact\nठंड?,d2,Irrelevant\n"),
        ("t.csv", "query,document_id,label\nq2,d1,Exact\nq2,d2,Irrelevant\n"),
        ("t.csv", "query_id,doc_id,relevance\nq2,d1,3\nq2,d2,0\n"),
        ("t.csv", "q2,0,d1,3\nq2,0,d2,0\n"),
        ("t.jsonl", '{"query": "ठंड?", "doc_id": "d1", "grade": 3}\n{"query": "ठंड?", "doc_id": "d2", "grade": 0}\n'),
    ],
)  # fmt: skip
def test_tables_of_grades_come_in(full, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    made = import_judgments(full, tmp_path / name, "Dora")
    assert made.judgments == 2
    mine = {key[1:4]: value for key, (value, _) in said(full).items() if key[0] == "Dora"}
    question = "q2" if ("q2", "grade", "d1") in mine else query_id("ठंड?")
    assert mine == {(question, "grade", "d1"): "3", (question, "grade", "d2"): "0"}


def test_grades_that_are_unclear_are_asked_for(full, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("query,document_id,label\nठंड?,d1,A\nठंड?,d2,B\n")
    with pytest.raises(
        Refused, match=r"the grades in 'label' are 'A', 'B'.*--grades \"A=\?,B=\?\""
    ):
        import_judgments(full, path)
    columns = JudgedColumns(grades=GradeRules.parse("A=2,B=0"))
    assert import_judgments(full, path, columns=columns).judgments == 2
