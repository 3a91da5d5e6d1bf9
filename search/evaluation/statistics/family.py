"""Several candidates against one baseline: p-values that hold for all of them together.

Of three candidates that are no better, one looks better in one case of seven when each is tested on its own at .05.
Holm's step-down keeps the chance of any false verdict at .05 (Holm, Scandinavian Journal of Statistics 1979);
Benjamini and Hochberg's keeps the share of false ones among those that are named (JRSS B 1995).
"""

from collections.abc import Collection, Mapping, Sequence

from search.evaluation.statistics.significance import PairedTest
from search.models.registry import named
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.columns import parse_column


def holm(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the order given: at most .05 where a verdict holds with all others.

    :raises ValueError: where one is no number from 0 to 1 (what is not a number would rank as the smallest).

    >>> [round(p, 3) for p in holm([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]
    """
    checked = _checked(p_values)
    adjusted = [0.0] * len(checked)
    largest = 0.0
    order = sorted(range(len(checked)), key=checked.__getitem__)
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(checked) - rank) * checked[i]))
        adjusted[i] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the order given: of those up to .05 at most one in twenty is false, on average.

    :raises ValueError: where one is no number from 0 to 1.

    >>> [round(p, 3) for p in benjamini_hochberg([0.04, 0.01, 0.03])]
    [0.04, 0.03, 0.04]
    """
    from scipy.stats import false_discovery_control

    checked = _checked(p_values)
    return [float(p) for p in false_discovery_control(checked)] if checked else []


def adjusted(own: Mapping[str, float], earlier: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p of each candidate, over them and all that were measured before.

    :param own: a candidate's name to its p.
    :param earlier: what else was ever measured against this baseline on these queries, by fingerprint, to the p it
        got first. What is measured again is in `own` alone.

    >>> adjusted({"mine": 0.02}, {"a1": 0.5, "b2": 0.4})
    {'mine': 0.06}
    """
    corrected = holm([*own.values(), *earlier.values()])
    return dict(zip(own, corrected[: len(own)], strict=True))


def within_family(
    tests: Sequence[PairedTest],
    candidates: Collection[str],
    earlier: Mapping[str, float] | None = None,
) -> list[PairedTest]:
    """The tests, those of candidates with the p that holds for all candidates together.

    :param candidates: which columns are counted; the others keep the verdict of their own p.
    :param earlier: see `adjusted`.
    """
    own = {test.candidate: test.p_value for test in tests if test.candidate in candidates}
    corrected = adjusted(own, earlier or {})
    family = len(own) + len(earlier or {})
    return [
        test.within_family(corrected[test.candidate], family) if test.candidate in own else test
        for test in tests
    ]


def is_candidate(column: str, project: Project) -> bool:
    """Whether a column is what the project made or chose: a custom model, a blend, or a hybrid or reranking with one.

    Keyword search and ready-made models, each alone, and runs of other systems are references: tested and printed, not
    counted. A hybrid or reranking of references is counted: its parts and weight were chosen here.
    """
    try:
        chosen = parse_column(column)
    except Refused:
        return False
    if chosen.kind in ("hybrid", "rerank"):
        return True
    info = None if chosen.model is None else named(project, chosen.model)
    return info is not None and info.kind == "custom"


def _checked(p_values: Sequence[float]) -> list[float]:
    for p in p_values:
        if not 0 <= p <= 1:
            raise ValueError(f"a p-value is a number from 0 to 1, not {p}")
    return [float(p) for p in p_values]
