"""What labels do to figures: documents that nobody judged, copies, queries that no mean should hide.

May import `query_sets`, `rankings` and `statistics`.

Start reading at unjudged.py (lower bound and rate), then other_side.py (does the verdict stay?).
"""
