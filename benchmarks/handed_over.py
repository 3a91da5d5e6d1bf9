"""What slices and the page that is handed over take, beside encoding 600 texts with plain sentence-transformers.

Run it with: python -m benchmarks.handed_over --queries 10000 --documents 100000. The texts are sentences of scifact, mixed
anew; two columns are made up, since what is timed comes after everything was ranked.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import empty_workspace, json_lines, machine
from search.corpus.corpus import current_corpus
from search.corpus.tokenizer import generic_folder
from search.evaluation.evaluation import Evaluation
from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.slices.define import slices_of
from search.evaluation.statistics.groups import group_queries
from search.evaluation.statistics.significance import compare
from search.insight.verdict_page.content import MeasuredPair
from search.insight.verdict_page.files import written
from search.projects.project import Project, project_to_be
from search.retrieval.bm25.store import keyword_index
from training.data.intake import import_beir

_TEXTS = 600
_SENTENCES = 5


def main() -> None:
    """Print a row a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--documents", type=int, default=100_000)
    chosen = parser.parse_args()
    print(f"Machine: {machine()}\n")
    with empty_workspace() as home:
        project = _made_up(home, chosen.queries, chosen.documents)
        manifest, corpus = current_corpus(project)
        asked, query_set = current_query_set(project)
        words = keyword_index(project, manifest, corpus)
        print("| step | seconds |\n|---|---|")
        reference = _encode(corpus.texts(0, _TEXTS))
        print(f"| encoding {_TEXTS} texts with sentence-transformers | {reference:.2f} |")
        slices, first = _timed("slices are defined", lambda: slices_of(corpus, query_set, words))
        result = _evaluation(query_set)
        result, second = _timed("slices are tested", lambda: result.in_slices(slices))
        made_from = {"corpus": manifest.id, "queries": asked.id}
        with project.publish("evaluations", made_from) as draft:
            result.save(draft, dict.fromkeys(result.scores, "-"))
        _, third = _timed("the page is made", lambda: _page(project))
        spent = first + second + third
        print(f"| together, as a part of encoding | {spent / reference:.2f} |")


def _timed(step: str, work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    made = work()
    spent = time.perf_counter() - started
    print(f"| {step} | {spent:.2f} |", flush=True)
    return made, spent


def _made_up(home: Path, queries: int, documents: int) -> Project:
    draw = random.Random(20261130)
    texts = " ".join(row["text"] for row in json_lines("scifact", "corpus.jsonl"))
    sentences = [sentence for sentence in texts.split(". ") if sentence.strip()]
    folder = home / "made-up"
    (folder / "qrels").mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as stream:
        for n in range(documents):
            text = ". ".join(draw.sample(sentences, _SENTENCES))
            stream.write(json.dumps({"_id": f"d{n}", "title": "", "text": text}) + "\n")
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as stream:
        for n in range(queries):
            asked = " ".join(draw.choice(sentences).split()[: draw.randint(3, 14)])
            stream.write(json.dumps({"_id": f"q{n:05}", "text": f"{asked} {n}"}) + "\n")
    with (folder / "qrels" / "test.tsv").open("w", encoding="utf-8") as stream:
        stream.write("query-id\tcorpus-id\tscore\n")
        for n in range(queries):
            stream.write(f"q{n:05}\td{draw.randrange(documents)}\t1\n")
    project = project_to_be("made-up")
    import_beir(project, folder)
    return project


def _encode(texts: list[str]) -> float:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(generic_folder()), device="cpu")
    model.encode(texts[:8])
    started = time.perf_counter()
    model.encode(texts)
    return time.perf_counter() - started


def _evaluation(query_set: Any) -> Evaluation:
    """Two made-up columns over a query set, tested as a real evaluation is."""
    queries = sorted(query_set.queries)
    rng = np.random.default_rng(7)
    ours = rng.choice([0.0, 0.39, 0.5, 0.63, 1.0], len(queries))
    theirs = np.clip(ours + rng.choice([0.0, 0.0, 0.3, -0.2], len(queries)), 0, 1)
    columns = {"generic": ours, "mine": theirs}
    scores = {
        name: {metric: values.tolist() for metric in ("ndcg@10", "recall@10")}
        for name, values in columns.items()
    }
    groups = group_queries(query_set)
    firsts: dict[str, list[int | None]] = {name: [1] * len(queries) for name in columns}
    tops = {name: [["d1", "d2", "d3"]] * len(queries) for name in columns}
    texts = [query_set.queries[query] for query in queries]
    tests = compare(scores, groups, ["mine"])
    return Evaluation(queries, texts, scores, firsts, tests, groups=groups, tops=tops)


def _page(project: Project) -> str:
    manifest = project.newest("evaluations")
    assert manifest is not None
    return written(MeasuredPair.of(project, manifest, "mine", "generic"), ".html")


if __name__ == "__main__":
    main()
