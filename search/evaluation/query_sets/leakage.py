"""No query, document or near-duplicate may cross from training into test: the guard, from both sides.

Where the question is "new questions" (see `search.evaluation.query_sets.questions`), queries are all that may not cross. Queries are compared
with queries; what a pair teaches as an answer (its response, and the document it points to) with the documents that
are relevant to test queries, whole and in passages. Hard negatives are not
compared: a negative is only pushed away from its own query, so one that answers a test query teaches nothing
about that query. It cannot make the test easier, and negatives mined from the whole corpus do the same. Of pairs
that were mined only the queries are compared: they say nothing but what the document itself says, and the
documents are there for whoever searches them, as they are for word vectors and keyword search.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from search.corpus.corpus import Corpus
from search.corpus.labels import Judgments, Pair
from search.corpus.readers.pairs import load_pairs
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS, Question
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.text.near_duplicates import NearDuplicates
from search.text.words import shortened

PAIRS_FILE = "pairs.jsonl"
DEV_FILE = "dev.json"
ORIGIN = "origin"
MINED = "mined"
"""Pairs whose manifest says `origin: mined` were written by nobody: see `training.synthetic`."""
WRITTEN = "written"
"""In a manifest of pairs: which chat server wrote questions, with which model, of which kinds."""
DEV_KIND, GENERATED_DEV = "dev_kind", "generated_dev"
"""In a manifest of pairs: that (a part of) the dev queries are generated, and the ids of those among people's own."""
_EXAMPLES = 50
_SHOWN_CHARACTERS = 200


class Texts(NamedTuple):
    """What of a document could be an answer: all of it (without and with its title), and its passages.

    >>> Texts(("The rent is due.",)).passages
    ()
    """

    whole: tuple[str, ...]
    passages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guarded:
    """Pairs that may be trained on, and how many were left out and why, by the question that is to be answered.

    >>> Guarded([], same_query=1, same_document=2).note[:32]
    '3 pairs left out of training, so'
    """

    pairs: list[Pair]
    same_query: int
    same_document: int
    question: Question = NEW_DOCUMENTS

    @property
    def note(self) -> str | None:
        """In words what was left out; None when nothing was."""
        if not self.same_query and not self.same_document:
            return None
        total = self.same_query + self.same_document
        answers = f", {self.same_document:,} for a shared answer"
        return (
            f"{total:,} {'pair' if total == 1 else 'pairs'} left out of training, so that nothing leaks "
            f"into the test: {self.same_query:,} for a shared query"
            f"{answers if self.question == NEW_DOCUMENTS else ''} (near-duplicates included)"
        )


@dataclass(frozen=True)
class LeakCheck:
    """What is on both sides of a split, near-duplicates included: counts, and up to fifty examples of each.

    `seen` is how many test queries share anything, `query_examples` are (id of the test query, its text, the training query), `document_examples` (id of a
    document that is relevant to a test query, how many training pairs teach it or a near-duplicate).

    >>> check = LeakCheck(queries=1, query_examples=(("q1", "rent?", "Rent?"),))
    >>> check.is_clean(), check.shared()
    (False, "1 query (for example 'q1')")
    >>> LeakCheck.from_json(check.as_json("pairs-1")) == check
    True
    """

    queries: int = 0
    documents: int = 0
    query_examples: tuple[tuple[str, str, str], ...] = ()
    document_examples: tuple[tuple[str, int], ...] = ()
    seen: int = 0

    def is_clean(self, question: Question = NEW_DOCUMENTS) -> bool:
        """Whether nothing is on both sides that may not be, for an answer to this question."""
        return not self.queries and not (question == NEW_DOCUMENTS and self.documents)

    def shared(self, question: Question = NEW_DOCUMENTS) -> str:
        """In words how much is on both sides that may not be, with an example."""
        parts = []
        if self.queries:
            what = "query" if self.queries == 1 else "queries"
            parts.append(f"{self.queries:,} {what} (for example {self.query_examples[0][0]!r})")
        if self.documents and question == NEW_DOCUMENTS:
            what = "relevant document" if self.documents == 1 else "relevant documents"
            parts.append(
                f"{self.documents:,} {what} (for example {self.document_examples[0][0]!r})"
            )
        return " and ".join(parts) or "nothing"

    def note(self, question: Question = NEW_DOCUMENTS) -> str | None:
        """In plain words what is on both sides that may not be, and what that means; None for a clean split."""
        if self.is_clean(question):
            return None
        return (
            f"this split is not clean: training and test share {self.shared(question)}, near-duplicates included. "
            "Pairs that share them are kept out of training here, so models trained here are measured "
            "fairly; figures of a model that was trained elsewhere on this split would be too good"
        )

    def crossing(self, question: Question, queries: int) -> str | None:
        """In words which test queries tell of new documents, where new questions are asked and documents cross.

        :param queries: how many the test has.
        """
        if question == NEW_DOCUMENTS or not self.documents:
            return None
        rest = queries - self.seen
        said = (
            f"this query set asks new questions: {self.seen:,} of its {queries:,} queries ask for documents that are "
            "answers in training, too"
        )
        if not rest:
            return f"{said}, so it does not tell of new documents"
        return f"{said}; the other {rest:,} {'tells' if rest == 1 else 'tell'} of new documents as well"

    def as_json(self, against: str) -> dict[str, Any]:
        """The check for a manifest.

        :param against: the id of the artifact that holds the other side.
        """
        return {"against": against, **asdict(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "LeakCheck":
        """A check out of a manifest."""
        return TypeAdapter(cls).validate_python(stored)


def keep_apart(
    pairs: Sequence[Pair],
    tests: Sequence[QuerySet],
    corpus: Corpus,
    question: Question = NEW_DOCUMENTS,
) -> Guarded:
    """The pairs that share no query with the query sets and, for an answer about new documents, no relevant document.

    :param pairs: candidates for training.
    :param tests: query sets (test, dev) that must stay unseen.
    :param corpus: where the judged documents are.
    """
    held = _HeldOut(tests, corpus)
    kept: list[Pair] = []
    same_query = same_document = 0
    for pair in pairs:
        if held.queries_like(pair.query):
            same_query += 1
        elif question == NEW_DOCUMENTS and not pair.mined and held.answers_like(pair):
            same_document += 1
        else:
            kept.append(pair)
    return Guarded(kept, same_query, same_document, question)


def seen_in_training(
    trained: Sequence[Pair], test: QuerySet, corpus: Corpus, question: Question = NEW_DOCUMENTS
) -> set[str]:
    """The ids of test queries that a model may have seen: by their text or, where documents may not cross, by a relevant
    document.
    """
    held = _HeldOut([test], corpus)
    if question != NEW_DOCUMENTS:
        return {identity for pair in trained for identity in held.queries_like(pair.query)}
    return _seen(test, *_shared(trained, held))


def check_leaks(trained: Sequence[Pair], test: QuerySet, corpus: Corpus) -> LeakCheck:
    """What a query set has in common with the training side of its split.

    :param trained: all that training sees or is steered by.
    """
    queries, documents = _shared(trained, _HeldOut([test], corpus))
    examples = list(queries.items())[:_EXAMPLES]
    short = partial(shortened, limit=_SHOWN_CHARACTERS)
    return LeakCheck(
        len(queries),
        len(documents),
        tuple((q, short(test.queries[q]), short(pair.query)) for q, pair in examples),
        tuple(documents.most_common(_EXAMPLES)),
        len(_seen(test, queries, documents)),
    )


def _seen(test: QuerySet, queries: Mapping[str, Pair], documents: Counter[str]) -> set[str]:
    """The test queries that are shared, or have a relevant document that is."""
    return {
        q for q in test.queries if q in queries or not documents.keys().isdisjoint(test.relevant(q))
    }


def leaks_of(
    project: Project, manifest: Manifest, test: QuerySet, corpus: Corpus, afresh: bool = False
) -> LeakCheck:
    """The leak check of a query set against the newest pairs of its project.

    It was recorded with the younger of the two; where not (the younger was deleted), it is made now.

    :param afresh: make it now in any case: `test` is another part of the set than was looked at then.
    """
    pairs = project.newest("pairs")
    if pairs is None:
        return LeakCheck()
    for one, other in () if afresh else ((manifest, pairs), (pairs, manifest)):
        stored = one.details.get("leaks")
        if stored and stored["against"] == other.id:
            return LeakCheck.from_json(stored)
    return check_leaks(training_side(project, pairs, corpus), test, corpus)


def training_side(project: Project, manifest: Manifest, corpus: Corpus) -> list[Pair]:
    """What training sees of a set of pairs, and what it is steered by: its pairs, its dev queries as pairs."""
    folder = project.checked(manifest)
    return [*load_pairs(folder / PAIRS_FILE), *dev_pairs(project, manifest, corpus)]


def dev_pairs(project: Project, manifest: Manifest, corpus: Corpus) -> list[Pair]:
    """What training is steered by: the dev queries of a set of pairs, as pairs."""
    dev = json.loads((project.checked(manifest) / DEV_FILE).read_text(encoding="utf-8"))
    queries, details = dev["queries"], manifest.details
    nobodys = set(queries if details.get(ORIGIN) == MINED else details.get(GENERATED_DEV, ()))
    peoples = {query: text for query, text in queries.items() if query not in nobodys}
    made = {query: text for query, text in queries.items() if query in nobodys}
    return [
        *answered(peoples, dev["judgments"], corpus),
        *(replace(p, mined=MINED) for p in answered(made, dev["judgments"], corpus)),
    ]


def answered(queries: Mapping[str, str], judgments: Judgments, corpus: Corpus) -> list[Pair]:
    """Queries as pairs with each relevant document that is in the corpus."""
    relevant = {q: [d for d, g in judgments.get(q, {}).items() if g > 0] for q in queries}
    texts = texts_of(corpus, {d for documents in relevant.values() for d in documents})
    return [
        Pair(queries[q], texts[d].whole[-1], d) for q in queries for d in relevant[q] if d in texts
    ]


def texts_of(corpus: Corpus, documents: set[str]) -> dict[str, Texts]:
    """What of each of these documents could be an answer; those not in the corpus are left out."""
    positions = [
        position for position, identity in enumerate(corpus.ids()) if identity in documents
    ]
    passages = _passages(corpus, positions)
    return {
        document.id: Texts(
            tuple(dict.fromkeys(filter(None, (document.text, document.embedded)))),
            tuple(document.text[start:stop] for start, stop in passages.get(position, ())),
        )
        for position, document in zip(positions, corpus.documents_at(positions), strict=True)
    }


def _passages(corpus: Corpus, positions: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """Where the passages of documents that were cut begin and end, by the document's position."""
    if corpus.passages == len(corpus):
        return {}
    owners = corpus.owners
    wanted = np.flatnonzero(np.isin(owners, positions))
    found: dict[int, list[tuple[int, int]]] = {}
    for owner, passage in zip(owners[wanted], corpus.passages_at(wanted.tolist()), strict=True):
        found.setdefault(int(owner), []).append((passage.start, passage.stop))
    return {position: cuts for position, cuts in found.items() if len(cuts) > 1}


class _Near:
    """The ids under which there is a text that nearly equals a given one, in order."""

    def __init__(self, texts: Sequence[tuple[str, str]]) -> None:
        self._ids = [identity for identity, _ in texts]
        self._texts = NearDuplicates([text for _, text in texts])

    def __call__(self, text: str) -> list[str]:
        return [self._ids[position] for position in self._texts.of(text)]


class _HeldOut:
    """The queries of query sets and their relevant documents, to hold pairs against."""

    def __init__(self, tests: Sequence[QuerySet], corpus: Corpus) -> None:
        self._corpus = corpus
        self._queries = _Near([item for test in tests for item in test.queries.items()])
        self._documents = {d for test in tests for q in test.queries for d in test.relevant(q)}
        self._by_query: dict[str, list[str]] = {}
        self._by_text: dict[str, frozenset[str]] = {}
        self._by_document: dict[str, frozenset[str]] = {}

    @cached_property
    def _judged(self) -> dict[str, Texts]:
        return texts_of(self._corpus, self._documents)

    @cached_property
    def _wholes_like(self) -> "_Near":
        return _Near([(i, text) for i, texts in self._judged.items() for text in texts.whole])

    @cached_property
    def _texts_like(self) -> "_Near":
        return _Near(
            [
                (i, text)
                for i, texts in self._judged.items()
                for text in (*texts.whole, *texts.passages)
            ]
        )

    def queries_like(self, text: str) -> list[str]:
        """The ids of the queries that nearly equal a text."""
        if text not in self._by_query:
            self._by_query[text] = self._queries(text)
        return self._by_query[text]

    def answers_like(self, pair: Pair) -> frozenset[str]:
        """The ids of the relevant documents that a pair teaches, or nearly."""
        found = self._like(pair.response)
        if pair.document is None:
            return found
        if pair.document not in self._by_document:
            self._by_document[pair.document] = self._like_document(pair.document)
        return found | self._by_document[pair.document]

    def _like(self, text: str) -> frozenset[str]:
        if text not in self._by_text:
            self._by_text[text] = frozenset(self._texts_like(text))
        return self._by_text[text]

    def _like_document(self, identity: str) -> frozenset[str]:
        found = frozenset({identity} & self._documents)
        document = self._corpus.document(identity)
        if document is not None:
            for text in {document.text, document.embedded}:
                # Texts of documents are not remembered: together they may be as large as the corpus.
                found = found.union(
                    self._by_text[text] if text in self._by_text else self._texts_like(text)
                )
            # A passage of it may be what a held-out document says; passages with passages are not compared:
            # long documents share a clause without having the same answer.
            passages = self._corpus.passage_texts(identity)
            for text in passages if len(passages) > 1 else ():
                found = found.union(self._wholes_like(text))
        return found


def _shared(pairs: Sequence[Pair], held: _HeldOut) -> tuple[dict[str, Pair], Counter[str]]:
    """The held-out queries that are near a pair's, with such a pair; relevant documents, with how many pairs."""
    queries: dict[str, Pair] = {}
    documents: Counter[str] = Counter()
    for pair in pairs:
        for identity in held.queries_like(pair.query):
            queries.setdefault(identity, pair)
        if not pair.mined:
            documents.update(held.answers_like(pair))
    return queries, documents
