"""What the board is told, and what becomes of what it says: blind, checked, kept once."""

import json
from html import unescape

import pytest

from search.corpus.corpus import current_corpus
from search.judging.events import handle_events
from search.judging.prepare import prepare_questions
from search.judging.setup import Setup
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.judging.votes import vote
from search.projects.project import Project
from ui.judging.board import board_data

SETUP = Setup("words", "bm25")


@pytest.fixture
def store(trained: Project) -> JudgmentStore:
    prepare_questions(trained, SETUP)
    return JudgmentStore.of(trained)


def _study(project: Project, setup: Setup = SETUP) -> Study:
    return Study.of(project, setup, current_corpus(project)[0])


def _board(project: Project, question: str, judge: str = "Anna", setup: Setup = SETUP) -> dict:
    return board_data(_study(project, setup), current_corpus(project)[1], judge, question, False)


def _event(question: str, kind: str, token: str, **more: object) -> dict:
    return {"kind": kind, "question": question, "token": token, **more}


def test_the_board_shows_what_both_columns_found(trained: Project, store: JudgmentStore) -> None:
    study = _study(trained)
    question = study.queue("Anna").questions[0]
    data = _board(trained, question)
    view = study.blinded_view("Anna", question)
    assert [side["documents"] for side in data["sides"]] == [view.left, view.right]
    assert {len(side["documents"]) for side in data["sides"]} == {5}
    _, corpus = current_corpus(trained)
    for identity, shown in data["documents"].items():
        assert shown["name"] == corpus.document(identity).title
    assert any("<mark>" in shown["text"] for shown in data["documents"].values())


def test_nothing_on_the_board_tells_which_side_is_which(
    trained: Project, store: JudgmentStore
) -> None:
    """Two projects' worth of secrets: the same lists swapped give the same data but for the swap itself."""
    study = _study(trained)
    swapped = {}
    for question in study.queue("Anna").questions:
        for judge in ("Anna", "Ben", "Cleo", "Dev"):
            swapped.setdefault(study.blinded_view(judge, question).swapped, (question, judge))
    assert swapped.keys() == {True, False}
    for question, judge in swapped.values():
        data = _board(trained, question, judge)
        told = json.dumps(data)
        for word in ("swapped", "bm25", "words", "Keyword", "score", "first", "second", "team"):
            assert word not in told.replace(data["text"], "").replace("passwords", ""), word
        assert list(data["documents"]) == sorted(data["documents"])
    question = swapped[True][0]
    one = {judge: _board(trained, question, judge) for judge in ("Anna", "Ben", "Cleo", "Dev")}
    for judge, data in one.items():
        other = one["Anna"]
        assert data["documents"] == other["documents"], f"{judge} must see the same cards"
        sides = sorted(tuple(side["documents"]) for side in data["sides"])
        assert sides == sorted(tuple(side["documents"]) for side in other["sides"])


def test_a_mixed_board_is_one_list(trained: Project, store: JudgmentStore) -> None:
    mixed = Setup("words", "bm25", layout="mixed", depth=6)
    question = _study(trained, mixed).queue("Anna").questions[0]
    data = _board(trained, question, setup=mixed)
    assert data["layout"] == "mixed" and len(data["sides"]) == 1
    assert len(data["sides"][0]["documents"]) == 6
    assert "teams" not in data and data["vote"] is None


def test_texts_are_escaped(trained: Project, tmp_path) -> None:
    from search.corpus.ingest import add_documents

    path = tmp_path / "x.csv"
    path.write_text('id,title,text\nevil,<b onclick=x>,"velkorin <script>alert(1)</script> & co"\n')
    add_documents(trained, [path])
    prepare_questions(trained, SETUP, ["velkorin alert"])
    question = JudgmentStore.of(trained).ask_typed("velkorin alert").id
    shown = _board(trained, question)["documents"]["evil"]
    assert "<script" not in shown["text"] and "<b" not in shown["title"]
    assert "<script>alert(1)</script> & co" in unescape(
        shown["text"].replace("<mark>", "").replace("</mark>", "")
    )


def test_votes_for_a_side_are_kept_as_votes_for_a_column(
    trained: Project, store: JudgmentStore
) -> None:
    study = _study(trained)
    for place, question in enumerate(study.queue("Anna").questions[:8]):
        side = ("left", "right")[place % 2]
        heard = handle_events(
            store, study, "Anna", [_event(question, "vote", f"t{place}", side=side)]
        )
        assert heard.voted == question and heard.tokens == [f"t{place}"]
        mark = store.standing()[-1]
        view = study.blinded_view("Anna", question)
        shown = view.left if side == "left" else view.right
        column = study.setup.pair.preferred(mark.value)
        assert shown == study.lists(question)[0 if column == study.setup.pair.first else 1]
        assert mark.details["swapped"] == view.swapped and mark.details["columns"] == [
            "bm25",
            "words",
        ]


def test_what_arrives_twice_counts_once_and_undo_is_not_repeated(
    trained: Project, store: JudgmentStore
) -> None:
    study = _study(trained)
    question = study.queue("Anna").questions[0]
    document = study.blinded_view("Anna", question).documents[0]
    events = [
        _event(question, "grade", "a", document=document, grade=3),
        _event(question, "vote", "b", side="both"),
    ]
    handle_events(store, study, "Anna", events)
    handle_events(store, study, "Anna", events)
    assert len(store.history()) == 2
    undo = _event(question, "undo", "c")
    first = handle_events(store, study, "Anna", [undo], known=["a", "b"])
    assert first.undone is not None and first.undone.kind == "vote"
    again = handle_events(store, study, "Anna", [undo], known=["a", "b", "c"])
    assert again.undone is None and again.tokens == ["c"]
    assert [mark.kind for mark in store.standing()] == ["grade"]


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "vote", "token": "t", "question": "nowhere", "side": "left"},
        {"kind": "vote", "token": "t", "question": None, "side": "left"},
        {"kind": "vote", "token": "t", "question": "test-0", "side": "up"},
        {"kind": "grade", "token": "t", "question": "test-0", "document": "not-shown", "grade": 2},
        {"kind": "grade", "token": "t", "question": "test-0", "document": ["d1"], "grade": 2},
        {"kind": "grade", "token": "t", "question": "test-0", "document": "d28", "grade": 7},
        {"kind": "grade", "token": "t", "question": "test-0", "document": "d28", "grade": "3"},
        {"kind": "nonsense", "token": "t", "question": "test-0"},
        {"kind": "vote", "question": "test-0", "side": "left"},
        "a text",
        None,
    ],
)
def test_nonsense_is_dropped(trained: Project, store: JudgmentStore, event: object) -> None:
    heard = handle_events(store, _study(trained), "Anna", [event])
    assert store.history() == [] and heard.voted is None
    assert heard.tokens == (["t"] if isinstance(event, dict) and "token" in event else [])


def test_a_mixed_list_is_decided_by_its_grades(trained: Project, store: JudgmentStore) -> None:
    mixed = Setup("words", "bm25", layout="mixed", depth=6)
    study = _study(trained, mixed)
    question = study.queue("Anna").questions[0]
    view = study.blinded_view("Anna", question)
    assert view.mixed is not None
    mine = [d for d, team in zip(view.mixed.documents, view.mixed.teams, strict=True) if team == 1]
    events = [
        _event(question, "grade", "g1", document=mine[0], grade=2),
        _event(question, "vote", "v1", side="done"),
    ]
    assert handle_events(store, study, "Anna", events).choice == "second"
    assert (
        handle_events(store, study, "Ben", [_event(question, "vote", "v2", side="done")]).choice
        == "neither"
    )


def test_settling_a_disagreement(trained: Project, store: JudgmentStore) -> None:
    study = _study(trained)
    question = study.queue("Anna").questions[0]
    pair = SETUP.pair
    store.add([vote("Anna", question, pair, "first"), vote("Ben", question, pair, "second")])
    assert _study(trained).votes.together(question) is None
    view = study.blinded_view("Anna", question)
    side = view.side("second")
    handle_events(store, study, "Anna", [_event(question, "vote", "f", side=side)], final=True)
    now = _study(trained)
    assert now.votes.together(question) == "second"
    assert now.votes.by_question[question]["Anna"] == "first", "what Anna said blind stays"
