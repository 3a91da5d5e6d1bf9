"""What is compared where nobody says: whoever wins against a weak opponent has shown nothing."""

from collections.abc import Sequence

import numpy as np

from search.evaluation.ledger.sealing import Manner
from search.models.load import load_encoder
from search.models.registry import GENERIC, KEYWORD, ModelInfo, default_models, models
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from training.similarity_cost import dev_of


def contestants(
    project: Project,
    names: Sequence[str] = (),
    open_seal: bool = False,
    progress: Progress = silent,
) -> tuple[list[str], Manner]:
    """The columns of an evaluation, the baselines first, and how it is made.

    Where nobody names any: generic, the best ready-made model on the dev queries where that is another, the newest custom
    model, and keyword search; with more than one ready-made model, each of the first two is a baseline. To open a seal,
    one name is measured against the best ready-made model. What a server computes is not asked unasked: its texts would be
    paid for.

    :raises Refused: without documents.
    """
    if names and not (open_seal and len(names) == 1):
        return list(names), Manner(open_seal=open_seal)
    best = best_ready_made(project, progress)
    custom = [info.name for info in default_models(project)[1:]]
    if open_seal:
        return [best.name, *(names or custom)], Manner(open_seal=True)
    ready = list(dict.fromkeys([GENERIC, best.name]))
    return [*ready, *custom, KEYWORD], Manner(baselines=len(ready) if custom else 1)


def best_ready_made(project: Project, progress: Progress = silent) -> ModelInfo:
    """The ready-made model with the highest nDCG@10 on the dev queries; generic where there are none, or nothing beats it."""
    generic, *others = _ready_made(project)
    dev = dev_of(project) if others else None
    if dev is None:
        return generic
    infos = [info for info in (generic, *others) if info.format != "endpoint"]
    scores = []
    for number, info in enumerate(infos):
        stage = Stage(progress, number / len(infos), (number + 1) / len(infos))
        what = (f"documents with {info.name}", f"dev queries with {info.name}")
        found = dev.encoded(load_encoder(project, info), info, stage, what)
        scores.append(dev.ndcg_of_vectors(*found))
    return infos[int(np.argmax(scores))] if scores else generic


def _ready_made(project: Project) -> Sequence[ModelInfo]:
    return [info for info in models(project) if info.kind == "generic"]
