"""The board in the page: the next question, two unlabelled sides, a vote with one key."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from search.corpus.corpus import Corpus
from search.judging.events import EventOutcome, handle_events
from search.judging.setup import Setup
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.retrieval.columns import column_title
from ui import failures, widgets
from ui.judging.board_data import board_data
from ui.rendering import render

_BOARD = st.components.v2.component(
    "bespoke_judge_board",
    js=(Path(__file__).parent / "board.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
_REMEMBERED = 200


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
        value = st.session_state[slot.key].get("said") or {}
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
    st.html(
        render(
            "standing.html",
            done=done,
            total=len(lined),
            shared=widgets.counted(agreement.items, "shared question") if agreement.items else "",
            kappa="too early to tell" if early else f"{agreement.kappa:.2f}".replace("0.", "."),
            outlook=study.outlook(judge),
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
                where = (
                    f"it was mixed from {column_title(pair.first)} and {column_title(pair.second)}"
                )
            self.revealed = f"Last question: {where}. Your vote: {voted}."
