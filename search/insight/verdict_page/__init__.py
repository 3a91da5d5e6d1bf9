"""The page that is handed over: a verdict with all that it rests on, in one file for somebody who was not there.

May import evaluation and judging, as no other part of `search.insight` may, and all below them.

Start reading at content.py (what is said, as JSON), then view.py (how it is drawn) and files.py (what is written).
"""
