"""Texts into vectors: fast, remembered, the same whoever computes them.

`cache` and `cache_segments` are the embedding store, `backends` choose what computes, `ray` encodes
on a cluster, `index_vectors` takes an adapter's vectors out of its base's index. Knows the protocols and the linear
adapter, not how a model is loaded.

Start reading at corpus.py (all passages of a corpus) and texts.py (a few texts).
"""
