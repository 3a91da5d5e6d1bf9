"""What each recipe does to held-out queries: a Markdown table with p-values and seconds.

Run it with `make bench`, or choose: python -m benchmarks.quality --sets ask_cfpb --recipes adapter. Data sets
in BEIR layout are looked for in BESPOKE_DATA (default ../shared/data); the two samples come with the packages.
"""

import argparse
import time
from collections.abc import Iterable

from benchmarks.common import empty_workspace, machine, prepared
from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import Evaluation
from search.models.registry import GENERIC, KEYWORD
from search.retrieval.indexing.build import index_model
from training.recipes import RECIPES
from training.train import train

AUTO = "auto"
_SETS = ("ask_cfpb", "hinglish_top", "tos_plain_english", "medical", "legal")


def main() -> None:
    """Measure and print, one table row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=_SETS, help="data sets and samples")
    each = [recipe for recipe in RECIPES if recipe != AUTO]  # Auto has a table of its own.
    parser.add_argument("--recipes", nargs="+", default=each, choices=list(RECIPES))
    chosen = parser.parse_args()
    print(f"Machine: {machine()}\n")
    print(
        "| set | model | nDCG@10 | MRR@10 | recall@10 | recall@100 | MAP@100 | vs generic | p | train |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    with empty_workspace():
        for name in chosen.sets:
            for line in rows(name, chosen.recipes):
                print(line, flush=True)


def rows(name: str, recipes: Iterable[str]) -> Iterable[str]:
    """The rows of one data set."""
    project = prepared(name)
    index_model(project, GENERIC, rebuild=False)
    yield from _rows(name, evaluate(project, [GENERIC, KEYWORD]), {})
    for recipe in recipes:
        started = time.monotonic()
        made = train(project, recipe)
        seconds = time.monotonic() - started
        assert made is not None  # There is one process alone.
        result = evaluate(project, [GENERIC, made.name])
        yield from list(_rows(name, result, {made.name: seconds}))[1:]


def _rows(name: str, result: Evaluation, seconds: dict[str, float]) -> Iterable[str]:
    tests = {test.candidate: test for test in result.comparisons}
    for model in result.scores:
        means = " | ".join(f"{value:.3f}" for value in result.means(model).values())
        test = tests.get(model)
        against = f"{test.delta:+.3f} {test.verdict} | {_p(test.p_value)}" if test else "– | –"
        spent = f"{seconds[model]:.0f} s" if model in seconds else "–"
        title = f"{name} ({len(result.queries):,} queries)" if model == GENERIC else ""
        yield f"| {title} | {model} | {means} | {against} | {spent} |"


def _p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".lstrip("0")


if __name__ == "__main__":
    main()
