"""What each place on the way scores: the curve, kept as a report."""

from dataclasses import dataclass

import numpy as np

from search.projects.artifacts import Manifest
from search.projects.project import Project

KIND = "blend"


@dataclass(frozen=True)
class InterpolationCurve:
    """Scores along the way from a start to what was trained.

    :param shares: places on the way, rising; the first is 0, the start.
    :param dev: nDCG@10 on dev queries at each; `general` the same on the general questions.
    :param published: where the model that was asked about stands.
    :param best: the place that serves the dev queries best, of those that may be chosen by themselves.
    :param mined: whether nobody asked the dev queries: they were mined from the documents.
    """

    shares: list[float]
    dev: list[float]
    general: list[float]
    queries: int
    published: float
    best: float
    mined: bool = False

    def at(self, share: float) -> tuple[float, float, bool]:
        """The dev and the general score at a place, and whether they were measured (else: read off the line between
        the two nearest places).
        """
        dev = float(np.interp(share, self.shares, self.dev))
        general = float(np.interp(share, self.shares, self.general))
        return dev, general, any(abs(share - known) < 1e-9 for known in self.shares)

    @property
    def sentence(self) -> str:
        """What it says, in words."""
        on = f"on {self.queries:,} dev queries"
        if self.best == 0:
            return f"Nowhere on the way is better than the start {on} ({self.dev[0]:.3f} nDCG@10)."
        dev, general, _ = self.at(self.best)
        return (
            f"{self.best:.0%} of the way is best {on}: {dev:.3f} nDCG@10 (the start {self.dev[0]:.3f}); on general "
            f"questions {general:.3f} (the start {self.general[0]:.3f})."
        )


def curve_for(project: Project, model: Manifest) -> InterpolationCurve | None:
    """The curve of a model, when it was measured."""
    report = project.newest_where("reports", {"report": KIND}, model=model.id)
    return InterpolationCurve(**report.details["curve"]) if report is not None else None
