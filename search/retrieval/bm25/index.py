"""An index of terms: what each term adds to the BM25 score of each passage, in four memory-mapped arrays.

BM25 as Lucene computes it (Kamphuis, de Vries, Boytsov and Lin, "Which BM25 Do You Mean?", ECIR 2020): a term that
stands tf times in a text of length l adds

    log(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * (1 - b + b * l / average l))

N, df and the average are of different texts: a copy says nothing new of how rare a term is, and what is found stays what it was
where documents come in twice. Every such part is computed when the index is built (Lù, "BM25S", 2024), so a search only adds
up a few rows.
"""

import hashlib
import os
import tempfile
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexes.mapped import MappedFile
from search.projects.errors import Damaged
from search.retrieval.bm25.tokenizer import Analysis
from search.text.words import folded_words

K1 = 1.5
B = 0.75
_CHUNK = 4_000_000  # Postings held in memory while an index is built,
_BATCH = 200_000  # and terms that are counted at once.
_FILES = {"terms": np.uint64, "starts": np.int64, "passages": np.int32, "scores": np.float32}

Numbers = NDArray[np.int64]
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class TermIndex:
    """The postings of a corpus.

    `terms` holds the hashes of all terms, rising; the postings of term i are at `starts[i]` up to `starts[i + 1]`:
    the positions of the passages it stands in, rising, and what it adds to the score of each.

    >>> from search.retrieval.bm25.tokenizer import Analysis
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     terms = build(["rent in gold", "frost", "rent and rent"], Analysis(), Path(folder))
    ...     index = TermIndex.load(Path(folder), Analysis(), 3)
    ...     scores = index.score(index.weights(["rent"], 10))
    >>> terms, np.argsort(-scores).tolist()
    (5, [2, 0, 1])
    """

    analysis: Analysis
    count: int
    terms: NDArray[np.uint64]
    starts: NDArray[np.int64]
    passages: NDArray[np.int32]
    scores: Scores
    mapped: tuple[MappedFile, ...] = ()

    @classmethod
    def load(cls, folder: Path, analysis: Analysis, count: int) -> "TermIndex":
        """Open an index that `build` wrote, without reading it into memory.

        :param count: the number of passages of the corpus.
        :raises Damaged: when a file is not what it should be.
        """
        arrays, mapped = {}, []
        for name, kind in _FILES.items():
            path = folder / f"{name}.npy"
            try:
                array = np.load(path, mmap_mode="r", allow_pickle=False)
                mapped.append(MappedFile(path))
            except (OSError, ValueError) as error:
                raise Damaged(f"{path} cannot be read: {error}.", folder) from None
            if array.dtype != kind or array.ndim != 1:
                raise Damaged(f"{path} is not part of a keyword index.", folder)
            arrays[name] = array
        return cls(analysis, count, mapped=tuple(mapped), **arrays)

    def check(self) -> None:
        """:raises Damaged: when a file that is mapped was cut since it was opened."""
        for file in self.mapped:
            if not file.is_whole:
                raise Damaged(f"{file.path} was cut while it was open.", file.path.parent)

    def weights(self, terms: Iterable[str], most: int) -> dict[int, float]:
        """Numbers of known terms with how often each is wanted; only the `most` that weigh most.

        What a term weighs is its count times its inverse document frequency.
        """
        self.check()
        counts = Counter(terms)
        numbers = self._numbers(counts).tolist()
        found = {
            n: float(wanted) for n, wanted in zip(numbers, counts.values(), strict=True) if n >= 0
        }
        if len(found) > most:
            idf = {n: _idf(self.count, int(self.starts[n + 1] - self.starts[n])) for n in found}
            kept = sorted(found, key=lambda n: (-found[n] * idf[n], n))[:most]
            found = {n: found[n] for n in kept}
        return dict(sorted(found.items()))

    def frequencies(self, terms: Sequence[str]) -> Numbers:
        """In how many passages each term stands: 0 for one that is unknown. Shape (len(terms),)."""
        return np.array([len(postings) for postings in self._postings(terms)], dtype=np.int64)

    def rarity(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """The inverse document frequency of each term, also of one that is unknown. Shape (len(terms),)."""
        return np.array([_idf(self.count, one) for one in self.frequencies(terms).tolist()])

    def holds(self, terms: Sequence[str], passages: range) -> NDArray[np.bool_]:
        """Whether each term stands in any of some passages that follow each other. Shape (len(terms),)."""
        ends = (passages.start, passages.stop)
        spans = [np.searchsorted(postings, ends) for postings in self._postings(terms)]
        return np.array([first < last for first, last in spans], dtype=bool)

    def _postings(self, terms: Sequence[str]) -> list[NDArray[np.int32]]:
        """The positions of the passages that each term stands in, rising."""
        self.check()
        numbers = self._numbers(terms).tolist()
        ends = [
            (int(self.starts[n]), int(self.starts[n + 1])) if n >= 0 else (0, 0) for n in numbers
        ]
        return [self.passages[start:stop] for start, stop in ends]

    def _numbers(self, terms: Collection[str]) -> Numbers:
        """The numbers of terms: -1 for one that is unknown."""
        hashes = np.array([_hash(term) for term in terms], dtype=np.uint64)
        if not len(hashes) or not len(self.terms):
            return np.full(len(hashes), -1, dtype=np.int64)
        near = np.minimum(np.searchsorted(self.terms, hashes), len(self.terms) - 1)
        return np.where(self.terms[near] == hashes, near, -1)

    def score(self, weights: Mapping[int, float]) -> Scores:
        """The score of every passage: 0 where none of the terms stands in it. Shape (passages,)."""
        self.check()
        total = np.zeros(self.count, dtype=np.float32)
        for number, weight in weights.items():
            rows = slice(int(self.starts[number]), int(self.starts[number + 1]))
            parts = self.scores[rows]
            total[self.passages[rows]] += parts if weight == 1 else parts * np.float32(weight)
        return total

    def parts(self, weights: Mapping[int, float], passages: Sequence[int]) -> Scores:
        """What terms add to the scores of some passages, all terms together: shape (len(passages),)."""
        self.check()
        wanted = np.asarray(passages, dtype=np.int32)
        total = np.zeros(len(wanted), dtype=np.float32)
        for number, weight in weights.items():
            rows = slice(int(self.starts[number]), int(self.starts[number + 1]))
            here = self.passages[rows]
            places = np.minimum(np.searchsorted(here, wanted), len(here) - 1)
            hit = here[places] == wanted
            total[hit] += self.scores[rows][places[hit]] * np.float32(weight)
        return total


def build(texts: Iterable[str], analysis: Analysis, folder: Path) -> int:
    """Index texts, by position, into a folder; memory stays bounded but for the list of terms.

    :returns: the number of different terms.
    """
    vocabulary = _Vocabulary(analysis)
    sizes = _Sizes()
    with tempfile.TemporaryDirectory(dir=folder) as spill:
        chunks: list[Path] = []
        for terms, passages, counts in _chunks(texts, vocabulary, sizes):
            path = Path(spill) / f"{len(chunks)}.npy"
            np.save(path, np.stack([terms, passages, counts]), allow_pickle=False)
            chunks.append(path)
        _write(folder, vocabulary, sizes, chunks)
    return len(vocabulary.hashes)


class _Sizes:
    """How long each passage is, and which of them say what none before them said (see `terms`)."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self._terms = array("Q")

    def terms(self, numbers: Numbers) -> None:
        """Note the terms of the next passage: passages with the same ones in the same order are copies."""
        digest = hashlib.blake2b(numbers.tobytes(), digest_size=8).digest()
        self._terms.append(int.from_bytes(digest, "big"))

    def firsts(self) -> NDArray[np.bool_]:
        """Which passages are no copy of an earlier one: shape (passages,)."""
        first = np.zeros(len(self._terms), dtype=bool)
        first[np.unique(np.array(self._terms, dtype=np.uint64), return_index=True)[1]] = True
        return first


def _write(folder: Path, vocabulary: "_Vocabulary", sizes: _Sizes, chunks: Sequence[Path]) -> None:
    """Sort the postings of all chunks by term, in order of the terms' hashes, and write them with their scores."""
    hashes = np.array(vocabulary.hashes, dtype=np.uint64)
    order = np.argsort(hashes, kind="stable")
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    postings, frequency = np.zeros((2, len(order)), dtype=np.int64)
    first, lengths = sizes.firsts(), np.array(sizes.lengths, dtype=np.float64)
    for path in chunks:
        terms, where = np.load(path, mmap_mode="r", allow_pickle=False)[:2]
        postings += np.bincount(place_of[terms], minlength=len(order))
        frequency += np.bincount(place_of[terms[first[where]]], minlength=len(order))
    starts = np.concatenate([[0], np.cumsum(postings)]).astype(np.int64)
    average = max(float(lengths[first].mean()) if len(lengths) else 0.0, 1e-9)
    norms = K1 * (1 - B + B * lengths / average)
    idf = np.log(1 + (first.sum() - frequency + 0.5) / (frequency + 0.5))
    passages = _created(folder, "passages", int(starts[-1]))
    scores = _created(folder, "scores", int(starts[-1]))
    free = starts[:-1].copy()
    for path in chunks:
        terms, where, counts = np.load(path, allow_pickle=False)
        terms = place_of[terms]
        by_term = np.argsort(terms, kind="stable")
        terms, where, counts = terms[by_term], where[by_term], counts[by_term]
        firsts = np.flatnonzero(np.concatenate([[True], terms[1:] != terms[:-1]]))
        runs = np.diff(np.append(firsts, len(terms)))
        targets = np.repeat(free[terms[firsts]] - firsts, runs) + np.arange(len(terms))
        passages[targets] = where
        scores[targets] = idf[terms] * counts / (counts + norms[where])
        free[terms[firsts]] += runs
    np.save(folder / "terms.npy", hashes[order], allow_pickle=False)
    np.save(folder / "starts.npy", starts, allow_pickle=False)
    for written in (passages, scores):
        if isinstance(written, np.memmap):
            written.flush()


def _created(folder: Path, name: str, size: int) -> NDArray[np.generic]:
    path = folder / f"{name}.npy"
    if size:
        kind = np.dtype(_FILES[name])
        header = {"descr": kind.str, "fortran_order": False, "shape": (size,)}
        with path.open("w+b") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            stream.flush()
            # Room is taken now: on a full disk a mapped page would be the end of the process.
            os.posix_fallocate(stream.fileno(), 0, stream.tell() + size * kind.itemsize)
        made: NDArray[np.generic] = np.lib.format.open_memmap(path, mode="r+")
        return made
    empty = np.zeros(0, dtype=_FILES[name])
    np.save(path, empty, allow_pickle=False)
    return empty


def _chunks(
    texts: Iterable[str], vocabulary: "_Vocabulary", sizes: _Sizes
) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """Postings in order of the passages, a bounded number at a time: terms, passages, counts."""
    held: list[tuple[Numbers, Numbers, Numbers]] = []
    size = 0
    for numbers in _batches(texts, vocabulary):
        first = len(sizes.lengths)
        for own in numbers:
            sizes.terms(own)
        owners = np.repeat(np.arange(len(numbers)), [len(found) for found in numbers])
        terms = np.concatenate(numbers)
        sizes.lengths += np.bincount(
            owners[~vocabulary.are_light(terms)], minlength=len(numbers)
        ).tolist()
        # One number for passage and term together, so that one sort counts them all.
        width = len(vocabulary.hashes) or 1
        both, counts = np.unique(owners * width + terms, return_counts=True)
        held.append((both % width, both // width + first, counts))
        size += len(both)
        if size >= _CHUNK:
            yield _together(held)
            held, size = [], 0
    if size:
        yield _together(held)


def _batches(texts: Iterable[str], vocabulary: "_Vocabulary") -> Iterator[list[Numbers]]:
    """The numbers of the terms of each text, for some texts at a time."""
    batch: list[Numbers] = []
    size = 0
    for text in texts:
        batch.append(vocabulary.numbers(text))
        size += len(batch[-1])
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _together(held: Sequence[tuple[Numbers, Numbers, Numbers]]) -> tuple[Numbers, Numbers, Numbers]:
    terms, passages, counts = (np.concatenate(part) for part in zip(*held, strict=True))
    return terms, passages, counts


class _Vocabulary(dict[str, int]):
    """Numbers for terms, in the order in which they are met, by word. Each different word is analysed once.

    A word that is several terms has a negative number, -1 for the first of `several`.
    """

    def __init__(self, analysis: Analysis) -> None:
        super().__init__()
        self.hashes: list[int] = []
        self.several: list[list[int]] = []
        self._analysis = analysis
        self._numbers: dict[str, int] = {}
        self._light: list[int] = []

    def numbers(self, text: str) -> Numbers:
        """The numbers of the terms of a text."""
        words = folded_words(text)
        found = np.fromiter(map(self.__getitem__, words), dtype=np.int64, count=len(words))
        if len(found) and found.min() < 0:
            parts = [self.several[-n - 1] if n < 0 else [n] for n in found.tolist()]
            found = np.array(list(chain.from_iterable(parts)), dtype=np.int64)
        letters = [self._number(t) for _, _, terms in self._analysis.capitals(text) for t in terms]
        return np.append(found, np.array(letters, dtype=np.int64)) if letters else found

    def are_light(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Which of the terms make their texts no longer (see `Analysis.is_light`)."""
        light = np.zeros(len(self.hashes), dtype=bool)
        light[self._light] = True
        return light[numbers]

    def __missing__(self, word: str) -> int:
        terms = [self._number(term) for term in self._analysis.indexed_terms_of(word)]
        if len(terms) != 1:
            self.several.append(terms)
        self[word] = number = terms[0] if len(terms) == 1 else -len(self.several)
        return number

    def _number(self, term: str) -> int:
        number = self._numbers.setdefault(term, len(self._numbers))
        if number == len(self.hashes):
            self.hashes.append(_hash(term))
            if self._analysis.is_light(term):
                self._light.append(number)
        return number


def _idf(count: int, frequency: int) -> float:
    return float(np.log(1 + (count - frequency + 0.5) / (frequency + 0.5)))


def _hash(term: str) -> int:
    """Eight bytes that stand for a term: among ten million terms, two share them once in 370,000 corpora."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "big")
