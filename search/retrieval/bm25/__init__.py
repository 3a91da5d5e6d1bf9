"""Keyword search: texts as terms, an index of them, BM25."""
