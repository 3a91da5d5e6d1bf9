"""What columns answer, and how well: rankings of many queries, copies as one document, and a metric's value a query.

May import `query_sets`, retrieval and what is below.

Start reading at rankings.py, then metrics.py (a value a query) and parts.py (what ranks, each query read once).
"""
