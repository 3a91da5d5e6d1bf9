"""Benchmarks: the tables of the README."""
