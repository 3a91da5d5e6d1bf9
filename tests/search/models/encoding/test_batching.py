"""Batches of like length, and a thread ahead."""

import threading
import time
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.models.encoding.batching import ahead, batched


@given(
    st.lists(st.integers(0, 900), max_size=60),
    st.integers(1, 600),
    st.integers(8, 256),
    st.integers(1, 16),
)
def test_every_text_stands_in_one_batch_within_the_budget(lengths, budget, longest, rows):
    texts = ["x" * length for length in lengths]
    batches = batched(texts, budget, longest, rows)
    assert sorted(place for batch in batches for place in batch) == list(range(len(texts)))
    flat = [len(texts[place]) for batch in batches for place in batch]
    assert flat == sorted(flat, reverse=True)
    for batch in batches:
        padded = min(len(texts[batch[0]]) // 4 + 2, longest)
        assert len(batch) == 1 or (padded * len(batch) <= budget and len(batch) <= rows)


def test_batches_are_as_full_as_the_budget_allows():
    texts = ["x" * 40] * 10  # 12 pieces each
    assert [len(batch) for batch in batched(texts, 48, 256, 64)] == [4, 4, 2]
    assert [len(batch) for batch in batched(texts, 1_000, 256, 3)] == [3, 3, 3, 1]
    assert batched([], 48, 256, 64) == []


def test_what_is_made_ahead_comes_in_order_and_at_most_depth_ahead():
    made = []

    def numbers():
        for number in range(50):
            made.append(number)
            yield number

    with closing(ahead(numbers, 3)) as items:
        for number in items:
            assert len(made) <= number + 1 + 3 + 1
            assert number == made[number]
    assert len(made) == 50


def test_an_error_of_the_thread_is_raised_here():
    def broken():
        yield 1
        raise KeyError("lost")

    items = ahead(broken, 2)
    assert next(items) == 1
    with pytest.raises(KeyError, match="lost"):
        next(items)


def test_no_thread_is_left_when_nobody_wants_more():
    def endless():
        while True:
            yield 1

    before = threading.active_count()
    with closing(ahead(endless, 2)) as items:
        next(items)
        assert threading.active_count() == before + 1
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
