"""What is asked: query sets with their judgments, and what of them nobody may have learned from or looked at.

May import corpus, projects and what is below; no other room of evaluation.

Start reading at query_set.py (what a set is), then leakage.py (no query crosses into training) and seal.py.
"""
