"""The Judge page in AppTest: from a name to a board, the results, the uses, every empty state."""

import json

import pytest
from app_help import TINY, labels, markup, open_page, press, run, shown, write_run

from search.evaluation.query_sets.query_set import current_query_set
from search.judging.prepare import prepare_questions
from search.judging.setup import Setup, save_setup, saved_setup
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.judging.votes import grade, vote
from search.projects.project import Project
from search.retrieval.history import remember

SETUP = Setup("bm25", "words-2")


def board(at) -> dict:
    """What the board in the browser was told."""
    found = [e for e in at.get("bidi_component") if "bespoke_judge" in e.proto.component_name]
    assert len(found) == 1
    proto = found[0].proto
    return json.loads(proto.json or proto.mixed.json)


def part(at, name: str):
    at.button_group(key=f"judge-part-{TINY}").set_value(name)
    return run(at)


@pytest.fixture
def lined_up(trained: Project) -> Project:
    prepare_questions(trained, SETUP)
    return trained


def _study(project: Project, setup: Setup = SETUP) -> Study:
    manifest = project.newest("corpora")
    assert manifest is not None
    return Study.of(project, setup, manifest)


def test_without_documents(empty: Project) -> None:
    at = open_page("judge", TINY)
    assert "Nothing to judge yet" in shown(at)
    assert "Add documents" in labels(at)


def test_a_newcomer_gives_a_name_and_the_questions_are_lined_up(
    trained: Project, started: list[list[str]]
) -> None:
    at = open_page("judge", TINY)
    assert "You see two answers to each question" in shown(at)
    assert [at.selectbox(key=f"judge-{side}-begin").value for side in ("one", "other")] == [
        "generic", "words-2",
    ]  # fmt: skip
    press(at, "judge-start")
    assert "Say who you are" in shown(at) and started == []
    at.text_input(key="judge-name-input").set_value("Anna")
    at.selectbox(key="judge-one-begin").set_value("bm25")
    press(at, "judge-start")
    assert started == [["questions", TINY, "--column", "bm25", "--column", "words-2"]]
    assert saved_setup(trained) == SETUP
    assert JudgmentStore.of(trained).judges() == ["Anna"]
    assert "Lining up the questions" in shown(at)


def test_the_same_column_twice_is_told(trained: Project, started: list[list[str]]) -> None:
    at = open_page("judge", TINY)
    at.text_input(key="judge-name-input").set_value("Anna")
    at.selectbox(key="judge-one-begin").set_value("words-2")
    press(at, "judge-start")
    assert "Two different columns are needed" in shown(at) and started == []


def test_only_one_model(data: Project) -> None:
    at = open_page("judge", TINY)
    assert "keyword search can be the other side" in shown(at)
    assert at.selectbox(key="judge-other-begin").value == "bm25"


def test_without_a_query_set_one_types_questions(
    no_query_set: Project, started: list[list[str]]
) -> None:
    at = open_page("judge", TINY)
    at.text_area(key="judge-questions").set_value(" first one? \n\nsecond one?")
    at.text_input(key="judge-name-input").set_value("Anna")
    press(at, "judge-start")
    assert [one.text for one in JudgmentStore.of(no_query_set).questions()] == [
        "first one?",
        "second one?",
    ]
    assert not [word for word in started[0] if "one?" in word], "no question is in a command"


def test_a_run_that_failed_is_told(trained: Project) -> None:
    write_run(trained, ["questions", TINY], state="failed", error="out of memory")
    assert "Lining up the questions did not finish: out of memory" in shown(
        open_page("judge", TINY)
    )


def test_the_board(lined_up: Project) -> None:
    at = open_page("judge", TINY, judge="Anna")
    study = _study(lined_up)
    told = board(at)
    assert told["question"] == study.queue("Anna").questions[0]
    view = study.blinded_view("Anna", told["question"])
    assert [side["documents"] for side in told["sides"]] == [list(view.left), list(view.right)]
    assert [side["name"] for side in told["sides"]] == ["Left", "Right"]
    assert told["saved"] == [] and told["book"] == f"{TINY}/Anna"
    whole = json.dumps(told) + markup(at) + str(at.query_params)
    assert "words-2" not in whole and "swapped" not in whole and "bm25" not in whole
    count = len([c for c in study.candidates if c.apart > 0])
    assert f"0 of {count} judged" in shown(at)
    assert "votes will probably settle it" in shown(at) or "probably not settle it" in shown(at)


def test_two_judges_and_their_progress(lined_up: Project) -> None:
    store = JudgmentStore.of(lined_up)
    store.join("Anna")
    asked = _study(lined_up).queue("Anna").questions
    for question, one, other in zip(
        asked[:4],
        ("first", "first", "both", "second"),
        ("first", "second", "both", "second"),
        strict=False,
    ):
        store.add(
            [vote("Anna", question, SETUP.pair, one), vote("Ben", question, SETUP.pair, other)]
        )
    at = open_page("judge", TINY, judge="anna")
    assert board(at)["question"] not in asked[:4]
    assert "4 of" in shown(at) and "agreement .64 on 4 shared questions" in shown(at)
    part(at, "results")
    said = shown(at).replace("\\", "")  # Labels are escaped for Markdown.
    assert "words-2 1 · no preference 2 · Keyword search 1" in said
    assert (
        "Anna and Ben said the same in 75% of cases, on the 4 questions that they share: substantial agreement"
        in said
    )
    assert "What they see differently" in said
    assert "Anna voted for Keyword search, Ben voted for words-2" in said
    press(at, "judge-decide-0")
    told = board(at)
    assert told["question"] == asked[1] and told["final"] is True


def test_results_are_kept_back_where_sides_stay_hidden(lined_up: Project) -> None:
    store = JudgmentStore.of(lined_up)
    save_setup(lined_up, Setup("bm25", "words-2", reveal="never"))
    question = _study(lined_up).queue("Anna").questions[0]
    store.add(
        [vote("Anna", question, SETUP.pair, "first"), vote("Ben", question, SETUP.pair, "second")]
    )
    at = open_page("judge", TINY, judge="Anna")
    assert not [t for t in at.toggle if t.key == "judge-reveal"]
    part(at, "results")
    said = shown(at).replace("\\", "")  # Labels are escaped for Markdown.
    assert "The results are kept back" in said and "Anna and Ben voted differently." in said
    assert "Keyword search" not in said and "words-2" not in said


def test_when_everything_is_judged(lined_up: Project) -> None:
    store = JudgmentStore.of(lined_up)
    asked = _study(lined_up).queue("Anna").questions
    store.add([vote("Anna", question, SETUP.pair, "first") for question in asked])
    at = open_page("judge", TINY, judge="Anna")
    assert "That was the last question" in shown(at) and "Settled: more votes" in shown(at)
    press(at, "judge-undo")
    assert board(at)["question"] == asked[-1]


def test_results_without_votes(lined_up: Project) -> None:
    at = part(open_page("judge", TINY), "results")
    assert "No votes yet" in shown(at)
    assert "Nothing to use yet" in shown(part(at, "use"))


def test_using_the_judgments(lined_up: Project, started: list[list[str]]) -> None:
    store = JudgmentStore.of(lined_up)
    _, held = current_query_set(lined_up)
    question = next(iter(held.queries))
    answer = next(iter(held.relevant(question)))
    store.add([grade("Anna", question, answer, 3), grade("Anna", question, "d1", 0)])
    store.add([grade("Ben", question, answer, 2)])
    at = part(open_page("judge", TINY, judge="Anna"), "use")
    assert "1 question has a document graded 1 to 3." in shown(at)
    assert "1 document graded 2 or 3 as answers, 1 document graded 0 as hard negatives." in shown(
        at
    )
    assert "Documents that nobody graded count as not relevant" in shown(at)
    at.selectbox(key="judge-combine").set_value("strict")
    run(at)
    at.toggle(key="judge-merge").set_value(True)
    press(at, "judge-queries")
    assert started == [["judgments", TINY, "--to-queries", "--merge", "--combine", "strict"]]
    assert "Using the judgments" in shown(at)


def test_labels_that_nobody_knows_are_asked_for(lined_up: Project) -> None:
    at = part(open_page("judge", TINY, judge="Anna"), "use")
    table = b"query,document_id,label\nwho pays,d1,A\nwho pays,d2,B\n"
    at.file_uploader(key=f"judge-upload-{TINY}").set_value(("t.csv", table, "text/csv"))
    run(at)
    press(at, "judge-import")
    assert "Say what each means" in at.warning[0].value
    for label, value in (("A", 3), ("B", 0)):
        next(box for box in at.selectbox if box.label == label).set_value(value)
    run(at)
    press(at, "judge-import")
    assert "2 judgments came in." in [one.value for one in at.success]


def test_a_changed_corpus_is_lined_up_anew(lined_up: Project, tmp_path, started) -> None:
    from search.corpus.ingest import add_documents

    path = tmp_path / "new.txt"
    path.write_text("One more document about frost.")
    add_documents(lined_up, [path])
    at = open_page("judge", TINY, judge="Anna")
    assert "Start judging" in labels(at)
    press(at, "judge-start")
    assert started[0][:2] == ["questions", TINY]


def test_an_odd_name_in_the_address_is_not_taken(lined_up: Project) -> None:
    at = open_page("judge", TINY, judge="x" * 99)
    assert "Start judging" in labels(at)
    assert JudgmentStore.of(lined_up).judges() == []


def test_a_deleted_model(lined_up: Project) -> None:
    for manifest in lined_up.manifests("models"):
        lined_up.remove(manifest)
    at = open_page("judge", TINY, judge="Anna")
    assert "Start judging" in labels(at)
    assert at.selectbox(key="judge-other-begin").value == "bm25"


def test_columns_that_compare_hands_over(lined_up: Project, started: list[list[str]]) -> None:
    at = open_page("judge", TINY, judge="Anna", model=["words", "bm25"])
    assert [at.selectbox(key=f"judge-{side}-handed").value for side in ("one", "other")] == [
        "words", "bm25",
    ]  # fmt: skip
    assert "So far Keyword search and words-2 are judged in this project." in shown(at)
    press(at, "judge-keep")
    assert "model" not in at.query_params
    assert board(at)["question"], "as before"
    at = open_page("judge", TINY, judge="Anna", model=["words", "bm25"])
    press(at, "judge-start")
    assert started == [["questions", TINY, "--column", "words", "--column", "bm25"]]
    assert saved_setup(lined_up) == Setup("words", "bm25")
    assert "model" not in at.query_params


def test_the_same_columns_the_other_way_round_are_judged_at_once(lined_up: Project) -> None:
    at = open_page("judge", TINY, judge="Anna", model=["words-2", "bm25"])
    assert board(at)["question"]
    assert "model" not in at.query_params, "nothing in the address tells what is judged"


def test_a_column_in_the_address_that_is_not_there(lined_up: Project) -> None:
    at = open_page("judge", TINY, judge="Anna", model=["gone", "bm25"])
    assert "gone" in shown(at)
    assert board(at)["question"]
    at = open_page("judge", TINY, judge="Anna", model="bm25")
    assert "Two different columns are needed" in shown(at)


def test_a_question_that_was_searched_before_is_asked(lined_up: Project) -> None:
    remember(lined_up, "velkorin in the morning")
    at = open_page("judge", TINY, judge="Anna")
    chooser = at.selectbox(key=f"judge-recent-{TINY}")
    assert chooser.options == ["velkorin in the morning"]
    chooser.set_value("velkorin in the morning")
    press(at, "judge-ask")
    told = board(at)
    study = _study(lined_up)
    assert study.questions[told["question"]].text == "velkorin in the morning"
    assert all(side["documents"] for side in told["sides"])
