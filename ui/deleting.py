"""The one way to delete on a page: a button, a dialog that says what goes with it, and one more press."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval import deletion
from search.retrieval.deletion import Deletion
from search.retrieval.undoing import UndoableDeletion
from ui import door, failures, navigation
from ui.rendering import literal

_SAID, _LAST = "deleted", "deleted-project"
_PENDING: dict[str, UndoableDeletion] = {}
"""Projects that were deleted a moment ago, by name; of all sessions, each of which knows its own one."""


def button(what: str, planned: Callable[[], Deletion], key: str, label: str = "") -> None:
    """Draw a bin that asks before it deletes.

    :param what: is deleted, for its tooltip: "this version".
    :param planned: works out what the deletion means; called when the button is pressed.
    """
    if st.button(
        literal(label),
        key=key,
        icon=":material/delete:",
        type="tertiary",
        help=f"Delete {literal(what)}",
    ):
        _ask(planned, key)


def artifact(project: Project, manifest: Manifest, what: str, where: str = "") -> None:
    """Draw the bin of an artifact.

    :param where: tells apart two bins of one artifact on a page, such as that of an index that two equal models share.
    """
    kind, identity = manifest.kind, manifest.id
    button(what, lambda: deletion.planned(project, kind, identity), f"delete-{where}{identity}")


@contextmanager
def beside(project: Project, manifest: Manifest, what: str, where: str = "") -> Iterator[None]:
    """Draw what the block draws, and the bin of an artifact at its right."""
    left, right = st.columns([12, 1], vertical_alignment="center")
    with right:
        artifact(project, manifest, what, where)
    with left:
        yield


@st.dialog("Delete this?")
@failures.guarded
def _ask(planned: Callable[[], Deletion], key: str) -> None:
    """Say what goes, what goes with it and what stays; it is done on one more press."""
    if _SAID in st.session_state:  # It is done: the dialog closes.
        st.rerun()
    asked = planned()
    for line in asked.lines:
        st.write(literal(line))
    vectors = f"vectors-{key}"
    if not asked.parts:
        st.checkbox(
            "Also delete its vectors in the embedding store",
            key=vectors,
            help="All projects share the store. A vector can be turned back into something near its text. Those that "
            "another project's texts need stay.",
        )
    st.button(
        "Delete for good",
        key=f"sure-{key}",
        type="primary",
        on_click=_delete,
        args=(asked, vectors),
    )


def _delete(asked: Deletion, vectors: str) -> None:
    if asked.parts:
        door.must_work_in(asked.project)
        said = deletion.delete(asked)
    else:
        door.must_own(asked.project)
        pending = UndoableDeletion(asked.project, bool(st.session_state.get(vectors)))
        _PENDING[asked.project.name] = pending
        st.session_state[_LAST] = asked.project.name
        said = []
        if navigation.chosen_name() == asked.project.name:
            st.query_params.clear()
            st.session_state.pop("project", None)
    st.session_state[_SAID] = " ".join([f"{asked.what} is deleted.", *said])


def say_what_went() -> None:
    """Say, once, what was deleted a moment ago."""
    if said := st.session_state.pop(_SAID, None):
        st.toast(literal(said), icon=":material/delete:")
    if pending := _PENDING.get(st.session_state.get(_LAST, "")):
        _offer_undo(pending)


@st.fragment(run_every=1.0)
@failures.guarded
def _offer_undo(pending: UndoableDeletion) -> None:
    """A way back, as long as there is one."""
    if not pending.is_open:
        _PENDING.pop(pending.project.name, None)
        st.session_state.pop(_LAST, None)
        st.rerun()
    with st.container(key="undo", horizontal=True, vertical_alignment="center"):
        st.markdown(f"{literal(pending.project.name)} is deleted.")
        st.button("Undo", key="undo-delete", type="tertiary", on_click=_undo, args=(pending,))


def _undo(pending: UndoableDeletion) -> None:
    try:
        st.session_state[_SAID] = f"{pending.undo().name} is back."
    except BespokeError as error:
        st.session_state[_SAID] = str(error)
