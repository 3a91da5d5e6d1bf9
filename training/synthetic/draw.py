"""Mining: which pairs a corpus gives, how many of each kind, and what they look like."""

import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.projects.progress import Progress, silent
from search.text.sampling import evenly_spaced
from search.text.words import folded_words
from training.synthetic.kinds import PairKind, chosen_kinds
from training.synthetic.source import DocumentText

DOCUMENTS = 20_000
PAIRS = 1_500
EXAMPLES = 3
_PASSAGES = 8
_BLOCK = 200
_COMMON = 3
_EXCERPT = 200


@dataclass(frozen=True)
class DrawnKind:
    """The pairs of one kind.

    `count` is how many the documents looked at give, `pairs` some of them, drawn at random (the same each time),
    and `common` how many were left out because their query stands in more than three documents ("Overview").
    """

    kind: PairKind
    count: int
    common: int
    pairs: list[Pair] = field(repr=False)

    @property
    def examples(self) -> list[Pair]:
        """Three of them."""
        return self.pairs[:EXAMPLES]

    def weighed(self, weight: float) -> list[Pair]:
        """The share of the pairs that a weight (0 to 1) asks for; a smaller weight's pairs are among them."""
        return self.pairs[: round(weight * len(self.pairs))]

    def as_json(self) -> dict[str, Any]:
        """What is told of it: examples are cut to 200 characters."""
        return {
            "kind": self.kind.name,
            "title": self.kind.title,
            "what": self.kind.what,
            "count": self.count,
            "left_out": self.common,
            "usable": len(self.pairs),
            "examples": [
                {"query": excerpt(p.query), "response": excerpt(p.response), "document": p.document}
                for p in self.examples
            ],
        }


@dataclass(frozen=True)
class SyntheticPairs:
    """What a corpus gives; of a large one, `looked_at` documents spread evenly were mined."""

    documents: int
    looked_at: int
    kinds: list[DrawnKind]

    def pairs(self, weights: Mapping[str, float] | None = None) -> list[Pair]:
        """The pairs of all kinds, each by its weight (1 where none is given)."""
        chosen = weights or {}
        return [p for found in self.kinds for p in found.weighed(chosen.get(found.kind.name, 1.0))]

    def as_json(self) -> dict[str, Any]:
        """What is told of it."""
        return {
            "documents": self.documents,
            "looked_at": self.looked_at,
            "kinds": [found.as_json() for found in self.kinds],
        }


def draw_pairs(
    corpus: Corpus,
    kinds: Iterable[str] = (),
    most: int = PAIRS,
    progress: Progress = silent,
    documents: int = DOCUMENTS,
) -> SyntheticPairs:
    """Mine the documents of a corpus.

    :param kinds: names of kinds; none means all.
    :param most: how many pairs of a kind to keep.
    :param documents: how many documents to look at, spread evenly.
    :raises Refused: for an unknown kind.
    """
    wanted = chosen_kinds(kinds)
    total = len(corpus)
    positions = evenly_spaced(total, documents)
    weigh = _rarity(corpus, positions, progress)
    drawn = {kind.name: _Draw(most) for kind in wanted}
    for number, source in enumerate(_sources(corpus, positions, weigh)):
        if number % _BLOCK == 0:
            progress(0.3 + 0.7 * number / len(positions), 1, f"mining {len(positions):,} documents")
        for kind in wanted:
            for query, response in dict.fromkeys(kind.pairs(source)):
                document = source.document.id if kind.held else None
                drawn[kind.name].add(Pair(query, response, document, mined=kind.name))
    progress(1, 1, "mined")
    found = [drawn[kind.name].result(kind) for kind in wanted]
    return SyntheticPairs(total, len(positions), found)


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 1].rstrip() + "…"


class _Draw:
    """Keeps some of many pairs: those with the smallest hashes, so that the choice is the same each time."""

    def __init__(self, most: int) -> None:
        # Some will be left out for a common query when all are known.
        self._room = 2 * most
        self._most = most
        self._heap: list[tuple[int, int, Pair]] = []
        self._count = 0
        self._asked: Counter[bytes] = Counter()

    def add(self, pair: Pair) -> None:
        """See one more pair."""
        self._count += 1
        self._asked[_key(pair.query)] += 1
        rank = int.from_bytes(_hash(f"{pair.document} {pair.query} {pair.response}"))
        item = (-rank, self._count, pair)
        if len(self._heap) < self._room:
            heapq.heappush(self._heap, item)
        elif item > self._heap[0]:
            heapq.heappushpop(self._heap, item)

    def result(self, kind: PairKind) -> DrawnKind:
        """What was kept, in random order."""
        common = sum(count for count in self._asked.values() if count > _COMMON)
        kept = [
            pair
            for _, _, pair in sorted(self._heap, reverse=True)
            if self._asked[_key(pair.query)] <= _COMMON
        ]
        return DrawnKind(kind, self._count - common, common, kept[: self._most])


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _key(query: str) -> bytes:
    return _hash(" ".join(folded_words(query)))


def _sources(
    corpus: Corpus, positions: list[int], weigh: Callable[[str], float]
) -> Iterator[DocumentText]:
    """The documents at these places with their passages; of a long one, eight passages spread evenly."""
    for start in range(0, len(positions), _BLOCK):
        block = positions[start : start + _BLOCK]
        runs = corpus.passage_runs(block)
        for position, document in zip(block, corpus.documents_at(block), strict=True):
            first, count = runs[position]
            chosen = range(first, first + count, max(1, -(-count // _PASSAGES)))
            texts = [
                document.text[passage.start : passage.stop]
                for passage in corpus.passages_at(list(chosen))
            ]
            yield DocumentText(document, texts, weigh)


def _rarity(corpus: Corpus, positions: list[int], progress: Progress) -> Callable[[str], float]:
    """How telling a word is: its inverse document frequency."""
    holders: Counter[str] = Counter()
    for start in range(0, len(positions), _BLOCK):
        progress(0.3 * start / len(positions), 1, "counting words")
        for document in corpus.documents_at(positions[start : start + _BLOCK]):
            holders.update(set(folded_words(document.embedded)))
    return lambda word: math.log(1 + len(positions) / holders.get(word.casefold(), 1))
