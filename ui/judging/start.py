"""Beginning to judge: who you are, which two columns, the questions lined up; and the tools above the board."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search.corpus.corpus import Corpus
from search.judging.prepare import are_prepared, rank_now
from search.judging.setup import DEPTHS, MOST_QUESTIONS, Setup, default_setup, save_setup
from search.judging.store import JudgmentStore
from search.judging.votes import Layout
from search.models.registry import KEYWORD
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval import history
from search.retrieval.columns import chosen_columns, column_title, known_columns
from search.retrieval.search import assemble, check_query
from ui import address, cache, door, run_view
from ui.judging import board
from ui.rendering import literal

_RECENT = 20
_ADDRESS = "model"
_LAYOUTS = {"lists": "Two lists", "mixed": "One mixed list"}


def ready(project: Project, setup: Setup, manifest: Manifest) -> bool:
    """Whether the questions are lined up, and nothing is being done about it."""
    going = run_view.going(run_view.latest(project, ["questions"]))
    return not going and are_prepared(project, setup, manifest)


def handed_over(project: Project, setup: Setup | None) -> Setup | None:
    """The two columns that the address names, such as when one comes from Compare; None where it names none.

    They are taken out of the address as soon as they are what is judged anyway, or cannot be judged.

    :param setup: what is judged so far.
    """
    names = address.values(_ADDRESS)[:2]
    if not names or door.role(project) == "judge":
        return None
    try:
        one, other = (names * 2)[:2]
        wanted = replace(setup or default_setup(project), one=one, other=other).checked(project)
    except BespokeError as error:
        del st.query_params[_ADDRESS]
        st.info(literal(error), icon=":material/info:")
        return None
    if setup is not None and wanted.pair == setup.pair:
        del st.query_params[_ADDRESS]
        return None
    return wanted


def _keep() -> None:
    """Go on with what is judged already."""
    st.query_params.pop(_ADDRESS, None)


def begin(
    project: Project, setup: Setup | None, judge: str | None, instead_of: Setup | None = None
) -> None:
    """Ask for a name and what to compare; then line the questions up.

    :param setup: what the widgets begin with.
    :param instead_of: what is judged so far, where `setup` is something else.
    """
    run = run_view.latest(project, ["questions"])
    if run_view.watched(run):
        return
    run_view.ended(run, quiet=["done"])
    with st.container(border=True, key="judge-begin"):
        st.header("You see two answers to each question, and not who gave them", anchor=False)
        st.caption(
            "Say which side is better, with one key. Mark documents from 0 to 3 where you know. Everything is "
            "saved at once; others can judge at the same time."
        )
        name = door.signed_in_as() or st.text_input(
            "Your name",
            value=judge or "",
            key="judge-name-input",
            placeholder="A first name will do",
        )
        handed = _ADDRESS in st.query_params
        chosen = _choices(project, setup or default_setup(project), "handed" if handed else "begin")
        texts = _own_questions(project)
        if instead_of is not None:
            titles = " and ".join(map(column_title, (instead_of.one, instead_of.other)))
            st.caption(
                f"So far {literal(titles)} are judged in this project. Starting changes that for everybody; "
                "every vote is kept, and counts for the columns that it was given for."
            )
        with st.container(horizontal=True):
            if st.button(
                "Start judging", type="primary", key="judge-start", icon=":material/arrow_forward:"
            ):
                _start(project, chosen, name, texts)
            if instead_of is not None:
                st.button("Go on as before", key="judge-keep", on_click=_keep)


def tools(project: Project, setup: Setup, judge: str) -> None:
    """The row above the board: your own question, the set-up, who you are."""
    row = st.container(horizontal=True, horizontal_alignment="right", key="judge-tools")
    with row.popover("Ask your own", icon=":material/add:"):
        text = st.text_area("Your question", key=f"judge-own-{project.name}", height=90)
        searched = history.recent(project, _RECENT)
        earlier = None
        if searched:
            label, key = "Or one that was searched before", f"judge-recent-{project.name}"
            earlier = st.selectbox(label, searched, index=None, key=key)
        if st.button("Ask it next", type="primary", key="judge-ask"):
            _ask_next(project, setup, judge, text.strip() or earlier or "")
    if door.role(project) != "judge":
        _set_up(row, project, setup, judge)
    with row.popover(literal(judge), icon=":material/person:"):
        if not door.signed_in_as():
            name = st.text_input("Your name", value=judge, key="judge-rename")
            if st.button("Judge under this name", key="judge-renamed"):
                be(project, name)
                st.rerun()
        if setup.reveal == "after":
            st.toggle("Tell me after each vote which side was which", key="judge-reveal")
        else:
            st.caption("Which side was which is not shown in this project.")


def _set_up(row: DeltaGenerator, project: Project, setup: Setup, judge: str) -> None:
    """What is compared, and whether judges see afterwards which side was which."""
    with row.popover("Set-up", icon=":material/tune:"):
        chosen = _choices(project, setup, "change")
        allowed = st.toggle(
            "Judges may see afterwards which side was which",
            value=setup.reveal == "after",
            key="judge-allow",
        )
        st.caption("Switched off, the results are not shown here while the judging goes on either.")
        if st.button("Use this set-up", type="primary", key="judge-change"):
            _start(project, replace(chosen, reveal="after" if allowed else "never"), judge, [])


def _choices(project: Project, setup: Setup, where: str) -> Setup:
    """The two columns, how they are shown and how many questions, as widgets."""
    names = [column.name for column in known_columns(project)]
    names += [name for name in (setup.one, setup.other) if name not in names]
    left, right = st.columns(2)
    one, other = (
        box.selectbox(
            label, names, names.index(now), format_func=column_title, key=f"judge-{side}-{where}"
        )
        for box, label, side, now in (
            (left, "Compare", "one", setup.one),
            (right, "with", "other", setup.other),
        )
    )
    if [name for name in names if name != KEYWORD and ":" not in name] == ["generic"]:
        st.caption("There is no custom model yet: keyword search can be the other side.")
    layout = st.segmented_control(
        "Show them as",
        list(_LAYOUTS),
        default=setup.layout,
        required=True,
        format_func=_LAYOUTS.__getitem__,
        key=f"judge-layout-{where}",
        help="A mixed list takes turns between both sides (team draft); the side whose documents you grade higher "
        "wins the question.",
    )
    left, right = st.columns(2)
    depth = left.slider("Documents a side", *DEPTHS, setup.depth, key=f"judge-depth-{where}")
    goal = setup.goal
    if project.newest("queries") is not None:
        goal = right.number_input(
            "Questions of the query set, those that differ most",
            1,
            MOST_QUESTIONS,
            setup.goal,
            step=10,
            key=f"judge-goal-{where}",
        )
    return replace(
        setup, one=one, other=other, layout=cast(Layout, layout), depth=int(depth), goal=int(goal)
    )


def _own_questions(project: Project) -> list[str]:
    """Questions to type, where no query set brings any."""
    if project.newest("queries") is not None or JudgmentStore.of(project).questions():
        return []
    text = st.text_area(
        "Questions to ask, one a line (this project has no query set to take them from)",
        value="\n".join(history.recent(project, _RECENT)),
        key="judge-questions",
        placeholder="What would your users ask?",
        height=120,
    )
    return [line.strip() for line in text.splitlines() if line.strip()]


def _start(project: Project, setup: Setup, name: str, texts: Sequence[str]) -> None:
    """Save the set-up and the name; search what was not searched yet, in a run."""
    try:
        be(project, name)
        # A question stands in the project alone, not in a command, which everybody on the machine can list.
        for text in [check_query(text) for text in texts]:
            JudgmentStore.of(project).ask_typed(text)
        good = save_setup(project, setup)
    except BespokeError as error:
        st.warning(literal(error))
        return
    _keep()
    if not texts and ready(project, good, _corpus(project)):
        st.rerun()
    run_view.start(
        project, ["questions", project.name, "--column", good.one, "--column", good.other]
    )


def be(project: Project, name: str) -> str:
    """Judge under a name from now on.

    :returns: the name as it is kept.
    :raises Refused: when it cannot be one.
    """
    joined = JudgmentStore.of(project).join(door.signed_in_as() or name)
    st.session_state["judge-name"] = st.query_params["judge"] = joined
    return joined


def _ask_next(project: Project, setup: Setup, judge: str, text: str) -> None:
    """Search a typed question with both columns, and put it before this judge."""
    manifest = _corpus(project)
    corpus = Corpus.of(project, manifest)
    try:
        question = JudgmentStore.of(project).ask_typed(check_query(text))
        with st.spinner("Asking both sides…"):
            # Their indexes are there, because the questions are lined up.
            columns = chosen_columns(project, [setup.one, setup.other])
            made = assemble(project, columns, cache.CachedParts(project, manifest))
            rank_now(project, question, {one.name: one for one in made}, corpus.ids())
    except BespokeError as error:
        st.warning(literal(error))
        return
    board.ask_first(project, judge, question.id)
    st.rerun()


def _corpus(project: Project) -> Manifest:
    manifest = project.newest("corpora")
    assert manifest is not None
    return manifest
