"""How probable it is that a hit answers: fitted on dev queries, by column.

May import `query_sets`, `rankings`, retrieval and what is below.

Start reading at fit_relevance.py (which queries), then calibrate.py (numbers only).
"""
