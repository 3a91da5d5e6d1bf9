"""Pairs that nobody wrote: drawn from the structure of the documents, or written by a model.

Start reading at make.py; kinds.py lists the kinds, structure.py and sentences.py find them. It stands beside training/data,
not in it, because it trains adapters to learn which kinds help.
"""
