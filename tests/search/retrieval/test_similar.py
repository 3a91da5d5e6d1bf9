"""Documents like one: against brute force for models, keywords and both; never itself; within filters."""

import json

import numpy as np
import pytest
from keyword_help import keyword_searcher

from indexes.flat import FlatIndex
from search.corpus.corpus import CORPUS_FILE, Corpus, current_corpus
from search.corpus.document import Document
from search.corpus.filters import Scope, parse_condition, parse_tiers
from search.corpus.passages import Chunking
from search.corpus.writer import CorpusWriter
from search.models.registry import ModelInfo
from search.projects.errors import Refused
from search.projects.project import project_to_be
from search.retrieval.bm25.tokenizer import Analysis
from search.retrieval.dense import DenseRetriever
from search.retrieval.hybrid import HybridRetriever
from search.retrieval.search import NOTHING_LIKE, similar

DIMENSION = 8
WORDS = [f"word{n}" for n in range(80)]


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(9)
    documents = []
    for n in range(50):
        text = " ".join(" ".join(rng.choice(WORDS, 8)) + "." for _ in range(n % 4 * 2 + 1))
        kind = ("case", "statute", "blog")[n % 3]
        documents.append(Document(f"d{n}", "", text, {"type": kind, "year": str(1960 + n)}))
    writer = CorpusWriter(
        folder, chunking=Chunking(30, 0), tiers=parse_tiers("type=case,statute,blog")
    )
    writer.add(documents)
    writer.close()
    corpus = Corpus(folder / CORPUS_FILE)
    assert corpus.passages > len(corpus)
    vectors = rng.normal(size=(corpus.passages, DIMENSION)).astype(np.float32)
    vectors[corpus.passages_of(7)] = 0
    info = ModelInfo("m", "m", "custom", None, DIMENSION, "f", "", "")
    model = DenseRetriever(info, None, FlatIndex.of(vectors), corpus)
    return keyword_searcher(corpus, Analysis()), model


@pytest.mark.parametrize("document", [0, 3, 22, 49])
@pytest.mark.parametrize("condition", [None, "year>=1990"])
def test_a_model_compares_the_mean_of_the_passages(sides, document, condition):
    _, model = sides
    corpus, rows = model.corpus, model.index.vectors
    scope = Scope(() if condition is None else (parse_condition(condition),))
    mean = rows[corpus.passages_of(document)].mean(axis=0)
    cosines = rows @ (mean / np.linalg.norm(mean))
    best = {}
    for place, owner in enumerate(corpus.owners.tolist()):
        inside = condition is None or owner >= 30
        if owner not in (document, 7) and inside:
            best[owner] = max(best.get(owner, -2), float(cosines[place]))
    ranking = model.similar(document, 10, scope)
    assert [f.document for f in ranking] == sorted(best, key=lambda d: -best[d])[:10]
    assert [f.score for f in ranking] == pytest.approx(sorted(best.values(), reverse=True)[:10], abs=1e-5)  # fmt: skip


@pytest.mark.parametrize("document", [0, 3, 22, 49])
def test_keywords_ask_for_the_weightiest_terms(sides, document):
    words, _ = sides
    corpus = words.corpus
    texts = corpus.embedded_texts(0, corpus.passages)
    counts = [[word.strip(".").lower() for word in text.split()] for text in texts]
    own = [w for place in corpus.passages_of(document) for w in counts[place]]
    df = {w: sum(w in c for c in counts) for w in set(own)}
    weight = {w: own.count(w) * np.log(1 + (len(texts) - df[w] + 0.5) / (df[w] + 0.5)) for w in df}
    telling = sorted(weight, key=lambda w: -weight[w])[:25]
    border = weight[telling[-1]]
    ranking = words.similar(document, 10)
    assert document not in [f.document for f in ranking]
    certain = {w for w in weight if weight[w] > border or len(weight) <= 25}
    shared = {
        f.document: len(certain & {w for p in corpus.passages_of(f.document) for w in counts[p]})
        for f in ranking
    }
    assert all(shared.values()), "every document found has one of the telling terms"
    if len(weight) <= 25:
        (asked,) = words.rank([" ".join(weight)], 11)
        assert [f for f in asked if f.document != document][:10] == ranking


def test_both_are_fused_by_rank(sides):
    words, model = sides
    hybrid = HybridRetriever("h", words, model)
    total = {}
    for side in sides:
        for place, found in enumerate(side.similar(5, 50)):
            total[found.document] = total.get(found.document, 0) + 1 / (61 + place)
    ranking = hybrid.similar(5, 60)
    assert {f.document: pytest.approx(f.score) for f in ranking} == total
    assert hybrid.similar(5, 4) == ranking[:4]


def test_tiers_and_filters(sides):
    for side in (*sides, HybridRetriever("h", *sides)):
        only = side.similar(5, 30, Scope((parse_condition("type=case"),)))
        assert {f.document % 3 for f in only} == {0}
        tiered = side.similar(4, 30, Scope(tiers_first=True))
        assert 4 not in [f.document for f in tiered]
        assert tiered[0].document % 3 == 0
        assert side.similar(5, 5, Scope((parse_condition("year>3000"),))) == []


def test_a_document_without_known_words_is_like_none(sides):
    assert sides[1].similar(7, 5) == []


def test_of_a_project(workspace, import_tiny, call_cli):
    project = project_to_be("p")
    import_tiny(project)
    names = ["bm25", "generic", "hybrid:generic"]
    found = similar(project, "d3", names, 5)
    assert (found.query, found.k) == ("d3", 5)
    for result in found.results:
        assert len(result.hits) == 5
        assert "d3" not in [hit.id for hit in result.hits]
    done = call_cli("similar", "p", "d3", "-k", 5, "--model", "bm25", "--json")
    hits = json.loads(done.out)["results"]["bm25"]["hits"]
    assert [hit["id"] for hit in hits] == [hit.id for hit in found.results[0].hits]
    with pytest.raises(Refused, match="no document 'nope'"):
        similar(project, "nope", names)
    assert call_cli("similar", "p", "nope").status == 2


def test_a_corpus_of_two(workspace, tmp_path):
    from search.corpus.ingest import add_documents

    path = tmp_path / "two.csv"
    path.write_text("id,text\na,the first of them\nb,quite another\n")
    project = project_to_be("two")
    add_documents(project, [path])
    (words,) = similar(project, "a", ["bm25"]).results
    assert (words.hits, words.note) == ([], NOTHING_LIKE)
    (model,) = similar(project, "a", ["generic"]).results
    assert [hit.id for hit in model.hits] == ["b"]
    assert len(current_corpus(project)[1]) == 2
