"""Documents that stand in a corpus more than once, word for word or nearly."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from search.projects.progress import Progress, silent
from search.text.near_duplicates import THRESHOLD, Groups, deciding, shingles
from search.text.words import folded_words

_EXAMPLES = 10
_STEP = 500
# Shingles are counted by so many of the last bits of their numbers: those few that share a count are only taken
# for more frequent than they are.
_COUNTED = 1 << 22
# Sets of shingles are large; the ones asked for again are those of a few boilerplates.
_REMEMBERED = 1_000


@dataclass(frozen=True)
class Copy:
    """Two documents, by their ids, and the share (0 to 1) of words and word pairs that they have in common."""

    first: str
    second: str
    similarity: float


@dataclass(frozen=True)
class Duplicates:
    """How many documents repeat another.

    `exact`: documents with the very words of an earlier one (case and punctuation aside). `near`: further
    documents that nearly equal one kept before them. So `exact + near` is how many could go.
    """

    exact: int
    near: int
    exact_examples: tuple[Copy, ...]
    near_examples: tuple[Copy, ...]


def find_duplicates(
    ids: Sequence[str], texts: Sequence[str], progress: Progress = silent
) -> Duplicates:
    """Find documents that repeat others; those without any word are left out.

    :param ids: the ids of the documents.
    :param texts: their texts, in the same order.
    """
    first: dict[tuple[str, ...], int] = {}
    exact: list[Copy] = []
    for position, text in enumerate(texts):
        words = tuple(folded_words(text))
        if words and first.setdefault(words, position) != position:
            exact.append(Copy(ids[first[words]], ids[position], 1.0))
    distinct = list(first.values())
    near = near_pairs(distinct, texts, progress)
    groups = Groups(len(texts))
    for one, other, _ in near:
        groups.join(one, other)
    shown = [Copy(ids[one], ids[other], round(similarity, 4)) for one, other, similarity in near]
    return Duplicates(
        exact=len(exact),
        near=len(distinct) - len({groups.find(position) for position in distinct}),
        exact_examples=tuple(exact[:_EXAMPLES]),
        near_examples=tuple(shown[:_EXAMPLES]),
    )


def near_pairs(
    positions: Sequence[int], texts: Sequence[str], progress: Progress = silent
) -> list[tuple[int, int, float]]:
    """Pairs of texts that are nearly equal; of a group of such texts, enough pairs to hold it together.

    As exact as `NearDuplicates`, by the same filter; for many long texts it takes less time and memory, because
    shingles are kept as numbers of eight bytes. Texts are compared by the shingles themselves.

    :param positions: which of the texts to look at.
    :param texts: the texts.
    :returns: two places, the earlier first, and the exact similarity (0.9 to 1).
    """
    known = lru_cache(maxsize=_REMEMBERED)(lambda position: shingles(texts[position]))
    rarest, sizes = _rarest([texts[position] for position in positions], progress)
    holders: dict[int, list[int]] = {}
    groups = Groups(len(texts))
    found: list[tuple[int, int, float]] = []
    for number, position in enumerate(positions):
        own = rarest[number].tolist()
        for earlier in sorted({n for item in own for n in holders.get(item, ())}):
            other = positions[earlier]
            # One member of a group is enough: a boilerplate that stands a thousand times has half a
            # million pairs.
            if groups.find(other) == groups.find(position):
                continue
            few, many = sorted((sizes[earlier], sizes[number]))
            if few < THRESHOLD * many - 1e-9:
                continue
            common = len(known(other) & known(position))
            similarity = common / (few + many - common)
            if similarity >= THRESHOLD:
                groups.join(other, position)
                found.append((other, position, similarity))
        for item in own:
            holders.setdefault(item, []).append(number)
    return found


def _rarest(texts: Sequence[str], progress: Progress) -> tuple[list[NDArray[np.int64]], list[int]]:
    """The rarest shingles of each text, as numbers, of which two near texts share one; and how many it has in all."""
    counts = np.zeros(_COUNTED, dtype=np.int32)
    numbered: list[NDArray[np.int64]] = []
    for number, text in enumerate(texts):
        if number % _STEP == 0:
            progress(number, len(texts), "looking for near-duplicates")
        own = shingles(text)
        # Python's hashes differ from process to process; what is found does not depend on them.
        items = np.fromiter(map(hash, own), dtype=np.int64, count=len(own))
        np.add.at(counts, items % _COUNTED, 1)
        numbered.append(items)
    rarest = []
    for items in numbered:
        often = counts[items % _COUNTED]
        chosen = np.lexsort((items, often))[: deciding(len(items))]
        # What stands in one text only is shared with none.
        rarest.append(items[chosen][often[chosen] > 1])
    return rarest, [len(items) for items in numbered]
