"""Blind votes and graded documents: asked well, kept safely, and turned into proof and training data."""
