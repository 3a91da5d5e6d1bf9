"""Pairs where nobody wrote any: mined from the structure of the documents, or written by a model."""
