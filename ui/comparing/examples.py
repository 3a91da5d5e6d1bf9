"""Questions worth trying, found in the query set: where the columns differ most come first."""

from collections.abc import Sequence

import numpy as np

from search.evaluation import newest_evaluation
from search.workspace import Project
from ui import loaders


def examples(project: Project, names: Sequence[str]) -> tuple[list[str], str]:
    """Questions to offer, the most telling first, and what to call them.

    :param names: the names of the columns.
    """
    manifest = newest_evaluation(project)
    if manifest is not None and len(names) > 1:
        result = loaders.evaluation(project, manifest)
        measured = [name for name in names if name in result.scores]
        if len(measured) > 1 and measured[0] == names[0]:
            moved = np.max([np.abs(result.differences(names[0], n)) for n in measured[1:]], axis=0)
            order = np.argsort(-moved, kind="stable")
            differing = [result.texts[i] for i in order if moved[i] > 0.05]
            telling = [text for text in project.info.examples if text in differing]
            rest = [result.texts[i] for i in order]
            return list(dict.fromkeys([*telling, *differing, *rest])), "Where they differ most"
    held_out = _held_out(project)
    if project.info.examples:
        return list(dict.fromkeys([*project.info.examples, *held_out])), "Try one of these"
    return held_out, "Held-out questions"


def _held_out(project: Project) -> list[str]:
    manifest = project.newest("queries")
    if manifest is None:
        return []
    return list(dict.fromkeys(loaders.query_set(project, manifest).queries.values()))
