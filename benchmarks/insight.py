"""What explaining costs: why a document was found, and a map of ten thousand documents under two models.

Run it with `make bench`, or choose: python -m benchmarks.insight --documents 2000. Explained are documents of about 200
words of ask_cfpb with all-MiniLM-L6-v2 as it is searched with, each by a held-out question; the map is of documents of
the shared sets, drawn by a fixed seed, under word vectors made of them and under the static model (how vectors come
about is not measured). Data sets are looked for in BESPOKE_DATA (default ../shared/data).
"""

import argparse
import json
import statistics
import time
from pathlib import Path

from benchmarks.common import empty_workspace, json_lines, machine
from benchmarks.first_search import write_documents
from search.corpus.corpus import current_corpus
from search.corpus.ingest import IngestChoices, add_documents
from search.insight.explain import attribute
from search.insight.map import draw_map, load_map
from search.models.pretrained.add import Choices, add_model
from search.projects.project import project_to_be
from search.retrieval.search import retrievers_for
from training.train import train

_EXPLAINED = 20
_WORDS = range(180, 221)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    chosen = parser.parse_args()
    print(f"Machine: {machine()}\n")
    print("| what | seconds |")
    print("|---|---|", flush=True)
    with empty_workspace() as scratch:
        seconds = explained(scratch)
        print(
            f"| why a document of 200 words was found, median of {len(seconds)} | "
            f"{statistics.median(seconds):.2f} |\n| the slowest of them | {max(seconds):.2f} |",
            flush=True,
        )
        drawn, points = mapped(scratch, chosen.documents)
        print(f"| map of {points:,} documents under two models, indexes ready | {drawn:.0f} |")


def explained(scratch: Path) -> list[float]:
    """Seconds for each explanation."""
    rows = json_lines("ask_cfpb", "corpus.jsonl")
    fitting = [row for row in rows if len(row["text"].split()) in _WORDS][:_EXPLAINED]
    queries = json_lines("ask_cfpb", "queries.jsonl")
    path = scratch / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in fitting), encoding="utf-8")
    project = project_to_be("answers")
    add_documents(project, [path], IngestChoices())
    (retriever,), corpus = retrievers_for(project, ["generic"])
    retriever.rank(["warm up"], 1)
    took = []
    for position, query in zip(range(len(corpus)), queries, strict=False):
        started = time.perf_counter()
        attribute(retriever, corpus, query["text"], position)
        took.append(time.perf_counter() - started)
    return took


def mapped(scratch: Path, documents: int) -> tuple[float, int]:
    """Seconds for a map, and how many points it has."""
    path = scratch / "documents.jsonl"
    write_documents(path, documents)
    project = project_to_be("documents")
    add_documents(project, [path], IngestChoices())
    add_model(project, "static", Choices())
    train(project, "word2vec", "words", {"epochs": 2})
    retrievers_for(project, ["static", "words"])
    current_corpus(project)
    started = time.perf_counter()
    made = draw_map(project, ["static", "words"])
    took = time.perf_counter() - started
    return took, len(load_map(project, made).positions)


if __name__ == "__main__":
    main()
