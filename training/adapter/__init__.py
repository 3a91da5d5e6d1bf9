"""A linear adapter: one matrix over the vectors of a model that stays as it is, learned in seconds.

Start reading at recipe.py; fit.py trains, loss.py is what it makes small, matrix.py what is learned. Knows no other recipe.
"""
