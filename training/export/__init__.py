"""A model out of the workspace, in a format that other programs read, with its card; the index; all of an experiment.

A module for each format writes a folder and opens it again by that format's own runtime; `agreement` holds what that
gives against the model before anything is published. Knows the models and what was measured of them, no recipe.

Start reading at export.py, then agreement.py and graph.py (one graph from tokens to the vector).
"""
