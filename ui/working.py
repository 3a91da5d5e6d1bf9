"""Long work, seen from every page: a quiet line with what runs, the time left and a way to stop it; said once when it is done."""

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from search.projects import runs
from search.projects.errors import BespokeError
from search.projects.project import Project, project_to_be
from search.projects.runs import OVER, Run
from ui import door, failures, run_view
from ui.rendering import literal

_TITLE = "Bespoke"
_WATCHED = "runs-watched"
_ENDED = "runs-ended"
_EVERY = 2.0
_UNASKED = ("disagree",)
"""What is begun by itself is nobody's to wait for."""
_SHORT = 2.0  # Seconds: what is over before then is not worth a line.


def with_line(page: StreamlitPage) -> None:
    """Draw a page, and over it the line, where anything goes on."""
    run_view.begin_page(page.url_path)
    page.run()
    going = _going()
    watched: dict[str, str] = st.session_state.setdefault(_WATCHED, {})
    watched.update({run.id: run.project.name for run in going})
    for said, icon in st.session_state.pop(_ENDED, ()):
        st.toast(literal(said), icon=icon)
    if watched:
        _live()


@st.fragment(run_every=_EVERY)
@failures.guarded
def _live() -> None:
    going = _going()
    watched: dict[str, str] = st.session_state.setdefault(_WATCHED, {})
    watched.update({run.id: run.project.name for run in going})
    ended = watched.keys() - {run.id for run in going}
    for identity in ended:
        _tell(Run(project_to_be(watched.pop(identity)), identity))
    if ended:
        st.rerun()  # The page shows what there is now, and looks again only where something goes on.
    long = [run for run in going if run.status.elapsed >= _SHORT]
    st.set_page_config(page_title=_in_words(long[0]) + f" · {_TITLE}" if long else _TITLE)
    if not long or run_view.is_drawn(long[0]):
        return
    with st.container(key="working", horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/hourglass_top: {literal(_in_words(long[0]))}")
        if len(long) > 1:
            st.caption(f"and {len(long) - 1} more")
        if st.button("Cancel", key=f"stop-{long[0].id}", type="tertiary"):
            door.must_work_in(long[0].project)
            long[0].cancel()
            st.rerun()


def _in_words(run: Run) -> str:
    """What goes on, how far it is and in which project."""
    return f"{run_view.going_in_words(run)} · {run.project.name}"


def _going() -> list[Run]:
    """What goes on in the projects of whoever is here, the newest first."""
    found: list[Run] = []
    for project in _own():
        found += [run for run in runs.going_on(project) if run.verb not in _UNASKED]
    return sorted(found, key=lambda run: run.id, reverse=True)


def _own() -> list[Project]:
    try:
        return door.all_opened()
    except BespokeError:
        return []


def _tell(run: Run) -> None:
    """Note how a run ended, for the next drawing to say once; a page on which it is watched says more."""
    status = run.status
    if status.state not in OVER or status.elapsed < _SHORT or run_view.is_drawn(run):
        return
    icon = ":material/check_circle:" if status.state == "done" else ":material/error:"
    said = f"{run_view.how_it_ended(run)} ({run.project.name})"
    st.session_state.setdefault(_ENDED, []).append((said, icon))
