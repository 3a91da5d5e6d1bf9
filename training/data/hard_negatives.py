"""Hard negatives: wrong answers that look right, for each pair, out of the corpus.

Candidates come from the start itself and from keyword search, the nearest of each in turn. Many of the nearest are right
answers that nobody noted; so a candidate counts as wrong only if it scores clearly less than the right answer (a share of
its score; Moreira et al. 2024, "NV-Retriever: Improving text embedding models with effective hard-negative mining"), and
never if it is, or nearly equals, what any pair with the same query gives as the answer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.projects.progress import Progress, silent
from search.projects.settings import LIMITS
from search.retrieval.bm25.index import TermIndex
from search.text.near_duplicates import NearDuplicates

_DEPTH = 100  # So many of each side are looked at for a pair,
_DRAWS = 50  # and so many others, drawn at random, where they are not enough.
_REPORTED = 64


@dataclass(frozen=True)
class HardNegatives:
    """Pairs with their negatives, the given ones first, and how they came about.

    :param positions: the passages of the corpus that were taken, a list for each pair.
    :param count: how many were found.
    :param too_near: how many candidates scored too close to the right answer.
    :param drawn: how many were drawn at random, because too few were found.
    """

    pairs: list[Pair]
    positions: list[list[int]]
    count: int
    too_near: int
    drawn: int

    @property
    def figures(self) -> dict[str, int]:
        """For a manifest."""
        return {"found": self.count, "too_near": self.too_near, "drawn": self.drawn}

    @property
    def sentence(self) -> str:
        """In words."""
        return (
            f"{self.count:,} hard negatives were found in the corpus; {self.too_near:,} more scored too close to the "
            "right answer to be called wrong."
        )


@dataclass(frozen=True)
class NegativeSources:
    """Where negatives come from.

    `queries` and `answers` have one row a pair, `documents` one row a passage of the corpus; all rows have length 1.
    """

    queries: Vectors
    answers: Vectors
    documents: Vectors
    corpus: Corpus
    words: TermIndex


def mine_hard_negatives(
    pairs: Sequence[Pair],
    sources: NegativeSources,
    count: int,
    margin: float,
    seed: int,
    progress: Progress = silent,
) -> HardNegatives:
    """Give each pair negatives until it has `count`.

    :param margin: a negative scores at most this share of what the right answer scores.
    """
    right = _RightAnswers(pairs, sources.corpus)
    made: list[Pair] = []
    positions: list[list[int]] = []
    found = too_near = drawn = 0
    for number, pair in enumerate(pairs):
        if number % _REPORTED == 0:
            progress(number, len(pairs), f"looking for hard negatives of {len(pairs):,} pairs")
        scores = sources.documents @ sources.queries[number]
        own = float(sources.answers[number] @ sources.queries[number])
        bound = own - (1 - margin) * abs(own)
        chosen: dict[str, int] = {}
        missing = count - len(pair.negatives)
        for position in _candidates(scores, sources.words, pair.query):
            if len(chosen) >= missing:
                break
            if right.belongs(number, position):
                continue
            if scores[position] > bound:
                too_near += 1
            elif (text := right.wrong_text(number, position)) is not None:
                chosen.setdefault(text, position)
        found += len(chosen)
        random = np.random.default_rng([seed, number])
        for position in random.integers(len(scores), size=_DRAWS).tolist():
            if len(chosen) >= missing:
                break
            if scores[position] > bound or right.belongs(number, position):
                continue
            text = right.wrong_text(number, position)
            if text is not None and text not in chosen:
                chosen[text] = position
                drawn += 1
        made.append(replace(pair, negatives=(*pair.negatives, *chosen)))
        positions.append(list(chosen.values()))
    progress(1, 1, f"{found:,} hard negatives found")
    return HardNegatives(made, positions, found, too_near, drawn)


def _candidates(scores: NDArray[np.float32], words: TermIndex, query: str) -> Iterator[int]:
    """Passages by vectors and by words, the nearest of each in turn, each once."""
    by_words = words.score(words.weights(words.analysis.terms(query), LIMITS.query_terms))
    worded = [position for position in _nearest(by_words) if by_words[position] > 0]
    mixed = chain.from_iterable(zip_longest(_nearest(scores), worded))
    yield from dict.fromkeys(position for position in mixed if position is not None)


def _nearest(scores: NDArray[np.float32]) -> list[int]:
    depth = min(_DEPTH, len(scores))
    positions = np.argpartition(-scores, depth - 1)[:depth]
    order: list[int] = positions[np.lexsort((positions, -scores[positions]))].tolist()
    return order


class _RightAnswers:
    """What answers a query, by any pair that asks the same or nearly the same."""

    def __init__(self, pairs: Sequence[Pair], corpus: Corpus) -> None:
        self._corpus = corpus
        queries = list(dict.fromkeys(pair.query for pair in pairs))
        answers = list(dict.fromkeys(pair.response for pair in pairs))
        numbers = {text: number for number, text in enumerate(answers)}
        positions = {identity: position for position, identity in enumerate(corpus.ids())}
        texts: dict[str, set[int]] = {}
        documents: dict[str, set[int]] = {}
        for pair in pairs:
            texts.setdefault(pair.query, set()).add(numbers[pair.response])
            if (position := positions.get(pair.document or "", -1)) >= 0:
                documents.setdefault(pair.query, set()).add(position)
        like = NearDuplicates(queries)
        asked = {query: [query, *(queries[n] for n in like.of(query))] for query in queries}

        def joined(of: dict[str, set[int]]) -> list[set[int]]:
            return [set(chain(*(of.get(q, ()) for q in asked[pair.query]))) for pair in pairs]

        self._texts, self._documents = joined(texts), joined(documents)
        self._known: Callable[[str], list[int]] = NearDuplicates(answers).of
        self._numbers = numbers
        self._seen: dict[int, tuple[str, set[int]]] = {}

    def belongs(self, pair: int, position: int) -> bool:
        """Whether a passage belongs to a document that answers the query of a pair."""
        return int(self._corpus.owners[position]) in self._documents[pair]

    def wrong_text(self, pair: int, position: int) -> str | None:
        """The text of a passage; None where it equals or nearly equals an answer to the query of a pair."""
        if position not in self._seen:
            (text,) = self._corpus.embedded_at([position])
            known = set(self._known(text))
            known |= {self._numbers[text]} if text in self._numbers else set()
            self._seen[position] = text, known
        text, known = self._seen[position]
        return text if known.isdisjoint(self._texts[pair]) else None
