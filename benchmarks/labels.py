"""What questions do that a chat server writes, where no pairs were given: a Markdown table, an upper limit.

The server is scripted (`scripted_chat.GoodWriter`): it knows what people asked about a document in training, never in dev
or test, so it writes as no model can do better. The pairs of a set are removed before anything is asked; its test queries
are only evaluated on. Choose with: python -m benchmarks.labels --sets ask_cfpb tos_plain_english.
"""

import argparse
import time

from benchmarks.common import empty_workspace, machine, prepared
from benchmarks.documents_only import SETS
from benchmarks.scripted_chat import GoodWriter, serving
from search.evaluation.evaluate import evaluate
from search.models.registry import GENERIC
from search.projects.project import Project
from search.retrieval.indexing.build import index_model
from training.synthetic.chat.written import ChatRequest
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs
from training.train import train


def main() -> None:
    """Measure and print, one row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=SETS, help="data sets and samples")
    parser.add_argument("--calls", type=int, default=500, help="the most passages asked about")
    chosen = parser.parse_args()
    print(f"{machine()}. An upper limit: the server knows people's training queries.\n")
    print(
        "| set | calls | pairs | generic | written adapter | difference | p | asking and training |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    gains = []
    with empty_workspace():
        for name in chosen.sets:
            project = prepared(name)
            writer = GoodWriter.of(project)
            for manifest in project.manifests("pairs"):
                project.remove(manifest)
            index_model(project, GENERIC, rebuild=False)
            line, gain = row(name, project, writer, chosen.calls)
            gains.append(gain)
            print(line, flush=True)
    print(f"\nMean difference: {sum(gains) / len(gains):+.4f}")


def row(name: str, project: Project, writer: GoodWriter, calls: int) -> tuple[str, float]:
    """One row, written, trained and evaluated; and the difference."""
    started = time.monotonic()
    with serving(writer) as url:
        chat = ChatRequest(url, calls=calls)
        made = make_synthetic_pairs(project, SyntheticRequest(chat=chat, save=True))
    assert made.pairs is not None
    train(project, "adapter", "written")
    seconds = time.monotonic() - started
    result = evaluate(project, [GENERIC, "written"])
    (test,) = result.comparisons
    means = [result.means(model)["ndcg@10"] for model in (GENERIC, "written")]
    line = (
        f"| {name} | {writer.asked:,} | {made.pairs.details['pairs']:,} | {means[0]:.3f} | {means[1]:.3f} | "
        f"{test.delta:+.3f} {test.verdict} | {test.p_value:.3f} | {seconds:.0f} s |"
    )
    return line, test.delta


if __name__ == "__main__":
    main()
