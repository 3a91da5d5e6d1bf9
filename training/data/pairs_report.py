"""The pairs report: how good pairs are to train on, before anything is trained."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from typing import Any

from search.corpus.labels import Pair
from search.corpus.report.corpus_report import Weighed, percent, weightiest
from search.corpus.report.lengths import Lengths, Unread, lengths, unread
from search.corpus.tokenizer import ModelTokenizer
from search.text.languages import UNKNOWN, Language, language_name, languages, main_language
from search.text.words import folded_words, shortened
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
from training.settings import BATCH_SIZE

_EXAMPLES = 10
_EXCERPT = 200
# Enough to know a share to two percent.
_LANGUAGE_TEXTS = 2_000

# Thresholds of the advice, each with its reason.
# A tenth is held out to steer by and a fifth to prove with: of a hundred, seventy teach and twenty prove.
_FAR_TOO_FEW, _TOO_FEW = 100, 300
# Below, fine-tuning scored higher than an adapter on the sets of docs/benchmarks.md; above, both have enough.
_FEW = 1_000
# One pair in twenty is noticed by whoever reads a page of them; one in five shapes what is learned.
_SOME, _MANY = 0.05, 0.2
# A wrong lesson in one step of ten.
_STEPS = 0.1
# One answer for a tenth of all queries is what a model then finds for everything.
_ONE_ANSWER, _MOST = 0.1, 0.5
# Searches of one or two words say a topic, not a question.
_SHORT_QUERY = 3
_LITTLE_OF_CORPUS = 0.1


@dataclass(frozen=True)
class Example:
    """A query beside the text it is an example with: a response, or another query. Long texts are cut."""

    query: str
    other: str


@dataclass(frozen=True)
class PairsReport:
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
        """What to fix first, in plain sentences, the weightiest first; one that says so where all is well."""
        if not self.pairs:
            return ("There are no pairs.",)
        parts = (_number, _wrong, _batches, _sharing, _texts)
        return weightiest(chain.from_iterable(part(self) for part in parts)) or (
            f"Nothing needs to be fixed first in these {self.pairs:,} pairs.",
        )

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types, with the advice."""
        plain: dict[str, Any] = json.loads(json.dumps({**asdict(self), "advice": self.advice}))
        return plain


def build_pairs_report(
    pairs: Sequence[Pair],
    documents: int | None,
    batch_size: int = BATCH_SIZE,
    reader: ModelTokenizer | None = None,
) -> PairsReport:
    """Look at pairs, all of them: 10,000 with responses of 200 words take about ten seconds.

    :param pairs: the pairs.
    :param documents: how many documents the corpus has; None where there is none.
    :param batch_size: how many pairs a training step learns from.
    :param reader: how the generic model reads; None for the one that comes with Bespoke.
    """
    said = Said()
    queries = list({said[pair.query]: pair.query for pair in pairs}.values())
    responses = list({said[p.response]: p.response for p in pairs if p.response}.values())
    near = near_queries(pairs, said)
    in_response = copied(pairs, said)
    contradicted = contradictory(pairs, said)
    shared = answers(pairs, said)
    return PairsReport(
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
        answers=replace(shared, largest=shortened(shared.largest, _EXCERPT)),
        documents=documents,
        answered_documents=len({pair.document for pair in pairs} - {None}),
        false_negatives=false_negatives(Kinship.of(pairs), batch_size),
        query_lengths=lengths([len(folded_words(query)) for query in queries]),
        response_lengths=lengths([len(folded_words(response)) for response in responses]),
        unread=unread(responses, reader),
        query_languages=languages(_evenly(queries)),
        response_languages=languages(_evenly(responses)),
    )


def _examples(texts: Iterable[tuple[str, str]]) -> tuple[Example, ...]:
    return tuple(
        Example(shortened(a, _EXCERPT), shortened(b, _EXCERPT)) for a, b in islice(texts, _EXAMPLES)
    )


def _evenly(texts: Sequence[str]) -> Sequence[str]:
    return texts[:: max(1, -(-len(texts) // _LANGUAGE_TEXTS))]


# The weight of a sentence: 90 nothing good can be learned, 70 much is lost, 40 some is, 10 to know.


def _number(report: PairsReport) -> Weighed:
    different = report.pairs - report.duplicates
    if different < _FAR_TOO_FEW:
        yield (
            95,
            f"Only {different:,} different pairs: too few to learn much from or to prove anything with. "
            f"Collect {_TOO_FEW} or more.",
        )
    elif different < _TOO_FEW:
        yield (
            70,
            f"{different:,} different pairs are few: a custom model can gain a little. A thousand would "
            "be good.",
        )
    elif different < _FEW:
        yield (
            35,
            f"{different:,} different pairs are enough to begin with; with a thousand or more, every "
            "recipe has what it needs.",
        )
    if report.duplicates:
        share = report.duplicates / report.pairs
        yield (
            50 if share >= _SOME else 20,
            f"Pairs that repeat an earlier one: {report.duplicates:,} ({percent(share)}). They teach "
            "nothing new; remove them.",
        )


def _wrong(report: PairsReport) -> Weighed:
    if report.contradictory:
        example = report.contradictory_examples[0].query
        yield (
            90,
            f"Pairs that contradict themselves or another: {report.contradictory:,}. The response is "
            f"also given as a negative for the same query (“{example}”, for example). Decide for one.",
        )
    share = report.copied / report.pairs
    if share >= _SOME:
        yield (
            85 if share >= _MANY else 45,
            f"{percent(share)} of the queries stand nearly word for word in their response "
            f"(“{report.copied_examples[0].query}”, for example). They teach a model to compare words, "
            "which keyword search does already; put them as people would ask.",
        )


def _batches(report: PairsReport) -> Weighed:
    found = report.false_negatives
    if found.guarded >= _STEPS:
        yield (
            80 if found.guarded >= 0.5 else 60,
            f"In {percent(found.guarded)} of the batches of {found.batch_size}, a right answer would be "
            "taught as a wrong one, because nearly equal texts, or texts of one document, stand in several "
            "pairs. Bespoke keeps equal texts apart, not nearly equal ones: keep one of each.",
        )
    elif found.share >= _STEPS:
        yield (
            25,
            f"In {percent(found.share)} of shuffled batches of {found.batch_size}, two pairs have the "
            "same query or the same answer, and a right answer would be taught as a wrong one. Fine-tune "
            f"here keeps equal texts apart ({percent(found.guarded)} remain); other trainers may not.",
        )


def _sharing(report: PairsReport) -> Weighed:
    shared = report.answers
    if shared.largest_share >= _ONE_ANSWER and shared.largest_queries > 1:
        yield (
            92 if shared.largest_share >= _MOST else 75,
            f"One answer serves {shared.largest_queries:,} queries ({percent(shared.largest_share)} of "
            f"all): “{shared.largest}”. A model learns to find it for everything; give these queries "
            "answers of their own, or leave most of them out.",
        )
    if report.near_queries >= _SOME * report.distinct_queries:
        example = report.near_query_examples[0]
        yield (
            30,
            f"Nearly equal queries: {report.near_queries:,} of {report.distinct_queries:,} "
            f"(“{example.query}” and “{example.other}”, for example). They count as one when pairs are "
            "parted into training and test.",
        )
    known, answered = report.documents, report.answered_documents
    if known and answered and answered < _LITTLE_OF_CORPUS * known:
        yield (
            28,
            f"The pairs answer from {answered:,} of {known:,} documents ({percent(answered / known)}): "
            "of the others, the model learns nothing directly.",
        )


def _texts(report: PairsReport) -> Weighed:
    if (median := report.query_lengths.median) < _SHORT_QUERY:
        yield (
            48,
            f"Half of the queries have at most {median} word{'s' * (median != 1)}: too short to say "
            "what is asked. Add queries as people would put them.",
        )
    beyond = report.unread.texts / max(1, report.distinct_responses)
    if beyond >= _MANY:
        yield (
            44,
            f"{percent(beyond)} of the responses are longer than the {report.unread.reads} word pieces "
            "that the generic model reads. Where the answer stands further down, cut them to it.",
        )
    asked, said = map(main_language, (report.query_languages, report.response_languages))
    if asked and said and asked != said:
        yield (
            22,
            f"The queries are mostly in {language_name(asked)}, the responses in {language_name(said)}.",
        )
    unknown = sum(item.share for item in report.query_languages if item.code == UNKNOWN)
    if unknown >= 0.5:
        yield (
            12,
            f"The language of {percent(unknown)} of the queries cannot be told: they are too short, or "
            "mix languages.",
        )
