"""Several ways to learn, tried one after another within a time budget; the best on dev is kept.

Start reading at recipe.py; candidates.py is what is tried and how, budgeted_search.py tries it, leaderboard.py decides,
folds.py makes more dev queries where there are few. It may use every other recipe; none uses it.
"""
