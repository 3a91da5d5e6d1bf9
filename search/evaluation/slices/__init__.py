"""Where a column is better and where it is worse: parts of a query set that are named before any score is seen.

May import what `search.evaluation` may.

Start reading at define.py (which queries have what in common), then tested.py (the difference inside each).
"""
