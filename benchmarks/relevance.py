"""What the probability of relevance and its two lines are worth on test queries: a Markdown table, a row a set.

Run it with: python -m benchmarks.relevance --folder ~/relevance --sets tos_plain_english ask_cfpb. Everything is fitted on dev
queries, as a search does it; test queries are asked once. Projects are kept in the folder, so that a second run encodes nothing
again. Data sets in BEIR layout are looked for in BESPOKE_DATA (default ../shared/data).

Strangers are up to 200 test questions of each other set (scifact and medquad_small are no strangers to each other). The answerless
are 30 % of the test queries, all documents judged relevant to them taken out, in twenty draws; the AUROC is that of telling them
from the others, by the raw first score and by the fitted odds. --rough fits as if nobody had asked anything.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import json_lines, machine
from benchmarks.targets import ready_project
from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.evaluation.rankings.fit_fusion import fit_missing
from search.evaluation.rankings.parts import MeasuredParts, PartsOnce
from search.evaluation.rankings.self_matches import SelfMatches
from search.evaluation.relevance.calibrate import AskedQuestion
from search.evaluation.relevance.fit_relevance import evidence_of, fit
from search.models.registry import GENERIC, named
from search.projects.project import Project
from search.projects.settings import HOME_VARIABLE
from search.retrieval.columns import chosen_columns
from search.retrieval.relevance.calibration import Calibration
from search.retrieval.search import assemble
from training.train import train

_SETS = (
    "tos_plain_english", "ask_cfpb", "hinglish_top", "medquad_small", "scifact", "esci_sample",
)  # fmt: skip
_NO_STRANGERS = {"scifact", "medquad_small"}
_STRANGERS = 200
_GONE = 0.3
_DRAWS = 20
_BINS = 10
_HEAD = (
    "| set, column | dev, test | ECE | Brier to base rate | own above | strangers above | AUROC raw | fitted | told wrongly | caught |"
    "\n|---|---|---|---|---|---|---|---|---|---|"
)

Numbers = NDArray[np.float64]


def main() -> None:
    """Measure and print, one row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where projects are kept")
    parser.add_argument("--sets", nargs="+", default=_SETS, help="data sets")
    parser.add_argument("--columns", nargs="+", default=[GENERIC], help="columns by name")
    parser.add_argument("--recipe", help="a model of this recipe, too")
    parser.add_argument("--rough", action="store_true", help="as if nobody had asked anything")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    os.environ[HOME_VARIABLE] = str(chosen.folder)
    print(f"Machine: {machine()}\n\n{_HEAD}", flush=True)
    strangers = {name: _test_questions(name) for name in _SETS}
    for name in chosen.sets:
        project = ready_project(name, name)
        columns = list(chosen.columns)
        if chosen.recipe:
            if named(project, chosen.recipe) is None:
                train(project, chosen.recipe, chosen.recipe)
            columns.append(chosen.recipe)
        if chosen.rough:
            for manifest in project.manifests("pairs"):
                project.remove(manifest)
        fit_missing(project, columns)
        for column in columns:
            print(_row(project, name, column, strangers), flush=True)


def _test_questions(name: str) -> list[str]:
    """Some of the questions that a set is tested with, evenly spread over its file."""
    lines = json_lines(name, "queries.jsonl")
    qrels = Path(os.environ.get("BESPOKE_DATA", "../shared/data"), name, "qrels", "test.tsv")
    test = {line.split("\t")[0] for line in qrels.read_text(encoding="utf-8").splitlines()[1:]}
    asked = [line["text"] for line in lines if line["_id"] in test]
    return asked[:: -(-len(asked) // _STRANGERS)]


def _row(project: Project, name: str, column_name: str, strangers: dict[str, list[str]]) -> str:
    manifest, corpus = current_corpus(project)
    (column,) = chosen_columns(project, [column_name])
    parts = PartsOnce(project, manifest, corpus)
    made = fit(project, column, parts)
    if made is None:
        return f"| {name}, {column_name} | too few questions find anything |" + " |" * 8
    _, test = current_query_set(project)
    test, _ = test.restricted_to(set(corpus.ids()))
    foreign = {
        f"{other} {i}": text
        for other, texts in strangers.items()
        if other != name and not {other, name} <= _NO_STRANGERS
        for i, text in enumerate(texts)
    }
    texts = [*test.queries.values(), *foreign.values()]
    (retriever,) = assemble(project, [column], MeasuredParts(parts, texts))
    own = SelfMatches.of(corpus, test).left_out
    asked = evidence_of(retriever, parts.bm25(), corpus, test, own)
    others = evidence_of(retriever, parts.bm25(), corpus, QuerySet(foreign, {}), {})
    above = 1 - np.mean([made.foreign.is_below(one.evidence.subject()) for one in asked])
    # A question that finds nothing is marked as such without any line.
    marked = [made.foreign.is_below(one.evidence.subject()) for one in others]
    passed = (len(marked) - sum(marked)) / len(foreign)
    shares = np.concatenate([made.shares(one.hits) for one in asked])
    right = np.concatenate([one.relevant for one in asked]).astype(float)
    brier, base = np.mean((shares - right) ** 2), right.mean() * (1 - right.mean())
    raw, fitted = _separations(made, asked)
    below = made.unanswered
    odds = below.log_odds.of
    at = below.at if below.at is not None else -np.inf
    answered = [one for one in asked if one.relevant[:3].any()]
    wrong = np.mean([odds(one.evidence.question()[None])[0] < at for one in answered])
    gone = [one.gone for one in asked if one.gone is not None]
    caught = np.mean([odds(one.question()[None])[0] < at for one in gone])
    said = f"{caught:.0%}" if below.at is not None else f"not said (dev: {below.caught:.0%})"
    return (
        f"| {name}, {column_name} | {made.queries:,}{' rough' if made.rough else ''}, {len(asked):,} "
        f"| {_calibration_error(shares, right):.3f} | {brier / base - 1:+.0%} | {above:.1%} | {passed:.1%} | {raw:.3f} "
        f"| {fitted:.3f} | {wrong:.1%} | {said} |"
    )


def _separations(made: Calibration, asked: list[AskedQuestion]) -> tuple[float, float]:
    """How well the answerless are told from the others: AUROC of the raw first score, and of the fitted odds."""
    from sklearn.metrics import roc_auc_score

    both = [one for one in asked if one.gone is not None]
    odds = made.unanswered.log_odds.of
    whole = np.stack([one.evidence.question() for one in both])
    gone = np.stack([one.gone.question() for one in both if one.gone is not None])
    kinds = [(whole[:, 0], gone[:, 0]), (odds(whole), odds(gone))]
    rng = np.random.default_rng(0)
    totals = np.zeros(2)
    for _ in range(_DRAWS):
        out = np.zeros(len(both), dtype=bool)
        out[rng.permutation(len(both))[: round(_GONE * len(both))]] = True
        totals += [roc_auc_score(~out, np.where(out, g, w)) for w, g in kinds]
    raw, fitted = (totals / _DRAWS).tolist()
    return raw, fitted


def _calibration_error(shares: Numbers, right: Numbers) -> float:
    """Expected calibration error over ten equal bins (Naeini, Cooper and Hauskrecht 2015)."""
    bins = np.minimum((shares * _BINS).astype(int), _BINS - 1)
    inside = [bins == number for number in range(_BINS)]
    return float(sum(abs(shares[b].mean() - right[b].mean()) * b.mean() for b in inside if b.any()))


if __name__ == "__main__":
    main()
