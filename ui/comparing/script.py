"""The page's script (page.js) as a component: what it is given, and what it reports."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
_KEY = "compare-script"
_mount = st.components.v2.component("bespoke_compare", js=_SCRIPT, isolate_styles=False)


def listen(asked: str, copied: str, full: bool, act: Callable[[str, int, str], None]) -> None:
    """Put the script on the page.

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
