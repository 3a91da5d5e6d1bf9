"""How long work tells that it moves: one callable, the same for a terminal, a run folder and a test."""

from typing import Protocol


class Progress(Protocol):
    """Called as work moves; raises `Cancelled` when the person asked to stop."""

    def __call__(
        self, done: float, total: float, message: str, metrics: dict[str, float] | None = None
    ) -> None:
        """Report `done` of `total` units; `metrics` are numbers worth a curve (loss, ndcg@10)."""
        ...


def silent(
    done: float, total: float, message: str, metrics: dict[str, float] | None = None
) -> None:
    """Progress that nobody watches."""


class Stage:
    """A slice of a longer piece of work: maps its own 0..1 onto [start, end] of the whole.

    :param progress: who is told.
    :param start: where this slice begins, as a share of the whole (0 to 1).
    :param end: where it ends.
    """

    def __init__(self, progress: Progress, start: float, end: float) -> None:
        self._progress = progress
        self._start = start
        self._span = end - start

    def __call__(
        self, done: float, total: float, message: str, metrics: dict[str, float] | None = None
    ) -> None:
        """Report progress inside the slice; the whole is counted in hundredths of a percent."""
        share = min(max(done / total, 0.0), 1.0) if total else 1.0
        self._progress((self._start + self._span * share) * 10_000, 10_000, message, metrics)
