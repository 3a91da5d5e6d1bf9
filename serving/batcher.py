"""One thread that encodes: what came while it was busy goes into its next batch, however many asked.

Nothing waits for a batch to fill: a text that comes alone is encoded alone, at once. Few texts do not wait behind many:
where both are there, they take turns. All that touches a model's tokenizer happens in this one thread, since a tokenizer of
the `tokenizers` library may not be used by two at once with unlike settings.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoder import Encoder
from search.models.prompts import Role
from search.projects.errors import Failed
from search.projects.settings import LIMITS

_FEW = 16
_BATCH = 256


class Busy(Failed):
    """More is waiting than may wait."""


class EncodedTexts(NamedTuple):
    """Vectors of texts, shape (texts, dimension), finite, and how many tokens the model read."""

    vectors: Vectors
    tokens: int


class ModelSide(NamedTuple):
    """A model and which side of a search it is asked for; `tokens_of` gives the tokens that it reads of each text."""

    encoder: Encoder
    role: Role
    tokens_of: Callable[[Sequence[str]], list[int]]


@dataclass(eq=False)
class _Job:
    side: ModelSide
    texts: Sequence[str]
    future: "Future[EncodedTexts]"
    parts: list[Vectors] = field(default_factory=list)
    done: int = 0
    tokens: int = 0


class Batcher:
    """Encodes for everybody who asks.

    :param most_waiting: texts that may wait.
    :param observe: is told of each batch: how many texts, and the seconds that they took.

    >>> from search.models.word_vectors import WordVectors
    >>> words = WordVectors(["rent"], [1], np.eye(1, dtype=np.float32), "mean")
    >>> batcher = Batcher()
    >>> batcher.submit(ModelSide(words, "query", lambda texts: [1] * len(texts)), ["rent", "frost"]).result().vectors.tolist()
    [[1.0], [0.0]]
    >>> batcher.close()
    """

    def __init__(
        self,
        most_waiting: int = LIMITS.served_waiting,
        observe: Callable[[int, float], None] = lambda _texts, _seconds: None,
    ) -> None:
        self._most = most_waiting
        self._observe = observe
        self._few: deque[_Job] = deque()
        self._many: deque[_Job] = deque()
        self._many_next = False
        self._changed = threading.Condition()
        self._waiting = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many texts are not encoded yet."""
        return self._waiting

    def submit(self, side: ModelSide, texts: Sequence[str]) -> "Future[EncodedTexts]":
        """Texts to encode, one at least.

        :raises Busy: when too many are waiting, or when it is closed.
        """
        job = _Job(side, texts, Future())
        job.future.set_running_or_notify_cancel()  # From now on nobody else ends it.
        with self._changed:
            if self._closed:
                raise Busy("This server is about to stop.")
            # One request always may: else none of that size ever would be.
            if self._waiting and self._waiting + len(texts) > self._most:
                raise Busy(f"{self._waiting:,} texts are waiting already. Ask again in a moment.")
            self._waiting += len(texts)
            (self._few if len(texts) <= _FEW else self._many).append(job)
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Encode what is waiting, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._few or self._many or self._closed):
                    self._changed.wait()
                if not (self._few or self._many):
                    return
                batch = self._next_batch()
            self._encode(batch)

    def _next_batch(self) -> list[tuple[_Job, Sequence[str]]]:
        """Jobs of one model and side, each with the texts of it that are encoded now. The lock is held."""
        turn = self._many if self._many and (self._many_next or not self._few) else self._few
        self._many_next = turn is self._few
        side, room = turn[0].side, _BATCH
        batch: list[tuple[_Job, Sequence[str]]] = []
        alike = [job for job in turn if job.side == side]
        share = max(_FEW, _BATCH // len(alike))
        for job in alike:
            texts = job.texts[job.done : job.done + min(share, room)]
            if not texts:
                break
            batch.append((job, texts))
            room -= len(texts)
            job.done += len(texts)
            turn.remove(job)
            if job.done < len(job.texts):
                turn.append(job)
        self._waiting -= _BATCH - room
        return batch

    def _encode(self, batch: list[tuple[_Job, Sequence[str]]]) -> None:
        try:
            self._encode_together(batch)
        except Exception as error:
            if len(batch) == 1:
                self._end(batch[0][0], error)
                return
            for one in batch:  # What one of them cannot have, the others can.
                self._encode([one])

    def _encode_together(self, batch: list[tuple[_Job, Sequence[str]]]) -> None:
        side = batch[0][0].side
        texts = [text for _, part in batch for text in part]
        started = perf_counter()
        run = side.encoder.encode_query if side.role == "query" else side.encoder.encode_document
        vectors = np.asarray(run(texts), dtype=np.float32)
        counts = side.tokens_of(texts)
        self._observe(len(texts), perf_counter() - started)
        if not np.isfinite(vectors).all():
            raise Failed("The model gave a vector with numbers that are not finite (NaN).")
        start = 0
        for job, part in batch:
            stop = start + len(part)
            job.parts.append(vectors[start:stop])
            job.tokens += sum(counts[start:stop])
            start = stop
            if sum(map(len, job.parts)) == len(job.texts):
                whole = job.parts[0] if len(job.parts) == 1 else np.concatenate(job.parts)
                job.future.set_result(EncodedTexts(whole, job.tokens))

    def _end(self, job: _Job, error: Exception) -> None:
        """What failed once is not gone on with."""
        with self._changed:
            if job in self._many:
                self._many.remove(job)
                self._waiting -= len(job.texts) - job.done
        job.future.set_exception(error)


@dataclass(frozen=True)
class BatchedEncoder:
    """A model as an Encoder whose texts are encoded with everybody else's: what searches asks it as any other.

    >>> from search.models.word_vectors import WordVectors
    >>> words = WordVectors(["rent"], [1], np.eye(1, dtype=np.float32), "mean")
    >>> encoder = BatchedEncoder(Batcher(), *(ModelSide(words, role, lambda texts: [1] * len(texts)) for role in ("query", "document")))
    >>> encoder.encode_query(["rent"]).tolist()
    [[1.0]]
    """

    batcher: Batcher
    query: ModelSide
    document: ModelSide

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        return self.batcher.submit(self.query, inputs).result().vectors

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        return self.batcher.submit(self.document, inputs).result().vectors
