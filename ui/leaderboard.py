"""The ladder of auto: what was tried, what each rung brought, and what became of it."""

from collections.abc import Sequence
from typing import Any

from training.auto.leaderboard import MEMBER, OUTCOME, RUNG, SCORE, SECONDS, Outcome
from ui import widgets
from ui.training.tables import escaped_table

_HEADS = ("way to learn", "dev nDCG@10", "time", "what became of it")
_NONE = "–"


def grown(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rungs that a run has told so far, as a manifest has them."""
    rows = []
    for event in events:
        numbers = event["metrics"]
        if RUNG in numbers:
            outcome = Outcome(int(numbers[OUTCOME])).words if numbers[RUNG] else ""
            rows.append(
                {
                    "name": event["message"],
                    "ndcg@10": numbers.get(SCORE),
                    "seconds": numbers[SECONDS],
                    "outcome": outcome,
                }
            )
    return rows


def since(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was told after the last rung: the curve of the one that is being tried, of the model that learns it now."""
    last = max((n for n, event in enumerate(events) if RUNG in event["metrics"]), default=-1)
    told = events[last + 1 :]
    members = [event["metrics"][MEMBER] for event in told if MEMBER in event["metrics"]]
    return [e for e in told if not members or e["metrics"].get(MEMBER) == members[-1]]


def draw(rungs: Sequence[dict[str, Any]]) -> None:
    """The table of rungs, the start first."""
    escaped_table(_HEADS, [_row(rung) for rung in rungs])


def _row(rung: dict[str, Any]) -> list[str]:
    score, seconds = rung["ndcg@10"], rung["seconds"]
    return [
        rung["name"],
        _NONE if score is None else f"{score:.3f}",
        widgets.duration(seconds) if seconds >= 1 else _NONE,
        rung["outcome"],
    ]
