"""What a step learns from: rows of a query, its right answer and wrong ones, in batches that do not contradict.

In a batch every document of every row counts as wrong for the other rows' queries. So a row waits for a later batch when
one of its documents answers a query of the batch, or one of the batch's documents its own query.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from search.corpus.labels import Pair

# So many batches of rows are looked at for ones that fit: bounds what many copies cost.
_LOOK_AHEAD = 8


@dataclass(frozen=True)
class TrainingRow:
    """A query, its right answer, and answers that are wrong.

    >>> rows_of([Pair("q", "right", negatives=("wrong", "worse", "worst"))], width=2)
    [TrainingRow(query='q', answer='right', negatives=('wrong', 'worse'), document=None),
     TrainingRow(query='q', answer='right', negatives=('worst',), document=None)]
    """

    query: str
    answer: str
    negatives: tuple[str, ...] = ()
    document: str | None = None


def rows_of(pairs: Sequence[Pair], width: int) -> list[TrainingRow]:
    """One row a pair; a pair with more than `width` negatives, one for each `width` of them."""
    return [
        TrainingRow(pair.query, pair.response, pair.negatives[first : first + width], pair.document)
        for pair in pairs
        for first in range(0, max(len(pair.negatives), 1), width)
    ]


class Batches:
    """The batches of each epoch: rows of a batch have equally many negatives.

    :param size: how many rows a batch has at most.
    :param seed: the same seed and epoch give the same batches, whatever went before.
    :param parts: batches can be cut into so many equal parts; rows that are left over at the end are left out.

    >>> rows = [TrainingRow("q", "one answer"), TrainingRow("q", "another"), TrainingRow("r", "a third")]
    >>> [sorted(row.query for row in batch) for batch in Batches(rows, size=3, seed=1).epoch(0)]
    [['q', 'r'], ['q']]
    """

    def __init__(self, rows: Sequence[TrainingRow], size: int, seed: int, parts: int = 1) -> None:
        self.rows = rows
        self._size = max(size // parts * parts, 1)
        self._parts = parts
        self._seed = seed
        widths = np.array([len(row.negatives) for row in rows])
        self._kinds = [np.flatnonzero(widths == width) for width in np.unique(widths)]
        right: dict[str, set[str]] = {}
        for row in rows:
            right.setdefault(row.query, set()).update(_documents(row.answer, row.document))
        self._right = [right[row.query] for row in rows]
        self._has = [
            {*_documents(row.answer, row.document), *map(_text, row.negatives)} for row in rows
        ]

    def epoch(self, number: int) -> list[list[TrainingRow]]:
        """The batches of an epoch (0 is the first): every row once, but for what is left over."""
        random = np.random.default_rng([self._seed, number])
        made = [
            batch
            for positions in self._kinds
            for batch in self._apart(random.permutation(positions).tolist())
        ]
        return [
            [self.rows[position] for position in made[n]] for n in random.permutation(len(made))
        ]

    def _apart(self, order: Sequence[int]) -> Iterator[list[int]]:
        waiting = deque(order)
        while waiting:
            batch: list[int] = []
            has: set[str] = set()
            right: set[str] = set()
            put_off: list[int] = []
            most = max(_LOOK_AHEAD * self._size, 64)
            while waiting and len(batch) < self._size and len(put_off) < most:
                row = waiting.popleft()
                if right.isdisjoint(self._has[row]) and has.isdisjoint(self._right[row]):
                    batch.append(row)
                    has |= self._has[row]
                    right |= self._right[row]
                else:
                    put_off.append(row)
            over = len(batch) % self._parts
            if over < len(batch):  # Else there are too few that go together: they are left out.
                waiting.extendleft(reversed([*batch[len(batch) - over :], *put_off]))
                yield batch[: len(batch) - over]
            else:
                waiting.extendleft(reversed(put_off))


def _text(text: str) -> str:
    return f"text {text}"


def _documents(answer: str, document: str | None) -> set[str]:
    """What an answer is known by: its text, and its document, of which other rows may show another passage."""
    return {_text(answer)} if document is None else {_text(answer), f"document {document}"}
