"""Groups of queries against every pair compared, and what is said of them."""

import numpy as np
import pytest

from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.statistics.groups import QueryGroups, group_queries
from search.text.near_duplicates import shingles


def components(query_set, copies):
    """The labels by looking at every pair, over and over until nothing joins."""
    queries = sorted(query_set.queries)
    answers = {q: {copies.get(d, d) for d in query_set.relevant(q)} for q in queries}
    words = {q: shingles(query_set.queries[q]) for q in queries}

    def overlap(a, b):
        return len(a & b) / len(a | b) if a | b else 0.0

    label = {q: i for i, q in enumerate(queries)}
    changed = True
    while changed:
        changed = False
        for a in queries:
            for b in queries:
                linked = (
                    overlap(words[a], words[b]) >= 0.9 or overlap(answers[a], answers[b]) >= 0.5
                )
                if linked and label[a] != label[b]:
                    label[a] = label[b] = min(label[a], label[b])
                    changed = True
    return [label[q] for q in queries]


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_the_connected_components(seed):
    rng = np.random.default_rng(seed)
    words = [f"w{n}" for n in range(30)]
    texts = [" ".join(rng.choice(words, size=rng.integers(1, 5))) for _ in range(40)]
    queries = {f"q{n}": str(rng.choice(texts)) for n in range(45)}
    judgments = {
        q: {f"d{d}": int(rng.integers(0, 3)) for d in rng.choice(40, size=rng.integers(1, 5))}
        for q in queries
    }
    copies = {f"d{n}": "d0" for n in range(3)} if seed % 2 else {}
    query_set = QuerySet(queries, judgments)
    labels = group_queries(query_set, copies).labels
    expected = components(query_set, copies)
    assert len(set(labels.tolist())) > 3
    for a in range(45):
        for b in range(45):
            assert (labels[a] == labels[b]) == (expected[a] == expected[b])


def test_sharing_less_than_half_joins_nothing():
    """By any shared document nearly all queries of a set with many judgments would be one group."""
    query_set = QuerySet(
        {"a": "rent", "b": "frost", "c": "tort", "d": "rain"},
        {
            "a": {"1": 1, "2": 1, "3": 1},
            "b": {"3": 1, "4": 1},
            "c": {"4": 2, "5": 0},
            "d": {"5": 1, "6": 1},
        },
    )
    assert group_queries(query_set).labels.tolist() == [0, 1, 1, 2]


def test_what_is_said_of_the_groups():
    groups = QueryGroups(np.array([0, 1, 0, 0, 2, 1]))
    assert groups.as_json() == {"queries": 6, "groups": 3, "largest": 3, "effective": 2.6}
    assert groups.sentence == (
        "6 queries in 3 independent groups; the largest has 3, and they count as 2.6 of one size."
    )
    assert QueryGroups.single(7).sentence == "7 queries, each independent of the others."
    values = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    assert groups.sums(values).tolist() == [[8.0, 8.0, 5.0]]
    chosen = groups.only(np.array([False, True, True, True, False, False]))
    assert chosen.labels.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("sizes", "few"),
    [([1] * 29, True), ([1] * 30, False), ([4] + [1] * 36, False), ([5] + [1] * 36, True)],
)
def test_groups_are_few_under_thirty_or_where_one_is_more_than_a_tenth(sizes, few):
    assert QueryGroups(np.repeat(np.arange(len(sizes)), sizes)).few is few
