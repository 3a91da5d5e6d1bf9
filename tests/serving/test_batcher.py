"""The thread that encodes: who is encoded with whom, in which order, and what becomes of what fails."""

import threading

import numpy as np
import pytest

from search.projects.errors import Failed
from serving.batcher import Batcher, Busy, ModelSide


class Numbers:
    """An encoder of numbers; it notes its batches, and waits in the first until it is let go on."""

    def __init__(self):
        self.batches = []
        self.began, self.go_on = threading.Event(), threading.Event()

    def encode_query(self, inputs):
        self.batches.append(list(inputs))
        self.began.set()
        assert self.go_on.wait(30)
        if "bad" in inputs:
            raise ValueError("bad")
        return np.array([[float(text), 1.0] for text in inputs], dtype=np.float32)

    def encode_document(self, inputs):
        return -self.encode_query(inputs)


@pytest.fixture
def numbers():
    return Numbers()


@pytest.fixture
def batcher():
    made = Batcher(most_waiting=1_000)
    yield made
    made.close()


def lengths(texts):
    return [len(text) for text in texts]


def side(encoder, role="query"):
    return ModelSide(encoder, role, lengths)


def texts(start, count):
    return [str(start + i) for i in range(count)]


def test_what_came_meanwhile_is_encoded_together_and_each_gets_its_own(numbers, batcher):
    first = batcher.submit(side(numbers), ["1"])
    assert numbers.began.wait(30)
    others = [batcher.submit(side(numbers), texts(10 * n, n)) for n in range(1, 6)]
    answer = batcher.submit(side(numbers, "document"), ["7"])
    numbers.go_on.set()
    assert first.result(30).vectors.tolist() == [[1, 1]]
    for n, other in enumerate(others, start=1):
        vectors, tokens = other.result(30)
        assert vectors[:, 0].tolist() == [10 * n + i for i in range(n)]
        assert tokens == 2 * n
    assert answer.result(30).vectors.tolist() == [[-7, -1]]
    assert list(map(len, numbers.batches)) == [1, 15, 1], "each side by itself"
    assert batcher.waiting == 0


def test_few_texts_do_not_wait_behind_many_nor_many_for_ever(numbers, batcher):
    batcher.submit(side(numbers), ["1"])
    assert numbers.began.wait(30)
    many = batcher.submit(side(numbers), texts(1_000, 600))
    few = [batcher.submit(side(numbers), [str(n)]) for n in range(3)]
    ended = []
    many.add_done_callback(lambda _: ended.append("many"))
    few[0].add_done_callback(lambda _: ended.append("few"))
    numbers.go_on.set()
    assert many.result(30).vectors[:, 0].tolist() == list(range(1_000, 1_600))
    assert list(map(len, numbers.batches)) == [1, 256, 3, 256, 88]
    assert ended == ["few", "many"]


def test_what_fails_harms_nobody_else(numbers, batcher):
    batcher.submit(side(numbers), ["1"])
    assert numbers.began.wait(30)
    wanted = [["2"], ["bad"], ["nan"], ["3", "4"]]
    futures = [batcher.submit(side(numbers), one) for one in wanted]
    numbers.go_on.set()
    assert futures[0].result(30).vectors[:, 0].tolist() == [2]
    assert futures[3].result(30).vectors[:, 0].tolist() == [3, 4]
    with pytest.raises(ValueError, match="bad"):
        futures[1].result(30)
    with pytest.raises(Failed, match="not finite"):
        futures[2].result(30)


def test_many_of_which_a_part_fails_fail_once(numbers, batcher):
    numbers.go_on.set()
    future = batcher.submit(side(numbers), [*texts(0, 300), "bad", *texts(0, 300)])
    with pytest.raises(ValueError, match="bad"):
        future.result(30)
    assert batcher.submit(side(numbers), ["5"]).result(30).vectors.tolist() == [[5, 1]]
    assert batcher.waiting == 0


def test_too_many_are_refused_and_a_closing_one_encodes_what_waits(numbers):
    batcher = Batcher(most_waiting=10)
    first = batcher.submit(side(numbers), ["1"])
    assert numbers.began.wait(30)
    waiting = batcher.submit(side(numbers), texts(0, 9))
    with pytest.raises(Busy, match="9 texts are waiting"):
        batcher.submit(side(numbers), ["1", "2"])
    closing = threading.Thread(target=batcher.close)
    closing.start()
    numbers.go_on.set()
    closing.join(30)
    assert len(first.result(0).vectors) == 1 and len(waiting.result(0).vectors) == 9
    with pytest.raises(Busy, match="about to stop"):
        batcher.submit(side(numbers), ["1"])
