"""What each recipe and auto make of the generic model, beside keyword search: nDCG@10 on test, a Markdown table.

Run it with: python -m benchmarks.targets --folder ~/targets --sets hinglish_top --recipes adapter auto. What was measured is kept
in the folder, set by set and model by model, so that a second run goes on where the first one stopped. Data sets
in BEIR layout are looked for in BESPOKE_DATA (default ../shared/data). Seconds are of the training alone, after the
corpus was encoded with the generic model. The last row of a set ("documents only") is auto on pairs mined from its
documents, as if none had been given.
"""

import argparse
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.common import machine, prepared
from benchmarks.documents_only import SETS
from benchmarks.quality import AUTO
from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import Evaluation
from search.models.registry import GENERIC, KEYWORD
from search.projects.files import write_json
from search.projects.project import Project, project_to_be
from search.projects.settings import HOME_VARIABLE
from search.retrieval.indexing.build import index_model
from training.recipes import RECIPES
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs
from training.train import train

MINED = "documents only"
_RESULTS = "results.json"
_HEAD = "| set | model | nDCG@10 | against generic | p | training |\n|---|---|---|---|---|---|"

Rows = dict[str, dict[str, Any]]
"""What was measured of one set, by model."""


def main() -> None:
    """Measure what is not known yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where results are kept")
    parser.add_argument("--sets", nargs="+", default=SETS, help="data sets and samples")
    parser.add_argument("--recipes", nargs="*", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--minutes", type=float, default=10.0, help="for auto")
    parser.add_argument("--documents-only", action="store_true", help="mine pairs, too")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    os.environ[HOME_VARIABLE] = str(chosen.folder / "workspace")
    print(f"Machine: {machine()}\n\n{_HEAD}", flush=True)
    recipes = [*chosen.recipes, *([MINED] if chosen.documents_only else [])]
    for name in chosen.sets:
        rows = measured(name, recipes, chosen.minutes, chosen.folder / _RESULTS)
        for line in lines(name, rows, recipes):
            print(line, flush=True)


def measured(name: str, recipes: Iterable[str], minutes: float, kept: Path) -> Rows:
    """All rows of a set: those that are kept, and those that are measured now and kept.

    :param kept: the file with what was measured before, by set and model.
    """
    known: dict[str, Rows] = json.loads(kept.read_text()) if kept.is_file() else {}
    rows = known.setdefault(name, {})
    wanted = [recipe for recipe in recipes if recipe not in rows]
    if GENERIC in rows and not wanted:
        return rows
    project = ready_project(name, name)
    if GENERIC not in rows:
        rows |= _figures(evaluate(project, [GENERIC, KEYWORD]))
        write_json(kept, known)
    for recipe in wanted:
        if recipe == MINED:
            rows[recipe] = _row(_mined(name), AUTO, minutes)
        else:
            rows[recipe] = _row(project, recipe, minutes)
        write_json(kept, known)
    return rows


def ready_project(name: str, called: str) -> Project:
    """A project with a set in it, indexed with the generic model; made where there is none yet."""
    project = project_to_be(called)
    if project.newest("corpora") is None:
        project = prepared(name, called)
    index_model(project, GENERIC, rebuild=False)
    return project


def _mined(name: str) -> Project:
    """The same documents in a project of their own, with pairs mined from them instead of the set's."""
    project = ready_project(name, f"{name}-documents-only")
    for manifest in project.manifests("pairs"):
        project.remove(manifest)
    make_synthetic_pairs(project, SyntheticRequest(save=True))
    return project


def _row(project: Project, recipe: str, minutes: float) -> dict[str, Any]:
    """One model, trained and evaluated."""
    started = time.monotonic()
    made = train(project, recipe, None, {"minutes": minutes} if recipe == AUTO else None)
    seconds = time.monotonic() - started
    assert made is not None  # There is one process alone.
    figures = _figures(evaluate(project, [GENERIC, made.name]))[made.name]
    leaderboard = project.artifact("models", made.id).details.get("leaderboard", [])
    return {**figures, "seconds": seconds, "leaderboard": leaderboard}


def _figures(result: Evaluation) -> Rows:
    tests = {test.candidate: test for test in result.comparisons}
    found: Rows = {}
    for model in result.scores:
        found[model] = {"ndcg@10": result.means(model)["ndcg@10"], "queries": len(result.queries)}
        if test := tests.get(model):
            found[model] |= {"delta": test.delta, "verdict": test.verdict, "p": test.p_value}
    return found


def lines(name: str, rows: Rows, recipes: Iterable[str]) -> Iterable[str]:
    """The rows of a set in Markdown."""
    for model in (GENERIC, KEYWORD, *recipes):
        row = rows[model]
        title = f"{name} ({row['queries']:,} queries)" if model == GENERIC else ""
        against = (
            f"{row['delta']:+.3f} {row['verdict']} | {row['p']:.3f}" if "p" in row else "– | –"
        )
        spent = f"{row['seconds']:.0f} s" if "seconds" in row else "–"
        kept = [trial["name"] for trial in row.get("leaderboard", []) if trial["outcome"] == "kept"]
        called = f"{model} ({kept[0]})" if kept else model
        yield f"| {title} | {called} | {row['ndcg@10']:.3f} | {against} | {spent} |"


if __name__ == "__main__":
    main()
