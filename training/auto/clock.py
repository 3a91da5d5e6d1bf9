"""The time that may be spent, and what happens when it is over."""

import time

from search.projects.progress import Progress
from training.auto.leaderboard import RUNG


class TimeUp(Exception):
    """A rung was still learning when its time was over."""


class TimeBudget:
    """A budget of seconds that runs from now.

    :param budget: seconds in all.
    :param spent: seconds that an earlier process spent of it.
    """

    def __init__(self, budget: float, spent: float = 0.0) -> None:
        self.budget = budget
        self._started = time.monotonic() - spent

    @property
    def spent(self) -> float:
        """Seconds that are gone."""
        return time.monotonic() - self._started

    @property
    def left(self) -> float:
        """Seconds that are left, none when it is over."""
        return max(0.0, self.budget - self.spent)

    def watched(self, progress: Progress, what: str) -> Progress:
        """A progress for one rung: the bar is the budget, and a rung that hears nothing of its end is ended.

        :param what: the rung's name, before what it says itself.
        """

        def report(
            done: float, total: float, message: str, metrics: dict[str, float] | None = None
        ) -> None:
            gone = min(self.spent, self.budget)
            progress(
                gone,
                self.budget,
                message if RUNG in (metrics or {}) else f"{what}: {message}",
                metrics,
            )
            if self.spent > self.budget * _GRACE:
                raise TimeUp

        return report


_GRACE = 1.1
"""What ends by itself at its best so far may measure that; nothing else goes on so long."""
