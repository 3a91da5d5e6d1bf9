"""The board in the page: the next question, two unlabelled sides, a vote with one key.

Nothing in what the browser draws of a question tells which side is which.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from search.corpus.corpus import Corpus, ScoredDocument
from search.judging.blinding import BlindedView
from search.judging.events import EventOutcome, handle_events
from search.judging.setup import Setup
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.judging.votes import GRADES
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.retrieval.columns import column_title
from search.retrieval.results import Hit, hits_of
from ui import failures, widgets
from ui.hits import excerpt, marked, query_words, rest_of
from ui.rendering import render

_BOARD = st.components.v2.component(
    "bespoke_judge_board",
    js=(Path(__file__).parent / "board.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
_REMEMBERED = 200
_FACTS = 3
_FACT = 60


@st.fragment
@failures.guarded
def board(project: Project, setup: Setup, manifest: Manifest, corpus: Corpus, judge: str) -> None:
    """Draw the board, and keep what is said on it; only this part of the page is drawn again."""
    slot = _Slot.of(project, judge)
    study = Study.of(project, setup, manifest)
    question = slot.question(study)
    standing(study, judge, slot.revealed)
    if question is None:
        _finished(study, slot)
        return
    data = {
        **board_data(study, corpus, judge, question, slot.final),
        "book": f"{project.name}/{judge}",
        "final": slot.final,
        "saved": slot.saved,
        "session": slot.session,
    }

    def said() -> None:
        value = widgets.said_by(slot.key, "said") or {}
        now = Study.of(project, setup, manifest)
        events = value.get("events") or []
        store = JudgmentStore.of(project)
        slot.take(now, handle_events(store, now, judge, events, slot.saved, slot.final))

    with st.container(key="judge-board"):
        _BOARD(key=slot.key, data=data, on_said_change=said)
    if slot.left:
        slot.left = False
        turn_to("results")
        st.rerun()


def ask_first(project: Project, judge: str, question: str, final: bool = False) -> None:
    """Put a question before a judge next.

    :param final: to settle what judges disagree on.
    """
    slot = _Slot.of(project, judge)
    slot.now, slot.final = question, final


def turn_to(part: str) -> None:
    """Show another part of the page when it is drawn next."""
    st.session_state["judge-turn"] = part


def standing(study: Study, judge: str, revealed: str) -> None:
    """How far it is: answered, agreement, how many votes would settle it; what the last sides were."""
    lined = {candidate.question for candidate in study.candidates if candidate.apart > 0}
    done = len(lined & set(study.answered(judge)))
    agreement = study.votes.inter_rater_agreement()
    early = agreement.kappa is None
    same = study.queue(judge).same
    st.html(
        render(
            "standing.html",
            done=done,
            total=len(lined),
            shared=widgets.counted(agreement.items, "shared question") if agreement.items else "",
            kappa="too early to tell" if early else f"{agreement.kappa:.2f}".replace("0.", "."),
            outlook=study.outlook(judge),
            same=f"{widgets.counted(same, 'further question')} not asked: both sides show the same"
            if same
            else "",
            revealed=revealed,
        )
    )


def _finished(study: Study, slot: "_Slot") -> None:
    same = study.queue(slot.judge).same
    more = (
        f" On {widgets.counted(same, 'further question')} both sides show the same, so there is nothing to choose."
        if same
        else ""
    )
    widgets.empty("That was the last question", f"Every one that is lined up has your vote.{more}")

    def undo() -> None:
        slot.take(study, EventOutcome(undone=JudgmentStore.of(slot.project).undo(slot.judge)))

    st.button("Undo the last vote", key="judge-undo", icon=":material/undo:", on_click=undo)
    if slot.later:
        st.button("Go back to those you put off", key="judge-later", on_click=slot.later.clear)


@dataclass
class _Slot:
    """What one judge's board remembers in this session.

    `now` is the question that is shown, `final` says that a disagreement is being settled with it, `left` that one just
    was, so that the page turns back to the results. `later` are questions put off, `saved` the tokens of what is on
    disk, `revealed` tells the sides of the last question. `session` names this session, so that the browser notices
    another one.
    """

    project: Project
    judge: str
    now: str | None = None
    final: bool = False
    left: bool = False
    later: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    revealed: str = ""
    session: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def of(cls, project: Project, judge: str) -> "_Slot":
        """The slot of a judge in this session."""
        key = f"judge-slot-{project.name}-{judge}"
        slot: _Slot = st.session_state.setdefault(key, cls(project, judge))
        return slot

    @property
    def key(self) -> str:
        """The key of the board in the page."""
        return f"judge-board-{self.project.name}"

    def question(self, study: Study) -> str | None:
        """The question to show: the one that is open, else the most telling one."""
        if self.now not in study.questions:
            waiting = study.queue(self.judge).questions
            self.now = next((q for q in waiting if q not in self.later), None)
        return self.now

    def take(self, study: Study, heard: EventOutcome) -> None:
        """Go on after what was said."""
        self.saved = [*self.saved, *heard.tokens][-_REMEMBERED:]
        if heard.undone is not None:
            self.now, self.final, self.revealed = heard.undone.question, heard.undone.final, ""
        elif heard.later == self.now and heard.later is not None:
            self.later.append(heard.later)
            self.now, self.final = None, False
        elif heard.voted is not None and heard.voted == self.now:
            self._reveal(study, heard.voted, heard)
            self.now, self.left, self.final = None, self.final, False

    def _reveal(self, study: Study, question: str, heard: EventOutcome) -> None:
        wanted = st.session_state.get("judge-reveal", False) and study.setup.reveal == "after"
        self.revealed = ""
        if wanted and heard.choice is not None:
            pair, view = study.setup.pair, study.blinded_view(self.judge, question)
            left, right = (pair.second, pair.first) if view.swapped else (pair.first, pair.second)
            where = f"left was {column_title(left)}, right was {column_title(right)}"
            chosen = pair.preferred(heard.choice)
            voted = column_title(chosen) if chosen else heard.choice
            if view.mixed is not None:
                first, second = map(column_title, (pair.first, pair.second))
                where = f"it was mixed from {first} and {second}"
            self.revealed = f"Last question: {where}. Your vote: {voted}."


def board_data(
    study: Study, corpus: Corpus, judge: str, question: str, final: bool
) -> dict[str, Any]:
    """What the browser draws of a question.

    Documents are in order of their ids, without scores (those of two models differ in scale, which would tell
    them apart), by the passage by which the first list that has them found them.
    """
    view = study.blinded_view(judge, question)
    asked = study.questions[question]
    return {
        "question": question,
        "text": asked.text,
        "layout": view.layout,
        "sides": _sides(view),
        "documents": _documents(study, corpus, view, question),
        "grades": study.graded(judge, question, final),
        "levels": list(GRADES.values()),
        "vote": _earlier_vote(study, view, judge, question),
    }


def _sides(view: BlindedView) -> list[dict[str, Any]]:
    if view.mixed is not None:
        return [{"name": "One list, mixed from both", "documents": view.mixed.documents}]
    return [{"name": "Left", "documents": view.left}, {"name": "Right", "documents": view.right}]


def _documents(study: Study, corpus: Corpus, view: BlindedView, question: str) -> dict[str, Any]:
    # Where both lists have a document, the better rank decides by which passage it is shown, then the smaller
    # position: the same on both sides, whichever side is which.
    ranked = sorted(
        (rank, entry.passage, entry)
        for ranking in study.rankings
        for rank, entry in enumerate(ranking[question])
    )
    best = {entry.id: entry for _, _, entry in reversed(ranked)}
    shown = [best[document] for document in view.documents]
    hits = hits_of(corpus, [ScoredDocument(entry.document, 0.0, entry.passage) for entry in shown])
    words = query_words(study.questions[question].text)
    return {hit.id: _document(hit, words) for hit in hits}


def _document(hit: Hit, words: frozenset[str]) -> dict[str, Any]:
    text = " ".join(hit.passage.text.split())
    short = excerpt(text, words)
    title = hit.title or short[:80]
    return {
        "name": title,
        "title": marked(hit.title, words) if hit.title else "",
        "text": marked(short, words),
        "whole": marked(rest_of(hit, short)[1], words),
        "facts": _facts(hit),
    }


def _facts(hit: Hit) -> list[str]:
    """Where the passage stands, and the first of the metadata."""
    best = hit.passage
    facts = [f"page {best.page}"] if best.page is not None else []
    facts += [best.heading] if best.heading else []
    facts += [hit.tier] if hit.tier else []
    named = [
        f"{name} {value}" for name, value in hit.metadata.items() if value and value != hit.tier
    ]
    return [
        fact if len(fact) <= _FACT else fact[: _FACT - 1] + "…"
        for fact in [*facts, *named[:_FACTS]]
    ]


def _earlier_vote(study: Study, view: BlindedView, judge: str, question: str) -> str | None:
    """The side that this judge voted for before, when a question is looked at again."""
    choice = study.votes.by_question.get(question, {}).get(judge)
    return view.side(choice) if choice and view.mixed is None else None
