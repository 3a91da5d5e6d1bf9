"""The questions that one column answers better or worse than another, by how much, and in which slice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.evaluation.evaluation import Evaluation
from search.text.spreadsheet_cells import csv_text

_TELLS = 0.05
_FIELDS = ("query", "text", "baseline", "candidate", "difference", "rank before", "rank after")


@dataclass(frozen=True)
class Change:
    """A question that two columns answer differently: by how much, and the ranks of the first right document in both.

    >>> Change("q1", "rent?", 0.5, before=None, after=2).is_win
    True
    """

    query: str
    text: str
    difference: float
    before: int | None
    after: int | None

    @property
    def is_win(self) -> bool:
        """Whether the candidate answers it better."""
        return self.difference > 0


def changes(
    result: Evaluation, baseline: str, candidate: str, slice_key: str | None = None
) -> list[Change]:
    """The questions on which a candidate differs from a baseline, the largest difference first.

    :param slice_key: only those of one slice.
    """
    moved = result.differences(baseline, candidate)
    inside = range(len(moved)) if slice_key is None else result.slice_members[slice_key]
    order = sorted((i for i in inside if moved[i] != 0), key=lambda i: (-abs(moved[i]), i))
    firsts = result.first_relevant
    return [
        Change(
            result.queries[i],
            result.texts[i],
            float(moved[i]),
            firsts[baseline][i],
            firsts[candidate][i],
        )
        for i in order
    ]


def telling_questions(result: Evaluation, names: Sequence[str], depth: int = 10) -> list[str]:
    """The texts of the questions that tell columns apart, those first that exactly one column answers.

    Among equals the one comes first on which the metric that decides differs most.

    :param names: measured columns; each is held against the first.
    :param depth: a column answers a question when a right document is among its first so many.
    """
    moved = np.max([np.abs(result.differences(names[0], name)) for name in names[1:]], axis=0)
    firsts = [[result.first_relevant[name][i] for name in names] for i in range(len(moved))]
    alone = [sum(rank is not None and rank <= depth for rank in ranks) == 1 for ranks in firsts]
    order = sorted(range(len(moved)), key=lambda i: (not alone[i], -moved[i], i))
    return [result.texts[i] for i in order if moved[i] > _TELLS]


def changes_csv(listed: Sequence[Change], baseline: str, candidate: str) -> bytes:
    """A line for each question, UTF-8 with a byte order mark, so that spreadsheets read it."""
    rows = [
        (
            c.query,
            c.text,
            baseline,
            candidate,
            f"{c.difference:+.4f}",
            c.before or "",
            c.after or "",
        )
        for c in listed
    ]
    return csv_text(_FIELDS, rows).encode("utf-8-sig")
