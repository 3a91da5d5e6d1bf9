"""Search against brute force over the model's own vectors, and everything that is refused on the way."""

import time
from dataclasses import replace

import numpy as np
import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.errors import Failed, Refused
from search.projects.project import Project
from search.projects.settings import LIMITS
from search.retrieval.deletion import delete, planned
from search.retrieval.dense import DenseRetriever
from search.retrieval.indexing.build import build_index, find_index, index_model
from search.retrieval.search import (
    UNKNOWN_WORDS,
    ProjectParts,
    compare,
    open_dense,
    retrievers_for,
    search,
)
from search.retrieval.sparse import BM25Retriever
from training.train import train

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def project(tmp_path, import_tiny):
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    train(made, "word2vec", "words", {"vector_size": 16, "min_count": 1, "epochs": 3})
    return made


def _brute_force(project, name, query, k):
    _, corpus = current_corpus(project)
    encoder = load_encoder(project, find_model(project, name))
    documents = corpus.sample(10**6)
    rows = np.asarray(
        encoder.encode_document([f"{d.title} {d.text}".strip() for d in documents]), np.float64
    )
    asked = np.asarray(encoder.encode_query([query])[0], np.float64)
    found = rows @ asked / np.linalg.norm(rows, axis=1) / np.linalg.norm(asked)
    order = np.argsort(-found, kind="stable")[:k]
    return [(documents[place], float(found[place])) for place in order]


@pytest.mark.parametrize("name", ["words", "generic"])
def test_hits_equal_brute_force_over_the_models_vectors(project, name):
    query = "what helps against velkorin in the hand"
    (result,) = compare(project, query, [name], k=7).results
    wanted = _brute_force(project, name, query, 7)
    assert result.model == name
    assert [hit.rank for hit in result.hits] == [1, 2, 3, 4, 5, 6, 7]
    assert [hit.id for hit in result.hits] == [document.id for document, _ in wanted]
    np.testing.assert_allclose(
        [hit.score for hit in result.hits], [score for _, score in wanted], atol=1e-5
    )
    assert [(h.title, h.text) for h in result.hits] == [(d.title, d.text) for d, _ in wanted]
    assert result.note is None
    assert result.ms > 0


def test_without_names_generic_and_the_newest_custom_model_are_asked(project):
    train(project, "word2vec", "newer", {"vector_size": 8, "min_count": 1, "epochs": 1})
    found = compare(project, "velkorin", k=2)
    assert [result.model for result in found.results] == ["generic", "newer"]


def test_as_json_has_exactly_the_keys_of_the_contract(project):
    content = compare(project, "  velkorin frost  ", ["words", "bm25"], k=3).as_json()
    assert list(content) == ["query", "k", "results"]
    assert (content["query"], content["k"]) == ("velkorin frost", 3)
    assert list(content["results"]) == ["words", "bm25"]
    for result in content["results"].values():
        assert list(result) == ["hits", "ms", "encode_ms", "search_ms"]
        assert {type(result[key]) for key in ("ms", "encode_ms", "search_ms")} == {float}
        assert result["ms"] == pytest.approx(result["encode_ms"] + result["search_ms"], abs=0.002)
        assert len(result["hits"]) == 3
        for hit in result["hits"]:
            types = {"rank": int, "id": str, "score": float, "title": str, "text": str}
            assert {key: type(value) for key, value in hit.items()} == types


def test_a_query_without_known_words_finds_nothing_and_says_so(project):
    words, keywords = compare(project, "zzyzx qqqq", ["words", "bm25"]).results
    assert UNKNOWN_WORDS == "no known words in this query"
    for result in (words, keywords):
        assert result.hits == []
        assert result.note == UNKNOWN_WORDS


def test_milliseconds_are_told_apart(project, monkeypatch):
    """A slow encoder is slow in encode_ms, a slow search in search_ms; what is remembered costs what it cost."""
    retrievers, corpus = retrievers_for(project, ["words", "hybrid:words", "bm25"])
    words, hybrid, keywords = retrievers
    real = words.encoder.encode_query
    calls = []

    def slow(inputs):
        calls.append(list(inputs))
        time.sleep(0.08)
        return real(inputs)

    monkeypatch.setattr(words.encoder, "encode_query", slow)
    first = search(words, corpus, "velkorin frost", 3)
    assert first.encode_ms >= 80 > first.search_ms > 0
    second = search(hybrid, corpus, "velkorin frost", 3)
    assert calls == [["velkorin frost"]], "columns that share a model encode a query once"
    assert second.encode_ms == first.encode_ms
    assert second.ms >= 80
    third = search(keywords, corpus, "velkorin frost", 3)
    assert third.encode_ms == 0
    assert third.ms == third.search_ms > 0
    index = words.index.search

    def slow_index(*arguments):
        time.sleep(0.08)
        return index(*arguments)

    monkeypatch.setattr(words.index, "search", slow_index)
    assert search(words, corpus, "velkorin frost", 3).search_ms >= 80


def test_a_query_is_encoded_once_and_never_twice_to_warm_up(project, monkeypatch):
    (words,), corpus = retrievers_for(project, ["words"])
    asked = []
    real = words.encoder.encode_query
    monkeypatch.setattr(
        words.encoder, "encode_query", lambda inputs: asked.extend(inputs) or real(inputs)
    )
    for k in (3, 5, 3):
        search(words, corpus, "velkorin", k)
    search(words, corpus, "frost", 3)
    assert asked == ["velkorin", "frost"]


def test_k_beyond_the_corpus_gives_every_document_once(project):
    (result,) = compare(project, "velkorin", ["words"], k=1_000).results
    assert sorted(hit.id for hit in result.hits) == sorted(f"d{n}" for n in range(40))


def test_batches_rank_as_single_queries_do(project):
    retrievers, _ = retrievers_for(project, ["words", "bm25", "generic"])
    queries = ["velkorin frost", "zzyzx", "who files the deed about ombrathal", "knee"]
    for retriever in retrievers:
        together = retriever.rank(queries, 5)
        for query, ranking in zip(queries, together, strict=True):
            (alone,) = retriever.rank([query], 5)
            assert [f.document for f in alone] == [f.document for f in ranking]
            np.testing.assert_allclose(
                [f.score for f in alone], [f.score for f in ranking], atol=1e-6
            )
        assert retriever.rank([], 5) == []


def test_a_model_named_twice_is_asked_once(project):
    found = compare(project, "velkorin", ["words", "bm25", "words"])
    assert [result.model for result in found.results] == ["words", "bm25"]


def test_an_index_is_built_once_and_found_again(project):
    assert project.manifests("indexes") == []
    compare(project, "velkorin", ["words"])
    (index,) = project.manifests("indexes")
    compare(project, "frost", ["words"])
    assert project.manifests("indexes") == [index]
    info = find_model(project, "words")
    manifest, corpus = current_corpus(project)
    assert index.made_from == {"corpus": manifest.id, "model": info.id}
    facts = index.details
    assert facts["fingerprint"] == info.fingerprint
    assert (facts["vectors"], facts["dimension"], facts["zeros"]) == (40, 16, 0)
    assert facts["bytes"] == (project.folder_of(index) / "vectors.npy").stat().st_size
    assert index_model(project, "words", rebuild=False) == index
    assert index_model(project, "words").id != index.id
    assert find_index(project, info, manifest).id != index.id
    assert len(corpus) == 40


def test_a_new_corpus_needs_a_new_index(project, tmp_path):
    compare(project, "velkorin", ["words"])
    more = tmp_path / "more.jsonl"
    more.write_text(
        '{"_id": "new", "text": "velkorin velkorin velkorin frost"}\n', encoding="utf-8"
    )
    add_documents(project, [more])
    (result,) = compare(project, "velkorin velkorin frost", ["words"], k=41).results
    assert len(project.manifests("indexes")) == 2
    assert "new" in {hit.id for hit in result.hits}


def test_documents_without_words_are_counted_and_never_found(project, tmp_path):
    more = tmp_path / "more.jsonl"
    more.write_text('{"_id": "signs", "text": "!!! ... 🙂"}\n', encoding="utf-8")
    add_documents(project, [more])
    (result,) = compare(project, "velkorin", ["words"], k=41).results
    assert len(result.hits) == 40
    assert "signs" not in {hit.id for hit in result.hits}
    assert project.newest("indexes").details["zeros"] == 1


@pytest.mark.parametrize(
    ("query", "names", "k", "words"),
    [
        ("", [], 10, "query is empty"),
        (" \n\t ", [], 10, "query is empty"),
        ("x" * (LIMITS.query_characters + 1), [], 10, "10,001 characters"),
        ("velkorin", [], 0, "k is 0"),
        ("velkorin", [], -3, "k is -3"),
        ("velkorin", [], LIMITS.max_hits + 1, "k is 1001; it must be from 1 to 1,000"),
        ("velkorin", ["nothing"], 10, "no model 'nothing'.*generic, words"),
    ],
)
def test_what_is_refused(project, query, names, k, words):
    with pytest.raises(Refused, match=words):
        compare(project, query, names, k)
    assert project.manifests("indexes") == []


def test_a_project_without_documents_is_refused(tmp_path):
    empty = Project(tmp_path / "empty").create()
    with pytest.raises(Refused, match="has no documents yet"):
        compare(empty, "velkorin")
    with pytest.raises(Refused, match="has no documents yet"):
        index_model(empty, "generic")


def test_a_lone_surrogate_in_a_query_is_no_crash(project):
    (result,) = compare(project, "velkorin \ud83d", ["words"], k=1).results
    assert result.hits[0].rank == 1


def test_a_damaged_index_is_a_failure_that_says_what_to_do(project):
    manifest = index_model(project, "words")
    path = project.folder_of(manifest) / "vectors.npy"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(
        Failed, match=r"vectors.npy has [\d,]+ bytes instead of .*Delete the folder"
    ):
        compare(project, "velkorin", ["words"])


def test_an_index_of_another_version_of_the_model_is_not_used(project):
    manifest = index_model(project, "words")
    info = find_model(project, "words")
    other = replace(info, fingerprint="0" * 64)
    corpus_manifest, corpus = current_corpus(project)
    assert find_index(project, info, corpus_manifest) == manifest
    assert find_index(project, other, corpus_manifest) is None
    encoder = load_encoder(project, info)
    with pytest.raises(Failed, match=r"another version of 'words'. Delete the folder"):
        open_dense(project, other, encoder, manifest, corpus)
    with pytest.raises(Failed, match="has 16 dimensions, the model 'words' has 17"):
        open_dense(project, replace(info, dimension=17), encoder, manifest, corpus)


class _Encoder:
    """Gives what it was told to give."""

    def __init__(self, vectors):
        self.vectors = vectors

    def encode_document(self, inputs):
        return self.vectors(len(inputs))

    encode_query = encode_document


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        (lambda count: np.full((count, 16), np.nan, np.float32), "NaN or infinity"),
        (lambda count: np.ones((count, 5), np.float32), r"shape \(40, 5\) instead of \(40, 16\)"),
        (lambda count: np.ones((count + 1, 16), np.float32), "shape"),
    ],
)
def test_a_model_that_gives_nonsense_publishes_no_index(project, vectors, words):
    manifest, corpus = current_corpus(project)
    info = find_model(project, "words")
    with pytest.raises(Failed, match=words):
        build_index(project, info, _Encoder(vectors), manifest, corpus)
    assert project.manifests("indexes") == []
    assert list((project.folder / "indexes").rglob("*")) == [], "not even a hidden draft"


def test_progress_reaches_the_whole(project):
    told = []
    index_model(
        project,
        "words",
        progress=lambda done, total, message, metrics=None: told.append((done, total, message)),
    )
    assert told[0][2] == "indexing 40 passages with words"
    assert [done / total for done, total, _ in told] == sorted(
        done / total for done, total, _ in told
    )
    assert told[-1][0] == told[-1][1]


def test_searchers_by_name(project):
    manifest, corpus = current_corpus(project)
    searcher = ProjectParts(project, manifest, corpus).dense(find_model(project, "words"))
    assert isinstance(searcher, DenseRetriever)
    assert searcher.name == "words"
    assert searcher.encoder.dimension == 16
    keywords = ProjectParts(project, manifest, corpus).bm25()
    assert isinstance(keywords, BM25Retriever)
    assert keywords.name == "bm25"


def test_a_search_begins_again_where_its_corpus_is_overtaken_and_deleted_meanwhile(
    project, tmp_path
):
    first = project.newest("corpora")
    path = tmp_path / "late.jsonl"
    path.write_text('{"_id": "late", "text": "Quorblat, at last."}\n')
    seen = []

    def overtaking(done, total, what, _metrics=None):
        if not seen:
            seen.append(what)
            add_documents(project, [path])
            delete(planned(project, "corpora", first.id))

    found = compare(project, "quorblat", ["bm25"], k=1, progress=overtaking)
    assert seen
    assert [hit.id for hit in found.results[0].hits] == ["late"]
    assert [m.made_from["corpus"] for m in project.manifests("indexes")] == [
        project.newest("corpora").id
    ]
