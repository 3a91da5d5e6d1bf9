"""The pairs report: how good pairs are to train on, before anything is trained."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from search.corpus.labels import Pair
from search.corpus.report.lengths import Lengths, Unread, lengths, unread
from search.text.languages import Language, languages
from search.text.words import folded_words
from training.data.false_negatives import FalseNegatives, Kinship, false_negatives
from training.data.pair_faults import (
    Answers,
    Said,
    answers,
    contradictory,
    copied,
    near_queries,
    repeated,
)
from training.data.pairs_advice import advice
from training.fine_tune.settings import FineTune

_EXAMPLES = 10
_EXCERPT = 200
# Enough to know a share to two percent.
_LANGUAGE_TEXTS = 2_000


@dataclass(frozen=True)
class Example:
    """A query beside the text it is an example with: a response, or another query. Long texts are cut."""

    query: str
    other: str


@dataclass(frozen=True)
class PairsPortrait:
    """What is known of pairs; texts with the same words (case and punctuation aside) are the same.

    `duplicates` repeat an earlier pair. `near_queries` counts different queries that nearly equal another.
    `copied` counts pairs whose query stands, nine tenths of it or more, in its response; `contradictory`
    those whose response is given as a negative for the same query; `with_negatives` those that bring
    negatives. `documents` is the size of the corpus, None where there is none; `answered_documents` how many
    documents the pairs name. Lengths are words of the distinct queries and responses; languages are told of
    2,000 of each at most, drawn evenly.
    """

    pairs: int
    distinct_queries: int
    distinct_responses: int
    duplicates: int
    near_queries: int
    near_query_examples: tuple[Example, ...]
    copied: int
    copied_examples: tuple[Example, ...]
    contradictory: int
    contradictory_examples: tuple[Example, ...]
    with_negatives: int
    answers: Answers
    documents: int | None
    answered_documents: int
    false_negatives: FalseNegatives
    query_lengths: Lengths
    response_lengths: Lengths
    unread: Unread
    query_languages: tuple[Language, ...]
    response_languages: tuple[Language, ...]

    @property
    def advice(self) -> tuple[str, ...]:
        """What to fix first, in plain sentences, the most important first."""
        return advice(self)

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types, with the advice."""
        plain: dict[str, Any] = json.loads(json.dumps({**asdict(self), "advice": self.advice}))
        return plain


def portray_pairs(
    pairs: Sequence[Pair], documents: int | None, batch_size: int = FineTune().batch_size
) -> PairsPortrait:
    """Look at pairs, all of them: 10,000 with responses of 200 words take about ten seconds.

    :param pairs: the pairs.
    :param documents: how many documents the corpus has; None where there is none.
    :param batch_size: how many pairs a training step learns from.
    """
    said = Said()
    queries = list({said[pair.query]: pair.query for pair in pairs}.values())
    responses = list({said[p.response]: p.response for p in pairs if p.response}.values())
    near = near_queries(pairs, said)
    in_response = copied(pairs, said)
    contradicted = contradictory(pairs, said)
    shared = answers(pairs, said)
    return PairsPortrait(
        pairs=len(pairs),
        distinct_queries=len(queries),
        distinct_responses=len(responses),
        duplicates=repeated(pairs, said),
        near_queries=len(near),
        near_query_examples=_examples(near),
        copied=len(in_response),
        copied_examples=_examples((pair.query, pair.response) for pair in in_response),
        contradictory=len(contradicted),
        contradictory_examples=_examples((pair.query, pair.response) for pair in contradicted),
        with_negatives=sum(bool(pair.negatives) for pair in pairs),
        answers=replace(shared, largest=_excerpt(shared.largest)),
        documents=documents,
        answered_documents=len({pair.document for pair in pairs} - {None}),
        false_negatives=false_negatives(Kinship.of(pairs), batch_size),
        query_lengths=lengths([len(folded_words(query)) for query in queries]),
        response_lengths=lengths([len(folded_words(response)) for response in responses]),
        unread=unread(responses),
        query_languages=languages(_evenly(queries)),
        response_languages=languages(_evenly(responses)),
    )


def _examples(texts: Iterable[tuple[str, str]]) -> tuple[Example, ...]:
    return tuple(Example(_excerpt(a), _excerpt(b)) for a, b in islice(texts, _EXAMPLES))


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1].rstrip() + "…"


def _evenly(texts: Sequence[str]) -> Sequence[str]:
    return texts[:: max(1, -(-len(texts) // _LANGUAGE_TEXTS))]
