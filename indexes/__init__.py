"""Vectors and ids only: knows no text, no model, no project."""
