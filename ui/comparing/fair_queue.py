"""The line in which questions wait: who asked first is answered first, and nobody waits for everybody.

Threads that share an interpreter are all done when the last one is. So few are answered at a time, in the order in
which they were asked; whoever waits is told how many are before them, and whoever leaves the page leaves the line.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock

import streamlit as st

from ui.rendering import render
from ui.widgets import counted

_LOOK_EVERY = 0.2
_TOO_LONG = 3.0
_SAID_EVERY = 3  # Looks: a shorter wait is no wait, and thirty pages that are told more often take time from the answers.
_AHEAD = 16
_SHORT = 300


@dataclass(eq=False)
class _Ticket:
    """A place in the line, or at the counter."""

    corpus: str
    query: str
    called: Event = field(default_factory=Event)
    since: float = 0.0


class FairQueue:
    """First in, first out, a few at once. Safe to use from several threads.

    A search that takes longer than three seconds (a model that is loaded, a server that does not answer) does
    not keep the others waiting: it is not counted any more.

    :param at_once: how many are answered at a time.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = Lock()
        self._tickets: list[_Ticket] = []

    @contextmanager
    def turn(self, corpus: str, query: str, waiting: Callable[[int], None]) -> Iterator[None]:
        """Wait for one's turn, which lasts until the block ends; an exception of `waiting` leaves the line.

        :param corpus: what is searched.
        :param waiting: told a few times a second how many are before this one.
        """
        ticket = _Ticket(corpus, query)
        with self._lock:
            self._tickets.append(ticket)
        try:
            self._call()
            while not ticket.called.wait(_LOOK_EVERY):
                waiting(self._before(ticket))
                self._call()
            yield
        finally:
            with self._lock:
                self._tickets.remove(ticket)
            self._call()

    def next_queries(self, corpus: str) -> list[str]:
        """What will be asked of a corpus next: encoded in one go with a query, these cost little more than it alone."""
        with self._lock:
            waiting = [one for one in self._tickets if not one.called.is_set()]
        ahead = [one.query for one in waiting if one.corpus == corpus and len(one.query) < _SHORT]
        return list(dict.fromkeys(ahead))[:_AHEAD]

    def _call(self) -> None:
        now = time.monotonic()
        with self._lock:
            busy = sum(one.called.is_set() and now - one.since < _TOO_LONG for one in self._tickets)
            waiting = [one for one in self._tickets if not one.called.is_set()]
            for ticket in waiting[: max(self._at_once - busy, 0)]:
                ticket.since = now
                ticket.called.set()

    def _before(self, ticket: _Ticket) -> int:
        with self._lock:
            return self._tickets.index(ticket)


QUEUE = FairQueue(max(1, min((os.cpu_count() or 1) // 2, 4)))
"""All sessions of a server stand in one line."""


@contextmanager
def turn(corpus: str, query: str) -> Iterator[None]:
    """The turn of a session to be answered; while it waits, the page says how many are before it."""
    slot = st.container(key="compare-line")
    looks, said = 0, 0

    def waiting(before: int) -> None:
        nonlocal looks, said
        looks += 1
        # Where a session ends or asks something else, reading its state ends this run.
        _ = "line" in st.session_state
        if looks % _SAID_EVERY == 0 and before != said:
            said = before
            place.html(render("line.html", before=counted(before, "question")))

    place = slot.empty()
    with QUEUE.turn(corpus, query, waiting):
        if said:
            place.empty()
        yield
