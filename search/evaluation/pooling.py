"""What people were shown before they judged it, and what that leaves open for an evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from search.retrieval.columns import column_title


@dataclass(frozen=True)
class Pool:
    """What was put before judges, and how much of it they graded.

    Only what some column showed could be judged. A document that nobody judged counts as not relevant, so a
    column that was not in the pool is at a disadvantage, the more so the more it finds that others do not
    (Zobel 1998; Buckley and Voorhees 2004).

    >>> Pool(("generic", "bm25"), shown=10, graded=4).note[:68]
    'judged was what Generic and Keyword search showed (4 of the 10 docum'
    """

    columns: tuple[str, ...]
    shown: int
    graded: int

    @property
    def note(self) -> str:
        """In plain words what the figures of such a query set can and cannot tell."""
        share = f"{self.graded:,} of the {self.shown:,} documents shown were graded"
        return (
            f"judged was what {' and '.join(map(column_title, self.columns)) or 'nobody knows who'} showed ({share}). Documents "
            "that nobody graded count as not relevant: fair between these columns, and too hard on others, "
            "which find documents that nobody has seen"
        )


def pooling_note(details: Mapping[str, Any]) -> str | None:
    """What an evaluation on a query set should say of its pool; None for one that was not judged here."""
    facts = details.get("pooling")
    return TypeAdapter(Pool).validate_python(facts).note if facts else None
