"""Which words and sentences of a passage drew a query: each is left out in turn, and the fall in score is its pull.

Leave-one-out, or occlusion (Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks",
section 4.2; for text Li, Monroe and Jurafsky 2016, "Understanding Neural Networks through Representation
Erasure"). It asks nothing of a model but scores, so it serves transformers, adapters, word vectors, rerankers
and models behind an API alike. The pull of a part is

    score(query, passage) - score(query, passage without the part)

Positive: the part drew the query; negative: it held it off. Pulls do not add up to the score: two words that
say the same cover for each other. The same is done to the words of the query.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors, normalised
from search.insight.spans import (
    Span,
    grouped,
    plain_words,
    sentence_spans,
    within,
    without,
    word_spans,
)
from search.models.encoder import Encoder
from search.projects.settings import LIMITS
from search.retrieval.bm25.capitals import STOP_WORDS
from search.retrieval.bm25.index import TermIndex
from search.retrieval.bm25.tokenizer import Analysis
from search.text.words import WORD, folded_words, without_formats

Method = Literal["left out", "terms"]
Scores = NDArray[np.float64]

MOST_VARIANTS = 40
"""How many variants of a passage are scored at most."""
_MOST_SENTENCES = 16
MOST_QUERY_WORDS = 24
_SHORT = 3


@dataclass(frozen=True)
class Part:
    """A word, phrase or sentence, from character `start` up to `stop`, and how strongly it drew the query."""

    start: int
    stop: int
    text: str
    pull: float


@dataclass(frozen=True)
class Attribution:
    """Why one model scored a passage as it did.

    `passage` is what the model sees: the parts' places are places in it. `words` may be phrases where a passage is
    long. `scored` is how many texts the model was asked to score. By "terms", pulls are exact parts of the score
    and add up to it; by "left out" they are not.
    """

    method: Method
    query: str
    passage: str
    score: float
    words: tuple[Part, ...]
    sentences: tuple[Part, ...]
    query_words: tuple[Part, ...]
    scored: int = 0
    phrases: bool = False


class Scorer:
    """How an encoder scores texts against each other, by their cosines; counts what it was asked.

    A text without known words has a zero vector, and scores 0.
    """

    def __init__(self, encoder: Encoder) -> None:
        # The query and the passage themselves are asked for several times, and encoded once.
        self._as_query = _Once(encoder.encode_query)
        self._as_document = _Once(encoder.encode_document)
        self.asked = 0

    def passages(self, query: str, texts: Sequence[str]) -> Scores:
        """Scores of passages for a query, shape (n,)."""
        self.asked += len(texts)
        return _cosines(self._as_document(texts), self._as_query([query]))

    def queries(self, texts: Sequence[str], passage: str) -> Scores:
        """Scores of queries for a passage, shape (n,)."""
        self.asked += len(texts)
        return _cosines(self._as_query(texts), self._as_document([passage]))


class _Once:
    """One side of an encoder that encodes a text once."""

    def __init__(self, encode: Callable[[list[str]], Vectors]) -> None:
        self._encode = encode
        self._known: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            rows = np.asarray(self._encode(fresh), dtype=np.float32)
            self._known.update(zip(fresh, rows, strict=True))
        return np.stack([self._known[text] for text in texts])


def left_out(
    scorer: Scorer,
    query: str,
    passage: str,
    most: int = MOST_VARIANTS,
    asked: int = MOST_QUERY_WORDS,
) -> Attribution:
    """Explain a score by leaving out parts of the passage, then of the query.

    Sentences come first. The words of those that pull most are then left out one by one, as far as `most` allows;
    the others in phrases.

    :param passage: what the model sees of it.
    :param most: how many variants of the passage may be scored, besides the passage itself; at least 4.
    :param asked: how many variants of the query may be scored.
    """
    sentences = grouped(sentence_spans(passage), min(_MOST_SENTENCES, most // 2))
    words = word_spans(passage)
    several = len(sentences) > 1
    first = [passage, *(without(passage, span) for span in sentences if several)]
    scores = scorer.passages(query, first)
    score = float(scores[0])
    # The only sentence of a passage is all of it: without it nothing is left to score.
    pulls = score - scores[1:] if several else np.full(len(sentences), score)
    units = _units(words, sentences, pulls, most - len(first) + 1)
    drops = dict(zip(sentences, pulls.tolist(), strict=True))
    fresh = [unit for unit in units if unit not in drops]
    if fresh:
        fallen = score - scorer.passages(query, [without(passage, unit) for unit in fresh])
        drops.update(zip(fresh, fallen.tolist(), strict=True))
    pieces = grouped(word_spans(query), asked)
    kept = [without(query, piece) for piece in pieces]
    falls = (
        score - scorer.queries(kept, passage) if len(pieces) > 1 else np.full(len(pieces), score)
    )
    return Attribution(
        "left out",
        query,
        passage,
        score,
        _parts(passage, units, [drops[unit] for unit in units]),
        _parts(passage, sentences, pulls),
        _parts(query, pieces, falls),
        scorer.asked,
        phrases=len(units) < len(words),
    )


def by_terms(
    query: str,
    passage: str,
    contributions: Sequence[tuple[str, float]],
    same: Callable[[str], Sequence[bool]],
) -> Attribution:
    """Explain a keyword score: it is a sum over the words of the query, so its parts are exact.

    A term's part is shared evenly among the places where it stands in the passage.

    :param contributions: each word of the query with its part of the score; 0 where the passage lacks it.
    :param same: tells of a word of the query which words of the passage (in order) it matches.
    """
    spans = plain_words(passage)
    pulls = np.zeros(len(spans))
    for word, part in contributions:
        places = np.flatnonzero(np.asarray(same(word), dtype=bool))
        if len(places):
            pulls[places] += part / len(places)
    sentences = sentence_spans(passage)
    sums = [
        float(
            sum(pull for span, pull in zip(spans, pulls, strict=True) if within([span], sentence))
        )
        for sentence in sentences
    ]
    parts = {word.casefold(): part for word, part in contributions}
    asked = plain_words(query)
    folded = [without_formats(query[span.start : span.stop]).casefold() for span in asked]
    shares = [parts.get(word, 0.0) / folded.count(word) for word in folded]
    return Attribution(
        "terms",
        query,
        passage,
        float(sum(part for _, part in contributions)),
        _parts(passage, spans, pulls),
        _parts(passage, sentences, sums),
        _parts(query, asked, shares),
    )


def term_contributions(
    index: TermIndex, query: str, passages: Sequence[int]
) -> tuple[int, list[tuple[str, float]]]:
    """The best of some passages by BM25, and what each word of the query adds to its score.

    BM25 is a sum over the words of the query (Robertson and Zaragoza 2009, "The Probabilistic Relevance
    Framework", section 3), so the parts are exact.

    :param passages: positions of passages, at least one.
    :returns: the position of the passage, and each different word of the query with its part, in order.
    """
    terms = index.analysis.terms(query)
    wanted = index.weights(terms, LIMITS.query_terms)
    scores = index.parts(wanted, passages)
    best = max(range(len(passages)), key=lambda place: (scores[place], -passages[place]))
    letters = _capitals(index.analysis, query)
    parts = []
    for word, count in Counter(folded_words(query)).items():
        own = [*index.analysis.terms_of(word)] * count + letters.get(word, [])
        mine = index.weights(own, LIMITS.query_terms)
        mine = {number: weight for number, weight in mine.items() if number in wanted}
        parts.append((word, float(index.parts(mine, [passages[best]])[0])))
    return passages[best], parts


def matcher(analysis: Analysis, query: str, passage: str) -> Callable[[str], list[bool]]:
    """Tells which words of a passage (in order) a word of a query matches: those that share a term with it."""
    spans = list(WORD.finditer(passage))
    terms = [
        {t for w in folded_words(span.group()) for t in analysis.indexed_terms_of(w)}
        for span in spans
    ]
    numbers = {span.start(): number for number, span in enumerate(spans)}
    for start, _, letters in analysis.capitals(passage):
        if start in numbers:
            terms[numbers[start]].update(letters)
    asked = set(analysis.terms(query))
    mine = _capitals(analysis, query)

    def matches(word: str) -> list[bool]:
        folded = folded_words(word)
        wanted = {t for w in folded for t in (*analysis.terms_of(w), *mine.get(w, ()))} & asked
        return [not wanted.isdisjoint(found) for found in terms]

    return matches


def _capitals(analysis: Analysis, query: str) -> dict[str, list[str]]:
    """What words of a query count as besides themselves, because they are written in capitals."""
    found: dict[str, list[str]] = {}
    for start, stop, terms in analysis.capitals(query, asked=True):
        found.setdefault(query[start:stop].casefold(), []).extend(terms)
    return found


def strongest(parts: Sequence[Part], count: int = 5) -> list[Part]:
    """The parts that drew the query most, first the strongest; none that held it off."""
    drawing = [part for part in parts if part.pull > 0]
    return sorted(drawing, key=lambda part: (-part.pull, part.start))[:count]


def telling(parts: Sequence[Part], count: int = 4) -> list[Part]:
    """The words and short phrases that drew the query most, first the strongest; no function words, no sentences."""
    short = [
        part
        for part in parts
        if len(words := folded_words(part.text)) <= _SHORT
        and any(len(word) > 1 and word not in STOP_WORDS for word in words)
    ]
    return strongest(short, count)


def relative(parts: Sequence[Part]) -> list[Part]:
    """The parts with pulls from -1 to 1, for shading: the strongest, either way, has 1 or -1.

    A phrase counts by the mean of its words, or long parts would look strong because they are long.
    """
    densities = [part.pull / max(len(word_spans(part.text)), 1) for part in parts]
    largest = max((abs(density) for density in densities), default=0.0)
    return [
        replace(part, pull=density / largest if largest else 0.0)
        for part, density in zip(parts, densities, strict=True)
    ]


def _units(
    words: Sequence[Span], sentences: Sequence[Span], pulls: Scores, most: int
) -> list[Span]:
    """Single words where sentences pull most, then phrases, then whole sentences: at most `most` new parts."""
    if len(words) <= most:
        return list(words)
    left = most
    units: list[Span] = []
    for place in np.argsort(-np.abs(pulls), kind="stable").tolist():
        part = within(words, sentences[place])
        count = min(len(part), left)
        if count > 1:
            units += grouped(part, count)
            left -= count
        else:
            units.append(sentences[place])
    return sorted(units)


def _parts(text: str, spans: Sequence[Span], pulls: "Sequence[float] | Scores") -> tuple[Part, ...]:
    return tuple(
        Part(span.start, span.stop, text[span.start : span.stop], float(pull))
        for span, pull in zip(spans, pulls, strict=True)
    )


def _cosines(texts: Vectors, other: Vectors) -> Scores:
    products: Scores = (normalised(texts) @ normalised(other)[0]).astype(np.float64)
    return products
