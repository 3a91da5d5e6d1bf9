"""Vectors of a whole corpus as a model sees it: what is known already is not encoded again."""

import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.corpus.corpus import Corpus
from search.models.encoder import Encoder, Metered
from search.models.encoding.backends.choice import choose
from search.models.encoding.backends.pipeline import encode
from search.models.encoding.backends.probe import sample
from search.models.encoding.cache import EmbeddingStore, store_key
from search.models.encoding.index_vectors import derived_vectors
from search.models.encoding.texts import plain_batches, seen_by, transformer_of
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Failed
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.room import see_that_it_fits
from search.projects.settings import settings

if TYPE_CHECKING:
    from search.models.encoding.ray import RayEncoding

_WINDOW = 4_096
_TELL_EVERY = 2.0
_IN_MEMORY = 512 * 1024 * 1024
_READ = 1_000  # Characters of a passage that a small transformer reads.
_CHARACTERS_A_SECOND = 40_000  # That it reads on an ordinary machine without a graphics card.

Batches = Callable[[Sequence[str]], Iterator[tuple[list[int], Vectors]]]
"""Encodes texts batch by batch: the places of a batch's texts, and their vectors."""
_IN_WORDS = {
    "WordVectors": "its word vectors",
    "ApiEncoder": "its server",
    "LinearAdapter": "the model beneath and a matrix",
    "QuantizedEncoder": "openvino i8",
}


@dataclass(frozen=True)
class Encoded:
    """Vectors of all passages of a corpus, by position: shape (passages, dimension).

    `reused` of them needed no encoding. `facts` are what an index's manifest tells of the encoding.

    >>> Encoded(np.zeros((3, 2), dtype=np.float32), reused=2).reused
    2
    """

    vectors: Vectors
    reused: int
    facts: dict[str, Any] = field(default_factory=dict)


def corpus_vectors(
    project: Project,
    info: ModelInfo,
    encoder: Encoder,
    manifest: Manifest,
    corpus: Corpus,
    progress: Progress = silent,
    elsewhere: "RayEncoding | None" = None,
) -> Encoded:
    """Vectors of a corpus by the shortest way: a matrix product for an adapter whose base is indexed, what the
    store knows already, and for the rest the encoder.

    :param elsewhere: a cluster that encodes instead of this machine.
    :raises Failed: when the model gives vectors of another shape than it says, or the disk is full.
    """
    started = time.monotonic()
    derived = derived_vectors(project, info, encoder, manifest)
    if derived is not None:
        seconds = round(time.monotonic() - started, 3)
        facts = {"backend": "matrix", "why": "an adapter: one matrix product", "seconds": seconds}
        return Encoded(derived, len(derived), {"encoding": facts})
    return encode_corpus(encoder, corpus, info, progress, elsewhere)


def encode_corpus(
    encoder: Encoder,
    corpus: Corpus,
    info: ModelInfo,
    progress: Progress = silent,
    elsewhere: "RayEncoding | None" = None,
) -> Encoded:
    """Vectors of all passages, by position; equal passages are encoded once, and each batch is kept in the
    embedding store as soon as it is there.

    :raises Failed: see `corpus_vectors`.
    """
    vectors = _room(corpus.passages, info.dimension)
    with EmbeddingStore.of(info.fingerprint, info.dimension) as store:
        seen_as = seen_by(encoder, "document")
        store.note_view(seen_as)
        missing = _look_up(corpus, store, seen_as, vectors)
        rows = info.dimension * 4
        # The store, the file of the index, and what an approximate index has beside it.
        needed = missing.count * (rows + 24) + 2 * corpus.passages * rows
        needs = see_that_it_fits(
            "the index", settings().home, needed, 0, _about(missing, info, corpus)
        )
        if needs and elsewhere is None:
            progress(0, 0, needs)
        work = _Work(encoder, corpus, info, store, vectors, elsewhere)
        facts = work.encode(missing, progress) if missing.count else {}
        said_by_encoder = getattr(encoder, "notes", ())  # A server's: what it would not take.
        facts["notes"] = [*facts.get("notes", []), *said_by_encoder, *store.notes]
    return Encoded(vectors, corpus.passages - missing.count, {"encoding": facts})


@dataclass(frozen=True)
class _Missing:
    """Passages whose vectors are not known: one position for each different text, and where it stands again."""

    positions: NDArray[np.int64]
    keys: list[bytes]
    duplicates: list[tuple[int, int]]

    @property
    def count(self) -> int:
        return len(self.positions) + len(self.duplicates)


def _look_up(corpus: Corpus, store: EmbeddingStore, seen_as: bytes, vectors: Vectors) -> _Missing:
    """Fill in the vectors that the store knows; what it does not know is left."""
    first: dict[bytes, int] = {}
    duplicates: list[tuple[int, int]] = []
    block: list[bytes] = []
    start = 0

    def look() -> None:
        nonlocal start
        known = store.fill(block, vectors[start : start + len(block)])
        for place in np.flatnonzero(~known):
            position = start + int(place)
            known_as = first.setdefault(block[place], position)
            if known_as != position:
                duplicates.append((position, known_as))
        start += len(block)
        block.clear()

    for key in corpus.embedded_keys():
        block.append(store_key(key, seen_as))
        if len(block) == _WINDOW:
            look()
    look()
    return _Missing(np.fromiter(first.values(), dtype=np.int64), list(first), duplicates)


def _about(missing: _Missing, info: ModelInfo, corpus: Corpus) -> float | None:
    """Seconds that encoding will take on an ordinary machine; None for what is no transformer here."""
    if info.format in ("word-vectors", "static", "endpoint"):
        return None
    length = min(corpus.path.stat().st_size / max(corpus.passages, 1), _READ)
    return missing.count * length / _CHARACTERS_A_SECOND


@dataclass
class _Work:
    """One encoding of what is missing."""

    _encoder: Encoder
    _corpus: Corpus
    _info: ModelInfo
    _store: EmbeddingStore
    _into: Vectors
    _elsewhere: "RayEncoding | None"

    def encode(self, missing: _Missing, progress: Progress) -> dict[str, Any]:
        """Encode what is missing; returns what an index's manifest tells of it."""
        if isinstance(self._encoder, Metered):
            self._encoder.admit(self._texts(missing))
        batches, facts = self._how(missing, progress)
        total, done = len(missing.positions), 0
        message = f"indexing {total:,} passages with {self._info.name}"
        known = self._corpus.passages - missing.count
        if known:
            message += f" ({known:,} are known already)"
        progress(0, max(total, 1), message)
        speed_so_far = _Speed(total)
        window = _WINDOW if self._elsewhere is None else self._elsewhere.window
        for start in range(0, total, window):
            positions = missing.positions[start : start + window]
            for places, vectors in batches(self._corpus.embedded_at(positions.tolist())):
                array = self._checked(vectors, len(places))
                self._into[positions[places]] = array
                self._store.add([missing.keys[start + place] for place in places], array)
                done += len(places)
                progress(done, total, message + speed_so_far.in_words(done))
        for position, original in missing.duplicates:
            self._into[position] = self._into[original]
        return {**facts, "passages_a_second": round(speed_so_far.a_second(total), 1)}

    def _how(self, missing: _Missing, progress: Progress) -> tuple[Batches, dict[str, Any]]:
        """How this encoder gives vectors batch by batch: on a cluster, by a chosen backend, or as it likes."""
        if self._elsewhere is not None:
            return self._elsewhere.batches, self._elsewhere.facts
        model = transformer_of(self._encoder)
        if model is None:
            kind = type(self._encoder).__name__
            facts = {"backend": _IN_WORDS.get(kind, kind)}
            return lambda texts: plain_batches(self._encoder, texts, "document"), facts
        total = len(missing.positions)
        texts = self._corpus.embedded_at(missing.positions[sample(total)].tolist())
        longest = min(model.max_seq_length or 512, 100_000)
        pieces = int(np.mean([min(len(text) / 4 + 2, longest) for text in texts]) * total)

        def passages() -> list[str]:
            progress(0, 0, "measuring what encodes fastest here")
            return texts

        chosen = choose(model, pieces, passages)
        return lambda texts: encode(model, chosen.backend, texts, "document"), {
            **chosen.facts(),
            "notes": chosen.notes,
        }

    def _texts(self, missing: _Missing) -> Iterator[str]:
        for start in range(0, len(missing.positions), _WINDOW):
            yield from self._corpus.embedded_at(missing.positions[start : start + _WINDOW].tolist())

    def _checked(self, vectors: Vectors, rows: int) -> Vectors:
        array = np.asarray(vectors, dtype=np.float32)
        if array.shape != (rows, self._info.dimension):
            raise Failed(
                f"The model {self._info.name!r} gave vectors of shape {array.shape} instead of "
                f"({rows}, {self._info.dimension})."
            )
        return array


def _room(rows: int, dimension: int) -> Vectors:
    """An array of zeros: in memory, or in a file without a name where that would be much."""
    size = rows * dimension * 4
    if size <= _IN_MEMORY:
        return np.zeros((rows, dimension), dtype=np.float32)
    settings().home.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=settings().home) as stream:
            # Room is taken now: a file with holes would end the process where the disk is full later.
            os.posix_fallocate(stream.fileno(), 0, size)
            mapped: Vectors = np.memmap(
                stream, dtype=np.float32, mode="r+", shape=(rows, dimension)
            )
            return mapped
    except OSError as error:
        raise Failed(
            f"There is no room for {size / 1e9:.1f} GB of vectors in {settings().home}: {error}."
        ) from error


class _Speed:
    """How fast it goes, in words that change once in a while only: whoever shows them need not flicker."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._started = self._worded_at = time.monotonic()
        self._words = ""

    def a_second(self, done: int) -> float:
        """Passages a second."""
        return done / max(time.monotonic() - self._started, 1e-6)

    def in_words(self, done: int) -> str:
        """After the first seconds, words to add: `: 25 passages a second, 1:40 left`."""
        if time.monotonic() - self._worded_at >= _TELL_EVERY:
            self._worded_at = time.monotonic()
            speed = self.a_second(done)
            minutes, seconds = divmod(math.ceil((self._total - done) / speed), 60)
            hours, minutes = divmod(minutes, 60)
            left = f"{hours} h {minutes} min" if hours else f"{minutes}:{seconds:02d}"
            self._words = f": {speed:,.{0 if speed >= 10 else 1}f} passages a second, {left} left"
        return self._words
