"""Texts in batches of like length with a budget of word pieces, prepared in a thread ahead of the computing."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")
_PIECE = 4  # Characters of a word piece, roughly; it only decides what stands together in a batch.
_SPECIAL = 2
_END = object()


def batched(texts: Sequence[str], budget: int, longest: int, rows: int) -> list[list[int]]:
    """Positions of texts in batches, the longest texts first.

    Texts of like length stand together, because a batch is padded to its longest and padding is work for
    nothing; and what a batch costs is bounded in pieces, not in rows, so that it fits the processor's caches.

    :param budget: word pieces in a batch, padding included (a single longer text is a batch of its own).
    :param longest: word pieces of a text that the model reads at most.
    :param rows: texts in a batch at most.
    """
    pieces = [min(len(text) // _PIECE + _SPECIAL, longest) for text in texts]
    found: list[list[int]] = []
    for place in sorted(range(len(texts)), key=lambda place: (-len(texts[place]), place)):
        batch = found[-1] if found else []
        room = batch and (len(batch) + 1) * pieces[batch[0]] <= budget and len(batch) < rows
        if room:
            batch.append(place)
        else:
            found.append([place])
    return found


def ahead(make: Callable[[], Iterator[_T]], depth: int) -> Generator[_T]:
    """What an iterator yields, made by a thread up to `depth` items ahead; its errors are raised here.

    The thread ends when the iterator does, or when this generator is closed.
    """
    waiting: queue.Queue[object] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: object) -> bool:
        while not stop.is_set():
            with suppress(queue.Full):
                waiting.put(item, timeout=0.1)
                return True
        return False

    def work() -> None:
        try:
            for item in make():
                if not put((item, None)):
                    return
            put(_END)
        except BaseException as error:
            put((None, error))

    thread = threading.Thread(target=work, daemon=True, name="ahead")
    thread.start()
    try:
        while (entry := waiting.get()) is not _END:
            assert isinstance(entry, tuple)
            item, error = entry
            if error is not None:
                raise error
            yield item
    finally:
        stop.set()
        thread.join()
