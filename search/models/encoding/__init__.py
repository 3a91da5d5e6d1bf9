"""Texts into vectors: fast, remembered, the same whoever computes them."""
