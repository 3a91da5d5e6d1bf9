"""Which questions of a query set have something in common, from questions, judged answers and corpus alone.

Nothing here sees a score: what is looked at is fixed before it is known where a model gains or loses, so the test of a
slice means what it says. (Slices that people name are Goel et al., "Robustness Gym", NAACL 2021; slices that are learned
from errors, as Eyuboglu et al., "Domino", ICLR 2022, would need other questions to be tested on.)
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.corpus.corpus import Corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.slices.signs import has_dose, has_negation, has_number
from search.retrieval.bm25.index import TermIndex
from search.text.languages import UNKNOWN, language_name, language_of_each
from search.text.words import UNSPACED, folded_words, has_letter, shortened

Members = NDArray[np.bool_]

_ANSWERS = 5  # Of a query with many judged answers, so many of the best are looked at.
_VALUES = 10  # The commonest values of each metadata column.
_RARE = 1_000  # A rare word is in at most one of so many passages,
_FEW = 3  # or in at most so many.
_MOST = 200
_NEARLY_ALL = (
    0.9  # What holds more of the questions says what the whole says, and costs the others a test.
)
_METADATA = "metadata:"
_SHOWN = 60
_UNSPACED = re.compile(f"[{UNSPACED}]")


@dataclass(frozen=True)
class Slice:
    """Questions that have something in common.

    `key` is the same in every evaluation, `title` completes "better on ...", `members` says of each query, in the order of
    the evaluation's queries, whether it belongs: shape (queries,). `of_corpus` is True where the title quotes the corpus.

    >>> Slice("negation", "questions with a negation", np.array([True, False, True])).size
    2
    """

    key: str
    title: str
    members: Members
    of_corpus: bool = False

    @property
    def size(self) -> int:
        """How many queries belong to it."""
        return int(self.members.sum())


@dataclass(frozen=True)
class _Asked:
    """What slices are made of: the queries in order, and of each the positions of its best judged answers."""

    queries: Sequence[str]
    texts: Sequence[str]
    answers: Sequence[Sequence[int]]
    corpus: Corpus
    index: TermIndex

    def members(self, documents: set[int]) -> Members:
        """The queries with an answer among some documents."""
        return np.array([not documents.isdisjoint(own) for own in self.answers], dtype=bool)


def slices_of(corpus: Corpus, query_set: QuerySet, index: TermIndex) -> list[Slice]:
    """The slices of a query set, in an order that is always the same; one that equals an earlier one is left out.

    :param query_set: queries with a relevant document in the corpus, as they are measured (sorted by id).
    :param index: the words of the corpus.
    """
    queries = sorted(query_set.queries)
    position_of = {identity: n for n, identity in enumerate(corpus.ids())}
    answers = [
        [position_of[d] for d in _best(query_set.relevant(query)) if d in position_of]
        for query in queries
    ]
    asked = _Asked(queries, [query_set.queries[q] for q in queries], answers, corpus, index)
    made: dict[bytes, Slice] = {}
    for one in _all(asked, query_set):
        if 0 < one.size <= _NEARLY_ALL * len(queries):
            made.setdefault(one.members.tobytes(), one)
    # Of very many values of metadata the largest: of 250 slices none could be named by 9,999 flips.
    others = [one for one in made.values() if not one.key.startswith(_METADATA)]
    metadata = [one for one in made.values() if one.key.startswith(_METADATA)]
    metadata.sort(key=lambda one: (-one.size, one.key))
    return [*others, *metadata][:_MOST]


def _all(asked: _Asked, query_set: QuerySet) -> Iterator[Slice]:
    """Every slice, however small; the user's own first, which lend their name to others of the same queries."""
    yield from _tags(asked, query_set.tags)
    yield from _lengths(asked)
    yield from _words(asked)
    yield from _languages_and_signs(asked)
    yield from _answer_lengths(asked)
    yield from _tiers(asked)
    yield from _metadata(asked)


def _best(relevant: Mapping[str, int]) -> list[str]:
    best = max(relevant.values(), default=0)
    return [document for document, grade in relevant.items() if grade == best][:_ANSWERS]


def _tags(asked: _Asked, tags: Mapping[str, Sequence[str]]) -> Iterator[Slice]:
    for tag in sorted({tag for query in asked.queries for tag in tags.get(query, ())}):
        members = np.array([tag in tags.get(query, ()) for query in asked.queries], dtype=bool)
        yield Slice(f"tag:{tag}", f"questions tagged “{shortened(tag, _SHOWN)}”", members)


def _lengths(asked: _Asked) -> Iterator[Slice]:
    """Thirds by the number of words."""
    lengths = np.array([_length(text) for text in asked.texts])
    for name, members, low, high in _thirds(lengths):
        yield Slice(f"length:{name}", f"questions of {_span(name, low, high, 'word')}", members)


def _length(text: str) -> int:
    """The words of a text; of scripts without spaces two letters count as one."""
    spaced, letters = _UNSPACED.subn(" ", text)
    return len(folded_words(spaced)) + -(-letters // 2)


def _words(asked: _Asked) -> Iterator[Slice]:
    """By the share of a question's words that its answer has, and by words that few passages have, or none."""
    analysis, corpus = asked.index.analysis, asked.corpus
    runs = corpus.passage_runs(sorted({d for own in asked.answers for d in own}))
    shares, rarest, unseen = [], [], []
    for text, own in zip(asked.texts, asked.answers, strict=True):
        terms = list(dict.fromkeys(analysis.terms(text)))
        shared = [
            float(asked.index.holds(terms, range(runs[d][0], sum(runs[d]))).mean()) for d in own
        ]
        shares.append(max(shared, default=0.0) if terms else np.nan)
        in_passages = asked.index.frequencies([term for term in terms if has_letter(term)])
        unseen.append(bool((in_passages == 0).any()))
        known = in_passages[in_passages > 0]
        rarest.append(int(known.min()) if len(known) else asked.index.count)
    share = np.array(shares)
    whose = "questions that share {} of their words with the answer"
    yield Slice("shared:few", whose.format("less than a third"), share < 1 / 3)
    yield Slice(
        "shared:some", whose.format("a third to two thirds"), (share >= 1 / 3) & (share < 2 / 3)
    )
    yield Slice("shared:most", whose.format("two thirds or more"), share >= 2 / 3)
    rare = max(asked.index.count // _RARE, _FEW)
    title = f"questions with a rare word (in at most {rare:,} of {asked.index.count:,} passages)"
    yield Slice("words:rare", title, np.array(rarest) <= rare)
    yield Slice(
        "words:unseen", "questions with a word that no document has", np.array(unseen, dtype=bool)
    )


def _languages_and_signs(asked: _Asked) -> Iterator[Slice]:
    spoken = language_of_each(asked.texts)
    for code in sorted(set(spoken)):
        members = np.array([one == code for one in spoken], dtype=bool)
        title = f"questions in {language_name(code)}"
        if code == UNKNOWN:
            title = "questions whose language cannot be told (short, or mixed)"
        yield Slice(f"language:{code}", title, members)
    denied = [has_negation(text, code) for text, code in zip(asked.texts, spoken, strict=True)]
    yield Slice("negation", "questions with a negation", np.array(denied, dtype=bool))
    numbers = np.array([has_number(text) for text in asked.texts], dtype=bool)
    yield Slice("number", "questions with a number", numbers)
    doses = np.array([has_dose(text) for text in asked.texts], dtype=bool)
    yield Slice("dose", "questions with a dose or a measure", doses)


def _answer_lengths(asked: _Asked) -> Iterator[Slice]:
    """Thirds by the characters of the shortest of the best answers."""
    sizes = asked.corpus.lengths_at(sorted({d for own in asked.answers for d in own}))
    lengths = np.array([min((sizes[d] for d in own), default=0) for own in asked.answers])
    for name, members, low, high in _thirds(lengths):
        title = f"questions whose answer has {_span(name, low, high, 'character')}"
        yield Slice(f"answer length:{name}", title, members)


def _span(name: str, low: int, high: int | None, unit: str) -> str:
    """A third in words: up to 5 words, 6 to 9 words, 10 words and more."""
    if high is None:
        return f"{low:,} {unit}s and more"
    if name == "short":
        return f"up to {high:,} {unit if high == 1 else unit + 's'}"
    return f"{_between(low, high)} {unit}s"


def _tiers(asked: _Asked) -> Iterator[Slice]:
    tiers = asked.corpus.tiers
    if tiers is None:
        return
    tier_of = asked.corpus.tiers_at(sorted({d for own in asked.answers for d in own}))
    best = np.array([min((tier_of[d] for d in own), default=-1) for own in asked.answers])
    for tier in sorted(set(best.tolist()) - {-1}):
        title = f"questions answered by the source tier “{shortened(tiers.name(tier), _SHOWN)}”"
        yield Slice(f"tier:{tier}", title, best == tier, of_corpus=True)


def _metadata(asked: _Asked) -> Iterator[Slice]:
    for column in asked.corpus.columns():
        for value, _ in column.values[:_VALUES]:
            members = asked.members(set(asked.corpus.with_value(column.name, value).tolist()))
            title = f"questions answered by {shortened(column.name, _SHOWN)} “{shortened(value, _SHOWN)}”"
            yield Slice(f"{_METADATA}{column.name}={value}", title, members, of_corpus=True)


def _thirds(values: NDArray[np.int64]) -> Iterator[tuple[str, Members, int, int | None]]:
    """Three parts as even as equal values allow: a name, who is in it, and its lowest and highest value (None: open)."""
    if not len(values):
        return
    low, high = (int(v) for v in np.quantile(values, [1 / 3, 2 / 3], method="inverted_cdf"))
    yield "short", values <= low, int(values.min()), low
    yield "middle", (values > low) & (values <= high), low + 1, high
    yield "long", values > high, high + 1, None


def _between(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
