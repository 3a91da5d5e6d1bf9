"""Why a hit moved, what words mean to a model, and the corpus as a map.

May import evaluation, retrieval and all below them; never judging (but for verdict_page) or training.

Start reading at explain.py, then attribution.py; for words at word_space.py, for the map at map.py,
for the page that is handed over at verdict_page/content.py.
"""
