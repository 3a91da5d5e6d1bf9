"""Keyword search, a model and both joined, with even shares and as the dev queries weigh them: nDCG@10 on test.

Run it with: python -m benchmarks.hybrid --folder ~/hybrid --sets ask_cfpb scifact. Projects are kept in the folder, so that a
second run encodes nothing again. Data sets in BEIR layout are looked for in BESPOKE_DATA (default ../shared/data). The
difference is to the better of the two sides on test, p corrected (Holm) over the sets. Times are of the processor: of weighing
(the indexes open, as for any search), and of encoding 200 passages of the set.
"""

import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import machine
from benchmarks.documents_only import SETS
from benchmarks.targets import ready_project
from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.query_sets.questions import question_of
from search.evaluation.query_sets.trained_on import unseen
from search.evaluation.rankings.exact_duplicates import ExactDuplicates, exact_duplicates_of
from search.evaluation.rankings.fit_fusion import fit_missing
from search.evaluation.rankings.metrics import MAIN_METRIC, Scores, score
from search.evaluation.rankings.parts import MeasuredParts, PartsOnce
from search.evaluation.rankings.rankings import RankingRules
from search.evaluation.rankings.self_matches import SelfMatches
from search.evaluation.statistics.family import holm
from search.evaluation.statistics.groups import group_queries
from search.evaluation.statistics.significance import PairedTest, compare
from search.models.load import load_encoder
from search.models.registry import GENERIC, KEYWORD, find_model, named
from search.projects.project import Project
from search.projects.settings import HOME_VARIABLE
from search.retrieval.columns import chosen_columns
from search.retrieval.fitted import what_was_fitted
from search.retrieval.search import assemble
from training.train import train

_ALL = (*SETS, "esci_sample")
_TEXTS = 200


class Row(NamedTuple):
    """What was measured on one set: a mean a column, and the test of the fitted column against the better side."""

    title: str
    means: list[float]
    test: PairedTest
    fitted: str
    seconds: tuple[float, float]


def main() -> None:
    """Measure and print, one row as soon as it is known, and the corrected p at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where projects are kept")
    parser.add_argument("--sets", nargs="+", default=_ALL, help="data sets and samples")
    parser.add_argument("--recipe", help="a model of this recipe in the place of generic")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    os.environ[HOME_VARIABLE] = str(chosen.folder)
    print(f"Machine: {machine()}\n")
    print(
        "| set | keywords | model | even | @auto | to the better side | p | weighed | weighing, 200 texts |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    rows = []
    for name in chosen.sets:
        project = ready_project(name, name)
        if chosen.recipe and named(project, chosen.recipe) is None:
            train(project, chosen.recipe, chosen.recipe)
        rows.append(_row(name, project, chosen.recipe or GENERIC))
        print(_line(rows[-1]), flush=True)
    corrected = holm([row.test.p_value for row in rows])
    for row, p in zip(rows, corrected, strict=True):
        print(f"{row.title}: p {row.test.p_value:.4f}, over all sets (Holm) {p:.4f}", flush=True)


def _row(name: str, project: Project, model: str) -> Row:
    auto = f"hybrid:{model}@auto"
    manifest, corpus = current_corpus(project)
    parts = PartsOnce(project, manifest, corpus)
    assemble(project, chosen_columns(project, [f"hybrid:{model}"]), parts)
    began = time.process_time()
    report = fit_missing(project, [auto], parts=parts)[auto]
    weighing = time.process_time() - began
    texts = corpus.embedded_texts(0, _TEXTS)
    encoder = load_encoder(project, find_model(project, model))
    encoder.encode_document(texts[:8])
    began = time.process_time()
    encoder.encode_document(texts)
    encoding = time.process_time() - began
    scores, queries, test = _measured(project, [KEYWORD, model, f"hybrid:{model}", auto])
    means = [sum(own[MAIN_METRIC]) / queries for own in scores.values()]
    return Row(
        f"{name} ({queries:,} queries)",
        means,
        test,
        what_was_fitted(report).sentence,
        (weighing, encoding),
    )


def _measured(project: Project, names: list[str]) -> tuple[dict[str, Scores], int, PairedTest]:
    """The scores of each column on test, how many queries, and the last column against the better of the first two."""
    manifest, corpus = current_corpus(project)
    queries, query_set = current_query_set(project)
    usable, _ = query_set.restricted_to(set(corpus.ids()))
    columns = chosen_columns(project, names)
    infos = [find_model(project, names[1])]
    usable, _ = unseen(project, infos, usable, queries, corpus, question_of(queries.details))
    copies = ExactDuplicates(exact_duplicates_of(corpus))
    own = SelfMatches.of(corpus, query_set).only(usable.queries).left_out
    parts = MeasuredParts(PartsOnce(project, manifest, corpus), list(usable.queries.values()))
    retrievers = assemble(project, columns, parts.distinct(copies.positions(corpus.ids())))
    found = RankingRules(left_out=own, copies=copies).rank(retrievers, corpus.ids(), usable)
    judged = copies.of(usable)
    scores = {name: score(ranked.run, judged, [MAIN_METRIC]) for name, ranked in found.items()}
    better = max(names[:2], key=lambda name: sum(scores[name][MAIN_METRIC]))
    pair = {name: scores[name] for name in (better, names[-1])}
    (test,) = compare(pair, group_queries(usable, copies.same), ())
    return scores, len(usable.queries), test


def _line(row: Row) -> str:
    means = " | ".join(f"{mean:.3f}" for mean in row.means)
    return (
        f"| {row.title} | {means} | {row.test.delta:+.3f} to {row.test.baseline} | {row.test.p_value:.4f} | {row.fitted} | "
        f"{row.seconds[0]:.1f} s, {row.seconds[1]:.1f} s |"
    )


if __name__ == "__main__":
    main()
