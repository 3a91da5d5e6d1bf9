"""A project with an evaluation that was made up: one column better than another, and worse on a part of the questions."""

import json

import numpy as np

from search.corpus.ingest import add_documents
from search.evaluation.evaluation import Evaluation
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.slices.define import Slice
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import compare
from search.projects.project import project_to_be
from search.retrieval.columns import parse_column
from search.retrieval.fingerprint import column_fingerprint

EVIL = (
    """<script>alert(1)</script><img src=x onerror=alert(1)>"' onclick='alert(1)' & {{ 7 * 7 }} """
)
QUERIES = 60
DENIED = np.arange(QUERIES) < 24


def made_up_project(tmp_path):
    """A project in which `mine` is better than `generic`, and worse on the first 24 questions; texts are hostile."""
    project = project_to_be("lab")
    rows = [
        {"id": f"d{n}", "title": f"Secret{n} {EVIL}", "text": f"Passage{n} {EVIL}"}
        for n in range(9)
    ]
    (tmp_path / "docs.json").write_text(json.dumps(rows))
    add_documents(project, [tmp_path / "docs.json"])
    queries = {f"q{n:02}": f"Question{n} {EVIL}" for n in range(QUERIES)}
    judged = QuerySet(queries, {q: {"d0": 1} for q in queries})
    with project.publish("queries", {"corpus": project.newest("corpora").id}) as draft:
        judged.save(draft)
    publish(project, tmp_path)
    return project


def publish(project, tmp_path, loss=0.3, gain=0.4):
    rng = np.random.default_rng(5)
    base = rng.uniform(0.4, 0.6, QUERIES)
    theirs = base + np.where(DENIED, -loss, gain) + rng.uniform(-0.02, 0.02, QUERIES)
    scores = {
        name: {"ndcg@10": list(values), "recall@10": list(values), "mrr@10": list(values)}
        for name, values in (("generic", base), ("mine", theirs), ("bm25", base - 0.3))
    }
    queries = [f"q{n:02}" for n in range(QUERIES)]
    result = Evaluation(
        queries,
        [f"Question{n} {EVIL}" for n in range(QUERIES)],
        scores,
        {name: [1 + n % 7 for n in range(QUERIES)] for name in scores},
        compare(scores, QueryGroups.single(QUERIES), ["mine"]),
        [f"a note on 'Passage1 {EVIL}'"],
        groups=QueryGroups.single(QUERIES),
        tops={name: [["d0", "d1", "gone"]] * QUERIES for name in scores},
    ).in_slices(
        [
            Slice("negation", "questions with a negation", DENIED),
            Slice(
                "metadata:kind=Secret1",
                f"questions answered by kind “Secret1 {EVIL}”",
                ~DENIED,
                True,
            ),
        ]
    )
    made_from = {
        kind: project.newest(name).id
        for kind, name in (("corpus", "corpora"), ("queries", "queries"))
    }
    corpus = project.newest("corpora")
    marks = {n: column_fingerprint(project, parse_column(n), corpus) for n in ("generic", "bm25")}
    with project.publish("evaluations", made_from) as draft:
        result.save(draft, {"mine": "f" * 32, **marks})
