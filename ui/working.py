"""Long work, seen from every page: a quiet line with what runs, the time left and a way to stop it; said once when it is done."""

from contextlib import suppress

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from search.projects import runs
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.projects.runs import OVER, Run
from ui import door, failures, run_view
from ui.rendering import literal

_WATCHED = "runs-watched"
_EVERY = 2.0
_UNASKED = ("disagree",)
"""What is begun by itself is nobody's to wait for."""
_SHORT = 2.0  # Seconds: what is over before then is not worth a line.


def with_line(page: StreamlitPage) -> None:
    """Draw a page, and over it the line, where anything goes on."""
    drawn_before = run_view.begin_page(page.url_path)
    page.run()
    going = _going()
    watched: dict[str, str] = st.session_state.setdefault(_WATCHED, {})
    for identity in watched.keys() - {run.id for run in going}:
        name = watched.pop(identity)
        if identity not in drawn_before:  # The page on which it was watched says more.
            with suppress(BespokeError):  # It may be gone, or no longer theirs.
                _tell(Run(door.opened(name), identity))
    watched.update({run.id: run.project.name for run in going})
    if any(not run_view.is_drawn(run) for run in going):
        _live()


@st.fragment(run_every=_EVERY)
@failures.guarded
def _live() -> None:
    going = _going()
    if st.session_state.get(_WATCHED, {}).keys() - {run.id for run in going}:
        st.rerun()  # The page shows what there is now, and says what ended.
    long = [r for r in going if r.status.elapsed >= _SHORT and not run_view.is_drawn(r)]
    if not long:
        return
    run_view.say_in_tab(long[0])
    with st.container(key="working", horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/hourglass_top: {literal(run_view.going_in_words(long[0]))} · {literal(long[0].project.name)}"
        )
        if len(long) > 1:
            st.caption(f"and {len(long) - 1} more")
        if st.button("Cancel", key=f"stop-{long[0].id}", type="tertiary"):
            door.must_work_in(long[0].project)
            long[0].cancel()
            st.rerun()


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
    """Say how a run ended."""
    status = run.status
    if status.state in OVER and status.elapsed >= _SHORT:
        icon = ":material/check_circle:" if status.state == "done" else ":material/error:"
        st.toast(literal(f"{run_view.how_it_ended(run)} ({run.project.name})"), icon=icon)
