"""Finds and proves: corpora, encoders, retrieval, comparison, evaluation."""
