"""How probable it is that a hit answers the question: what speaks for it, and what the dev queries made of that.

Applied here, where there are rankings; fitted above, where there are queries (`search.evaluation.relevance`). Changes no ranking.

Start reading at judge.py, then evidence.py (what is looked at) and calibration.py (what is kept).
"""
