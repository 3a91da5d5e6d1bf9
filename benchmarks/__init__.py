"""Benchmarks: the tables of docs/benchmarks.md."""
