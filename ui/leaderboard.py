"""The leaderboard of auto: what was tried, what each trial brought, and what became of it."""

from collections.abc import Sequence
from typing import Any

from training.auto.leaderboard import MEMBER, OUTCOME, SCORE, SECONDS, TRIAL, Outcome
from ui import widgets

_HEADS = ("way to learn", "dev nDCG@10", "time", "what became of it")
_NONE = "–"


def trials_so_far(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The trials that a run has reported so far, as a manifest has them."""
    return [
        {
            "name": event["message"],
            "ndcg@10": numbers.get(SCORE),
            "seconds": numbers[SECONDS],
            "outcome": Outcome(int(numbers[OUTCOME])).words if numbers[TRIAL] else "",
        }
        for event in events
        if TRIAL in (numbers := event["metrics"])
    ]


def events_since(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was reported after the last trial: the curve of the one that is being tried, of the model that learns it now."""
    last = max((n for n, event in enumerate(events) if TRIAL in event["metrics"]), default=-1)
    later = events[last + 1 :]
    members = [event["metrics"][MEMBER] for event in later if MEMBER in event["metrics"]]
    return [e for e in later if not members or e["metrics"].get(MEMBER) == members[-1]]


def draw(trials: Sequence[dict[str, Any]]) -> None:
    """The table of trials, the start first."""
    rows = []
    for trial in trials:
        score, seconds = trial["ndcg@10"], trial["seconds"]
        shown = _NONE if score is None else f"{score:.3f}"
        spent = widgets.duration(seconds) if seconds >= 1 else _NONE
        rows.append([trial["name"], shown, spent, trial["outcome"]])
    widgets.escaped_table(_HEADS, rows)
