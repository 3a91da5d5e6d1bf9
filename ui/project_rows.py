"""A project on Home, as a row: what it has, how it stands, the next step, and what is seldom needed behind a menu."""

import time
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from search.evaluation.evaluation import verdict_on
from search.models.registry import models
from search.projects.artifacts import Kind, Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval.deletion import planned_project
from search.retrieval.history import FILE
from ui import deleting, door, navigation, people, run_view, whereabouts, widgets
from ui.next_step import next_step
from ui.rendering import literal, render

_DAY = 24 * 3_600
_COLOURS = {"better": "var(--b-teal)", "worse": "var(--b-brown)"}


class _HowItStands(NamedTuple):
    """How a project stands, in a word or two, and the model that this is about."""

    state: str
    colour: str
    model: str = ""


def row(project: Project, is_primary: bool) -> None:
    """Draw a project.

    :param is_primary: whether its next step is the page's filled button.
    """
    with st.container(border=True, key=f"project-{project.name}"):
        left, right = st.columns([6, 3], vertical_alignment="center")
        with left:
            opens = "compare" if _newest(project, "corpora") else "corpus"
            if st.button(
                f"**{literal(project.name)}**", key=f"open-{project.name}", type="tertiary"
            ):
                navigation.go(opens, project.name)
            widgets.say_damage(project)
            standing = _standing_of(project)
            facts = _facts(project, standing)
            st.html(render("row.html", state=standing.state, colour=standing.colour, facts=facts))
        following = next_step(project)
        with right.container(horizontal=True, vertical_alignment="center"):
            if st.button(
                literal(following.label),
                key=f"next-{project.name}",
                type="primary" if is_primary else "secondary",
                width="stretch",
            ):
                navigation.go(following.page, project.name, **following.parameters)
            if door.owns(project):
                with st.popover("", icon=":material/more_horiz:", type="tertiary", help="More"):
                    _menu(project)


def _standing_of(project: Project) -> _HowItStands:
    """How a project stands: what runs, else the newest verdict, else what is missing for one."""
    if going := run_view.going_in_words(run_view.latest(project, ["train"])):
        return _HowItStands(going, "var(--b-blue)")
    newest_first = [info for info in reversed(models(project)) if info.kind == "custom"]
    for info in newest_first:
        if measured := verdict_on(project, info.name):
            test = measured[0]
            if not test.can_tell:
                return _HowItStands("too few questions", "var(--b-slate)", info.name)
            against = f" than {test.baseline}" if test.verdict in _COLOURS else ""
            colour = _COLOURS.get(test.verdict, "var(--b-slate)")
            return _HowItStands(test.verdict + against, colour, info.name)
    return _HowItStands(
        "not measured yet", "var(--b-slate)", newest_first[0].name if newest_first else ""
    )


def _menu(project: Project) -> None:
    whereabouts.rename_button(project, "Rename")
    whereabouts.button(project, "Where its data lies, and back up")
    people.button(project, with_label=True)
    deleting.button(
        "this project", lambda: planned_project(project), f"delete-{project.name}", "Delete"
    )


def _facts(project: Project, standing: _HowItStands) -> str:
    """What a project holds, in a line."""
    kinds: tuple[Kind, ...] = ("corpora", "pairs", "queries")
    corpus, pairs, queries = (_newest(project, kind) for kind in kinds)
    known = [widgets.counted(pairs.details["pairs"], "question")] if pairs else []
    known += [f"{queries.details['queries']:,} for the proof"] if queries else []
    parts = [
        widgets.counted(corpus.details["documents"], "document") if corpus else "no documents yet",
        " + ".join(known) or "no questions yet",
        standing.model,
        f"used {_when(project)}",
    ]
    return " · ".join(part for part in parts if part)


def _when(project: Project) -> str:
    """When something was last done in a project."""
    names = ("project.json", "runs", "models", "evaluations", "corpora", FILE)
    places = [project.folder / name for name in names]
    days = (time.time() - max(map(_changed, places))) // _DAY
    if days < 1:
        return "today"
    return "yesterday" if days < 2 else f"{days:,.0f} days ago"


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _newest(project: Project, kind: Kind) -> Manifest | None:
    try:
        return project.newest(kind)
    except BespokeError:
        return None
