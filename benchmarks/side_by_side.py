"""One question, two models, 100,000 passages: what a side-by-side search costs beside its bare parts.

Both sides of each ratio are measured in turn, in one process, warm, on questions that were not asked before: ours is
`search` of two columns, with the texts of its hits; the bare side is two calls of `encode_query` and two searches of a
plain faiss index over the same vectors. Run it with `make bench`, or: python -m benchmarks.side_by_side --queries 200.

The questions and texts come from the data sets in BESPOKE_DATA (default ../shared/data), texts repeated with a number
of their own until there are enough; the vectors of the passages are made up, in clusters. The models are real.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np

from benchmarks.common import empty_workspace, json_lines, machine
from indexes.vector_index import IndexPlan, Vectors
from search.corpus.corpus import CORPUS_FILE, Corpus, current_corpus
from search.corpus.document import Document
from search.corpus.passages import WHOLE
from search.corpus.tokenizer import generic_folder
from search.corpus.writer import CorpusWriter
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.registry import GENERIC, find_model
from search.projects.project import Project, project_to_be
from search.retrieval.dense import DenseRetriever
from search.retrieval.indexing.build import build_index
from search.retrieval.search import open_dense, search

_SETS = ("ask_cfpb", "hinglish_top", "tos_plain_english", "scifact", "medquad_small")
_K = 10
_SECOND = "prompted"


def main() -> None:
    """Build, measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument(
        "--type", default="flat", help="the index of our side; the bare side is flat"
    )
    chosen = parser.parse_args()
    with empty_workspace():
        project = _project(chosen.passages)
        retrievers = [_retriever(project, name, chosen.type) for name in (GENERIC, _SECOND)]
        _measure(retrievers, _queries(chosen.queries))


def _measure(retrievers: Sequence[DenseRetriever], queries: Sequence[str]) -> None:
    import faiss

    bare: list[Any] = []
    for retriever in retrievers:
        index: Any = faiss.IndexFlatIP(retriever.index.dimension)
        index.add(np.ascontiguousarray(retriever.index.vectors))
        bare.append(index)
    corpus = retrievers[0].corpus

    def ours(query: str) -> None:
        for retriever in retrievers:
            assert len(search(retriever, corpus, query, _K).hits) == _K

    def parts(query: str) -> None:
        for retriever, index in zip(retrievers, bare, strict=True):
            index.search(np.asarray(retriever.encoder.encode_query([query]), dtype=np.float32), _K)

    spent: dict[Any, list[float]] = {ours: [], parts: []}
    for number, query in enumerate(queries):
        # Whoever comes second finds the words in the processor's caches, so they take turns.
        for work in (ours, parts) if number % 2 else (parts, ours):
            started = time.perf_counter()
            work(query)
            spent[work].append((time.perf_counter() - started) * 1000)
    warm = 10
    mine, theirs = (np.array(spent[work][warm:]) for work in (ours, parts))
    facts = retrievers[0].index.facts
    print(
        f"{machine()}; {len(corpus):,} passages, index {facts.type}, "
        f"{len(mine):,} questions, k {_K}\n"
    )
    print("| | p50 ms | p95 ms |\n|---|---|---|")
    for title, times in (
        ("side by side, two models", mine),
        ("two bare encodes and searches", theirs),
    ):
        print(f"| {title} | {np.percentile(times, 50):.1f} | {np.percentile(times, 95):.1f} |")
    ratios = [np.percentile(mine, p) / np.percentile(theirs, p) for p in (50, 95)]
    print(f"| ratio | {ratios[0]:.3f} | {ratios[1]:.3f} |", flush=True)


def _project(passages: int) -> Project:
    """A project of so many short documents, each one passage, with a second model."""
    project = project_to_be("bench")
    with project.publish_together() as drafts:
        draft = drafts.add("corpora")
        writer = CorpusWriter(draft.folder, chunking=WHOLE)
        writer.add(islice(_documents(), passages))
        draft.details.update(documents=writer.count, passages=writer.close())
        assert Corpus(draft.folder / CORPUS_FILE).passages == passages
    add_model(project, str(generic_folder()), Choices(name=_SECOND, query_prompt="query: "))
    return project


def _documents() -> Iterator[Document]:
    rows = [row for name in _SETS for row in json_lines(name, "corpus.jsonl")]
    for number, row in enumerate(cycle(rows)):
        text = f"{row['text']} ({number})"
        yield Document(f"d{number}", str(row.get("title") or ""), text, {"set": str(number % 7)})


def _queries(count: int) -> list[str]:
    rows = [row["text"] for name in _SETS[:3] for row in json_lines(name, "queries.jsonl")]
    order = np.random.default_rng(1).permutation(len(rows))
    unique = list(dict.fromkeys(rows[n] for n in order))
    return unique[:count]


class _MadeUp:
    """An encoder of passages that needs no time: vectors in a thousand clusters."""

    def __init__(self, dimension: int) -> None:
        self._rng = np.random.default_rng(7)
        self._centres = self._rng.normal(size=(1_000, dimension)).astype(np.float32)

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """Vectors of passages: shape (n, dimension)."""
        chosen = self._centres[self._rng.integers(0, len(self._centres), len(inputs))]
        noise = self._rng.normal(scale=0.6, size=chosen.shape)
        return (chosen + noise).astype(np.float32)

    encode_query = encode_document


def _retriever(project: Project, name: str, kind: str) -> DenseRetriever:
    info = find_model(project, name)
    manifest, corpus = current_corpus(project)
    index = build_index(
        project, info, _MadeUp(info.dimension), manifest, corpus, plan=IndexPlan(type=kind)
    )
    return open_dense(project, info, load_encoder(project, info), index, corpus)


if __name__ == "__main__":
    main()
