"""Hybrid search against a hand-written fusion: by rank, weighted, within filters, better tiers first."""

import numpy as np
import pytest
from keyword_help import keyword_searcher

from indexes.flat import FlatIndex
from search.corpus.corpus import CORPUS_FILE, Corpus, ScoredDocument
from search.corpus.document import Document
from search.corpus.filters import EVERYTHING, Scope, parse_condition, parse_tiers
from search.corpus.passages import Chunking
from search.corpus.writer import CorpusWriter
from search.models.registry import ModelInfo
from search.projects.project import Project
from search.retrieval.dense import DenseRetriever
from search.retrieval.fusion import DEPTH, Fusion
from search.retrieval.hybrid import HybridRetriever
from search.retrieval.retriever import EncodingTime
from search.retrieval.search import compare

DIMENSION = 8
WORDS = ("rent", "gold", "tenant", "lease", "notice", "court", "repair", "deposit")
QUERIES = ["rent gold", "tenant lease notice", "court", "repair the deposit", "zebra", "lease"]


class _Sums:
    """Texts as sums of random vectors of their words: none known, no vector."""

    def encode_query(self, inputs):
        rows = np.zeros((len(inputs), DIMENSION), np.float32)
        for row, text in zip(rows, inputs, strict=True):
            for word in text.split():
                if word in WORDS:
                    row += np.random.default_rng(WORDS.index(word)).normal(size=DIMENSION)
        return rows


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """Keyword search and a model over 90 documents of one or several passages."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(3)
    documents = []
    for n in range(90):
        text = " ".join(
            " ".join(rng.choice(WORDS, 6)) + f" number {n}." for _ in range(n % 4 * 2 + 1)
        )
        kind = ("case", "statute", "blog")[n % 3]
        documents.append(Document(f"d{n}", "", text, {"type": kind, "year": str(1960 + n)}))
    writer = CorpusWriter(
        folder, chunking=Chunking(24, 0), tiers=parse_tiers("type=case,statute,blog")
    )
    writer.add(documents)
    writer.close()
    corpus = Corpus(folder / CORPUS_FILE)
    assert corpus.passages > len(corpus)
    vectors = rng.normal(size=(corpus.passages, DIMENSION)).astype(np.float32)
    info = ModelInfo("m", "m", "custom", None, DIMENSION, "f", "", "")
    searcher = DenseRetriever(info, _Sums(), FlatIndex.of(vectors), corpus)
    return keyword_searcher(corpus), searcher


def _by_hand(words, model, query, weight, scope=EVERYTHING):
    """Every document of either side, its parts of 1 / (60 + rank) added up in a loop."""
    total = {}
    for side, share in ((words, weight), (model, 1 - weight)):
        (ranking,) = side.rank([query], 1000, scope)
        for place, found in enumerate(ranking):
            total[found.document] = total.get(found.document, 0) + 2 * share / (60 + place + 1)
    return total


@pytest.mark.parametrize("weight", [0.5, 0.3, 0.9])
@pytest.mark.parametrize("condition", [None, "type=case", "year>=2000", "year>3000"])
def test_equals_fusion_by_hand(sides, weight, condition):
    words, model = sides
    scope = EVERYTHING if condition is None else Scope((parse_condition(condition),))
    hybrid = HybridRetriever("h", words, model, Fusion(weight))
    for query, ranking in zip(QUERIES, hybrid.rank(QUERIES, 1000, scope), strict=True):
        wanted = _by_hand(words, model, query, weight, scope)
        assert {f.document: pytest.approx(f.score) for f in ranking} == wanted
        assert [f.score for f in ranking] == sorted((f.score for f in ranking), reverse=True)
        (few,) = hybrid.rank([query], 7, scope)
        assert few == ranking[:7]


def test_a_document_is_shown_by_the_passage_of_the_side_that_ranks_it_higher(sides):
    words, model = sides
    hybrid = HybridRetriever("h", words, model)
    (left,), (right,) = words.rank(["rent gold"], 90), model.rank(["rent gold"], 90)
    places = [{f.document: (n, f.passage) for n, f in enumerate(side)} for side in (left, right)]
    (ranking,) = hybrid.rank(["rent gold"], 90)
    seen = set()
    for found in ranking:
        (a, first), (b, second) = (p.get(found.document, (999, None)) for p in places)
        assert found.passage == (first if a < b else second)
        seen.add(a < b)
    assert seen == {True, False}


@pytest.mark.parametrize(("weight", "side"), [(0.0, 1), (1.0, 0)])
def test_all_the_weight_on_one_side_is_that_side(sides, weight, side):
    hybrid = HybridRetriever("h", *sides, Fusion(weight))
    for query in QUERIES:
        (alone,) = sides[side].rank([query], 20)
        (ranking,) = hybrid.rank([query], 20)
        assert [(f.document, f.passage) for f in ranking] == [
            (f.document, f.passage) for f in alone
        ]


def test_a_query_that_neither_side_knows_finds_nothing(sides):
    assert HybridRetriever("h", *sides).rank(["zebra", "", "😀"], 5) == [[], [], []]
    assert HybridRetriever("h", *sides).rank([], 5) == []


def test_better_tiers_come_first_among_what_answers_for_either_side(sides):
    words, model = sides
    hybrid = HybridRetriever("h", words, model)
    query = "tenant lease notice"
    (plain,) = hybrid.rank([query], 90)
    answering = set()
    for side in sides:
        (ranking,) = side.rank([query], 90)
        answering |= {f.document for f in ranking if f.score >= 0.7 * ranking[0].score}
    assert 3 < len(answering) < 80
    (tiered,) = hybrid.rank([query], 90, Scope(tiers_first=True))
    ahead = [f for f in plain if f.document in answering]
    rest = [f for f in plain if f.document not in answering]
    wanted = sorted(ahead, key=lambda f: f.document % 3) + rest
    assert [f.document for f in tiered] == [f.document for f in wanted]
    assert [f.document for f in tiered] != [f.document for f in plain]


def test_both_sides_are_asked_once_for_the_vector(sides):
    words, model = sides
    clock = EncodingTime()
    HybridRetriever("h", words, model).rank(["rent court"], 5, Scope(tiers_first=True), clock)
    assert clock.encode == clock.encode_here > 0
    again = EncodingTime()
    model.rank(["rent court"], 5, EVERYTHING, again)
    assert (again.encode, again.encode_here) == (clock.encode, 0)


def _joined_by_hand(words, model, query, fusion):
    """Scores of each side brought between 0 and 1 over its first `depth`, the sums in a loop."""
    sides = []
    for side, floor in ((words, 0.0), (model, None)):
        (ranking,) = side.rank([query], DEPTH)
        scores = {hit.document: hit.score for hit in ranking}
        deep = [hit.score for hit in ranking][: fusion.depth]
        low = floor if floor is not None and len(ranking) < fusion.depth else min(deep)
        scaled = {d: (s - low) / (max(deep) - low) for d, s in scores.items()}
        sides.append((scaled, min([0.0, *scaled.values()])))
    (left, no_words), (right, no_model) = sides
    weight = fusion.weight
    return {
        d: weight * left.get(d, no_words) + (1 - weight) * right.get(d, no_model)
        for d in {**left, **right}
    }


@pytest.mark.parametrize("fusion", [Fusion(0.5, "scores"), Fusion(0.3, "scores", 20)])
def test_equals_a_convex_combination_by_hand(sides, fusion):
    hybrid = HybridRetriever("h", *sides, fusion)
    for query in ("rent gold", "tenant lease notice", "repair the deposit"):
        (ranking,) = hybrid.rank([query], 90)
        by_hand = _joined_by_hand(*sides, query, fusion)
        assert {f.document: pytest.approx(f.score) for f in ranking} == by_hand
        assert [f.score for f in ranking] == sorted((f.score for f in ranking), reverse=True)


def test_all_the_weight_on_scores_of_words_leaves_equal_ones_to_the_model():
    words = [ScoredDocument(n, 2.0, n) for n in (1, 2, 3)] + [ScoredDocument(4, 1.0, 4)]
    model = [ScoredDocument(n, 1 / (1 + i), n) for i, n in enumerate((4, 5, 3, 1))]
    ranking = Fusion(1.0, "scores").fuse(words, model)
    assert [f.document for f in ranking] == [3, 1, 2, 4]
    assert [f.document for f in Fusion(1.0).fuse(words, model)] == [1, 2, 3, 4]


@pytest.mark.parametrize("scale", ["ranks", "scores"])
def test_a_side_that_found_nothing_or_one_document_alone_divides_by_nothing(scale):
    one, other = ScoredDocument(8, 3.0, 80), ScoredDocument(9, 0.5, 90)
    fusion = Fusion(0.5, scale)
    assert fusion.fuse([], []) == []
    assert [f.document for f in fusion.fuse([one], [])] == [8]
    assert [f.document for f in fusion.fuse([], [other])] == [9]
    assert [f.document for f in fusion.fuse([one], [other, one])] == [8, 9]
    assert all(np.isfinite(f.score) for f in fusion.fuse([one], [other]))


def test_equal_scores_follow_the_model():
    left = [ScoredDocument(5, 9.0, 50), ScoredDocument(3, 8.0, 30)]
    right = [ScoredDocument(4, 0.9, 40), ScoredDocument(2, 0.8, 20)]
    ranking = Fusion().fuse(left, right)
    assert [f.document for f in ranking] == [4, 5, 2, 3]
    assert [f.score for f in ranking] == [1 / 61, 1 / 61, 1 / 62, 1 / 62]
    assert Fusion().fuse([ScoredDocument(8, 1.0, 8)], [])[0].score == 1 / 61
    assert DEPTH >= 100, "recall at 100 needs as many"


def test_a_comparison_of_a_project(tmp_path, import_tiny):
    project = Project(tmp_path / "workspace" / "p")
    import_tiny(project)
    names = ["generic", "bm25", "hybrid:generic", "hybrid:generic@1"]
    found = {r.model: r for r in compare(project, "dust in the knee", names, 40).results}
    assert list(found) == names
    ranks = {n: {h.id: h.rank for h in found[n].hits} for n in names}
    for hit in found["hybrid:generic"].hits:
        by_hand = sum(
            1 / (60 + ranks[n][hit.id]) for n in ("generic", "bm25") if hit.id in ranks[n]
        )
        assert hit.score == pytest.approx(by_hand)
    alone = [(h.id, h.passage) for h in found["bm25"].hits]
    assert [(h.id, h.passage) for h in found["hybrid:generic@1"].hits] == alone
