"""The pages, by name, and how to get from one to another."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import streamlit as st

from ui import failures, state

NAMES = (
    "projects", "corpus", "train", "compare", "judge", "evaluate", "map", "words", "models",
)  # fmt: skip
"""The names of the pages, as addresses have them, in the order of the navigation."""


def pages() -> dict[str, Any]:
    """Every page of the app, by name."""
    # Imported here because the pages themselves link to one another through this module.
    rooms = {name: import_module(f"ui.{name}").page for name in NAMES}
    return {
        name: st.Page(
            failures.guarded(draw),
            title=name.capitalize(),
            url_path=name,
            default=name == "projects",
        )
        for name, draw in rooms.items()
    }


def go(name: str, project: str | None = None, **parameters: str | Iterable[str]) -> None:
    """Open a page, with a project and its address parameters."""
    chosen = project or state.chosen_name()
    if chosen is not None:
        state.choose(chosen)
        parameters["project"] = chosen
    st.switch_page(pages()[name], query_params=parameters)


def step(label: str, name: str, key: str, **parameters: str) -> None:
    """The one obvious button that leads on."""
    if st.button(label, type="primary", key=key, icon=":material/arrow_forward:"):
        go(name, **parameters)
