"""What a person can do with a hit: see why it moved, look for more like it. The page's script says what was pressed."""

from pathlib import Path

import streamlit as st

from search.judging.counter import count_questions
from search.judging.own_questions import mark_answer, marked_answers
from search.projects.errors import BespokeError
from search.projects.project import Project
from ui import door, explain, failures, navigation, widgets
from ui.comparing import asking, tools
from ui.comparing.sides import Board
from ui.judging.naming import judging_as
from ui.rendering import literal, render

_SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
_KEY = "compare-script"
_mount = st.components.v2.component("bespoke_compare", js=_SCRIPT, isolate_styles=False)
_SHOWN = "compare-documents"
_ASKED = "compare-asked"
_WHY = "compare-why"
_EXPLAINING = "compare-explaining"
_PROOF = "compare-proof"


def listen(project: Project, asked: str, board: Board | None, copied: str) -> None:
    """Put the page's script on the page, and do what was asked for a moment ago.

    :param asked: the question as the page has it, which the script compares with what the box shows.
    :param copied: what the copy button copies.
    """
    # A press comes back with the number of a document of the board that was on the page then.
    st.session_state[_SHOWN] = list(board.numbers) if board is not None else []
    st.session_state[_ASKED] = (project.name, board.query if board is not None else "")
    data = {"asked": asked, "copied": copied, "full": tools.full()}
    _mount(key=_KEY, data=data, on_act_change=_pressed, height=1)
    if tools.full():
        st.html(render("sign.html", name="b-full"))
    if st.session_state.pop(_PROOF, False):
        navigation.go("evaluate")
    wanted = st.session_state.pop(_WHY, None)
    # The page that is drawn without it has closed it.
    st.session_state[_EXPLAINING] = wanted is not None and board is not None
    if wanted is not None and board is not None:
        _why(project, board, wanted)


def is_explaining() -> bool:
    """Whether an explanation stands over the page: drawing the page anew would close it."""
    return bool(st.session_state.get(_EXPLAINING, False))


def _explained() -> None:
    st.session_state[_EXPLAINING] = False


def _pressed() -> None:
    """What was pressed on a card, with the number of its document and a question to ask."""
    message = widgets.said_by(_KEY, "act")
    if not isinstance(message, dict):
        return
    act, number = message.get("act"), int(message.get("document", -1))
    known: list[str] = st.session_state.get(_SHOWN, [])
    if act == "ask":
        asking.ask(str(message.get("text", "")))
    elif act == "leave":
        tools.leave_full()
    elif act == "proof":
        st.session_state[_PROOF] = True
    elif act == "question":
        asking.leave_like()
    elif 0 <= number < len(known):
        if act == "why":
            st.session_state[_WHY] = known[number]
        elif act == "more":
            asking.look_like(known[number])
        elif act == "right":
            _right(known[number])


def _right(identity: str) -> None:
    """Keep the question with this document as its answer, or take that back; say how many there are by now."""
    name, text = st.session_state.get(_ASKED, ("", ""))
    if not text:
        return
    try:
        project = door.opened(name)
        right = identity not in marked_answers(project, text)
        mark_answer(project, judging_as(), text, identity, right)
        count = count_questions(project)
    except BespokeError as error:
        st.toast(literal(error), icon=":material/error:")
        return
    said = "Kept as the right answer" if right else "Taken back"
    st.toast(literal(f"{said}: {count.short} questions have one."), icon=":material/check:")


@st.dialog("Why is it where it is?", width="large", on_dismiss=_explained)
@failures.guarded
def _why(project: Project, board: Board, identity: str) -> None:
    explain.explain(project, board.query, identity, [side.name for side in board.sides])
