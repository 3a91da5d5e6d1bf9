"""No query, document or near-duplicate may cross from training into test: the guard, from both sides."""

from collections.abc import Sequence
from dataclasses import dataclass

from search.corpus import Corpus
from search.duplicates import NearDuplicates
from search.query_sets import QuerySet
from search.readers.pairs import Pair


@dataclass(frozen=True)
class Guarded:
    """Pairs that may be trained on, and how many were left out and why."""

    pairs: list[Pair]
    same_query: int
    same_document: int

    @property
    def note(self) -> str | None:
        """In words what was left out; None when nothing was."""
        if not self.same_query and not self.same_document:
            return None
        total = self.same_query + self.same_document
        return (
            f"{total:,} {'pair' if total == 1 else 'pairs'} left out of training, so that nothing leaks "
            f"into the test: {self.same_query:,} for a shared query, {self.same_document:,} for a shared "
            "answer (near-duplicates included)"
        )


def keep_apart(pairs: Sequence[Pair], tests: Sequence[QuerySet], corpus: Corpus) -> Guarded:
    """The pairs that share no query and no relevant document with the query sets.

    :param pairs: candidates for training.
    :param tests: query sets (test, dev) that must stay unseen.
    :param corpus: where the judged documents are.
    """
    queries, documents = _judged(tests, corpus)
    known_queries = NearDuplicates(queries)
    known_documents = NearDuplicates([text for _, text in documents])
    judged_ids = {identity for identity, _ in documents}
    kept: list[Pair] = []
    same_query = same_document = 0
    seen: dict[str, bool] = {}
    for pair in pairs:
        if known_queries.of(pair.query):
            same_query += 1
            continue
        if pair.response not in seen:
            seen[pair.response] = bool(known_documents.of(pair.response))
        if pair.document in judged_ids or seen[pair.response]:
            same_document += 1
            continue
        kept.append(pair)
    return Guarded(kept, same_query, same_document)


def seen_in_training(trained: Sequence[Pair], test: QuerySet, corpus: Corpus) -> set[str]:
    """The ids of test queries that a model may have seen: by their text, or by a relevant document."""
    trained_queries = NearDuplicates([pair.query for pair in trained])
    trained_texts = NearDuplicates(list(dict.fromkeys(pair.response for pair in trained)))
    trained_ids = {pair.document for pair in trained if pair.document is not None}
    seen = {query for query, text in test.queries.items() if trained_queries.of(text)}
    positions = {identity: position for position, identity in enumerate(corpus.ids())}
    leaked: dict[str, bool] = {}
    for query in test.queries:
        for identity in test.relevant(query):
            if identity not in leaked:
                leaked[identity] = identity in trained_ids
                if not leaked[identity] and identity in positions:
                    document = corpus.documents_at([positions[identity]])[0]
                    leaked[identity] = bool(
                        trained_texts.of(document.text) or trained_texts.of(document.embedded)
                    )
            if leaked[identity]:
                seen.add(query)
    return seen


def _judged(tests: Sequence[QuerySet], corpus: Corpus) -> tuple[list[str], list[tuple[str, str]]]:
    """The test queries, and each judged document as (id, text) and (id, title + text)."""
    queries = [text for test in tests for text in test.queries.values()]
    wanted = {d for test in tests for query in test.queries for d in test.relevant(query)}
    positions = [place for place, identity in enumerate(corpus.ids()) if identity in wanted]
    documents: list[tuple[str, str]] = []
    for document in corpus.documents_at(positions):
        documents.append((document.id, document.text))
        if document.title:
            documents.append((document.id, document.embedded))
    return queries, documents
