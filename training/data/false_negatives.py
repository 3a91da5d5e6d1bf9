"""How often a batch would teach that a right answer is wrong.

Training with in-batch negatives takes, for each query, the answers of the other pairs of its batch as wrong
ones. Where two pairs of a batch have the same (or nearly the same) query or answer, that is false.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from search.corpus.labels import Pair
from search.corpus.report.duplicates import near_pairs
from search.text.near_duplicates import Groups, NearDuplicates

# With 2,000 batches a share is known to about two percent; ten million draws take two seconds.
_BATCHES = 2_000
_DRAWS = 10_000_000
_SEED = 20_261_124

_Item = TypeVar("_Item", bound=Hashable)


@dataclass(frozen=True)
class FalseNegatives:
    """Shares (0 to 1) of the batches of `batch_size` pairs in which at least one false negative appears.

    `share` holds for pairs that are shuffled and cut into batches. `guarded` holds where the same text is
    kept from standing twice in a batch, as the fine-tune recipe does: what it cannot see are near-duplicates,
    and different texts of one document. `drawn` is how many batches these are measured on.
    """

    batch_size: int
    share: float
    guarded: float
    drawn: int


@dataclass(frozen=True)
class Kinship:
    """Which pairs belong together: equal numbers mean equal texts, or queries or answers of one group.

    Arrays have one number a pair. A group holds texts with the same words, near-duplicates (those of a
    near-duplicate too) and, for answers, all texts of one document.
    """

    query_texts: NDArray[np.int64]
    query_groups: NDArray[np.int64]
    answer_texts: NDArray[np.int64]
    answer_groups: NDArray[np.int64]

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> "Kinship":
        """Group the queries and the answers of pairs; an empty response is told by its document."""
        queries = _numbers(pair.query for pair in pairs)
        answers = _numbers(
            (pair.response, None if pair.response else pair.document) for pair in pairs
        )
        query_groups, answer_groups = Groups(len(queries)), Groups(len(answers))
        texts = list(queries)
        known = NearDuplicates(texts)
        for number, text in enumerate(texts):
            for other in known.of(text):
                query_groups.join(number, other)
        responses = [response for response, _ in answers]
        for one, another, _ in near_pairs(range(len(responses)), responses):
            answer_groups.join(one, another)
        query_texts = np.array([queries[pair.query] for pair in pairs], dtype=np.int64)
        answer_texts = np.array(
            [answers[p.response, None if p.response else p.document] for p in pairs], dtype=np.int64
        )
        first: dict[str, int] = {}
        for pair, number in zip(pairs, answer_texts.tolist(), strict=True):
            if pair.document is not None:
                answer_groups.join(first.setdefault(pair.document, number), number)
        grouped = _grouped(query_texts, query_groups), _grouped(answer_texts, answer_groups)
        return cls(query_texts, grouped[0], answer_texts, grouped[1])


def false_negatives(kinship: Kinship, batch_size: int) -> FalseNegatives:
    """Draw batches as an epoch does (shuffled, then cut) and count those with a false negative.

    With two kinds of kinship there is no closed formula, so whole epochs are drawn, with a fixed seed, until
    2,000 batches are seen (fewer from very large sets).

    :param batch_size: how many pairs a batch has; at most all.
    """
    count = len(kinship.query_groups)
    size = min(batch_size, count)
    if size < 2:
        return FalseNegatives(size, 0.0, 0.0, 0)
    kinds = (kinship.query_texts, kinship.query_groups, kinship.answer_texts, kinship.answer_groups)
    random = np.random.default_rng(_SEED)
    drawn = clashes = unseen = 0
    while drawn < _BATCHES and (drawn == 0 or drawn * size < _DRAWS):
        order = random.permutation(count)
        for start in range(0, count, size):
            batch = order[start : start + size]
            asked, queries, said, answers = (len(set(kind[batch].tolist())) for kind in kinds)
            clashes += queries < len(batch) or answers < len(batch)
            # The same text once: if texts still outnumber their groups, two of them belong together.
            unseen += asked > queries or said > answers
            drawn += 1
    return FalseNegatives(size, clashes / drawn, unseen / drawn, drawn)


def _numbers(items: Iterable[_Item]) -> dict[_Item, int]:
    """A number for each different item, in order of appearance."""
    numbers: dict[_Item, int] = {}
    for item in items:
        numbers.setdefault(item, len(numbers))
    return numbers


def _grouped(numbers: NDArray[np.int64], groups: Groups) -> NDArray[np.int64]:
    return np.array([groups.find(number) for number in numbers.tolist()], dtype=np.int64)
