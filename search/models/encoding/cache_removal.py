"""Taking vectors out of the embedding store: those that no text of any project needs (any more).

The store is shared, and a vector can be turned back into something near its text. So where somebody wants the vectors
of a deleted project gone, all go that no other project's text needs: those of earlier versions of its texts, too,
which nobody could list any more. What is missed is computed again: the store is only a memory.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.corpus.corpus import CORPUS_FILE, Corpus, embedded_key
from search.models.encoding.cache import FORMAT, STORE, store_key, views_of
from search.models.encoding.cache_segments import (
    HEADER_BYTES,
    KEYS,
    VECTORS,
    DamagedSegment,
    Records,
    SegmentWriter,
    halves,
    locked,
    read_records,
    read_rows,
    vector_sums,
)
from search.projects.artifacts import MANIFEST, new_id
from search.projects.errors import BespokeError
from search.projects.files import PRIVATE_FILE, flush
from search.projects.graves import STORE_SWEEP
from search.projects.project import Project
from search.projects.settings import settings

_BLOCK = 4_096
_PLAIN = ("", b"query".hex())  # The views of models that are no transformers.

Keys = NDArray[np.uint64]
"""First halves of keys: 64 bits of a hash are enough, and a vector that stays by chance harms nobody."""


@dataclass(frozen=True)
class StoreUse:
    """How many vectors of the store belong to a project's texts, and how many of them other projects' texts need, too.

    >>> StoreUse(vectors=120, shared=20)
    StoreUse(vectors=120, shared=20)
    """

    vectors: int
    shared: int


def use_of(project: Project, others: Sequence[Project]) -> StoreUse:
    """Look up in the store what a project's texts have there."""
    own = shared = 0
    for folder, dimension in _stores():
        views = views_of(folder)
        mine, theirs = keys_of([project], views), keys_of(others, views)
        for path in folder.glob(f"*{KEYS}"):
            with suppress(DamagedSegment, OSError):
                records, sound = read_records(path, dimension)
                known = records["key"][sound, 0]
                is_mine = np.isin(known, mine)
                own += int(is_mine.sum())
                shared += int((is_mine & np.isin(known, theirs)).sum())
    return StoreUse(own, shared)


def want_sweep() -> None:
    """Note that the store is to be swept: who is killed before it was leaves that to the next command."""
    home = settings().home
    if (home / STORE).is_dir():
        os.close(os.open(home / STORE_SWEEP, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE))
        flush(home)


def sweep_is_wanted() -> bool:
    """Whether a sweep of the store was noted, and not finished."""
    return (settings().home / STORE_SWEEP).exists()


def sweep_store(projects: Sequence[Project]) -> tuple[int, int]:
    """Remove every vector that no text of these projects needs.

    :param projects: all that there are.
    :returns: how many vectors went, and how many segments another process writes to at the moment: these are left, and
        the sweep stays wanted.
    :raises OSError: when the store cannot be written; it is whole, and the sweep stays wanted.
    """
    gone = busy = 0
    for folder, dimension in _stores():
        needed = keys_of(projects, views_of(folder))
        for path in sorted(folder.glob(f"*{KEYS}")):
            went = _thin_out(path, dimension, needed)
            busy += went is None
            gone += went or 0
        for vectors in folder.glob(f"*{VECTORS}"):  # Of a removal that was cut off.
            if not vectors.with_suffix(KEYS).exists():
                vectors.unlink(missing_ok=True)
    if not busy:
        (settings().home / STORE_SWEEP).unlink(missing_ok=True)
    return gone, busy


def damaged_segments() -> list[tuple[Path, str]]:
    """Files of the store that cannot be used, and what is wrong with them: what they held is computed again."""
    wrong = []
    for folder, dimension in _stores():
        for path in sorted(folder.glob(f"*{KEYS}")):
            try:
                _, sound = read_records(path, dimension)
            except (DamagedSegment, OSError) as error:
                wrong.append((path, str(error)))
            else:
                count = int((~sound).sum()) or _damaged_vectors(path, dimension)
                if count:
                    wrong.append((path, f"{count:,} records are damaged"))
    return wrong


def _damaged_vectors(path: Path, dimension: int) -> int:
    """How many vectors of a segment are not what their records say; 0 where another process writes to it."""
    handles: list[int] = []
    try:
        handles += [os.open(file, os.O_RDONLY) for file in (path, path.with_suffix(VECTORS))]
        if not locked(handles[0], fcntl.LOCK_SH):
            return 0
        records, _ = read_records(path, dimension)
        written = (path.stat().st_size - HEADER_BYTES) // records.dtype.itemsize
        wrong = written - len(records)  # Their vectors are cut off.
        named = np.flatnonzero(records["key"].any(axis=1))  # Others were blanked.
        for start in range(0, len(named), _BLOCK):
            block = named[start : start + _BLOCK]
            sums = vector_sums(read_rows(handles[1], block, dimension))
            wrong += int((sums != records["vector"][block]).sum())
        return max(wrong, 0)
    except (OSError, DamagedSegment):
        return 1
    finally:
        for handle in handles:
            os.close(handle)


def keys_of(projects: Iterable[Project], views: Iterable[str]) -> Keys:
    """The keys under which a store with these views has the texts of projects, sorted, each once."""
    salts = [bytes.fromhex(view) for view in {*views, *_PLAIN}]
    made: list[bytes] = []
    for project in projects:
        prompts = _prompts(project)
        for corpus in _corpora(project):
            made += (store_key(key, salt) for key in corpus.embedded_keys() for salt in salts)
            if prompts:  # A server is sent prompt and text as one text.
                texts = _passages(corpus)
                made += (store_key(embedded_key(p + text)) for text in texts for p in prompts)
        for text in _texts(project):
            key = embedded_key(text)
            made += (store_key(key, salt) for salt in salts)
            made += (store_key(embedded_key(prompt + text)) for prompt in prompts)
    return np.unique(halves(made)[:, 0])


def _thin_out(path: Path, dimension: int, needed: Keys) -> int | None:
    """Take from a segment what nobody needs; returns how many vectors went, None where another process writes to it."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return 0
    try:
        if not locked(handle, fcntl.LOCK_EX):
            return None
        vectors_file = path.with_suffix(VECTORS)
        try:
            records, sound = read_records(path, dimension)
        except (DamagedSegment, FileNotFoundError):
            records, sound = np.zeros(0, dtype=[("key", "<u8", 2)]), np.zeros(0, dtype=bool)
        stay = np.flatnonzero(sound & np.isin(records["key"][:, 0], needed))
        if len(records) and len(stay) == len(records):
            return 0
        if len(stay):
            _copy(path, dimension, records, stay)
        path.unlink(missing_ok=True)
        vectors_file.unlink(missing_ok=True)
        flush(path.parent)
        return len(records) - len(stay)
    finally:
        os.close(handle)


def _copy(path: Path, dimension: int, records: Records, rows: NDArray[np.int64]) -> None:
    """Write vectors that stay into a new segment, before the old one goes; what is damaged is left out."""
    writer = SegmentWriter.take(path.with_name(f"{new_id()}{KEYS}"), dimension)
    if writer is None:
        raise OSError(f"a new segment in {path.parent} could not be had")
    handle = os.open(path.with_suffix(VECTORS), os.O_RDONLY)
    try:
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            vectors = read_rows(handle, block, dimension)
            sound = vector_sums(vectors) == records["vector"][block]
            if sound.any():
                keys = records["key"][block][sound]
                writer.append([key.tobytes() for key in keys], vectors[sound])
    finally:
        os.close(handle)
        writer.close()


def _stores() -> list[tuple[Path, int]]:
    """The folders of the store, each with the dimension of its vectors; those of another format are never read, and go."""
    made = []
    for folder in sorted((settings().home / STORE).glob("*-*-*")):
        _, dimension, number = folder.name.rsplit("-", 2)
        if dimension.isdecimal() and number == str(FORMAT):
            made.append((folder, int(dimension)))
    return made


def _corpora(project: Project) -> Iterator[Corpus]:
    for folder in sorted((project.folder / "corpora").glob("[!.]*")):
        corpus = Corpus(folder / CORPUS_FILE)
        with suppress(BespokeError, sqlite3.Error):  # What is damaged needs no vectors.
            if corpus.passages:
                yield corpus


def _passages(corpus: Corpus) -> Iterator[str]:
    for start in range(0, corpus.passages, _BLOCK):
        yield from corpus.embedded_at(range(start, min(start + _BLOCK, corpus.passages)))


def _texts(project: Project) -> Iterator[str]:
    """All texts beside passages that may have been encoded: whatever stands in pairs and query sets."""
    for kind in ("pairs", "queries"):
        for path in sorted((project.folder / kind).glob("[!.]*/*.json*")):
            if path.name != MANIFEST:
                with suppress(OSError):
                    yield from _strings_in(path)


def _strings_in(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            with suppress(ValueError):
                yield from _strings(json.loads(line))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (key for key in value if isinstance(key, str))
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _prompts(project: Project) -> list[str]:
    """What servers' models of a project write before a text."""
    said: set[str] = set()
    for path in (project.folder / "models").glob(f"[!.]*/{MANIFEST}"):
        with suppress(OSError, ValueError, AttributeError, KeyError, TypeError):
            known = json.loads(path.read_bytes())["details"].get("prompts") or {}
            said |= {known.get("query") or "", known.get("document") or ""}
    return sorted(said - {""})
