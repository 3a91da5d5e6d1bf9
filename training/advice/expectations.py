"""What a training may bring and how long it may take, said before it is begun. Gains come from docs/benchmarks.md."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from search.models.registry import generic_info
from search.projects.project import Project
from training.advice.facts import facts_of
from training.advice.recommending import FEW_PAIRS, seconds_of
from training.probe import ORDINARY, Speed, remembered_speed

Basis = Literal["measured", "indexed", "ordinary"]
"""What minutes rest on: steps measured here, how fast this machine indexed these documents, or an ordinary machine."""
_MOST_MINED = 1_500
_LEAST_ENCODED = 20_000
"""Characters; less was encoded too fast to tell a speed by."""

# Gains in nDCG@10 on test queries, least and most of the sets measured: by recipe, for fewer than a thousand pairs and for more.
_GAINS: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "adapter": ((0.000, 0.044), (0.103, 0.215)),
    "auto": ((0.000, 0.071), (0.134, 0.276)),
}
_FROM_DOCUMENTS = (0.000, 0.040)


@dataclass(frozen=True)
class Minutes:
    """Seconds until each recipe's model can be searched with, by the recipe's name, and what they rest on."""

    seconds: Mapping[str, float]
    basis: Basis


def expected_gain(recipe: str, pairs: int, mined: bool) -> tuple[float, float] | None:
    """What a recipe gained on the sets measured, least and most (nDCG@10); None where that was not measured so.

    >>> expected_gain("adapter", 240, mined=False)
    (0.0, 0.044)

    :param pairs: how many there are to train on; `mined` says that they were made of the documents.
    """
    if mined or not pairs:
        return _FROM_DOCUMENTS if recipe == "adapter" else None
    known = _GAINS.get(recipe)
    return known[pairs >= FEW_PAIRS] if known else None


def expected_minutes(project: Project) -> Minutes:
    """How long trainings take here: by steps that were measured, else by the indexing of the documents with the generic model.

    :raises Refused: without documents.
    """
    facts = facts_of(project)
    speed, basis = _speed(project, facts.characters)
    known = dict(seconds_of(facts, speed))
    if not facts.pairs:
        # About as many are mined as there are passages, up to the most of a kind.
        number = min(facts.passages, _MOST_MINED)
        mined = replace(facts, pairs=number, mined=True, response_characters=facts.characters)
        known["mine"] = seconds_of(mined, speed)["adapter"]
    return Minutes(known, basis)


def _speed(project: Project, characters: float) -> tuple[Speed, Basis]:
    info = generic_info(project)
    if known := remembered_speed(info):
        return known, "measured"
    index = project.newest_where("indexes", model=info.id)
    if index is not None:
        encoded = characters * (index.details["vectors"] - index.details.get("reused", 0))
        if encoded >= _LEAST_ENCODED and index.details["seconds"] > 0:
            here = encoded / index.details["seconds"]
            return _scaled(here / ORDINARY.encoded), "indexed"
    return ORDINARY, "ordinary"


def _scaled(factor: float) -> Speed:
    """An ordinary machine made so many times as fast."""
    return replace(
        ORDINARY,
        encoded=ORDINARY.encoded * factor,
        tuned=ORDINARY.tuned * factor,
        adapter_step=ORDINARY.adapter_step / factor,
        static_step=ORDINARY.static_step / factor,
        words=ORDINARY.words * factor,
    )
