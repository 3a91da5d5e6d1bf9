"""Which column is better, and may it be believed: query sets, leaks, metrics, paired tests, similarity of rankings.

May import retrieval and all below it; never judging, insight or training.

Start reading at evaluate.py, then metrics.py, significance.py (what decides "better") and leakage.py.
"""
