"""The page's script (page.js) as a component: what it is told, and what it tells back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
_KEY = "compare-script"
_mount = st.components.v2.component("bespoke_compare", js=_SCRIPT, isolate_styles=False)


def listen(copied: str, full: bool, act: Callable[[str, int], None]) -> None:
    """Put the script on the page.

    :param copied: what the copy button copies.
    :param full: whether the page fills the screen, so that Escape leaves that.
    :param act: called with what was pressed on a card and the number of its document.
    """

    def pressed() -> None:
        told: Any = st.session_state[_KEY].get("act")
        if isinstance(told, dict):
            act(str(told.get("act")), int(told.get("document", -1)))

    _mount(key=_KEY, data={"copied": copied, "full": full}, on_act_change=pressed, height=1)
