"""Who asks first is answered first; who waits is told how many are before them, and who leaves keeps nobody waiting."""

import threading
from contextlib import suppress

import pytest
from app_help import TINY, columns, open_page, shown

from ui.comparing import fair_queue
from ui.comparing.fair_queue import FairQueue


class Session:
    """Asks in a thread of its own, and is answered when the test says so."""

    def __init__(self, queue, name, corpus="c"):
        self.before, self.leaves = [], False
        self.arrived, self.inside, self.done = (threading.Event() for _ in range(3))
        self._queue, self._name, self._corpus = queue, name, corpus
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self):
        with suppress(ConnectionError), self._queue.turn(self._corpus, self._name, self._waiting):
            self.inside.set()
            self.done.wait(20)

    def _waiting(self, before):
        self.before.append(before)
        self.arrived.set()
        if self.leaves:
            raise ConnectionError

    def end(self):
        self.done.set()
        self._thread.join(20)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(fair_queue, "_LOOK_EVERY", 0.01)


def entered(queue, *names):
    """Sessions that came one after another; all but the first few wait."""
    sessions = []
    for name in names:
        sessions.append(Session(queue, name))
        one = sessions[-1]
        while not (one.arrived.wait(0.01) or one.inside.is_set()):
            pass
    return sessions


def test_sessions_are_answered_one_by_one_in_the_order_in_which_they_came():
    sessions = entered(FairQueue(1), "a", "b", "c", "d")
    for number, session in enumerate(sessions):
        assert session.inside.wait(20)
        assert not any(later.inside.is_set() for later in sessions[number + 1 :])
        session.end()
    assert sessions[0].before == []
    assert [set(one.before) >= {number} for number, one in enumerate(sessions)][1:] == [True] * 3
    assert sessions[3].before == sorted(sessions[3].before, reverse=True)


def test_a_few_are_answered_at_once():
    sessions = entered(FairQueue(2), "a", "b", "c")
    assert sessions[0].inside.wait(20) and sessions[1].inside.wait(20)
    assert not sessions[2].inside.is_set()
    sessions[1].end()
    assert sessions[2].inside.wait(20)
    for session in sessions:
        session.end()


def test_who_leaves_the_page_leaves_the_queue():
    queue = FairQueue(1)
    sessions = entered(queue, "a", "b", "c")
    sessions[1].leaves = True
    sessions[1]._thread.join(20)
    assert not sessions[1].inside.is_set()
    assert queue.next_queries("c") == ["c"]
    sessions[0].end()
    assert sessions[2].inside.wait(20)
    sessions[2].end()


def test_an_answer_that_fails_keeps_nobody_waiting():
    queue = FairQueue(1)
    with pytest.raises(ValueError, match="no"), queue.turn("c", "a", print):
        raise ValueError("no")
    with queue.turn("c", "b", print):
        assert queue.next_queries("c") == []


def test_what_takes_long_keeps_the_others_waiting_for_a_bounded_time_only(monkeypatch):
    monkeypatch.setattr(fair_queue, "_TOO_LONG", 0.05)
    slow, other, third = entered(FairQueue(1), "slow", "other", "third")
    assert other.inside.wait(20)
    assert slow.inside.is_set() and not slow.done.is_set()
    for one in (slow, other, third):
        one.end()
    assert third.inside.is_set()


def test_what_is_asked_next_is_known_for_the_same_corpus_once_and_in_order():
    queue = FairQueue(1)
    sessions = entered(queue, "a", "b", "b", "x" * 300)
    sessions.append(Session(queue, "elsewhere", "other"))
    assert sessions[-1].arrived.wait(20)
    assert queue.next_queries("c") == ["b"]
    assert queue.next_queries("other") == ["elsewhere"]
    for session in sessions:
        session.end()


def test_the_page_says_how_many_are_before_a_question_while_it_waits(trained, monkeypatch):
    said, rendering = threading.Event(), []

    def render(template, **facts):
        rendering.append((template, facts["before"]))
        said.set()
        return original(template, **facts)

    original = fair_queue.render
    monkeypatch.setattr(fair_queue, "render", render)
    monkeypatch.setattr(fair_queue, "QUEUE", FairQueue(1))
    at = open_page("compare", TINY, model=["words"])
    with fair_queue.QUEUE.turn("c", "somebody else's", print):
        at.text_input(key="q").set_value("velkorin")
        asking = threading.Thread(target=at.run)
        asking.start()
        assert said.wait(20)
    asking.join(20)
    assert rendering == [("line.html", "1 question")]
    assert "1 question before yours" in original("line.html", before="1 question")
    assert columns(at)[0].cards and "before yours" not in shown(at)
