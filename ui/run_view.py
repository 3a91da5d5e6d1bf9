"""A run as the person sees it: what it does, how far it is, what it learned, and a way to stop it."""

from collections.abc import Callable, Sequence
from typing import TypeGuard

import streamlit as st

from search.projects import runs
from search.projects.project import Project
from search.projects.runs import OVER, Run, State
from ui import failures, training_run
from ui.rendering import literal
from ui.widgets import duration

_DRAWN, _SAID, _PAGE, _VISIT = "runs-drawn", "runs-said", "runs-page", "runs-visit"
_TOASTED = "runs-toasted"
DEV_SCORE = "dev ndcg@10"
_TITLES = {
    "sample": "Preparing the sample",
    "import": "Importing",
    "add": "Adding documents",
    "remove": "Taking documents out",
    "pairs": "Adding pairs",
    "queries": "Adding the query set",
    "index": "Building the index",
    "train": "Training",
    "evaluate": "Measuring on held-out queries",
    "report": "Looking at the data",
    "mine": "Mining pairs",
    "propose": "Proposing questions",
    "advise": "Measuring the approaches",
    "curve": "Drawing the learning curve",
    "blend": "Blending with the start",
    "add-model": "Adding the model",
    "fast": "Making the model faster",
    "full": "Measuring again in full precision",
    "add-reranker": "Adding the reranker",
    "disagree": "Looking for questions to try",
    "questions": "Lining up the questions",
    "judgments": "Using the judgments",
    "prepare": "Reading words and training questions",
    "map": "Drawing the map",
    "verify": "Asking the server",
}


def begin_page(name: str) -> set[str]:
    """Forget which runs the page before this one showed, and return them; another page than before is another visit."""
    before: set[str] = st.session_state.get(_DRAWN, set())
    st.session_state[_DRAWN] = set()
    if st.session_state.get(_PAGE) != name:
        st.session_state[_PAGE] = name
        st.session_state[_VISIT] = st.session_state.get(_VISIT, 0) + 1
    return before


def latest(project: Project, verbs: Sequence[str], containing: Sequence[str] = ()) -> Run | None:
    """The newest run of some commands, with all these words among its arguments."""
    wanted = set(containing)
    fitting = (r for r in runs.runs(project) if r.verb in verbs and wanted <= set(r.arguments))
    return next(fitting, None)


def start(project: Project, arguments: Sequence[str], remembered: str | None = None) -> None:
    """Start a run, and draw the page anew, with it.

    :param remembered: the key of the session that holds its id, for who tells later how it ended.
    """
    run = runs.start(project, arguments)
    if remembered is not None:
        st.session_state[remembered] = run.id
    st.rerun()


def going(run: Run | None) -> TypeGuard[Run]:
    """Whether a run goes on."""
    return run is not None and run.status.state not in OVER


def going_in_words(run: Run | None) -> str:
    """What goes on, how far it is and how long it takes, in a few words: "Training 40%, 3 min left"; "" where nothing does."""
    if not going(run):
        return ""
    status, title = run.status, _TITLES.get(run.verb, run.verb)
    if status.share is None:  # A model is loaded, or it waits: there is no share of that.
        return f"{title}: {status.message}"
    left = f", {duration(status.remaining)} left" if status.remaining is not None else ""
    return f"{title} {status.share:.0%}{left}"


def how_it_ended(run: Run) -> str:
    """How a run ended, in a few words; of a training, what it gained first."""
    title, status = _TITLES.get(run.verb, run.verb), run.status
    if status.state != "done":
        return (
            f"{title} was cancelled" if status.state == "cancelled" else f"{title} did not finish"
        )
    scores = [e["metrics"][DEV_SCORE] for e in run.events() if DEV_SCORE in e["metrics"]]
    if run.verb == "train" and len(scores) > 1 and max(scores) > scores[0]:
        return f"{title} is done: dev {scores[0]:.3f} → {max(scores):.3f}"
    return f"{title} is done"


def say_in_tab(run: Run) -> None:
    """Let the title of the tab say what goes on."""
    st.set_page_config(page_title=f"{going_in_words(run)} · {run.project.name} · Bespoke")


def is_drawn(run: Run) -> bool:
    """Whether the page that is drawn shows a run itself."""
    return run.id in st.session_state.get(_DRAWN, ())


def watched(run: Run | None, until: Callable[[], bool] = lambda: False) -> bool:
    """Draw a run live while it goes on; when it ends the whole page is drawn again.

    :param until: says when the page need not wait for it any more.
    :returns: whether it goes on.
    """
    if not going(run) or until():
        return False
    st.session_state.setdefault(_DRAWN, set()).add(run.id)
    _live(run, until)
    return True


@st.fragment(run_every=1.0)
@failures.guarded
def _live(run: Run, until: Callable[[], bool]) -> None:
    status = run.status
    if status.state in OVER or until():
        st.rerun()
    say_in_tab(run)
    with st.container(border=True, key=f"run-{run.id}"):
        top, button = st.columns([4, 1], vertical_alignment="center")
        top.markdown(f"**{literal(_TITLES.get(run.verb, run.verb))}** · {literal(status.message)}")
        if button.button("Cancel", key=f"cancel-{run.id}", width="stretch"):
            with st.spinner("Stopping…"):
                run.cancel()
            st.rerun()
        left = status.remaining
        if status.share is not None:
            st.progress(status.share)
        if status.state == "waiting":
            st.caption(f"{duration(status.elapsed)} so far · waits, so it cannot be said how long")
            command(run)
            return
        ahead = (
            f"about {duration(max(left, 1.0))} left" if left is not None else "working out how long"
        )
        if status.share is None:
            ahead = "what can be counted begins after this"
        st.caption(f"{duration(status.elapsed)} so far · {ahead}")
        if run.verb == "train":
            training_run.draw(run)
        command(run)


def command(run: Run) -> None:
    """The line of the terminal that does the same, for who wants it, behind a small link."""
    with st.popover("As a command", type="tertiary", icon=":material/terminal:"):
        st.code(run.command, language="bash", wrap_lines=True)


def ended(run: Run | None, quiet: Sequence[State] = ()) -> None:
    """Say how a run ended, and what the person should know of it.

    :param quiet: ways to end of which nothing is said.
    """
    if run is None or (status := run.status).state in quiet or was_said(run):
        return
    title = literal(_TITLES.get(run.verb, run.verb))
    took = duration(status.elapsed)
    if status.state == "done":
        st.success(f"{title} finished in {took}.", icon=":material/check_circle:")
    elif status.state == "cancelled":
        st.info(
            f"{title} was cancelled after {took}. Nothing was published.", icon=":material/cancel:"
        )
    else:
        st.error(f"{title} did not finish: {literal(status.error)}", icon=":material/error:")
        log = run.log()
        if log and status.state != "refused":
            with st.expander("What it printed"):
                st.code(log, language=None, wrap_lines=True)
    if runs.resumable(run) and st.button(
        "Resume",
        key=f"resume-{run.id}",
        icon=":material/play_arrow:",
        help="Go on where it stopped.",
    ):
        runs.resume(run)
        st.rerun()
    _notes(run)


def said_aside(run: Run | None) -> None:
    """Say in a toast that a run is done, and what the person should know of it; say as always how any other ended."""
    if run is None or run.status.state != "done":
        ended(run)
    elif not was_said(run):
        shown: set[str] = st.session_state.setdefault(_TOASTED, set())
        if run.id not in shown:
            shown.add(run.id)
            st.toast(literal(how_it_ended(run)), icon=":material/check_circle:")
        _notes(run)


def _notes(run: Run) -> None:
    for note in run.status.notes:
        st.info(literal(note), icon=":material/info:")


def was_said(run: Run) -> bool:
    """Whether an earlier visit of a page said that a run is done; what went wrong is said until something else is done."""
    visit = st.session_state.get(_VISIT, 0)
    first: dict[str, int] = st.session_state.setdefault(_SAID, {})
    return run.status.state == "done" and first.setdefault(run.id, visit) != visit
