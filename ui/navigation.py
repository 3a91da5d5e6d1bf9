"""The pages by name, how to get from one to another, and what stays on the way: the project, and what the address holds.

The session holds ids and widget values, never models.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

import streamlit as st

from search.projects.errors import BespokeError, Failed, OtherFormat
from search.projects.project import Project
from search.projects.renaming import current_name
from ui import address, door, failures
from ui.page_names import NAMES, TITLES
from ui.rendering import literal

_PROJECT = "project"
_OF_JUDGES = ("projects", door.JUDGES_PAGE)
"""What the way around the app shows people who were only asked to judge: the others say the same, and nothing else."""


def pages(icons: Mapping[str, str] = {}) -> dict[str, Any]:
    """Every page of the app, by name.

    :param icons: what stands before a page's title in the navigation.
    """
    # Imported here because the pages themselves link to one another through this module.
    rooms = {name: import_module(f"ui.{name}").page for name in NAMES}
    shown = _OF_JUDGES if door.is_judge_elsewhere() else NAMES
    return {
        name: st.Page(
            failures.guarded(door.through(name, draw)),
            title=TITLES[name],
            icon=icons.get(name),
            url_path=name,
            default=name == "projects",
            visibility="visible" if name in shown else "hidden",
        )
        for name, draw in rooms.items()
    }


def go(name: str, to: str | None = None, **parameters: str | Iterable[str]) -> None:
    """Open a page, with a project (by default the current one) and its address parameters."""
    chosen = to or chosen_name()
    if chosen is not None:
        choose(chosen)
        parameters["project"] = chosen
    st.switch_page(pages()[name], query_params=parameters)


def step(label: str, name: str, key: str, **parameters: str) -> None:
    """The one obvious button that leads on."""
    if st.button(literal(label), type="primary", key=key, icon=":material/arrow_forward:"):
        go(name, **parameters)


def choose(name: str) -> None:
    """Make a project the current one."""
    st.session_state[_PROJECT] = name


def chosen_name() -> str | None:
    """The name of the current project: from the address, else from the session."""
    name = address.value(_PROJECT) or st.session_state.get(_PROJECT)
    return str(name) if name else None


def current_project() -> Project | None:
    """The current project, or None when none is chosen or it is gone.

    :raises OtherFormat: once, when the one that was chosen cannot be used.
    :raises Failed: once, when its project.json is damaged.
    """
    name = chosen_name()
    if name is None:
        return None
    try:
        name = current_name(name)
        opened = door.opened(name)
    except BespokeError as error:
        st.session_state.pop(_PROJECT, None)
        st.query_params.pop(_PROJECT, None)
        if isinstance(error, OtherFormat | Failed):
            raise
        return None
    choose(name)
    hold(_PROJECT, name)
    return opened


def hold(key: str, value: str | Sequence[str]) -> None:
    """Let the address hold a value, or several; nothing under that key where there is none."""
    values = [value] if isinstance(value, str) else list(value)
    if not value:
        st.query_params.pop(key, None)
    elif st.query_params.get_all(key) != values:
        st.query_params[key] = values
