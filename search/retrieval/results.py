"""What a search found, ready to be shown: hits with their best passage, and several models side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from search.corpus.corpus import Corpus, ScoredDocument
from search.retrieval.relevance.shares import Relevance


@dataclass(frozen=True)
class Best:
    """The passage by which a document was found, and where it stands.

    It is number `number` (from 1) of the `of` passages of its document and begins at the character `start`; `heading` may be empty, `page` is None
    where the file has no pages.

    >>> Best("The rent is due.", "Dues", None, number=2, of=3, start=40).heading
    'Dues'
    """

    text: str
    heading: str
    page: int | None
    number: int
    of: int
    start: int = 0


@dataclass(frozen=True)
class Hit:
    """One document that a search found, by its best passage.

    >>> hit = Hit(1, "a", 0.5, "Dues", "The rent is due.", Best("The rent is due.", "", None, 1, 1))
    >>> hit.as_json()
    {'rank': 1, 'id': 'a', 'score': 0.5, 'title': 'Dues', 'text': 'The rent is due.'}
    """

    rank: int
    id: str
    score: float
    title: str
    text: str
    passage: Best
    metadata: Mapping[str, str] = field(default_factory=dict)
    tier: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The shape that `search --json` prints; what a plain document does not have is left out."""
        made: dict[str, Any] = {
            name: getattr(self, name) for name in ("rank", "id", "score", "title", "text")
        }
        if self.passage.of > 1 or self.passage.page is not None or self.passage.heading:
            made["passage"] = asdict(self.passage)
        if self.metadata:
            made["metadata"] = dict(self.metadata)
        if self.tier is not None:
            made["tier"] = self.tier
        return made


@dataclass(frozen=True)
class SearchResult:
    """What one column found: hits, milliseconds, and a note when there is something to say.

    `model` is the column's name. Of `ms`, `encode_ms` went into the query's vector (0 for keyword search) and
    `search_ms` into the search itself and fetching the texts. `relevance` is None where nothing says how probable the hits are.

    >>> result = SearchResult("bm25", [], 1.5, "no known words in this query", 0.0, 1.5)
    >>> result.note
    'no known words in this query'
    """

    model: str
    hits: list[Hit]
    ms: float
    note: str | None = None
    encode_ms: float = 0.0
    search_ms: float = 0.0
    relevance: Relevance | None = None

    def as_json(self) -> dict[str, Any]:
        """The hits as `search --json` prints them, each with its probability where one was fitted."""
        hits = [hit.as_json() for hit in self.hits]
        if self.relevance is not None:
            shares = zip(self.relevance.shares, self.relevance.words, strict=True)
            for hit, (share, word) in zip(hits, shares, strict=True):
                hit |= {"probability": round(share, 4), "relevant": word}
        says = {} if self.relevance is None else self.relevance.as_json()
        return {"hits": hits, **says}


@dataclass(frozen=True)
class Comparison:
    """One query, searched in several columns.

    >>> found = Comparison("rent", 10, [SearchResult("bm25", [], 1.5)])
    >>> found.as_json()["results"]["bm25"]
    {'hits': [], 'ms': 1.5, 'encode_ms': 0.0, 'search_ms': 0.0}
    """

    query: str
    k: int
    results: list[SearchResult]

    def as_json(self) -> dict[str, Any]:
        """The shape that `search --json` prints."""
        return {
            "query": self.query,
            "k": self.k,
            "results": {
                result.model: {
                    **result.as_json(),
                    "ms": result.ms,
                    "encode_ms": result.encode_ms,
                    "search_ms": result.search_ms,
                }
                for result in self.results
            },
        }


def hits_of(corpus: Corpus, ranking: Sequence[ScoredDocument]) -> list[Hit]:
    """The hits of a ranking, with everything that is shown of them."""
    documents = corpus.documents_at([found.document for found in ranking])
    passages = corpus.passages_at([found.passage for found in ranking])
    runs = corpus.passage_runs([found.document for found in ranking])
    tiers = corpus.tiers
    hits = []
    for rank, (found, document, passage) in enumerate(
        zip(ranking, documents, passages, strict=True), start=1
    ):
        first, count = runs[found.document]
        best = Best(
            document.text[passage.start : passage.stop],
            passage.heading,
            passage.page,
            found.passage - first + 1,
            count,
            passage.start,
        )
        tier = None
        if tiers is not None:
            tier = tiers.name(tiers.of(document.metadata.get(tiers.column)))
        hits.append(
            Hit(
                rank,
                document.id,
                found.score,
                document.title,
                document.text,
                best,
                document.metadata,
                tier,
            )
        )
    return hits
