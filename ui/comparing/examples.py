"""Questions worth trying, found in the query set: where the columns differ most come first."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from search.evaluation.evaluate import newest_evaluation
from search.evaluation.rank_similarity import known_disagreements
from search.projects import runs
from search.projects.errors import BespokeError
from search.projects.project import Project
from ui import cache, run_view

_DIFFER = "Where they differ most"


def examples(project: Project, names: Sequence[str]) -> tuple[list[str], str]:
    """Questions to offer, the most telling first, and what to call them.

    :param names: the names of the columns.
    """
    held_out = _held_out(project)
    differing = _measured(project, names) or _disagreeing(project, names)
    if differing:
        own = [text for text in project.info.examples if text in differing]
        return list(dict.fromkeys([*own, *differing, *held_out])), _DIFFER
    if project.info.examples:
        return list(dict.fromkeys([*project.info.examples, *held_out])), "Try one of these"
    return held_out, "Held-out questions"


def look_for(project: Project, names: Sequence[str]) -> None:
    """Start to look for the questions that these columns answer most differently, where nobody did yet.

    It is a run of some seconds; what it finds is offered when the page is drawn next.
    """
    if len(names) < 2 or not _held_out(project) or _measured(project, names):
        return
    tried = st.session_state.setdefault("disagree-runs", set())
    key = (project.name, *names)
    if key in tried or known_disagreements(project, names) is not None:
        return
    if run_view.going(run_view.latest(project, ["disagree"])):
        return
    tried.add(key)
    runs.start(project, ["disagree", project.name, *(f"--model={name}" for name in names)])


def _measured(project: Project, names: Sequence[str]) -> list[str]:
    """Questions by how much the quality of the columns' answers differs, as the newest evaluation measured it."""
    manifest = newest_evaluation(project)
    if manifest is None or len(names) < 2:
        return []
    result = cache.evaluation(project, manifest)
    if any(name not in result.scores for name in names):
        return []
    moved = np.max([np.abs(result.differences(names[0], name)) for name in names[1:]], axis=0)
    return [result.texts[n] for n in np.argsort(-moved, kind="stable") if moved[n] > 0.05]


def _disagreeing(project: Project, names: Sequence[str]) -> list[str]:
    """Questions by how different the columns' answers are, where that was looked for."""
    if len(names) < 2 or not _held_out(project):
        return []
    try:
        known = known_disagreements(project, names) or []
    except BespokeError:  # A column may have gone since the page was drawn.
        return []
    return [one.text for one in known if one.distance > 0.05]


def _held_out(project: Project) -> list[str]:
    manifest = project.newest("queries")
    if manifest is None:
        return []
    return list(dict.fromkeys(cache.query_set(project, manifest).queries.values()))
