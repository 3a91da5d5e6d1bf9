"""Made-up runs and judgments, by which metrics are held against other libraries."""

import numpy as np

from search.evaluation.query_sets.query_set import QuerySet


def random_case(seed: int, queries: int = 40) -> tuple[dict[str, list[str]], QuerySet]:
    """A run of so many queries, some of which found nothing, and judgments with grades of 0 to 3."""
    rng = np.random.default_rng(seed)
    documents = [f"d{number}" for number in range(300)]
    run: dict[str, list[str]] = {}
    judgments: dict[str, dict[str, int]] = {}
    for number in range(queries):
        judged = rng.choice(documents, size=rng.integers(2, 60), replace=False)
        grades = rng.integers(0, 4, len(judged))
        judgments[f"q{number}"] = {str(d): int(g) for d, g in zip(judged, grades, strict=True)}
        size = 0 if number % 9 == 0 else rng.integers(1, 220)
        run[f"q{number}"] = [str(d) for d in rng.permutation(documents)[:size]]
    return run, QuerySet(dict.fromkeys(run, "?"), judgments)
