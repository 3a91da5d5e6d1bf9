"""The embedding store: what is put in comes out, whatever is killed, torn, damaged or written at the same time."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from search.models.encoding import cache_segments
from search.models.encoding.cache import FORMAT, EmbeddingStore, store_key
from search.models.encoding.cache_segments import evict
from search.projects.errors import Failed, Refused
from search.projects.project import projects, unusable_projects
from search.projects.settings import settings

DIMENSION = 8
MODEL = "abc123"


def key(number):
    return store_key(blake2b(str(number).encode(), digest_size=12).digest())


def vector(number):
    return np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)


def put(store, numbers):
    store.add([key(n) for n in numbers], np.stack([vector(n) for n in numbers]))


def known(numbers, model=MODEL, dimension=DIMENSION):
    """Which of the numbers the store knows; what it knows is held against what it should be."""
    with EmbeddingStore.of(model, dimension) as store:
        into = np.full((len(numbers), dimension), 7.0, dtype=np.float32)
        found = store.fill([key(n) for n in numbers], into)
        for row, number in enumerate(numbers):
            wanted = vector(number) if found[row] else np.full(dimension, 7.0, dtype=np.float32)
            np.testing.assert_array_equal(into[row], wanted)
        return [n for n, is_known in zip(numbers, found, strict=True) if is_known]


@pytest.fixture
def folder(workspace):
    return workspace / ".embeddings" / f"{MODEL}-{DIMENSION}-{FORMAT}"


def files(folder, ending):
    return sorted(folder.glob(f"*{ending}"))


def test_what_is_added_is_found_and_nothing_else(folder):
    assert known(range(5)) == []
    assert not folder.exists(), "asking makes nothing"
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(100))
        put(store, range(100, 130))
    assert known(range(140)) == list(range(130))
    assert known(range(5), model="other") == []
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(130, 140))
        assert store.notes == []
    assert known(range(140)) == list(range(140))
    assert len(files(folder, ".keys")) == 1, "one segment goes on being filled"


def test_a_key_is_the_text_and_how_it_is_seen():
    text = b"0123456789ab"
    assert store_key(text) == store_key(text, b"") != store_key(text, b"query: ")
    assert store_key(text) != store_key(b"0123456789ac")


def test_what_is_not_finite_is_not_kept():
    vectors = np.stack([vector(n) for n in range(3)])
    vectors[1, 3] = np.nan
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        store.add([key(n) for n in range(3)], vectors)
    assert known(range(3)) == [0, 2]


def test_the_store_is_no_project(workspace):
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(3))
    assert projects() == [] and unusable_projects() == []


@pytest.mark.parametrize("cut", [1, 23, 24, 25, 24 * 3 + 5])
def test_a_torn_tail_is_cut_off(folder, cut):
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(20))
    keys = files(folder, ".keys")[0]
    os.truncate(keys, keys.stat().st_size - cut)
    left = 20 - -(-cut // 24)
    assert known(range(20)) == list(range(left))
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        assert store.notes == []
        put(store, range(30, 33))
    assert known(range(40)) == [*range(left), 30, 31, 32]


def test_records_without_their_vectors_do_not_exist(folder):
    """A machine that lost power may have kept the one file and not the other."""
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(20))
    vectors = files(folder, ".vectors")[0]
    os.truncate(vectors, 4 * DIMENSION * 12 + 3)
    assert known(range(20)) == list(range(12))


def test_a_changed_vector_is_told_of_and_not_used(folder):
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(20))
    path = files(folder, ".vectors")[0]
    content = bytearray(path.read_bytes())
    content[4 * DIMENSION * 7 + 2] ^= 1
    path.write_bytes(content)
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        found = store.fill([key(n) for n in range(20)], np.zeros((20, DIMENSION), np.float32))
        store.fill([key(7)], np.zeros((1, DIMENSION), np.float32))
        assert not found[7] and found.sum() == 19
        assert len(store.notes) == 1 and "1 vectors differ" in store.notes[0]
    # It is computed again, once: what was damaged does not hide what came after it.
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, [7])
        assert store.notes == []
    assert known(range(20)) == list(range(20))


def test_a_file_that_is_cut_under_its_reader_ends_nothing(folder):
    """A reader that has the file mapped would be ended by the system: so it is tried in a process of its own."""
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(2_000))
    code = (
        "import os, sys; sys.path[:0] = ['.', 'tests/search/models/encoding']\n"
        "import numpy as np\n"
        "from test_embedding_store import EmbeddingStore, key, MODEL, DIMENSION\n"
        "with EmbeddingStore.of(MODEL, DIMENSION) as store:\n"
        "    os.truncate(sys.argv[1], 4 * DIMENSION * 10)\n"
        "    found = store.fill([key(n) for n in range(2_000)], np.zeros((2_000, DIMENSION), np.float32))\n"
        "    print(int(found.sum()), *store.notes)\n"
    )
    vectors = files(folder, ".vectors")[0]
    done = subprocess.run(
        [sys.executable, "-c", code, str(vectors)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("10 The embedding store ") and "1,990 vectors" in done.stdout


def _emptied(path):
    path.write_bytes(b"")


def _header_only(path):
    os.truncate(path, 24)


def _folder(path):
    path.unlink()
    path.mkdir()
    (path / "of somebody else").write_text("stays")


def _another_models(path):
    other = path.parent.with_name(f"other-{DIMENSION}-{FORMAT}")
    with EmbeddingStore.of("other", DIMENSION) as store:
        store.add([key(n) for n in range(20)], np.ones((20, DIMENSION), np.float32))
    for ending in (".keys", ".vectors"):
        shutil.copy(files(other, ending)[0], path.with_suffix(ending))


@pytest.mark.parametrize("ending", [".keys", ".vectors"])
@pytest.mark.parametrize("damage", [_emptied, _header_only, _folder, _another_models, Path.unlink])
def test_a_segment_that_is_not_what_it_was_is_computed_again_and_works(folder, ending, damage):
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(20))
    damage(files(folder, ending)[0])
    assert known(range(20)) == []
    for _ in range(2):
        with EmbeddingStore.of(MODEL, DIMENSION) as store:
            put(store, range(20))
        assert known(range(20)) == list(range(20))
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        assert store.notes == []
    assert evict(folder.parent, 0) > 0
    if damage is _folder:
        assert [p.read_text() for p in folder.glob(".*/of somebody else")] == ["stays"]


@pytest.mark.parametrize("ending", [".keys", ".vectors"])
def test_a_segment_that_cannot_be_read_is_told_of_and_set_aside(folder, ending, monkeypatch):
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(20))
    real_open, real_read = os.open, Path.read_bytes

    def no_open(path, *more, **named):
        if str(path).endswith(ending):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real_open(path, *more, **named)

    def no_read(path):
        if path.name.endswith(ending):
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real_read(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", no_open)
        patched.setattr(Path, "read_bytes", no_read)
        with EmbeddingStore.of(MODEL, DIMENSION) as store:
            assert len(store) == 0
            assert "error" in store.notes[0] or "denied" in store.notes[0]
    assert list(folder.iterdir()) == []
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(20))
        assert store.notes == []
    assert known(range(20)) == list(range(20))


@pytest.mark.parametrize("level", [0, 1])
def test_a_file_in_the_place_of_a_folder_of_the_store_is_renamed(folder, level):
    place = (folder, folder.parent)[level]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("mine")
    assert known(range(3)) == []
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(3))
    assert known(range(3)) == [0, 1, 2]


def test_what_was_added_is_on_disk(folder, monkeypatch):
    """Vectors of a server are paid for: before an answer counts as kept, both files were flushed."""
    flushed, real = [], os.fsync

    def fsync(handle):
        flushed.append(Path(f"/proc/self/fd/{handle}").readlink().suffix)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        for batch in (range(3), range(3, 6)):
            flushed.clear()
            put(store, batch)
            assert flushed[-2:] == [".vectors", ".keys"]


@pytest.mark.parametrize("place", [0, 9, 24 + 3, 24 * 5 + 17, 24 * 5 + 21])
def test_a_damaged_file_of_keys_is_one_note_and_begins_anew(folder, place):
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(20))
    path = files(folder, ".keys")[0]
    content = bytearray(path.read_bytes())
    content[place] ^= 255
    path.write_bytes(content)
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        assert len(store) == (0 if place < 24 else 19)
        assert len(store.notes) == 1 and "damaged" in store.notes[0]
        put(store, range(20))
    assert known(range(20)) == list(range(20))
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        assert store.notes == []


def test_two_write_at_once_and_nothing_is_lost(folder):
    code = (
        "import sys, time; sys.path[:0] = ['.', 'tests/search/models/encoding']\n"
        "from test_embedding_store import EmbeddingStore, put, MODEL, DIMENSION\n"
        "start = int(sys.argv[1])\n"
        "with EmbeddingStore.of(MODEL, DIMENSION) as store:\n"
        "    for at in range(start, start + 300, 10):\n"
        "        put(store, range(at, at + 10)); time.sleep(0.003)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(start)]) for start in (0, 300, 600)
    ]
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(900, 950))
        assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert known(range(1000)) == list(range(950))
    assert len(files(folder, ".keys")) <= 4


def test_a_writer_that_is_killed_loses_at_most_its_last_batch(folder):
    code = (
        "import sys; sys.path[:0] = ['.', 'tests/search/models/encoding']\n"
        "from test_embedding_store import EmbeddingStore, put, MODEL, DIMENSION\n"
        "with EmbeddingStore.of(MODEL, DIMENSION) as store:\n"
        "    for at in range(0, 1_000_000, 5):\n"
        "        put(store, range(at, at + 5)); print(at + 5, flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    told = 0
    deadline = time.monotonic() + 60
    while told < 200 and time.monotonic() < deadline:
        told = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    with writer.stdout:
        rest = writer.stdout.read().split()
    writer.wait()
    told = int(rest[-1]) if rest else told
    survived = known(range(told + 20))
    assert survived in (list(range(told)), list(range(told + 5)))


def test_a_full_disk_is_one_clear_failure_and_all_is_as_it_was(monkeypatch):
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(20))
        with monkeypatch.context() as patched:
            # The vectors are written; the disk is full in the middle of the records.
            real, calls = os.pwrite, []

            def full(handle, content, offset):
                calls.append(len(content))
                if len(calls) == 1:
                    return real(handle, content, offset)
                if len(calls) == 2:
                    return real(handle, content[:30], offset)
                raise OSError(errno.ENOSPC, "No space left on device")

            patched.setattr(os, "pwrite", full)
            with pytest.raises(Failed, match="make room and start again"):
                put(store, range(20, 40))
        put(store, range(50, 55))
    assert known(range(60)) == [*range(20), *range(50, 55)]


def test_the_least_recently_used_goes_first_and_what_is_read_stays(workspace, monkeypatch):
    monkeypatch.setattr(cache_segments, "SEGMENT_BYTES", 4 * DIMENSION * 10)
    size = 10 * (4 * DIMENSION + 24) + 24
    for model in ("old", "new"):
        with EmbeddingStore.of(model, DIMENSION) as store:
            put(store, range(10))
            put(store, range(10, 20))
    home = workspace / ".embeddings"
    for place, path in enumerate(sorted(home.glob("*/*.keys"))):
        os.utime(path, (1_000 + place, 1_000 + place))
    used = sorted(home.glob(f"old-{DIMENSION}-{FORMAT}/*.keys"))[1]
    os.utime(used)
    assert evict(home, 4 * size) == 0
    with EmbeddingStore.of("new", DIMENSION):  # Being read: its segments may not go.
        assert evict(home, 3 * size) == 1
        assert known(range(20), "new") == list(range(20))
        assert known(range(20), "old") == list(range(10, 20))
        assert evict(home, 0) == 1
    assert known(range(20), "new") == list(range(20))
    assert known(range(20), "old") == []
    assert evict(home, 0) == 2
    assert list(home.glob("*/*.*")) == []


def test_the_limit_holds_while_it_is_written(workspace, monkeypatch):
    monkeypatch.setattr(cache_segments, "SEGMENT_BYTES", 4 * DIMENSION * 10)
    size = 10 * (4 * DIMENSION + 24) + 24
    monkeypatch.setenv("BESPOKE_EMBEDDINGS_GB", str(3.5 * size / 1e9))
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        for at in range(0, 100, 10):
            put(store, range(at, at + 10))
    left = known(range(100))
    assert left == list(range(70, 100)), "the newest are kept"


def test_zero_keeps_nothing(folder, monkeypatch):
    monkeypatch.setenv("BESPOKE_EMBEDDINGS_GB", "0")
    with EmbeddingStore.of(MODEL, DIMENSION) as store:
        put(store, range(5))
    assert not folder.exists() and known(range(5)) == []


@pytest.mark.parametrize("value", ["-1", "much", "nan", "inf"])
def test_a_limit_that_is_no_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("BESPOKE_EMBEDDINGS_GB", value)
    with pytest.raises(Refused, match="BESPOKE_EMBEDDINGS_GB"):
        settings()
