"""Queries that are documents of the corpus: each finds itself first, which says nothing of a search.

In ArguAna and Quora every query is a document, under its own id; BEIR leaves out a hit whose id is the query's (Thakur et
al. 2021, `ignore_identical_ids`), and so do published figures. By the id alone that is wrong where two tables are both
numbered from 1; so an id counts only where the ids of a query set name documents of the same text throughout.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.projects.damage import notice
from search.projects.errors import Damaged
from search.projects.project import Project

_SAME_IDS = 0.9
"""The share of query ids that must name a document of the query's text, for ids to be taken for the same thing."""


@dataclass(frozen=True)
class SelfMatches:
    """The documents that are a query itself and not judged relevant to it, by the query's id.

    `by_id` and `by_text` count the queries for which there are some, by what tells so; one with both counts by its id.
    `ambiguous` are queries whose id names a document of another text, where ids are not taken for the same thing.

    >>> SelfMatches({"q1": frozenset({"q1"})}, by_id=1).notes[0][:45]
    '1 query is a document of the corpus (1 by id)'
    """

    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    by_id: int = 0
    by_text: int = 0
    ambiguous: tuple[str, ...] = ()

    @classmethod
    def of(cls, corpus: Corpus, query_set: QuerySet) -> "SelfMatches":
        """Look for the queries of a whole query set among the documents."""
        known = set(corpus.ids())
        same = corpus.with_text(set(query_set.queries.values()))
        own = {q: same.get(text, frozenset()) for q, text in query_set.queries.items()}
        named = {q for q in own if q in known}
        ids_agree = sum(q in own[q] for q in named) >= _SAME_IDS * max(1, len(own))
        left_out: dict[str, frozenset[str]] = {}
        ambiguous = []
        for query, documents in own.items():
            by_id = {query} if query in named and ids_agree else set()
            if found := (documents | by_id) - query_set.relevant(query).keys():
                left_out[query] = frozenset(found)
            if query in named and not ids_agree and query not in documents:
                ambiguous += [] if query in query_set.relevant(query) else [query]
        by_id_count = sum(ids_agree and query in found for query, found in left_out.items())
        return cls(left_out, by_id_count, len(left_out) - by_id_count, tuple(ambiguous))

    def only(self, queries: Collection[str]) -> "SelfMatches":
        """What concerns some of the queries."""
        kept = {query: found for query, found in self.left_out.items() if query in queries}
        # Where ids count, a query without its own id among what is left out was told by its text.
        by_id = sum(query in found for query, found in kept.items()) if self.by_id else 0
        ambiguous = tuple(query for query in self.ambiguous if query in queries)
        return SelfMatches(kept, by_id, len(kept) - by_id, ambiguous)

    @property
    def notes(self) -> list[str]:
        """In plain words what is left out of the rankings, and what is asked."""
        said = []
        if count := len(self.left_out):
            queries = "query is a document" if count == 1 else "queries are documents"
            ways = [
                f"{number:,} by {way}"
                for number, way in ((self.by_id, "id"), (self.by_text, "exact text"))
                if number
            ]
            said.append(
                f"{count:,} {queries} of the corpus ({' and '.join(ways)}): a query's own document is left out of its "
                "ranking, in every column, where it is not judged relevant to it"
            )
        if self.ambiguous:
            count = len(self.ambiguous)
            said.append(
                f"{count:,} query {'id is' if count == 1 else 'ids are'} also the id of a document with another text "
                f"(for example {self.ambiguous[0]!r}). Is that document the query itself? Nothing says so, so it stays "
                "in the ranking as any other; if it is, give both the same text, and it is left out"
            )
        return said

    def as_json(self) -> dict[str, int]:
        """How many queries have their own document left out, by what told so."""
        return {"own_id": self.by_id, "own_text": self.by_text}


def left_out_note(own: Collection[str]) -> str:
    """What a search says that leaves a query's own documents out."""
    return (
        f"This is a query of the query set and a document itself ({', '.join(sorted(own)[:3])}), which is not judged "
        "relevant to it: it is left out of every column, as it is when measured."
    )


def answers_note(query_set: QuerySet) -> str | None:
    """What to say of a query set in which many queries ask for the same few documents; None for any other.

    A paired test takes queries for independent draws. Those with one answer are not: what lifts that one document lifts
    them all (clustered observations; Miller, "Adding Error Bars to Evals", 2024).
    """
    answers = [frozenset(query_set.relevant(query)) for query in query_set.queries]
    documents = len(frozenset().union(*answers))
    different = min(documents, len(set(answers)))
    if len(answers) < 2 * different or len(answers) < 2:
        return None
    asked = (
        "one and the same document"
        if documents == 1
        else "one and the same set of documents"
        if different == 1
        else f"{documents:,} different documents in all"
        if different == documents
        else f"{different:,} different sets of documents in all"
    )
    return (
        f"the {len(answers):,} queries ask for {asked}: they are not {len(answers):,} independent questions. The "
        "interval and the p-value take them for such, so they promise more certainty than there is about other documents"
    )


def relevant_documents(query_set: QuerySet) -> int:
    """How many different documents a query set asks for."""
    return len({d for query in query_set.queries for d in query_set.relevant(query)})


def own_documents(project: Project, text: str) -> frozenset[str]:
    """What a search for one query of the current query set leaves out, as an evaluation does; nothing for any other."""
    try:
        if project.newest("queries") is None:
            return frozenset()
        _, query_set = current_query_set(project)
    except Damaged as damaged:  # A search needs none; that nothing is left out is said.
        notice(damaged)
        return frozenset()
    identity = query_set.named(text)
    if identity is None:
        return frozenset()
    _, corpus = current_corpus(project)
    return SelfMatches.of(corpus, query_set).left_out.get(identity, frozenset())
