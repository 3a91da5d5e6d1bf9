"""From tests to a sentence: which opponents count, what decides, what it gains and costs, for either question.

May import the rooms beside it, but `labels` and `slices`.

Start reading at verdicts.py, then decision.py.
"""
