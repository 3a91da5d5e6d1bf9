"""Which column is better, and may it be believed: query sets, leaks, metrics, paired tests, similarity of rankings.

May import retrieval and all below it; never judging, insight or training. Its rooms, from the bottom up: `query_sets`,
`rankings`, `statistics`, then `labels`, `ledger` and `slices` side by side, then `verdict`.

Start reading at evaluate.py, then rankings/metrics.py, statistics/significance.py (what decides "better") and
query_sets/leakage.py.
"""
