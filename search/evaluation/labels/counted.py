"""What an evaluation counts out loud because no mean should hide it."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import MAIN_METRIC, Scores

_SURE = 1e-9


@dataclass(frozen=True)
class Counted:
    """How many queries and judgments tell less than they seem to.

    `unanswered` queries have no relevant document in the corpus and are left out; `missing` judgments point to documents that
    the corpus does not have (of them `missing_relevant` count as not found); `all_perfect` queries are answered as well as
    can be by every column, `all_missed` by no column at all: neither tells the columns apart.

    >>> Counted(missing=3, missing_relevant=1).sentences
    ['3 judgments point to documents that are not in the corpus; 1 of them is relevant and counts as not found.']
    """

    unanswered: int = 0
    missing: int = 0
    missing_relevant: int = 0
    all_perfect: int = 0
    all_missed: int = 0

    @classmethod
    def of(
        cls,
        whole: QuerySet,
        known: AbstractSet[str],
        scores: Mapping[str, Scores],
        metric: str = MAIN_METRIC,
    ) -> "Counted":
        """Count.

        :param whole: the query set as it is, whatever part of it was measured.
        :param known: the ids of the documents of the corpus.
        :param scores: what was measured, by column.
        """
        gone = [
            grade
            for query in whole.queries
            for document, grade in whole.judgments.get(query, {}).items()
            if document not in known
        ]
        each: list[Sequence[float]] = list(zip(*(s[metric] for s in scores.values()), strict=True))
        return cls(
            unanswered=sum(known.isdisjoint(whole.relevant(query)) for query in whole.queries),
            missing=len(gone),
            missing_relevant=sum(grade > 0 for grade in gone),
            all_perfect=sum(min(values) >= 1 - _SURE for values in each),
            all_missed=sum(max(values) <= _SURE for values in each),
        )

    @property
    def sentences(self) -> list[str]:
        """What there is to tell, in plain words."""
        said = []
        if self.missing:
            verb = "is" if self.missing_relevant == 1 else "are"
            counts = "counts" if self.missing_relevant == 1 else "count"
            judgments = "judgment points" if self.missing == 1 else "judgments point"
            said.append(
                f"{self.missing:,} {judgments} to documents that are not in the corpus"
                + (
                    f"; {self.missing_relevant:,} of them {verb} relevant and {counts} as not found."
                    if self.missing_relevant
                    else "."
                )
            )
        if self.all_perfect or self.all_missed:
            one = self.all_perfect == 1
            said.append(
                f"{self.all_perfect:,} {'query is' if one else 'queries are'} answered perfectly by every column and "
                f"{self.all_missed:,} by none: these cannot tell the columns apart."
            )
        return said
