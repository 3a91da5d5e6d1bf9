"""What an adapter of mined pairs does to real held-out queries, where no pairs were given: a Markdown table.

Choose with: python -m benchmarks.documents_only --sets ask_cfpb tos_plain_english. The pairs of a set are removed
before anything is mined; its test queries are only evaluated on.
"""

import argparse
import time

from benchmarks.common import empty_workspace, prepared
from search.evaluation.evaluate import evaluate
from search.models.registry import GENERIC
from search.projects.project import Project
from search.retrieval.indexing.build import index_model
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs
from training.train import train

SETS = ("hinglish_top", "medquad_small", "medical", "tos_plain_english", "ask_cfpb", "scifact")


def main() -> None:
    """Measure and print, one row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=SETS, help="data sets and samples")
    chosen = parser.parse_args()
    print("| set | mined pairs | generic | mined adapter | difference | p | mining and training |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with empty_workspace():
        for name in chosen.sets:
            project = prepared(name)
            for manifest in project.manifests("pairs"):
                project.remove(manifest)
            index_model(project, GENERIC, rebuild=False)
            print(row(name, project), flush=True)


def row(name: str, project: Project) -> str:
    """One row: mined, trained, evaluated."""
    started = time.monotonic()
    mined = make_synthetic_pairs(project, SyntheticRequest(save=True))
    made = train(project, "adapter", "mined")
    seconds = time.monotonic() - started
    assert mined.pairs is not None
    assert made is not None
    result = evaluate(project, [GENERIC, "mined"])
    (test,) = result.comparisons
    means = [result.means(model)["ndcg@10"] for model in (GENERIC, "mined")]
    return (
        f"| {name} | {mined.pairs.details['pairs']:,} | {means[0]:.3f} | {means[1]:.3f} | {test.delta:+.3f} "
        f"{test.verdict} | {test.p_value:.3f} | {seconds:.0f} s |"
    )


if __name__ == "__main__":
    main()
