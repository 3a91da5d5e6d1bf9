"""The dev part: its texts are encoded in batches of like length, and stand in their own order afterwards."""

import numpy as np

from search.evaluation.query_sets.query_set import QuerySet
from training.dev_set import DevSet

TEXTS = ["b" * (7 * place % 401) for place in range(300)]


class Lengths:
    """An encoder whose vectors tell the length of a text; it remembers what it was given at once."""

    def __init__(self):
        self.seen = []

    def encode_document(self, texts):
        self.seen.append([len(text) for text in texts])
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)

    encode_query = encode_document


def test_texts_of_like_length_are_encoded_together_and_keep_their_places():
    ids = [f"d{place}" for place in range(len(TEXTS))]
    dev = DevSet(QuerySet({"q": "bb"}, {"q": {"d0": 1}}), list(range(300)), ids, TEXTS)
    encoder, told = Lengths(), []
    queries, documents = dev.vectors(encoder, told.append)
    assert queries.tolist() == [[2, 1]]
    assert documents[:, 0].tolist() == [len(text) for text in TEXTS]
    *chunks, _ = encoder.seen
    assert [length for chunk in chunks for length in chunk] == sorted(map(len, TEXTS), reverse=True)
    assert told[0] == 0
    # Two chunks of 128 of the longest texts are most of the characters.
    done = sum(sorted(map(len, TEXTS), reverse=True)[:256]) / sum(map(len, TEXTS))
    assert told[-1] == done > 256 / 300
