"""Ten thousand queries against a hundred thousand documents are measured in little memory, and say how far they are."""

import json
import resource
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from search.corpus.corpus import ScoredDocument
from search.evaluation.evaluate import measure
from search.evaluation.labels.other_side import OtherSide
from search.evaluation.query_sets.query_set import QuerySet

DOCUMENTS, QUERIES = 100_000, 10_000


class Drawn:
    """Finds documents by chance."""

    def __init__(self, name, seed):
        self.name = name
        self.rng = np.random.default_rng(seed)

    def rank(self, texts, k):
        drawn = self.rng.integers(0, DOCUMENTS, (len(texts), k + 10))
        return [[ScoredDocument(int(d), 1.0, int(d)) for d in np.unique(row)[:k]] for row in drawn]


def run():
    """In a process of its own: memory and progress, printed."""
    ids = [f"document-{n}" for n in range(DOCUMENTS)]
    corpus = SimpleNamespace(
        ids=lambda: ids, texts=lambda start, stop: [f"text {n} " * 30 for n in range(start, stop)]
    )
    judged = np.random.default_rng(1).integers(0, DOCUMENTS, (QUERIES, 6))
    queries = QuerySet(
        {f"q{n}": f"query {n}" for n in range(QUERIES)},
        {f"q{n}": {ids[d]: i % 2 for i, d in enumerate(row)} for n, row in enumerate(judged)},
    )
    steps = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = measure(
        [Drawn("one", 1), Drawn("two", 2)], corpus, queries,
        progress=lambda done, total, message, metrics=None: steps.append(done / total),
    )  # fmt: skip
    (test,) = result.comparisons
    side = OtherSide.of(test, result.runs, result.scores, queries, result.groups, {})
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps([grown // 1024, len(steps), steps == sorted(steps), side.unjudged]))


@pytest.mark.slow
@pytest.mark.prove
def test_many_queries_and_documents_need_little_memory():
    made = subprocess.run(
        [sys.executable, "-c", "from tests.search.evaluation.test_large import run; run()"],
        capture_output=True, text=True, check=True, timeout=900,
    )  # fmt: skip
    megabytes, steps, rising, unjudged = json.loads(made.stdout)
    assert megabytes < 400
    assert (steps > 300, rising) == (True, True)
    assert min(unjudged) > 90_000
