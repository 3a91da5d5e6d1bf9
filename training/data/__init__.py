"""Pairs to learn from: brought in, matched with documents, split without leaks, and looked at before anything is trained.

Start reading at intake.py; pair_sets.py is what is stored and how it is split. Knows no recipe.
"""
