"""What stands beside a project or a model and is seldom needed: another name, and where its data lies."""

from collections.abc import Callable

import streamlit as st

from search.models.registry import ModelInfo, rename_model
from search.projects.errors import BespokeError
from search.projects.files import size_in_words
from search.projects.project import Project
from search.projects.renaming import rename_project
from search.retrieval.whereabouts import where_data_lies
from ui import door, failures, navigation, widgets
from ui.rendering import literal

_RENAMED = "renamed"


def button(project: Project, label: str = "") -> None:
    """Draw the button that shows where the data of a project lies."""
    if st.button(
        literal(label),
        key=f"where-{project.name}",
        icon=":material/folder_open:",
        type="tertiary",
        help="Where its data lies",
    ):
        _where(project)


def rename_button(project: Project, label: str = "") -> None:
    """Draw the button that gives a project another name."""

    def rename(name: str) -> None:
        door.must_own(project)
        rename_project(project, name)
        if navigation.chosen_name() == project.name:
            navigation.choose(name)
            st.query_params["project"] = name

    _button(project.name, f"project-{project.name}", rename, label)


def rename_model_button(project: Project, info: ModelInfo) -> None:
    """Draw the button that gives a model another name."""

    def rename(name: str) -> None:
        door.must_work_in(project)
        rename_model(project, info.name, name)

    _button(info.title, info.id, rename)


def _button(name: str, key: str, rename: Callable[[str], None], label: str = "") -> None:
    if st.button(
        literal(label), key=f"rename-{key}", icon=":material/edit:", type="tertiary", help="Rename"
    ):
        _ask(name, key, rename)


@st.dialog("Another name")
@failures.guarded
def _ask(name: str, key: str, rename: Callable[[str], None]) -> None:
    if st.session_state.pop(_RENAMED, None):  # It is done: the dialog closes.
        st.rerun()
    box = f"name-{key}"
    st.text_input("Name", value=name, max_chars=80, key=box)
    st.caption("Links and votes with the former name go on to work.")
    problem = st.session_state.pop(f"problem-{key}", None)
    if problem:
        st.error(literal(problem), icon=":material/error:")
    st.button(
        "Rename", key=f"sure-rename-{key}", type="primary", on_click=_rename, args=(key, rename)
    )


def _rename(key: str, rename: Callable[[str], None]) -> None:
    try:
        rename(str(st.session_state.get(f"name-{key}", "")).strip())
    except BespokeError as error:
        st.session_state[f"problem-{key}"] = str(error)
    else:
        st.session_state[_RENAMED] = True


def _unbroken(size: str) -> str:
    return size.replace(" ", "\N{NO-BREAK SPACE}")


@st.dialog("Where your data lies", width="large")
@failures.guarded
def _where(project: Project) -> None:
    """A table of every place with something of a project, and how to take it away whole."""
    with st.spinner("Looking…"):
        lies = where_data_lies(project)
    widgets.escaped_table(
        ["what", "what it holds", "size", "where"],
        [
            (
                one.what,
                one.holds,
                _unbroken(size_in_words(one.size)) if one.size else "–",
                one.where,
            )
            for one in lies
        ],
    )
    st.caption(
        f"This is what there is of {literal(project.name)}. All files can be read by the user alone whom Bespoke runs as. The whole project as one file, with checksums, to "
        "keep or to move:"
    )
    st.code(
        f"python cli.py backup '{project.name}' my-backup.zip\npython cli.py restore my-backup.zip",
        language="bash",
    )
