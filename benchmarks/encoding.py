"""How fast a corpus becomes vectors: against plain SentenceTransformer.encode, and against what the machine can do.

Run it with `make bench`, or choose: python -m benchmarks.encoding --passages 600. Both sides run in one process, one
after the other; seconds of the clock and of the processor are told, because a shared machine keeps only the second
promise. Data sets in BEIR layout are looked for in BESPOKE_DATA (default ../shared/data).
"""

import argparse
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import data_sets, empty_workspace, machine
from indexes.opening import stored_vectors
from indexes.vector_index import Vectors, normalised
from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import MAIN_METRIC, score
from search.models.sentence_transformer import load_generic
from search.projects.project import Project, project_to_be
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.train import train

_SET = "medquad_small"


@dataclass(frozen=True)
class Timed:
    """What something took: seconds of the clock, and of the processor (all threads together)."""

    result: Any
    wall: float
    processor: float


def timed(work: Callable[[], Any]) -> Timed:
    """Run and time."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return Timed(result, time.perf_counter() - wall, time.process_time() - processor)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=0, help="only so many (0: all)")
    chosen = parser.parse_args()
    with empty_workspace() as scratch:
        source = reduced(data_sets() / _SET, scratch / ".part", chosen.passages)
        project = project_to_be(_SET)
        import_beir(project, source)
        measure(project)


def reduced(source: Path, target: Path, passages: int) -> Path:
    """The data set with only so many documents, those that answer test queries first."""
    if not passages:
        return source
    shutil.copytree(source, target)
    judged = {
        line.split("\t")[1]
        for line in (source / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    }
    lines = (source / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    first = [line for line in lines if json.loads(line)["_id"] in judged]
    rest = [line for line in lines if json.loads(line)["_id"] not in judged]
    kept = (first[: passages // 2] + rest)[:passages]
    (target / "corpus.jsonl").chmod(0o644)
    (target / "corpus.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return target


def measure(project: Project) -> None:
    """Encode both ways, and an adapter's index after it."""
    import torch

    model = load_generic()
    _, corpus = current_corpus(project)
    texts = corpus.embedded_texts(0, corpus.passages)
    model.encode(texts[:8])
    peak = matrix_peak()
    plain = timed(lambda: model.encode(texts))
    ours = timed(lambda: index_model(project, "generic"))
    facts = ours.result.details["encoding"]
    again = timed(lambda: index_model(project, "generic"))
    vectors = stored_vectors(project.checked(ours.result))
    work = operations(model, texts)
    print(
        f"Machine: {machine()}; {torch.get_num_threads()} threads; {len(texts):,} passages of {_SET}\n"
    )
    print("| | seconds | passages/s | processor seconds | share of matrix peak | nDCG@10 |")
    print("|---|---|---|---|---|---|")
    for name, run, own in (
        ("plain SentenceTransformer.encode", plain, normalised(np.asarray(plain.result))),
        (f"index, encoded with {facts['backend']}", ours, np.asarray(vectors)),
    ):
        print(
            f"| {name} | {run.wall:.1f} | {len(texts) / run.wall:.1f} | {run.processor:.1f} | "
            f"{work / run.wall / peak:.0%} | {quality(project, corpus, model, own):.4f} |"
        )
    print(
        f"\nPlain by index: {plain.wall / ours.wall:.2f} (clock), "
        f"{plain.processor / ours.processor:.2f} (processor). Encoding alone, after the choice: "
        f"{facts['passages_a_second']:.1f} passages/s. Matrix peak: {peak / 1e9:.0f} GFLOP/s."
    )
    for figures in facts["measured"]:
        print(f"  probe: {figures}")
    print(f"Indexed again, nothing new: {again.wall:.2f} s ({again.wall / ours.wall:.1%}).")
    made = train(project, "adapter", "second", {"epochs": 1})
    assert made is not None  # There is one process alone.
    second = timed(lambda: index_model(project, made.name))
    print(f"A second model, an adapter: {second.wall:.2f} s ({second.wall / ours.wall:.1%}).")


def matrix_peak() -> float:
    """Operations a second of large matrix products in PyTorch, the best of ten."""
    import torch

    size = 2_048
    one = torch.randn(size, size)
    seconds = min(timed(lambda: one @ one).wall for _ in range(10))
    return float(2 * size**3 / seconds)


def operations(model: Any, texts: list[str]) -> float:
    """What the transformer has to compute for texts: two operations a weight and word piece, and attention."""
    config = model[0].model.config
    weights = sum(p.numel() for _, p in model[0].model.encoder.named_parameters() if p.ndim == 2)
    pieces = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]
    lengths = np.array([len(row) for row in pieces], dtype=np.float64)
    attention = 4.0 * config.hidden_size * config.num_hidden_layers * float((lengths**2).sum())
    return float(2 * weights * lengths.sum() + attention)


def quality(project: Project, corpus: Corpus, model: Any, vectors: Vectors) -> float:
    """nDCG@10 of the test queries over vectors, by brute force."""
    newest = project.newest("queries")
    assert newest is not None
    ids = corpus.ids()
    queries, _ = QuerySet.load(project, newest).restricted_to(set(ids))
    names = sorted(queries.queries)
    asked = normalised(model.encode_query([queries.queries[name] for name in names]))
    order = np.argsort(-(asked @ vectors.T), axis=1, kind="stable")[:, :10]
    run = {name: [ids[int(p)] for p in row] for name, row in zip(names, order, strict=True)}
    return float(np.mean(score(run, queries)[MAIN_METRIC]))


if __name__ == "__main__":
    main()
