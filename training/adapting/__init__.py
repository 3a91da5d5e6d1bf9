"""The parts of an adapter: what it learns from, its matrix, one training, its place behind a base."""
