"""A project over the tiny data, and an encoder that counts what it is asked."""

import numpy as np
import pytest

from search.projects.project import project_to_be


@pytest.fixture
def project(import_tiny):
    made = project_to_be("lab")
    import_tiny(made)
    return made


class Counting:
    """Vectors of eight dimensions out of the characters of a text; remembers what it was asked."""

    def __init__(self):
        self.seen = []

    def encode_document(self, inputs):
        self.seen += list(inputs)
        return np.stack([vector_of(text) for text in inputs])

    encode_query = encode_document


def vector_of(text):
    counts = np.bincount(np.frombuffer(text.encode(), dtype=np.uint8) % 8, minlength=8)
    return (counts + 1).astype(np.float32)


@pytest.fixture
def counting():
    return Counting()
