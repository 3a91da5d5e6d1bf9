"""Keyword search three ways: SQLite's FTS5, bm25s, and ours. Quality, size and time, as a Markdown table.

Run it with `make bench`, or: python -m benchmarks.keywords --sets ask_cfpb. Data sets in BEIR layout are looked for
in BESPOKE_DATA (default ../shared/data).
"""

import argparse
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np

from benchmarks.common import empty_workspace, prepared
from search.corpus.corpus import Corpus, ScoredDocument, current_corpus
from search.corpus.filters import Scope
from search.evaluation.evaluate import measure
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.retrieval.retriever import EncodingTime, Ranking, Retriever
from search.retrieval.search import ProjectParts
from search.text.words import folded_words

_SETS = ("ask_cfpb", "hinglish_top", "scifact", "medquad_small", "tos_plain_english")
_TIMED = 100


class Fts5(Retriever):
    """SQLite's full-text index, Porter stems, its own bm25()."""

    name = "FTS5, Porter stems"

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self._path = folder / "fts5.sqlite"
        self._connection = sqlite3.connect(self._path)
        self._connection.execute(
            "CREATE VIRTUAL TABLE words USING fts5 (text, content='', tokenize=\"porter unicode61 "
            "remove_diacritics 2 categories 'L* N* Co M*'\")"
        )
        rows = enumerate(corpus.embedded_texts(0, corpus.passages))
        self._connection.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", rows)
        self._connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        self._connection.commit()

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._path.stat().st_size

    def ranked(
        self, queries: Sequence[str], k: int, _scope: Scope, _timing: EncodingTime
    ) -> list[Ranking]:
        """See `Retriever.ranked`."""
        return [self._ranking(query, k) for query in queries]

    def _ranking(self, query: str, k: int) -> Ranking:
        words = " OR ".join(f'"{word}"' for word in dict.fromkeys(folded_words(query)))
        rows = self._connection.execute(
            "SELECT rowid, -bm25(words) AS score FROM words WHERE words MATCH ? "
            "ORDER BY score DESC, rowid LIMIT ?",
            (words, k),
        )
        return [ScoredDocument(position, score, position) for position, score in rows]


class Bm25s(Retriever):
    """The bm25s package with its longer list of English stop words, as it comes."""

    name = "bm25s, English stop words"

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        texts = corpus.embedded_texts(0, corpus.passages)
        self._index = bm25s.BM25()
        self._index.index(self._tokens(texts), show_progress=False)
        self._folder = folder / "bm25s"
        self._index.save(self._folder)
        self._count = len(texts)

    @staticmethod
    def _tokens(texts: Sequence[str]) -> list[list[str]]:
        found = bm25s.tokenize(
            list(texts), stopwords="en_plus", return_ids=False, show_progress=False
        )
        return [list(tokens) for tokens in found]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def ranked(
        self, queries: Sequence[str], k: int, _scope: Scope, _timing: EncodingTime
    ) -> list[Ranking]:
        """See `Retriever.ranked`."""
        rankings = []
        for tokens in self._tokens(queries):
            if not tokens:
                rankings.append(Ranking())
                continue
            found, scores = self._index.retrieve(
                [tokens], k=min(k, self._count), show_progress=False, n_threads=0
            )
            pairs = zip(found[0].tolist(), scores[0].tolist(), strict=True)
            rankings.append([ScoredDocument(p, score, p) for p, score in pairs if score > 0])
        return rankings


def main() -> None:
    """Measure and print, one row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=_SETS)
    chosen = parser.parse_args()
    print("| set | documents | keyword search | nDCG@10 | recall@100 | built | size | ms a query |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with empty_workspace() as home:
        for name in chosen.sets:
            _rows(name, home)


def _rows(name: str, home: Path) -> None:
    project = prepared(name)
    manifest, corpus = current_corpus(project)
    _, query_set = current_query_set(project)
    usable, _ = query_set.restricted_to(set(corpus.ids()))
    title = f"{name} | {len(corpus):,}"
    for kind in (Fts5, Bm25s):
        folder = home / f"{name}-{kind.__name__}"
        folder.mkdir()
        started = time.perf_counter()
        retriever = kind(corpus, folder)
        built = time.perf_counter() - started
        _row(title, retriever, corpus, usable, built, retriever.size)
        title = " | "
    started = time.perf_counter()
    ours = ProjectParts(project, manifest, corpus).bm25()
    built = time.perf_counter() - started
    size = project.manifests("indexes")[-1].details["bytes"]
    _row(title, ours, corpus, usable, built, size)


def _row(
    title: str, retriever: Retriever, corpus: Corpus, query_set: QuerySet, built: float, size: int
) -> None:
    result = measure([retriever], corpus, query_set)
    means = result.means(retriever.name)
    spent = []
    for text in result.texts[:_TIMED]:
        started = time.perf_counter()
        retriever.rank([text], 10)
        spent.append(time.perf_counter() - started)
    print(
        f"| {title} | {retriever.name} | {means['ndcg@10']:.3f} | {means['recall@100']:.3f} | "
        f"{built:.1f} s | {size / 1e6:.1f} MB | {np.median(spent) * 1000:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
