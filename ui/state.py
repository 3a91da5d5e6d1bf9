"""Session keys. The session holds ids and widget values, never models."""

from collections.abc import Sequence

import streamlit as st

from search.projects.errors import BespokeError, OtherFormat
from search.projects.project import Project, project

_PROJECT = "project"


def choose(name: str) -> None:
    """Make a project the current one."""
    st.session_state[_PROJECT] = name


def chosen_name() -> str | None:
    """The name of the current project: from the address, else from the session."""
    name = st.query_params.get(_PROJECT) or st.session_state.get(_PROJECT)
    return str(name) if name else None


def current_project() -> Project | None:
    """The current project, or None when none is chosen or it is gone.

    :raises OtherFormat: once, when the one that was chosen cannot be used.
    """
    name = chosen_name()
    if name is None:
        return None
    try:
        opened = project(name)
    except BespokeError as error:
        st.session_state.pop(_PROJECT, None)
        st.query_params.pop(_PROJECT, None)
        if isinstance(error, OtherFormat):
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
