"""BM25 against a loop over every document and against bm25s: scores, filters, many chunks, damage."""

import errno
import math
import os
import subprocess
import sys
from collections import Counter

import bm25s
import numpy as np
import pytest

from search.corpus.corpus import CORPUS_FILE, Corpus
from search.corpus.document import Document
from search.corpus.filters import Scope, parse_condition
from search.corpus.passages import Chunking
from search.corpus.writer import CorpusWriter
from search.projects.errors import Failed
from search.retrieval.bm25 import index as room
from search.retrieval.bm25.capitals import STOP_WORDS
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.tokenizer import Analysis
from search.retrieval.sparse import BM25Retriever
from tests.conftest import REPOSITORY

WORDS = ("rent", "gold", "tenant", "lease", "notice", "court", "the", "of", "किराया", "évêque")
QUERIES = (
    "rent",
    "the tenant of the court",
    "gold gold rent",
    "zebra",
    "",
    "किराया eveque",
    "the of",
)


def _texts(count, seed=1, longest=40):
    rng = np.random.default_rng(seed)
    shares = np.arange(len(WORDS), 0, -1.0) ** 2
    return [
        " ".join(rng.choice(WORDS, rng.integers(0, longest), p=shares / shares.sum()))
        for _ in range(count)
    ]


def _made(folder, texts, analysis=Analysis()):
    folder.mkdir(exist_ok=True)
    build(iter(texts), analysis, folder)
    return TermIndex.load(folder, analysis, len(texts))


def _by_hand(texts, query, analysis):
    """The formula of the docstring, in a loop; function words make no text longer, copies no term more frequent."""
    documents = [
        Counter(term for word in text.split() for term in analysis.indexed_terms_of(word))
        for text in texts
    ]
    lengths = [sum(n for t, n in d.items() if not analysis.is_light(t)) for d in documents]
    firsts = [n for n, text in enumerate(texts) if text not in texts[:n]]
    average = sum(lengths[n] for n in firsts) / len(firsts)
    scores = []
    for document, length in zip(documents, lengths, strict=True):
        score = 0.0
        for term in analysis.terms(query):
            df = sum(term in documents[n] for n in firsts)
            idf = math.log(1 + (len(firsts) - df + 0.5) / (df + 0.5))
            tf = document[term]
            score += idf * tf / (tf + 1.5 * (1 - 0.75 + 0.75 * length / average))
        scores.append(score)
    return scores


def _scores(index, query):
    return index.score(index.weights(index.analysis.terms(query), 256))


@pytest.mark.parametrize("analysis", [Analysis(), Analysis(("en",)), Analysis(("en",), ("en",))])
@pytest.mark.parametrize("query", QUERIES)
def test_scores_equal_the_formula(tmp_path, analysis, query):
    texts = _texts(80)
    index = _made(tmp_path / "i", texts, analysis)
    wanted = _by_hand(texts, query, analysis)
    np.testing.assert_allclose(_scores(index, query), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("query", ["rent gold", "tenant notice court", "lease"])
def test_scores_equal_bm25s(tmp_path, query):
    texts = list(dict.fromkeys(_texts(300, seed=4)))  # It counts copies.
    index = _made(tmp_path / "i", texts, Analysis(("en",)))
    other = bm25s.BM25(method="lucene", k1=room.K1, b=room.B)
    kept = [[word for word in text.split() if word not in STOP_WORDS] for text in texts]
    other.index(kept, show_progress=False)
    np.testing.assert_allclose(
        _scores(index, query), other.get_scores(query.split()), rtol=1e-5, atol=1e-6
    )


def test_copies_change_no_score(tmp_path):
    texts = list(dict.fromkeys(_texts(60, seed=6)))
    copied = [*texts[:20], *texts, *(text.upper() for text in texts[:30])]
    once, twice = _made(tmp_path / "once", texts), _made(tmp_path / "twice", copied)
    for query in QUERIES:
        wanted = _scores(once, query)
        expected = np.concatenate([wanted[:20], wanted, wanted[:30]])
        np.testing.assert_array_equal(_scores(twice, query), expected)


def test_many_chunks_give_the_same_files(tmp_path, monkeypatch):
    texts = _texts(200, seed=2)
    _made(tmp_path / "one", texts)
    monkeypatch.setattr(room, "_CHUNK", 50)
    monkeypatch.setattr(room, "_BATCH", 30)
    _made(tmp_path / "many", texts)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["passages.npy", "scores.npy", "starts.npy", "terms.npy"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_words_of_several_terms_among_others(tmp_path):
    texts = ["rent 日本語 rent", "日本 rent", "語", "", "本語 日本語の本"]
    index = _made(tmp_path / "i", texts)
    for query in ("日本語", "rent", "語", "日本 rent"):
        np.testing.assert_allclose(
            _scores(index, query), _by_hand(texts, query, Analysis()), rtol=1e-5, atol=1e-6
        )


def test_texts_without_words(tmp_path):
    index = _made(tmp_path / "i", ["", "?!", ""])
    assert len(index.terms) == 0
    assert _scores(index, "rent").tolist() == [0, 0, 0]
    some = _made(tmp_path / "j", ["", "rent", ""])
    assert [score > 0 for score in _scores(some, "rent")] == [False, True, False]


def test_of_a_very_long_query_the_weightiest_terms_are_kept(tmp_path):
    texts = ["common rare"] + ["common"] * 50
    index = _made(tmp_path / "i", texts)
    assert index.weights(["common", "rare", "unknown"], 1) == index.weights(["rare"], 9)
    assert index.weights(["common"] * 900 + ["rare"], 1) == index.weights(["common"] * 900, 9)


def test_parts_are_what_terms_add_to_some_passages(tmp_path):
    texts = _texts(60, seed=8)
    index = _made(tmp_path / "i", texts)
    weights = index.weights(["rent", "rent", "gold"], 9)
    some = [0, 7, 59, 3]
    np.testing.assert_allclose(index.parts(weights, some), index.score(weights)[some])


@pytest.mark.parametrize("name", ["terms", "starts", "passages", "scores"])
def test_a_file_that_is_no_array_of_its_kind_is_a_failure(tmp_path, name):
    _made(tmp_path / "i", _texts(5))
    path = tmp_path / "i" / f"{name}.npy"
    np.save(path, np.array([object()]), allow_pickle=True)
    with pytest.raises(Failed, match=rf"{name}.npy cannot be read"):
        TermIndex.load(tmp_path / "i", Analysis(), 5)
    np.save(path, np.zeros((2, 2)))
    with pytest.raises(Failed, match=rf"{name}.npy is not part of a keyword index"):
        TermIndex.load(tmp_path / "i", Analysis(), 5)
    path.write_bytes(b"\x93NUMPY")
    with pytest.raises(Failed, match=rf"{name}.npy cannot be read"):
        TermIndex.load(tmp_path / "i", Analysis(), 5)


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """Keyword search over 70 documents, most of several passages."""
    folder = tmp_path_factory.mktemp("cut")
    rng = np.random.default_rng(6)
    documents = []
    for n in range(70):
        text = " ".join(
            " ".join(rng.choice(WORDS[:6], rng.integers(3, 12))) + "." for _ in range(n % 5 * 2 + 1)
        )
        documents.append(Document(f"d{n}", "", text, {"year": str(1960 + n)}))
    writer = CorpusWriter(folder, chunking=Chunking(24, 0))
    writer.add(documents)
    writer.close()
    corpus = Corpus(folder / CORPUS_FILE)
    assert corpus.passages > 1.5 * len(corpus)
    index = _made(folder / "i", corpus.embedded_texts(0, corpus.passages))
    return BM25Retriever(corpus, index)


@pytest.mark.parametrize("k", [1, 4, 10, 70, 1000])
@pytest.mark.parametrize("condition", [None, "year>=2000", "year=1971,1972,1975", "year>3000"])
def test_documents_by_their_best_passage_equal_brute_force(cut, k, condition):
    corpus = cut.corpus
    scope = Scope(() if condition is None else (parse_condition(condition),))
    allowed = corpus.within(scope)
    for query in ("rent", "tenant gold", "lease notice court", "zebra", "", "😀", "rent " * 2000):
        scores = _scores(cut.index, query)
        best = {}
        for place in range(corpus.passages) if allowed is None else allowed.tolist():
            owner = int(corpus.owners[place])
            if scores[place] > 0 and (owner not in best or scores[place] > scores[best[owner]]):
                best[owner] = place
        order = sorted(best, key=lambda owner: (-scores[best[owner]], owner))[:k]
        (ranking,) = cut.rank([query], k, scope)
        assert ranking == [(owner, float(scores[best[owner]]), best[owner]) for owner in order]


def test_equal_scores_are_in_order_of_position_whatever_k(tmp_path):
    writer = CorpusWriter(tmp_path)
    writer.add([Document(f"d{n}", "", "rent due" if n % 2 else "rent") for n in range(40)])
    writer.close()
    corpus = Corpus(tmp_path / CORPUS_FILE)
    searcher = BM25Retriever(corpus, _made(tmp_path / "i", corpus.embedded_texts(0, 40)))
    wanted = [*range(0, 40, 2), *range(1, 40, 2)]
    for k in (1, 7, 20, 25, 40, 100):
        assert [f.document for f in searcher.rank(["rent"], k)[0]] == wanted[:k]


CUT = """
import os, sys
from pathlib import Path
from search.projects.errors import Damaged
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.tokenizer import Analysis

folder = Path(sys.argv[1])
texts = [f"frost {n} dust" for n in range(6_000)]
build(texts, Analysis(), folder)
index = TermIndex.load(folder, Analysis(), len(texts))
weights = index.weights(["frost"], 5)
os.truncate(folder / "scores.npy", 4_096)
for use in (
    lambda: index.weights(["dust"], 5),
    lambda: index.score(weights),
    lambda: index.parts(weights, [5_999]),
):
    try:
        use()
    except Damaged as damaged:
        print(damaged.what)
print("goes on")
"""


def test_a_keyword_index_that_is_cut_under_its_reader_is_a_sentence(tmp_path):
    """The system ends a process that touches a mapped page that is gone, so this one has its own."""
    done = subprocess.run(
        [sys.executable, "-c", CUT, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"{tmp_path / 'scores.npy'} was cut while it was open."
    assert (done.returncode, done.stdout.splitlines()) == (0, [said] * 3 + ["goes on"]), done.stderr


def test_a_full_disk_is_an_error_not_the_end(tmp_path, monkeypatch):
    def full(_handle, _start, _size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        build(["frost and dust"], Analysis(), tmp_path)
