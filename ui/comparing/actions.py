"""What a person can do with a hit: see why it moved, look for more like it. The page's script says what was pressed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from search.projects.project import Project
from ui import explain, failures
from ui.comparing import asking, tools
from ui.comparing.sides import Board
from ui.rendering import render

_SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
_KEY = "compare-script"
_mount = st.components.v2.component("bespoke_compare", js=_SCRIPT, isolate_styles=False)
_SHOWN = "compare-documents"
_WHY = "compare-why"


def listen(project: Project, asked: str, board: Board | None, copied: str) -> None:
    """Put the page's script on the page, and do what was asked for a moment ago.

    :param asked: the question as the page has it.
    :param copied: what the copy button copies.
    """
    # A press comes back with the number of a document of the board that was on the page then.
    st.session_state[_SHOWN] = list(board.numbers) if board is not None else []
    _mount_script(asked, copied, tools.full(), _pressed)
    if tools.full():
        st.html(render("sign.html", name="b-full"))
    asked = st.session_state.pop(_WHY, None)
    if asked is not None and board is not None:
        _why(project, board, asked)


def _pressed(act: str, number: int, text: str) -> None:
    known: list[str] = st.session_state.get(_SHOWN, [])
    if act == "ask":
        asking.ask(text)
    elif act == "leave":
        tools.leave_full()
    elif act == "question":
        asking.leave_like()
    elif 0 <= number < len(known):
        if act == "why":
            st.session_state[_WHY] = known[number]
        elif act == "more":
            asking.look_like(known[number])


@st.dialog("Why is it where it is?", width="large")
@failures.guarded
def _why(project: Project, board: Board, identity: str) -> None:
    explain.explain(project, board.query, identity, [side.name for side in board.sides])


def _mount_script(
    asked: str, copied: str, full: bool, act: Callable[[str, int, str], None]
) -> None:
    """Put the page's script (page.js) on the page as a component.

    :param asked: the question as the page has it, which the script compares with what the box shows.
    :param copied: what the copy button copies.
    :param full: whether the page fills the screen, so that Escape leaves that.
    :param act: called with what was pressed on a card, the number of its document, and a question to ask.
    """

    def pressed() -> None:
        message: Any = st.session_state[_KEY].get("act")
        if isinstance(message, dict):
            act(
                str(message.get("act")),
                int(message.get("document", -1)),
                str(message.get("text", "")),
            )

    data = {"asked": asked, "copied": copied, "full": full}
    _mount(key=_KEY, data=data, on_act_change=pressed, height=1)
