"""Near-duplicates: texts that share at least nine in ten of their word pairs.

Candidates come from MinHash with locality-sensitive hashing (Broder 1997; the datasketch library);
each is then checked by the exact Jaccard similarity, so nothing is called a duplicate by chance.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

THRESHOLD = 0.9
_PERMUTATIONS = 64
_WORD = re.compile(r"\w+", re.UNICODE)


def shingles(text: str) -> frozenset[str]:
    """The words and the pairs of neighbouring words of a text, case folded."""
    words = _WORD.findall(text.casefold())
    return frozenset(words) | frozenset(f"{a} {b}" for a, b in pairwise(words))


class NearDuplicates:
    """Finds, among known texts, those that nearly equal a given one.

    :param texts: the known texts; found ones are named by their place in this sequence.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        from datasketch import MinHashLSH

        self._exact: dict[frozenset[str], list[int]] = {}
        self._sets: list[frozenset[str]] = []
        self._lsh = MinHashLSH(threshold=THRESHOLD, num_perm=_PERMUTATIONS)
        for place, text in enumerate(texts):
            known = shingles(text)
            self._sets.append(known)
            places = self._exact.setdefault(known, [])
            if not places and known:
                self._lsh.insert(place, _minhash(known))
            places.append(place)

    def of(self, text: str) -> list[int]:
        """The places of the known texts that nearly equal `text`, in order."""
        wanted = shingles(text)
        if not wanted:
            return []
        candidates: Iterable[int] = self._lsh.query(_minhash(wanted))
        found = set(self._exact.get(wanted, []))
        for place in candidates:
            other = self._sets[place]
            if len(wanted & other) / len(wanted | other) >= THRESHOLD:
                found.update(self._exact[other])
        return sorted(found)


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


def _minhash(items: frozenset[str]) -> "object":
    from datasketch import MinHash

    sketch = MinHash(num_perm=_PERMUTATIONS, seed=1)
    sketch.update_batch([item.encode() for item in items])
    return sketch
