"""Documents that stand in a corpus more than once, word for word or nearly.

Candidates come from MinHash signatures in buckets (Broder 1997; the library is datasketch), and each is
checked by the exact similarity that guards the split, so that no pair is shown that is not one.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from search.projects.progress import Progress, silent
from search.text.near_duplicates import THRESHOLD, Groups, shingles
from search.text.words import folded_words

# 16 bands of 8 hashes: texts that share nine tenths of their shingles meet in a bucket in 99.99 of 100
# cases, texts that share half of them in 6.
_BANDS, _ROWS = 16, 8
_EXAMPLES = 10
_STEP = 500
# Sets of shingles are large; the ones asked for again are those of a few boilerplates.
_REMEMBERED = 1_000


@dataclass(frozen=True)
class Copy:
    """Two documents, by their ids, and the share (0 to 1) of words and word pairs that they have in common."""

    first: str
    second: str
    similarity: float


@dataclass(frozen=True)
class Copies:
    """How many documents repeat another.

    `exact`: documents with the very words of an earlier one (case and punctuation aside). `near`: further
    documents that nearly equal one kept before them. So `exact + near` is how many could go.
    """

    exact: int
    near: int
    exact_examples: tuple[Copy, ...]
    near_examples: tuple[Copy, ...]


def copies(ids: Sequence[str], texts: Sequence[str], progress: Progress = silent) -> Copies:
    """Find documents that repeat others; those without any word are left out.

    :param ids: the ids of the documents.
    :param texts: their texts, in the same order.
    """
    first: dict[tuple[str, ...], int] = {}
    exact: list[Copy] = []
    for place, text in enumerate(texts):
        words = tuple(folded_words(text))
        if words and first.setdefault(words, place) != place:
            exact.append(Copy(ids[first[words]], ids[place], 1.0))
    distinct = list(first.values())
    near = near_pairs(distinct, texts, progress)
    groups = Groups(len(texts))
    for one, other, _ in near:
        groups.join(one, other)
    shown = [Copy(ids[one], ids[other], round(similarity, 4)) for one, other, similarity in near]
    return Copies(
        exact=len(exact),
        near=len(distinct) - len({groups.find(place) for place in distinct}),
        exact_examples=tuple(exact[:_EXAMPLES]),
        near_examples=tuple(shown[:_EXAMPLES]),
    )


def near_pairs(
    places: Sequence[int], texts: Sequence[str], progress: Progress = silent
) -> list[tuple[int, int, float]]:
    """Pairs of texts that are nearly equal; of a group of such texts, enough pairs to hold it together.

    For long texts this takes less time and memory than `NearDuplicates`, and may miss one in ten thousand.

    :param places: which of the texts to look at.
    :param texts: the texts.
    :returns: two places, the earlier first, and the exact similarity (0.9 to 1).
    """
    from datasketch import MinHash, MinHashLSH

    known = lru_cache(maxsize=_REMEMBERED)(lambda place: shingles(texts[place]))
    buckets = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
    # crc32, because Python's own hash of a text differs from process to process.
    empty = MinHash(num_perm=_BANDS * _ROWS, seed=1, hashfunc=zlib.crc32)
    groups = Groups(len(texts))
    found: list[tuple[int, int, float]] = []
    for number, place in enumerate(places):
        if number % _STEP == 0:
            progress(number, len(places), "looking for near-duplicates")
        own = shingles(texts[place])
        if not own:
            continue
        signature = empty.copy()
        signature.update_batch([shingle.encode("utf-8") for shingle in own])
        for other in sorted(buckets.query(signature)):
            # One member of a group is enough: a boilerplate that stands a thousand times has half a
            # million pairs.
            if groups.find(other) == groups.find(place):
                continue
            common = len(known(other) & own)
            similarity = common / (len(known(other)) + len(own) - common)
            if similarity >= THRESHOLD:
                groups.join(other, place)
                found.append((other, place, similarity))
        buckets.insert(place, signature)
    return found
