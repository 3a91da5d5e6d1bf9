"""Both classes of precision on data sets: what eight bits lose of the ten nearest and of nDCG@10, and how fast they are.

Run it with python -m benchmarks.precision SET ...; each set is imported, encoded in full, made fast by the product's own
gates, encoded again, and its test queries ranked in both by brute force. `--workspace FOLDER` goes on where it stopped.
"""

import argparse
import os

import numpy as np

from benchmarks.common import data_sets, empty_workspace, machine
from benchmarks.encoding import quality, timed
from benchmarks.targets import ready_project
from indexes.opening import stored_vectors
from search.corpus.corpus import current_corpus
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.errors import Refused
from search.projects.settings import HOME_VARIABLE
from search.retrieval.indexing.build import index_model
from training.quantizing.making import make_fast

_FAST = "fast"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", help="folders of data sets (default: all)")
    parser.add_argument("--workspace", help="a workspace to go on in")
    chosen = parser.parse_args()
    names = chosen.sets or sorted(f.name for f in data_sets().iterdir() if (f / "qrels").is_dir())
    print(f"Machine: {machine()}\n")
    print(
        "| set | passages | layers in full | ten nearest kept | dev full | dev fast | test full | test fast | "
        "times full | times PyTorch | making, s | encoding, s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    if chosen.workspace:
        os.environ[HOME_VARIABLE] = chosen.workspace
        for name in names:
            print(row(name), flush=True)
        return
    with empty_workspace():
        for name in names:
            print(row(name), flush=True)


def row(name: str) -> str:
    """One set, as a line of the table."""
    project = ready_project(name, name)
    _, corpus = current_corpus(project)
    try:
        made = timed(lambda: make_fast(project, "generic", _FAST))
    except Refused as reason:
        return f"| {name} | {corpus.passages:,} | refused: {reason} |"
    trial = made.result.trials[-1]
    encoding = timed(lambda: index_model(project, _FAST))
    scores = []
    for model in ("generic", _FAST):
        vectors = stored_vectors(project.checked(index_model(project, model, rebuild=False)))
        encoder = load_encoder(project, find_model(project, model))
        scores.append(quality(project, corpus, encoder, np.asarray(vectors)))
    dev = [f"{score:.4f}" if score is not None else "-" for score in (trial.dev_full, trial.dev)]
    return (
        f"| {name} | {corpus.passages:,} | {trial.in_full} of {trial.layers} | {trial.overlap:.3f} | {dev[0]} | {dev[1]} | "
        f"{scores[0]:.4f} | {scores[1]:.4f} | {trial.speed:.2f} | {trial.plain:.2f} | {made.processor:.0f} | "
        f"{encoding.processor:.0f} |"
    )


if __name__ == "__main__":
    main()
