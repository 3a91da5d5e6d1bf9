"""What decides in a project, said before anything is measured: the main metric and the margin that matters.

Whoever chooses the metric or the margin after having seen the figures can always find one that says what was hoped for.
So both are settings of a project that its first evaluation fixes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from search.evaluation.rankings.metrics import MAIN_METRIC, Metric, metric_title
from search.evaluation.statistics.flips import SEED
from search.evaluation.statistics.significance import MARGIN
from search.projects.artifacts import now
from search.projects.errors import Refused
from search.projects.project import Project

_LARGEST = 0.5
_NO_QUALITY = ("judged", "condensed_ndcg")


@dataclass(frozen=True)
class Protocol:
    """What decides: the metric, and the margin within which a difference is too small to matter.

    `fixed` is when the first evaluation fixed both, empty before.

    >>> Protocol("ndcg@10", 0.02).line(family=2, earlier=0, question="new_questions")
    'nDCG@10 decides; less than ±0.020 is too small to matter; 2 candidates are tested together; question: new questions; seed 20240501.'
    """

    metric: str = MAIN_METRIC
    margin: float = MARGIN
    fixed: str = ""

    def line(self, family: int, earlier: int, question: str) -> str:
        """What is promised before figures are seen, in one line.

        :param family: how many candidates are measured.
        :param earlier: how many others were measured on these queries before.
        :param question: which question the figures answer.
        """
        tested = "1 candidate is tested" if family == 1 else f"{family:,} candidates are tested"
        together = " together" if family + earlier > 1 else ""
        before = (
            f" with {earlier:,} that {'was' if earlier == 1 else 'were'} measured before"
            if earlier
            else ""
        )
        return (
            f"{metric_title(self.metric)} decides; less than ±{self.margin:.3f} is too small to matter; {tested}"
            f"{together}{before}; question: {question.replace('_', ' ')}; seed {SEED}."
        )

    @property
    def sentence(self) -> str:
        """What decides, and whether it can still be chosen."""
        state = (
            f"Fixed on {self.fixed[:10]}, by the first evaluation."
            if self.fixed
            else "The first evaluation fixes both."
        )
        return f"{metric_title(self.metric)} decides, and a difference inside ±{self.margin:.3f} is too small to matter. {state}"

    def as_json(self) -> dict[str, Any]:
        """As it stands in an evaluation and in `protocol --json`."""
        return asdict(self)


def protocol_of(project: Project) -> Protocol:
    """What decides in a project. One that was evaluated before there was a choice has the usual protocol, fixed."""
    info = project.info
    fixed = info.protocol_fixed
    if not fixed:
        first = next(iter(project.manifests("evaluations")), None)
        fixed = first.created if first is not None else ""
    return Protocol(info.main_metric or MAIN_METRIC, info.margin, fixed)


def choose_protocol(
    project: Project, metric: str | None = None, margin: float | None = None
) -> Protocol:
    """Choose what decides in a project, before anything was measured.

    :param metric: the main metric; None leaves it.
    :param margin: above 0 and at most .5; None leaves it.
    :raises Refused: for what is no metric, or cannot decide, a margin that is none, and after the first evaluation.
    """
    if metric is not None:
        parsed = Metric.parse(metric)
        metric = parsed.name
        if parsed.family in _NO_QUALITY:
            raise Refused(f"{metric} does not say which ranking is better, so it cannot decide.")
    if margin is not None and not 0 < margin <= _LARGEST:
        raise Refused(
            f"The margin is {margin:g}; it must lie above 0 and at most at {_LARGEST:g}, such as 0.02."
        )
    with project.locked():
        known = protocol_of(project)
        chosen = Protocol(
            metric or known.metric, known.margin if margin is None else margin, known.fixed
        )
        if known.fixed and chosen != known:
            raise Refused(
                f"{metric_title(known.metric)} and a margin of {known.margin:g} were fixed on {known.fixed[:10]}, by the first "
                "evaluation: whoever chooses after having seen figures can find what was hoped for. Every metric is "
                "printed; for another one to decide, begin a new project with queries that were never measured."
            )
        project.change(lambda _: {"main_metric": chosen.metric, "margin": chosen.margin})
    return chosen


def fix_protocol(project: Project) -> Protocol:
    """Fix what decides: figures are about to be seen."""
    with project.locked():
        project.change(lambda info: _fixed(info.protocol_fixed, protocol_of(project)))
    return protocol_of(project)


def _fixed(before: str, known: Protocol) -> Mapping[str, Any]:
    return {} if before else {"protocol_fixed": known.fixed or now()}
