"""How a model came about, in steps that can be taken again without dev queries: what a refit follows.

Choosing is done with dev queries: the step at which to stop, the share of the way, the kind of negatives, the recipe of
auto. A model's manifest keeps what was chosen, so that learning once more, from everything, chooses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median, mode
from typing import Any

PLAN = "plan"
"""In the details of a model: its steps, the first one from the start."""


@dataclass(frozen=True)
class PlannedStep:
    """One recipe's part of a model.

    :param settings: those of the recipe, as JSON.
    :param updates: how many times the weights were moved up to the state that was kept, of `planned` times, which set the
        learning rate.
    :param share: how much of the way from where it began to that state was gone.
    :param negatives: what an adapter's queries learned to keep away from.

    >>> step = PlannedStep("adapter", {}, updates=6, planned=20, share=0.5, negatives="batch")
    >>> plan_of(plan_facts(step)) == [step]
    True
    """

    recipe: str
    settings: dict[str, Any]
    updates: int
    planned: int
    share: float
    negatives: str = ""


def plan_facts(*steps: PlannedStep) -> dict[str, Any]:
    """What the manifest of a model says that was made in these steps."""
    return {PLAN: [asdict(step) for step in steps]}


def plan_of(details: Mapping[str, Any]) -> list[PlannedStep]:
    """The steps of a model, by its manifest's details; none of one that learned from no pairs, or was made before this."""
    return [PlannedStep(**step) for step in details.get(PLAN, [])]


def with_share(details: Mapping[str, Any], share: float) -> dict[str, Any]:
    """The plan of a model that goes another share of its last step's way; nothing where there is no plan."""
    steps = plan_of(details)
    return plan_facts(*steps[:-1], replace(steps[-1], share=share)) if steps else {}


def averaged_plan(plans: Sequence[Sequence[PlannedStep]]) -> list[PlannedStep]:
    """One plan for models that learned alike from several parts of the pairs: the median of what each one chose."""
    return [
        replace(
            steps[0],
            updates=round(median(step.updates for step in steps)),
            planned=round(median(step.planned for step in steps)),
            share=median(step.share for step in steps),
            negatives=mode(step.negatives for step in steps),
        )
        for steps in zip(*plans, strict=True)
    ]
