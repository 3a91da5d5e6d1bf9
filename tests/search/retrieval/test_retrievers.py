"""Retrievers: a document by its best passage, filters inside the search, better source tiers first."""

import numpy as np
import pytest
from keyword_help import keyword_searcher

from indexes.flat import FlatIndex
from search.corpus.corpus import CORPUS_FILE, Corpus
from search.corpus.document import Document
from search.corpus.filters import Scope, parse_condition, parse_tiers
from search.corpus.passages import Chunking
from search.corpus.writer import CorpusWriter
from search.models.linear_adapter import LinearAdapter
from search.models.registry import ModelInfo
from search.projects.errors import Refused
from search.retrieval.dense import DenseRetriever
from search.retrieval.hybrid import HybridRetriever
from search.retrieval.reranked import RerankingRetriever
from search.retrieval.retriever import EncodingTime

DIMENSION = 8
INFO = ModelInfo("m", "m", "custom", None, DIMENSION, "f", "", "")


class _Angles:
    """An encoder of queries that are numbers: the seed of their vector."""

    def encode_query(self, inputs):
        return np.stack([np.random.default_rng(int(q)).normal(size=DIMENSION) for q in inputs])


@pytest.fixture
def many(tmp_path):
    """A corpus of 60 documents of 1 to 5 passages with random vectors, and its searcher."""
    rng = np.random.default_rng(5)
    documents = []
    for n in range(60):
        text = " ".join(
            f"The tenant number {n} pays the rent number {p} in gold." for p in range(n % 5 * 3 + 1)
        )
        kind = ("case", "statute", "blog")[n % 3]
        documents.append(Document(f"d{n}", "", text, {"type": kind, "year": str(1960 + n)}))
    tiers = parse_tiers("type=case,statute,blog")
    writer = CorpusWriter(tmp_path, chunking=Chunking(40, 0), tiers=tiers)
    writer.add(documents)
    writer.close()
    corpus = Corpus(tmp_path / CORPUS_FILE)
    vectors = rng.normal(size=(corpus.passages, DIMENSION)).astype(np.float32)
    index = FlatIndex.of(vectors)
    return corpus, index.vectors, DenseRetriever(INFO, _Angles(), index, corpus)


def _brute_force(corpus, vectors, query, k, allowed=None):
    """Each document's best cosine, by a loop over every passage."""
    asked = _Angles().encode_query([query])[0]
    scores = vectors @ (asked / np.linalg.norm(asked))
    best = {}
    for passage, owner in enumerate(corpus.owners.tolist()):
        if allowed is not None and owner not in allowed:
            continue
        if owner not in best or scores[passage] > scores[best[owner]]:
            best[owner] = passage
    order = sorted(best, key=lambda owner: -scores[best[owner]])[:k]
    return [(owner, best[owner], scores[best[owner]]) for owner in order]


def _same(ranking, wanted):
    assert [(f.document, f.passage) for f in ranking] == [(d, p) for d, p, _ in wanted]
    np.testing.assert_allclose([f.score for f in ranking], [s for *_, s in wanted], atol=1e-5)


@pytest.mark.parametrize("k", [1, 3, 10, 60, 100])
def test_documents_by_their_best_passage_equal_brute_force(many, k):
    corpus, vectors, searcher = many
    assert corpus.passages > 2 * len(corpus)
    queries = [str(n) for n in range(20)]
    for query, ranking in zip(queries, searcher.rank(queries, k), strict=True):
        _same(ranking, _brute_force(corpus, vectors, query, k))


@pytest.mark.parametrize("condition", ["type=case", "year>=2015", "year=1999", "type!=blog"])
def test_filters_equal_brute_force_over_what_they_allow(many, condition):
    corpus, vectors, searcher = many
    scope = Scope((parse_condition(condition),))
    allowed = {int(corpus.owners[p]) for p in corpus.within(scope)}
    assert 0 < len(allowed) < 60
    for query in ("1", "2", "3"):
        (ranking,) = searcher.rank([query], 10, scope)
        _same(ranking, _brute_force(corpus, vectors, query, 10, allowed))
        assert len(ranking) == min(10, len(allowed))


def test_a_filter_that_allows_nothing_finds_nothing(many):
    corpus, _, searcher = many
    scope = Scope((parse_condition("year>3000"),))
    assert searcher.rank(["1", "2"], 5, scope) == [[], []]
    assert keyword_searcher(corpus).rank(["rent"], 5, scope) == [[]]


def test_better_tiers_come_first_among_what_answers(many):
    _, _, searcher = many
    (plain,) = searcher.rank(["7"], 60)
    best = plain[0].score
    (ranking,) = searcher.rank(["7"], 12, Scope(tiers_first=True))
    answers = [f for f in plain if f.score >= 0.7 * best]
    ahead = sorted(answers, key=lambda f: (f.document % 3, -f.score))
    assert ranking[: len(answers)] == ahead[:12]
    assert {f.document % 3 for f in answers} > {0}, "the test needs more than one tier"
    assert [f.document for f in ranking] != [f.document for f in plain[:12]]
    rest = [f for f in ranking if f.score < 0.7 * best]
    assert rest == sorted(rest, key=lambda f: -f.score)


def test_tiers_and_filters_go_together(many):
    _, _, searcher = many
    scope = Scope((parse_condition("year>=1990"),), tiers_first=True)
    (ranking,) = searcher.rank(["7"], 30, scope)
    assert len(ranking) == 30
    assert all(f.document >= 30 for f in ranking)


def test_keyword_search_ranks_by_tier_too(tmp_path):
    writer = CorpusWriter(tmp_path, tiers=parse_tiers("type=case,blog"))
    writer.add(
        [
            Document("blog", "", "rent rent rent", {"type": "blog"}),
            Document("case", "", "rent rent due", {"type": "case"}),
            Document("aside", "", "rent " + "other words follow here " * 30, {"type": "case"}),
            Document("none", "", "nothing of it", {"type": "case"}),
        ]
    )
    writer.close()
    searcher = keyword_searcher(Corpus(tmp_path / CORPUS_FILE))
    ids = ["blog", "case", "aside", "none"]
    plain = [ids[f.document] for f in searcher.rank(["rent"], 9)[0]]
    tiered = [ids[f.document] for f in searcher.rank(["rent"], 9, Scope(tiers_first=True))[0]]
    assert plain == ["blog", "case", "aside"]
    assert tiered == ["case", "blog", "aside"]


def test_tiers_without_a_rule_are_refused(tmp_path):
    writer = CorpusWriter(tmp_path)
    writer.add([Document("a", "", "one"), Document("b", "", "two")])
    writer.close()
    searcher = keyword_searcher(Corpus(tmp_path / CORPUS_FILE))
    with pytest.raises(Refused, match="no source tiers to rank by"):
        searcher.rank(["one"], 5, Scope(tiers_first=True))


class _Counting:
    """Remembers what was encoded together."""

    def __init__(self):
        self.batches = []

    def encode_query(self, inputs):
        self.batches.append(list(inputs))
        return np.array([[len(text), 1.0] for text in inputs], dtype=np.float32)

    encode_document = encode_query


class _Server(_Counting):
    def admit(self, documents):
        """It costs something."""


def _dense(encoder):
    info = ModelInfo("mine", "id", "custom", None, 2, "fingerprint", "", "")
    return DenseRetriever(info, encoder, FlatIndex.of(np.eye(2, dtype=np.float32)), _Two())


class _Two:
    passages = 2

    def __len__(self):
        return 2


def test_queries_that_are_expected_are_encoded_together_and_then_known():
    encoder = _Counting()
    retriever = _dense(encoder)
    alone = EncodingTime()
    retriever.vectors_of(["rent"], alone)
    retriever.expect(["rent", "frost", "dust on it", "frost"])
    timing = EncodingTime()
    for query in ("frost", "dust on it", "rent"):
        assert retriever.vectors_of([query], timing).tolist() == [[len(query), 1.0]]
    assert encoder.batches == [["rent"], ["frost", "dust on it"]]
    assert timing.encode > 0
    assert timing.encode_here == 0
    retriever.expect(["rent", "alone"])  # One by itself is encoded when it is asked.
    assert len(encoder.batches) == 2


def test_a_server_is_never_asked_ahead():
    for encoder in (_Server(), LinearAdapter(_Server(), np.eye(2, dtype=np.float32))):
        retriever = _dense(encoder)
        retriever.expect(["rent", "frost"])
        assert getattr(encoder, "base", encoder).batches == []


def test_hybrids_and_rerankers_expect_what_their_model_does():
    encoder = _Counting()
    model = _dense(encoder)
    hybrid = HybridRetriever("hybrid:mine", model, model)
    RerankingRetriever("rerank", hybrid, model.corpus, None).expect(["rent", "frost"])
    assert encoder.batches == [["rent", "frost"]]
