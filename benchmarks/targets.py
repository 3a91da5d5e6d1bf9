"""What each recipe and auto make of the generic model, beside keyword search: nDCG@10 on test, a Markdown table.

Run it with: python -m benchmarks.targets --folder ~/targets --sets hinglish_top --recipes adapter auto. What was measured is kept
in the folder, set by set and model by model, so that a second run goes on where the first one stopped. Data sets
in BEIR layout are looked for in BESPOKE_DATA (default ../shared/data). Seconds are of the training alone, after the
corpus was encoded with the generic model. The last row of a set ("documents only") is auto on pairs mined from its
documents, as if none had been given. With several --minutes the summed gains of auto over all sets are held against each other;
with several --seeds their spread is said, too.
"""

import argparse
import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from training.settings import RecipeSettings
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs
from training.train import train

MINED = "documents only"
_RESULTS = "results.json"
_HEAD = "| set | model | nDCG@10 | against generic | p | training |\n|---|---|---|---|---|---|"

_SEED = RecipeSettings().seed

Rows = dict[str, dict[str, Any]]
"""What was measured of one set, by model."""


@dataclass(frozen=True)
class Training:
    """One training of a set: a recipe, and of auto its minutes and seed."""

    recipe: str
    minutes: float | None = None
    seed: int = _SEED

    @property
    def name(self) -> str:
        """What its row is called."""
        minutes = "" if self.minutes is None else f" in {self.minutes:g} min"
        return f"{self.recipe}{minutes}" + ("" if self.seed == _SEED else f", seed {self.seed}")


def trainings(
    recipes: Iterable[str], minutes: Sequence[float], seeds: Sequence[int]
) -> list[Training]:
    """What is trained of each set."""
    made = []
    for recipe in recipes:
        if recipe in (AUTO, MINED):
            made += [Training(recipe, time, seed) for time in minutes for seed in seeds]
        else:
            made.append(Training(recipe))
    return made


def main() -> None:
    """Measure what is not known yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where results are kept")
    parser.add_argument("--sets", nargs="+", default=SETS, help="data sets and samples")
    parser.add_argument("--recipes", nargs="*", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0], help="for auto")
    parser.add_argument("--seeds", type=int, nargs="+", default=[_SEED], help="for auto")
    parser.add_argument("--documents-only", action="store_true", help="mine pairs, too")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    os.environ[HOME_VARIABLE] = str(chosen.folder / "workspace")
    print(f"Machine: {machine()}\n\n{_HEAD}", flush=True)
    recipes = [*chosen.recipes, *([MINED] if chosen.documents_only else [])]
    wanted = trainings(recipes, chosen.minutes, chosen.seeds)
    known = {}
    for name in chosen.sets:
        known[name] = measured(name, wanted, chosen.folder / _RESULTS)
        for line in lines(name, known[name], wanted):
            print(line, flush=True)
    for line in summary(known, wanted):
        print(f"\n{line}", flush=True)


def measured(name: str, wanted: Iterable[Training], kept: Path) -> Rows:
    """All rows of a set: those that are kept, and those that are measured now and kept.

    :param kept: the file with what was measured before, by set and model.
    """
    known: dict[str, Rows] = json.loads(kept.read_text()) if kept.is_file() else {}
    rows = known.setdefault(name, {})
    new = [training for training in wanted if training.name not in rows]
    if GENERIC in rows and not new:
        return rows
    project = ready_project(name, name)
    if GENERIC not in rows:
        rows |= _figures(evaluate(project, [GENERIC, KEYWORD]))
        write_json(kept, known)
    for training in new:
        of = _mined(name) if training.recipe == MINED else project
        rows[training.name] = _row(of, training)
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


def _row(project: Project, training: Training) -> dict[str, Any]:
    """One model, trained and evaluated."""
    started = time.monotonic()
    recipe = AUTO if training.recipe == MINED else training.recipe
    values = {} if training.minutes is None else {"minutes": training.minutes}
    made = train(project, recipe, None, {**values, "seed": training.seed})
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


def lines(name: str, rows: Rows, wanted: Iterable[Training]) -> Iterable[str]:
    """The rows of a set in Markdown."""
    for model in (GENERIC, KEYWORD, *(training.name for training in wanted)):
        row = rows[model]
        title = f"{name} ({row['queries']:,} queries)" if model == GENERIC else ""
        against = (
            f"{row['delta']:+.3f} {row['verdict']} | {row['p']:.3f}" if "p" in row else "– | –"
        )
        spent = f"{row['seconds']:.0f} s" if "seconds" in row else "–"
        kept = [trial["name"] for trial in row.get("leaderboard", []) if trial["outcome"] == "kept"]
        called = f"{model} ({kept[0]})" if kept else model
        yield f"| {title} | {called} | {row['ndcg@10']:.3f} | {against} | {spent} |"


def summary(known: dict[str, Rows], wanted: Sequence[Training]) -> Iterable[str]:
    """What auto gains over all sets in so many minutes (losses counted), how much of them it used, and what seeds change."""
    by_minutes: dict[float, list[str]] = {}
    for training in wanted:
        if training.recipe == AUTO and training.minutes is not None:
            by_minutes.setdefault(training.minutes, []).append(training.name)
    longest, most = max(by_minutes, default=0.0), 0.0
    for minutes in sorted(by_minutes, reverse=True):
        gained, used, spreads = 0.0, list[float](), list[float]()
        for rows in known.values():
            mine = [rows[name] for name in by_minutes[minutes]]
            deltas = [row.get("delta", 0.0) for row in mine]  # None where the start was kept.
            gained += sum(deltas) / len(deltas)
            spreads.append(max(deltas) - min(deltas))
            seconds = [sum(trial["seconds"] for trial in row["leaderboard"]) for row in mine]
            used += [spent / 60 / minutes for spent in seconds]
        most = gained if minutes == longest else most
        line = f"auto in {minutes:g} min: {gained:+.3f} nDCG@10 summed over {len(known)} sets"
        if minutes != longest and most > 0:
            line += f", {gained / most:.0%} of what {longest:g} min gain"
        line += f"; {min(used):.0%} to {max(used):.0%} of the minutes used"
        if len(by_minutes[minutes]) > 1:
            line += f"; at most {max(spreads):.3f} between seeds"
        yield line + "."


if __name__ == "__main__":
    main()
