"""Indexes of a corpus as models see it: built, changed for a new version, described, and served by a Milvus server.

Knows no retriever. Start reading at build.py.
"""
