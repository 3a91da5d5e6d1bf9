"""The samples on Home: a picture that opens one side by side, how that goes, and from where the data come."""

from collections.abc import Iterator

import streamlit as st

from search.models.registry import GENERIC, KEYWORD, named
from search.projects.errors import OtherFormat
from search.projects.project import Project
from search.retrieval.indexing.build import find_index
from training.samples import SAMPLES, SampleProject
from training.samples.shipped import Shipped
from ui import cache, door, navigation, run_view
from ui.rendering import literal, render

_NAMES = {"medical": "Medical sample", "legal": "Legal sample"}
_MOST_COPIES = 1_000
_AWAITED = "awaited-sample"


def draw(is_first: bool) -> None:
    """Draw the samples.

    :param is_first: whether there is no project yet: then a sample is the next step, and has the page's filled button.
    """
    opened = [one for one in map(_there, SAMPLES.values()) if one]
    for number, sample in enumerate(SAMPLES.values()):
        _sample(sample, is_first and not opened and number == 0, with_picture=is_first)
    with st.expander("Source and licence of the samples"):
        for sample in SAMPLES.values():
            st.caption(
                f"**{literal(sample.title)}** Source: {literal(sample.source)}. Licence: {literal(sample.licence)}."
            )


def _sample(sample: SampleProject, is_primary: bool, with_picture: bool) -> None:
    try:
        project = _there(sample) or door.to_be(_free_name(sample))
    except OtherFormat:
        return  # Said above already, with what to do.
    with st.container(key=f"sample-{sample.key}"):
        shipped = Shipped.of(sample.key)
        if with_picture and is_primary:
            st.html(render("picture.html", **_picture(shipped)))
        run = run_view.latest(project, ["sample"])
        if run_view.watched(run, until=lambda: _is_ready(project, shipped)):
            return
        awaited = st.session_state.get(_AWAITED) == project.name
        if awaited and run and (run.status.state == "done" or run_view.going(run)):
            del st.session_state[_AWAITED]
            _side_by_side(project, shipped)
        run_view.ended(run, quiet=["done"])
        left, right = st.columns([3, 2], vertical_alignment="center")
        with left:
            st.markdown(f"**{literal(sample.title)}**")
            st.caption(literal(sample.summary))
        with right:
            there = project.exists and project.newest("corpora") is not None
            if st.button(
                "Open it side by side" if there else "Try it: one click, side by side",
                type="primary" if is_primary else "secondary",
                key=f"open-{sample.key}",
                width="stretch",
            ):
                if there:
                    _side_by_side(project, shipped)
                cache.warm()
                if not project.exists:
                    door.made(project)
                st.session_state[_AWAITED] = project.name
                run_view.start(project, ["sample", project.name, sample.key])


def _side_by_side(project: Project, shipped: Shipped) -> None:
    """Go where a sample is searched: keyword search, too, and the question that shows the difference."""
    names = [GENERIC, str(shipped.details["name"]), KEYWORD]
    navigation.go("compare", project.name, q=str(shipped.picture["question"]), model=names)


def _picture(shipped: Shipped) -> dict[str, object]:
    said = shipped.picture
    right = said["custom"]["titles"][0]
    rank = said["generic"]["rank"]
    return {
        "question": said["question"],
        "right": right,
        "sides": [
            (
                "Generic",
                "var(--b-slate)",
                said["generic"]["titles"],
                f"the answer stands at rank {rank}",
            ),
            ("Custom", "var(--b-teal)", said["custom"]["titles"], "the answer stands first"),
        ],
    }


def _there(sample: SampleProject) -> Project | None:
    """The newest copy of a sample that is this person's, where it is there or on its way."""
    base = _NAMES[sample.key]
    mine = (p for p in door.all_opened() if p.name == base or p.name.startswith(f"{base} "))
    return next(mine, None)


def _is_ready(project: Project, shipped: Shipped) -> bool:
    """Whether a sample can be searched side by side; its verdict may still be on its way."""
    if not project.exists:
        return False
    corpus, model = project.newest("corpora"), named(project, str(shipped.details["name"]))
    return corpus is not None and model is not None and bool(find_index(project, model, corpus))


def _free_name(sample: SampleProject) -> str:
    """What this person's copy of a sample is called: where people sign in, each has their own."""
    return next(filter(door.is_free, _called(sample)), _NAMES[sample.key])


def _called(sample: SampleProject) -> Iterator[str]:
    base = _NAMES[sample.key]
    yield base
    yield from (f"{base} {number}" for number in range(2, _MOST_COPIES))
