"""Runs of other programs in, ours out: by both ways every figure equals trec_eval's (pytrec_eval) on the files themselves."""

import csv
import random
from collections import defaultdict

import pytest
import pytrec_eval

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import Extras, evaluate
from search.evaluation.evaluation import load_evaluation, newest_evaluation
from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.runs import RunFile, run_files
from search.projects.errors import Refused
from search.projects.project import Project
from tests.conftest import write_tiny_beir
from training.data.intake import import_beir

NAMES = {
    "ndcg@10": "ndcg_cut_10",
    "recall@10": "recall_10",
    "recall@100": "recall_100",
    "map@100": "map_cut_100",
    "precision@5": "P_5",
    "success@1": "success_1",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    made = Project(folder / "p")
    import_beir(made, write_tiny_beir(folder / "beir"))
    return made


def run_of(path):
    read = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        query, _, document, _, score, _ = line.split()
        read[query][document] = float(score)
    return dict(read)


def qrels_of(path):
    read = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        query, _, document, grade = line.split()
        read[query][document] = int(grade)
    return dict(read)


def by_trec_eval(qrels, run):
    found = pytrec_eval.RelevanceEvaluator(qrels, set(NAMES.values())).evaluate(run)
    return {
        ours: [found.get(query, {}).get(theirs, 0.0) for query in sorted(qrels)]
        for ours, theirs in NAMES.items()
    }


def a_run(project, path, seed, left_out=()):
    """A random run with many ties, in an order that says nothing, and without some queries."""
    draw = random.Random(seed)
    _, query_set = current_query_set(project)
    _, corpus = current_corpus(project)
    lines = [
        f"{query} Q0 {document} {draw.randint(0, 99)} {draw.randint(0, 6) / 7} today"
        for query in query_set.queries
        if query not in left_out
        for document in draw.sample(corpus.ids(), 25)
    ]
    draw.shuffle(lines)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_run_with_ties_and_missing_queries_is_measured_as_trec_eval_does(project, tmp_path):
    _, query_set = current_query_set(project)
    missing = sorted(query_set.queries)[:3]
    path = a_run(project, tmp_path / "today.run", 1, missing)
    extras = Extras(["precision@5", "success@1"], {"today": path})
    result = evaluate(project, ["bm25"], extras=extras)
    assert list(result.scores) == ["bm25", "today"]
    qrels = {q: dict(query_set.judgments[q]) for q in result.queries}
    wanted = by_trec_eval(qrels, run_of(path))
    for metric, values in wanted.items():
        assert result.scores["today"][metric] == pytest.approx(values, abs=1e-9), metric
        assert 0 < sum(values) < len(values)
    assert "today has no hit for 3 queries, which count 0" in result.notes
    assert result.comparisons[0].candidate == "today"
    kept = load_evaluation(project, newest_evaluation(project))
    assert (kept, kept.runs) == (result, {}), (
        "what it says holds as long as the models are the same"
    )


def test_a_run_may_be_the_baseline(project, tmp_path):
    path = a_run(project, tmp_path / "today.run", 2)
    result = evaluate(project, ["today", "bm25"], extras=Extras(runs={"today": path}))
    assert [(t.baseline, t.candidate) for t in result.comparisons] == [("today", "bm25")]


def test_what_is_exported_gives_trec_eval_the_same_figures(project, tmp_path):
    path = a_run(project, tmp_path / "today.run", 3)
    folder = tmp_path / "out"
    extras = Extras(["precision@5", "success@1"], {"to day": path}, folder)
    result = evaluate(project, ["bm25"], extras=extras)
    files = {"bm25": "bm25.run", "to day": "to-day.run"}
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        [*files.values(), "qrels.trec", "per_query.csv"]
    )
    qrels = qrels_of(folder / "qrels.trec")
    for name, file in files.items():
        for metric, values in by_trec_eval(qrels, run_of(folder / file)).items():
            assert result.scores[name][metric] == pytest.approx(values, abs=1e-9), (name, metric)
    with (folder / "per_query.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * len(result.queries)
    for row in rows:
        n = result.queries.index(row["query"])
        assert row["text"] == result.texts[n]
        assert float(row["ndcg@10"]) == result.scores[row["column"]]["ndcg@10"][n]
    # What was written can be read again, and says the same.
    again = evaluate(project, ["bm25"], extras=Extras(runs={"copy": folder / "bm25.run"}))
    assert again.scores["copy"] == again.scores["bm25"]
    with pytest.raises(Refused, match="exists and is not empty"):
        evaluate(project, ["bm25"], extras=Extras(export=folder))


BAD = {
    "q9 Q0 d1 1 .5 t\n": r"has no query that is measured here \(it has 'q9', the query set 'test-",
    "": r"run is empty\.",
    "{q} Q0 d1 1 .5 t\n{q} Q0 x7 2 .4 t\n": r"1 of the 2 hits in r\.run are documents that the corpus does not have \(for example 'x7'\)",
    "{q} Q0 d1 1 .5 t\n{q} Q0 d1 2 .4 t\n": r"line 2: the document 'd1' stands twice for the query 'test-",
    "{q} Q0 d1 1 nan t\n": r"line 1 is no line of a TREC run",
    "{q} Q0 d1 1 1e999 t\n": r"line 1 is no line of a TREC run",
    "{q} Q0 d1 1 t\n": r"line 1 is no line of a TREC run",
    "{q}\td1\t1\n": r"line 1 is no line of a TREC run",
    "\xff": r"no text in UTF-8",
}


@pytest.mark.parametrize("content", list(BAD))
def test_a_run_that_cannot_be_used_is_refused_in_one_sentence(project, tmp_path, content):
    _, query_set = current_query_set(project)
    _, corpus = current_corpus(project)
    path = tmp_path / "r.run"
    path.write_bytes(content.format(q=next(iter(query_set.queries))).encode("latin-1"))
    with pytest.raises(Refused, match=BAD[content]) as refused:
        RunFile.read("today", path, query_set, corpus.ids())
    assert "\n" not in str(refused.value)


def test_names_and_files_of_runs(project, tmp_path):
    assert {n: p.name for n, p in run_files(["a=x=y.run", " b = c"]).items()} == {
        "a": "x=y.run",
        "b": "c",
    }
    for text in ("a", "=f", "a="):
        with pytest.raises(Refused, match="not of the form NAME=FILE"):
            run_files([text])
    with pytest.raises(Refused, match="Two runs are called 'a'"):
        run_files(["a=f", "a=g"])
    for name in ("bm25", "generic"):
        with pytest.raises(Refused, match="is a column of this project"):
            evaluate(project, ["bm25"], extras=Extras(runs={name: tmp_path / "f"}))
    with pytest.raises(Refused, match="cannot be read"):
        evaluate(project, ["bm25"], extras=Extras(runs={"today": tmp_path / "none"}))


def test_tabs_part_ids_that_hold_spaces_and_a_long_run_is_read_in_little_memory(tmp_path):
    from search.evaluation.query_sets.query_set import QuerySet

    ids = [f"d {n}" for n in range(9_000)]
    path = tmp_path / "r.run"
    path.write_text(
        "".join(f"q 1\tQ0\t{d}\t0\t{n}\tt\n" for n, d in enumerate(ids)), encoding="utf-8"
    )
    read = RunFile.read("today", path, QuerySet({"q 1": "?"}, {}), ids)
    assert read.run == {"q 1": ids[::-1][:1_000]}
