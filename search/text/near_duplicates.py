"""Near-duplicates: texts that share at least nine in ten of their words and word pairs (Jaccard similarity).

Every one is found, and nothing else. Of two such texts neither has more than a tenth of its shingles to
itself; so with all shingles in one order, the rarest first, their first tenths (and one more) have a
shingle in common (prefix filtering; Chaudhuri et al. 2006, Bayardo et al. 2007).
"""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from search.text.words import folded_words

THRESHOLD = 0.9


def shingles(text: str) -> frozenset[str]:
    """The words and the pairs of neighbouring words of a text, case folded."""
    words = [sys.intern(word) for word in folded_words(text)]  # Many texts hold the same few words.
    return frozenset(words) | frozenset(f"{a} {b}" for a, b in pairwise(words))


def similar(one: frozenset[str], other: frozenset[str], threshold: float = THRESHOLD) -> bool:
    """Whether two sets (of shingles: two texts) have so large a share of items in common; an empty one is like none."""
    common = len(one & other)
    return common > 0 and common >= threshold * (len(one) + len(other) - common)


def deciding(size: int, threshold: float = THRESHOLD) -> int:
    """How many of the rarest items of a set two similar sets have at least one in common of.

    :param size: the number of items (shingles of a text).
    :param threshold: the Jaccard similarity from which on two sets are similar.
    """
    return size - math.ceil(threshold * size - 1e-9) + 1 if size else 0


class SimilarSets:
    """Finds, among known sets, those that have at least a given share of items in common with another (Jaccard).

    :param sets: the known sets; found ones are named by their position in this sequence. An empty one is like none.
    :param threshold: the least similarity.
    """

    def __init__(self, sets: Sequence[frozenset[str]], threshold: float) -> None:
        self._threshold = threshold
        positions: dict[frozenset[str], list[int]] = {}
        for position, items in enumerate(sets):
            positions.setdefault(items, []).append(position)
        positions.pop(frozenset(), None)
        self._known = list(positions.items())
        self._frequency = Counter(item for items, _ in self._known for item in items)
        self._holders: dict[str, list[int]] = {}
        for number, (items, _) in enumerate(self._known):
            for item in self._rarest(items):
                self._holders.setdefault(item, []).append(number)

    def of(self, wanted: frozenset[str]) -> list[int]:
        """The positions of the known sets that are similar to `wanted`, in order."""
        found: list[int] = []
        for number in {n for item in self._rarest(wanted) for n in self._holders.get(item, ())}:
            other, positions = self._known[number]
            if similar(wanted, other, self._threshold):
                found += positions
        return sorted(found)

    def _rarest(self, items: frozenset[str]) -> list[str]:
        """The items of which two similar sets have at least one in common."""
        ordered = sorted(items, key=lambda item: (self._frequency[item], item))
        return ordered[: deciding(len(items), self._threshold)]


class NearDuplicates:
    """Finds, among known texts, those that nearly equal a given one.

    :param texts: the known texts; found ones are named by their place in this sequence.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._known = SimilarSets([shingles(text) for text in texts], THRESHOLD)

    def of(self, text: str) -> list[int]:
        """The places of the known texts that nearly equal `text`, in order."""
        return self._known.of(shingles(text))


class Groups:
    """Union-find over the numbers 0 to n-1."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, item: int) -> int:
        """The representative of the group that `item` is in (the smallest member)."""
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, a: int, b: int) -> None:
        """Put two items into one group."""
        low, high = sorted((self.find(a), self.find(b)))
        self._parent[high] = low
