"""Why a hit moved, what words mean to a model, and the corpus as a map.

May import evaluation, retrieval and all below them; never judging or training.

Start reading at explain.py, then attribution.py; for words at word_space.py, for the map at map.py.
"""
