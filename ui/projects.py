"""Projects: what do I have, and what next?"""

from typing import Literal

import streamlit as st

from search.models.registry import custom_manifests, models
from search.projects.artifacts import Kind, Manifest
from search.projects.errors import BespokeError, OtherFormat
from search.projects.project import Project
from search.retrieval.deletion import planned_project
from training.samples import SAMPLES, SampleProject
from ui import deleting, door, navigation, people, run_view, whereabouts, widgets
from ui.next_step import next_step
from ui.rendering import literal

_SAMPLE_NAMES = {"medical": "Medical sample", "legal": "Legal sample"}
_MOST_COPIES = 1_000


def page() -> None:
    """Draw the page."""
    st.title("Is a custom embedding worth it for your documents?", anchor=False)
    st.markdown(
        "Bring documents, train a model on them, search with the generic and the custom model side "
        "by side, and see the proof on questions that neither was trained on."
    )
    deleting.say_what_went()
    if door.is_judge_elsewhere():
        widgets.here_to_judge()
    samples = {_sample_name(sample) for sample in SAMPLES.values()}
    own = [p for p in door.all_opened() if p.name not in samples]
    if own:
        st.header("Your projects", anchor=False)
        for project in own:
            try:
                _card(project)
            except BespokeError as error:  # One damaged project does not lock the others away.
                st.error(literal(error), icon=":material/error:")
    for _, why in door.all_damaged():
        st.error(literal(why), icon=":material/error:")
    _new_project(first=not own)
    st.header("Try a sample: real data, one click", anchor=False)
    for column, sample in zip(st.columns(2), SAMPLES.values(), strict=True):
        with column:
            _sample(sample)


def _sample_name(sample: SampleProject) -> str:
    """What this person's copy of a sample is called: where people sign in, each has their own."""
    base = _SAMPLE_NAMES[sample.key]
    numbered = (base, *(f"{base} {number}" for number in range(2, _MOST_COPIES)))
    return next(filter(door.is_free, numbered), base)


def _new_project(first: bool) -> None:
    with st.form("new-project", border=True, enter_to_submit=True):
        st.markdown("**Start with your own documents**" if first else "**New project**")
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        name = left.text_input(
            "Name of the project",
            placeholder="for example: Cardiology letters",
            max_chars=80,
            key="called-project",
        )
        made = right.form_submit_button("Create", type="primary", width="stretch")
    if not made:
        return
    try:
        project = door.to_be(name.strip())
    except BespokeError as error:
        st.error(literal(error) if name.strip() else "Give the project a name first.")
        return
    if project.exists:
        st.error(
            f"There is a project named {literal(repr(name.strip()))} already. Choose another name."
        )
        return
    door.made(project).create()
    navigation.go("corpus", project.name)


def _sample(sample: SampleProject) -> None:
    name = _sample_name(sample)
    try:
        project = door.to_be(name)
    except OtherFormat:
        return  # Said above already, with what to do.
    with st.container(border=True, key=f"sample-{sample.key}"):
        st.markdown(f"**{literal(sample.title)}**")
        st.write(literal(sample.summary))
        st.caption(f"Source: {literal(sample.source)}. Licence: {literal(sample.licence)}.")
        run = run_view.latest(project, ["sample"])
        if run_view.going(run):
            st.session_state[f"awaited-{sample.key}"] = run.id
        if run_view.watched(run):
            return
        ready = project.newest("corpora") is not None and project.exists
        if ready and run and st.session_state.pop(f"awaited-{sample.key}", None) == run.id:
            navigation.go("compare", name)
        if ready:
            _state(project)
            _actions(project)
            return
        run_view.ended(run)
        if st.button(
            "Open this sample",
            type="primary",
            key=f"open-{sample.key}",
            help="Takes under a minute: the documents are indexed with the generic model.",
        ):
            if not project.exists:
                door.made(project)
            run_view.start(project, ["sample", name, sample.key])


def _card(project: Project) -> None:
    with st.container(border=True, key=f"project-{project.name}"):
        left, right = st.columns([3, 1], vertical_alignment="center")
        with left:
            st.markdown(f"**{literal(project.name)}**")
            _state(project)
        with right:
            _actions(project, "right")


def _state(project: Project) -> None:
    """What a project holds, and the verdict so far."""
    widgets.say_damage(project)
    st.caption(literal(_facts(project)))
    newest_first = [info for info in reversed(models(project)) if info.kind == "custom"]
    verdicts = (widgets.verdict(project, info.name) for info in newest_first)
    if verdict := next(filter(None, verdicts), None):
        st.write(literal(verdict))


def _actions(project: Project, side: Literal["left", "right"] = "left") -> None:
    """The next step, and a way to delete."""
    with st.container(horizontal=True, horizontal_alignment=side):
        following = next_step(project)
        if st.button(literal(following.label), key=f"next-{project.name}", type="primary"):
            navigation.go(following.page, project.name, **following.parameters)
        if door.owns(project):
            people.button(project)
            whereabouts.button(project)
            if project.name not in _SAMPLE_NAMES.values():  # The sample is known by its name.
                whereabouts.rename_button(project)
            deleting.button(
                "this project", lambda: planned_project(project), f"delete-{project.name}"
            )


def _facts(project: Project) -> str:
    """What a project holds, in a line."""
    kinds: tuple[Kind, ...] = ("corpora", "pairs", "queries")
    corpus, pairs, queries = (_newest(project, kind) for kind in kinds)
    parts = [
        widgets.counted(corpus.details["documents"], "document") if corpus else "no documents yet",
        widgets.counted(pairs.details["pairs"], "training pair") if pairs else "no pairs yet",
        widgets.counted(queries.details["queries"], "test query", "test queries")
        if queries
        else "no query set yet",
        widgets.counted(len(custom_manifests(project)), "custom model"),
    ]
    return " · ".join(parts)


def _newest(project: Project, kind: Kind) -> Manifest | None:
    try:
        return project.newest(kind)
    except BespokeError:
        return None
