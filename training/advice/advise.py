"""The advisor: facts, speed, a ranked recommendation and the table of approaches, kept as a report."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from search.corpus.corpus import current_corpus
from search.models.encoding.quantized.encoder import products_of_whole_numbers
from search.models.load import load_encoder
from search.models.registry import EIGHT_BIT, ModelInfo, generic_info
from search.projects.artifacts import Manifest
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from training.advice.approaches import approaches
from training.advice.facts import CorpusFacts, facts_of
from training.advice.power import ADVICE, expected_power
from training.advice.ready_made import ready_made
from training.advice.recommending import BUDGET_MINUTES, Advice, recommend, seconds_of
from training.data.reports import current_report, sources_of
from training.probe import speed

WORTH_HALVING_SECONDS = 120.0
"""From here on the fast class is offered: below, making and measuring it takes as long as it saves."""


def advise(
    project: Project,
    budget: float = BUDGET_MINUTES,
    progress: Progress = silent,
    with_hub: bool = False,
) -> Manifest:
    """Look at a project, measure this machine and the ready-made models on it, and say which approach to take.

    :param budget: minutes that a training may take; a fifth of it goes into measuring ready-made models.
    :param with_hub: download the models of the catalogue first, to be measured too.
    :returns: a report; its details hold "facts", "recommended", "approaches", "ready_made" and "power" (None without a query
        set): plain JSON.
    :raises Refused: without documents.
    """
    manifest, corpus = current_corpus(project)
    progress(0, 1, "looking at documents and pairs")
    facts = facts_of(project)
    info = generic_info(project)
    encoder = load_encoder(project, info)
    found = None if facts.server else speed(encoder, info, Stage(progress, 0.05, 0.2))
    seconds = seconds_of(facts, found) if found else {}
    ready = ready_made(project, facts.language, budget, with_hub, Stage(progress, 0.2, 0.6))
    faster = _faster(project, info, seconds)
    ranked = [_with(advice, ready.better, faster) for advice in recommend(facts, seconds, budget)]
    shown = expected_power(project, Stage(progress, 0.6, 0.8))
    last = Stage(progress, 0.8, 1.0)
    dev = ready.generic_dev
    rows = approaches(project, corpus, facts, found, seconds, dev, last) if found else []
    details = {
        "report": ADVICE,
        "budget": budget,
        "facts": facts.as_json(),
        "recommended": [advice.as_json() for advice in ranked],
        "approaches": [asdict(row) for row in rows],
        "power": shown.as_json() if shown is not None else None,
        "ready_made": ready.as_json(),
    }
    sources = sources_of(project, manifest, project.newest("pairs"))
    with project.publish("reports", sources, **json.loads(json.dumps(details))) as draft:
        pass
    progress(1, 1, "the advice is ready")
    return project.artifact("reports", draft.id)


def _with(advice: Advice, *more: str | None) -> Advice:
    """What is said of the generic model, with which one is better and what makes it faster."""
    if advice.option != "generic":
        return advice
    return replace(advice, reasons=(*advice.reasons, *filter(None, more)))


def _faster(project: Project, info: ModelInfo, seconds: Mapping[str, float]) -> str | None:
    """That the model can be computed in eight bits, where encoding takes minutes and the processor has what it takes."""
    able, takes = products_of_whole_numbers(), seconds.get("generic", 0.0)
    computed_here = info.format not in ("endpoint", "static", EIGHT_BIT)
    if able is None or takes <= WORTH_HALVING_SECONDS or not computed_here:
        return None
    return (
        f"Encoding would take about {takes / 60:,.0f} minutes here. This processor has {able}: python cli.py fast "
        f"{project.name} --default computes the model in eight bits, a class of its own, and says what that loses on your passages."
    )


def current_advice(project: Project) -> dict[str, Any] | None:
    """What was advised last on the newest corpus and pairs, or None."""
    report = current_report(project, ADVICE)
    return report.details if report is not None else None


def quick_recommendation(project: Project) -> Advice:
    """What to begin with, from what is known without reading a text: for a page that is being drawn.

    What `advise` found, where it was asked; else the number of pairs decides.
    """
    saved = current_advice(project)
    if saved is not None:
        best = saved["recommended"][0]
        return Advice(best["option"], best["score"], tuple(best["reasons"]), best["seconds"])
    pairs = project.newest("pairs")
    details = pairs.details if pairs is not None else {}
    facts = CorpusFacts(0, 0, 0.0, 0, None, 1.0, 0.0, 0.0, details.get("pairs", 0), details.get("origin") == "mined")  # fmt: skip
    return recommend(facts)[0]
