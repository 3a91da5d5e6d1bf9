"""The board in the page: the next question, two unlabelled sides, a vote with one key."""

import secrets
from pathlib import Path
from typing import Any

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
from ui.judging import sheets
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
    slot = _Slot(project, judge)
    study = Study.of(project, setup, manifest)
    question = slot.question(study)
    standing(study, judge, slot.revealed)
    if question is None:
        _finished(study, slot)
        return
    data = {
        **sheets.board_data(study, corpus, judge, question, slot.final),
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
    if slot.left_final:
        slot.left_final = False
        turn_to("results")
        st.rerun()


def ask_first(project: Project, judge: str, question: str, final: bool = False) -> None:
    """Put a question before a judge next.

    :param final: to settle what judges disagree on.
    """
    slot = _Slot(project, judge)
    slot.state["now"] = question
    slot.state["final"] = final


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
    if slot.state["later"]:
        st.button(
            "Go back to those you put off", key="judge-later", on_click=slot.state["later"].clear
        )


class _Slot:
    """What one judge's board remembers in this session."""

    def __init__(self, project: Project, judge: str) -> None:
        self.project = project
        self.judge = judge
        self.key = f"judge-board-{project.name}"
        empty: dict[str, Any] = {
            "now": None, "final": False, "later": [], "saved": [], "revealed": "", "left": False,
            "session": secrets.token_hex(8),
        }  # fmt: skip
        self.state: dict[str, Any] = st.session_state.setdefault(
            f"judge-slot-{project.name}-{judge}", empty
        )

    @property
    def final(self) -> bool:
        """Whether a disagreement is being settled."""
        return bool(self.state["final"])

    @property
    def saved(self) -> list[str]:
        """The tokens of what is on disk."""
        return list(self.state["saved"])

    @property
    def session(self) -> str:
        """Names this session, so that the browser notices another one."""
        return str(self.state["session"])

    @property
    def revealed(self) -> str:
        """The sides of the last question."""
        return str(self.state["revealed"])

    @property
    def left_final(self) -> bool:
        """Whether a disagreement was just settled, and the page turns back to the results."""
        return bool(self.state["left"])

    @left_final.setter
    def left_final(self, value: bool) -> None:
        self.state["left"] = value

    def question(self, study: Study) -> str | None:
        """The question to show: the one that is open, else the most telling one."""
        now = self.state["now"]
        if now in study.questions:
            return str(now)
        waiting = study.queue(self.judge).questions
        later = self.state["later"]
        chosen = next((q for q in waiting if q not in later), None)
        self.state["now"] = chosen
        return chosen

    def take(self, study: Study, heard: EventOutcome) -> None:
        """Go on after what was said."""
        self.state["saved"] = [*self.state["saved"], *heard.tokens][-_REMEMBERED:]
        if heard.undone is not None:
            self.state.update(now=heard.undone.question, final=heard.undone.final, revealed="")
        elif heard.later == self.state["now"] and heard.later is not None:
            self.state["later"].append(heard.later)
            self.state.update(now=None, final=False)
        elif heard.voted is not None and heard.voted == self.state["now"]:
            self._reveal(study, heard.voted, heard)
            self.state.update(now=None, left=self.final, final=False)

    def _reveal(self, study: Study, question: str, heard: EventOutcome) -> None:
        wanted = st.session_state.get("judge-reveal", False) and study.setup.reveal == "after"
        self.state["revealed"] = ""
        if wanted and heard.choice is not None:
            pair, sheet = study.setup.pair, study.blinded_view(self.judge, question)
            left, right = (pair.second, pair.first) if sheet.swapped else (pair.first, pair.second)
            where = f"left was {column_title(left)}, right was {column_title(right)}"
            chosen = pair.preferred(heard.choice)
            voted = column_title(chosen) if chosen else heard.choice
            if sheet.mixed is not None:
                where = (
                    f"it was mixed from {column_title(pair.first)} and {column_title(pair.second)}"
                )
            self.state["revealed"] = f"Last question: {where}. Your vote: {voted}."
