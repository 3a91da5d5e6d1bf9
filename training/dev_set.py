"""The dev part: held out of training, measured before it and as it goes, to steer by."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from indexes.flat import FlatIndex
from indexes.vector_index import Vectors
from search.corpus.corpus import Corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import MAIN_METRIC, score
from search.evaluation.rankings.self_matches import SelfMatches
from search.models.encoder import Encoder
from search.models.encoding.texts import encode_texts
from search.models.load import load_encoder
from search.models.registry import ModelInfo, generic_info
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from training.data.answering_passages import nearest

START = "start"
"""What was kept, when nothing that was tried served the dev queries better."""
_QUERIES = 300
_POOL_DOCUMENTS = 5_000
_POOL_CHARACTERS = 600_000
_PASSAGES = 8
_CHUNK = 128
_SEED = 7
_WITH_GENERIC = ("documents with generic", "queries with generic")


@dataclass(frozen=True)
class DevSet:
    """Dev queries with a pool of documents to find their answers in.

    The pool is the judged documents and as many others, drawn at random, as can be encoded in short time
    (the whole corpus, where it is small). So a dev score is comparable with other dev scores of the same
    set, not with a test score. A document is found by its best passage: `positions`, `ids` (of the documents)
    and `texts` have one entry a passage. A document of many passages is there with eight: the ones nearest to
    its queries by words, or eight spread evenly where no query asks for it. Where a query is a document itself, `left_out`
    names that, by the query's id: it stays out of the ranking as it does in an evaluation.
    """

    query_set: QuerySet
    positions: list[int]
    ids: list[str]
    texts: list[str]
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, corpus: Corpus, query_set: QuerySet) -> "DevSet":
        """Choose the queries and the pool; the same choice each time."""
        ids = corpus.ids()
        usable, _ = query_set.restricted_to(set(ids))
        rng = np.random.default_rng(_SEED)
        names = sorted(usable.queries)
        chosen = [names[i] for i in sorted(rng.permutation(len(names))[:_QUERIES])]
        small = usable.only(chosen)
        judged = {d for q in chosen for d in small.relevant(q)}
        first = [position for position, identity in enumerate(ids) if identity in judged]
        others = [int(p) for p in rng.permutation(len(ids)) if ids[p] not in judged]
        positions, characters = list(first), 0
        for start in range(0, len(others), 200):
            block = others[start : start + 200]
            characters += sum(len(d.embedded) for d in corpus.documents_at(block))
            if characters > _POOL_CHARACTERS or len(positions) + len(block) > _POOL_DOCUMENTS:
                break
            positions += block
        positions = _positions(corpus, small, positions, len(first))
        owners = [ids[owner] for owner in corpus.owners[positions]]
        own = SelfMatches.of(corpus, usable).only(chosen)
        return cls(small, positions, owners, corpus.embedded_at(positions), own.left_out)

    def narrowed(self, most: int) -> "DevSet":
        """The same queries with fewer documents to find: what answers them, and others up to `most` passages in all."""
        right = {d for query in self.query_set.queries for d in self.query_set.relevant(query)}
        judged = [position for position, identity in enumerate(self.ids) if identity in right]
        others = [position for position, identity in enumerate(self.ids) if identity not in right]
        kept = sorted([*judged, *others[: max(0, most - len(judged))]])
        return replace(
            self,
            positions=[self.positions[position] for position in kept],
            ids=[self.ids[position] for position in kept],
            texts=[self.texts[position] for position in kept],
        )

    @property
    def characters(self) -> int:
        """How much text one measurement encodes."""
        return sum(map(len, self.texts)) + sum(map(len, self.query_set.queries.values()))

    def ndcg(self, encoder: Encoder) -> float:
        """nDCG@10 of an encoder on the dev queries."""
        return self.ndcg_of_vectors(*self.vectors(encoder))

    def vectors(
        self, encoder: Encoder, tick: Callable[[float], None] = lambda share: None
    ) -> tuple[Vectors, Vectors]:
        """An encoder's vectors of the queries and of the pool, as `ndcg_of_vectors` takes them.

        :param tick: called with the share done (0 to 1) as the pool is encoded.
        """
        # Texts of like length together, across the whole pool: an encoder pads within a chunk.
        order = sorted(range(len(self.texts)), key=lambda position: -len(self.texts[position]))
        total = max(1, sum(map(len, self.texts)))
        vectors, done = [], 0
        for start in range(0, len(order), _CHUNK):
            chunk = [self.texts[position] for position in order[start : start + _CHUNK]]
            tick(done / total)
            vectors.append(encoder.encode_document(chunk))
            done += sum(map(len, chunk))
        return encoder.encode_query(self.queries), np.vstack(vectors)[np.argsort(order)]

    def encoded(
        self,
        encoder: Encoder,
        info: ModelInfo | None,
        progress: Progress,
        what: tuple[str, str] = ("documents", "dev queries"),
    ) -> tuple[Vectors, Vectors]:
        """The same, told as it goes, and without what a model of the project (`info`) encoded before.

        :param what: what the pool and the queries are called meanwhile.
        """
        pool, queries = Stage(progress, 0.0, 0.9), Stage(progress, 0.9, 1.0)
        documents = encode_texts(encoder, info, self.texts, "document", pool, what[0])
        return encode_texts(encoder, info, self.queries, "query", queries, what[1]), documents

    @property
    def queries(self) -> list[str]:
        """The texts of the queries, in the order of their vectors."""
        return [self.query_set.queries[query] for query in sorted(self.query_set.queries)]

    def ndcg_of_vectors(self, queries: Vectors, documents: Vectors) -> float:
        """nDCG@10 of vectors of `queries` and of the pool: the mean of `scores_of_vectors`."""
        return float(np.mean(self.scores_of_vectors(queries, documents)))

    def scores_of_vectors(self, queries: Vectors, documents: Vectors) -> list[float]:
        """nDCG@10 of each query.

        :param queries: shape (queries, dimension), in the order of `queries`.
        :param documents: shape (pool, dimension), in the order of `positions`.
        """
        index = FlatIndex.of(documents)
        most = max(Counter(self.ids).values())  # So many passages may belong to one document.
        deep = 10 + max(map(len, self.left_out.values()), default=0)
        positions, _ = index.search(np.asarray(queries), min(deep * most, len(index)))
        run = {}
        for query, row in zip(sorted(self.query_set.queries), positions, strict=True):
            own = self.left_out.get(query, frozenset())
            ranked = dict.fromkeys(self.ids[p] for p in row if p >= 0)
            run[query] = [identity for identity in ranked if identity not in own][:10]
        return score(run, self.query_set, [MAIN_METRIC])[MAIN_METRIC]


def generic_dev(project: Project, dev: DevSet, progress: Progress) -> float | None:
    """nDCG@10 of the project's generic model on the dev queries; None where a server would be paid for it.

    It is what a model that did not start from it is held against.
    """
    info = generic_info(project)
    if info.format == "endpoint":
        return None
    generic = load_encoder(project, info)
    return dev.ndcg_of_vectors(*dev.encoded(generic, info, progress, _WITH_GENERIC))


def _positions(
    corpus: Corpus, query_set: QuerySet, positions: Sequence[int], judged: int
) -> list[int]:
    """The passages of documents, of which the first `judged` answer a query."""
    asked: dict[str, list[str]] = {}
    for query, text in query_set.queries.items():
        for identity in query_set.relevant(query):
            asked.setdefault(identity, []).append(text)
    found: list[int] = []
    for number, document in enumerate(corpus.documents_at(positions)):
        passages = corpus.passages_of(positions[number])
        if len(passages) > _PASSAGES:
            if number < judged:
                kept = nearest(asked[document.id], corpus.embedded_at(passages), _PASSAGES)
            else:
                kept = list(range(0, len(passages), -(-len(passages) // _PASSAGES)))
            passages = [passages[position] for position in kept]
        found += passages
    return found
