"""How long work stands: what it does, how much of it is done, how it ended."""

import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["starting", "running", "done", "failed", "refused", "cancelled", "interrupted"]
OVER: frozenset[State] = frozenset({"done", "failed", "refused", "cancelled", "interrupted"})


class Status(BaseModel):
    """How a run stands."""

    model_config = ConfigDict(frozen=True)
    state: State = "starting"
    message: str = "starting"
    done: float = 0.0
    total: float = 0.0
    started: float = Field(default_factory=time.time)
    updated: float = Field(default_factory=time.time)
    pid: int | None = None
    process_started: float | None = None
    error: str | None = None
    notes: list[str] = Field(default_factory=list)
    result: dict[str, Any] = Field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None while the total is unknown."""
        return min(self.done / self.total, 1.0) if self.total > 0 else None

    @property
    def elapsed(self) -> float:
        """Seconds since the start, up to now or to the end."""
        end = self.updated if self.state in OVER else time.time()
        return max(end - self.started, 0.0)

    @property
    def remaining(self) -> float | None:
        """Seconds left at the pace so far; None when that cannot be told yet."""
        share = self.share
        if self.state != "running" or share is None or share < 0.02 or self.elapsed < 1.0:
            return None
        at_report = max(self.updated - self.started, 0.0)
        left = at_report * (1 - share) / share - (time.time() - self.updated)
        return max(left, 0.0)
