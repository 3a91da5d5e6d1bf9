"""A corpus is encoded once: by count, across versions, projects and kills."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from search.corpus.corpus import current_corpus
from search.corpus.document import Document
from search.corpus.writer import CorpusWriter
from search.models.encoding import corpus as encoding
from search.models.encoding.corpus import corpus_vectors, encode_corpus
from search.models.registry import find_model
from search.projects.errors import Failed
from search.projects.project import project_to_be
from tests.search.models.encoding.conftest import Counting, vector_of

TEXTS = [f"passage number {number} " + "word " * (number % 37) for number in range(500)]


def made(folder, texts):
    from search.corpus.corpus import Corpus

    folder.mkdir()
    writer = CorpusWriter(folder)
    writer.add([Document(f"d{place}", "", text) for place, text in enumerate(texts)])
    writer.close()
    return Corpus(folder / "corpus.sqlite")


@pytest.fixture
def info(project):
    return replace(find_model(project, "generic"), dimension=8, fingerprint="f00d")


def wanted(texts):
    return np.stack([vector_of(text.strip()) for text in texts])


def test_where_one_percent_changed_one_percent_is_encoded(tmp_path, info, counting):
    first = encode_corpus(counting, made(tmp_path / "a", TEXTS), info)
    assert len(counting.seen) == 500 and first.reused == 0
    np.testing.assert_array_equal(first.vectors, wanted(TEXTS))
    changed = [f"changed {text}" if place % 100 == 7 else text for place, text in enumerate(TEXTS)]
    changed.insert(0, changed.pop())  # And all stand elsewhere.
    again = Counting()
    second = encode_corpus(again, made(tmp_path / "b", changed), info)
    assert sorted(again.seen) == sorted(t.strip() for t in changed if t.startswith("changed"))
    assert len(again.seen) == 5 and second.reused == 495
    np.testing.assert_array_equal(second.vectors, wanted(changed))


def test_equal_passages_are_encoded_once(tmp_path, info, counting, monkeypatch):
    monkeypatch.setattr(encoding, "_WINDOW", 16)
    texts = [TEXTS[place % 30] for place in range(100)]
    found = encode_corpus(counting, made(tmp_path / "a", texts), info)
    assert len(counting.seen) == 30
    np.testing.assert_array_equal(found.vectors, wanted(texts))


def test_another_model_and_another_prompt_share_nothing(tmp_path, info, counting, monkeypatch):
    corpus = made(tmp_path / "a", TEXTS[:20])
    encode_corpus(counting, corpus, info)
    encode_corpus(counting, corpus, replace(info, fingerprint="beef"))
    assert len(counting.seen) == 40
    monkeypatch.setattr(encoding, "seen_by", lambda *_: b"passage: ")
    encode_corpus(counting, corpus, info)
    assert len(counting.seen) == 60
    encode_corpus(counting, corpus, info)
    assert len(counting.seen) == 60


def test_projects_share_what_was_encoded(import_tiny, project):

    other = project_to_be("second")
    import_tiny(other)
    for place, owner in enumerate((project, other)):
        info = replace(find_model(owner, "generic"), dimension=8, fingerprint="f00d")
        manifest, corpus = current_corpus(owner)
        counting = Counting()
        found = corpus_vectors(owner, info, counting, manifest, corpus)
        assert (len(counting.seen), found.reused) == ((40, 0), (0, 40))[place]


def test_much_is_written_to_a_file_and_is_the_same(
    tmp_path, info, counting, monkeypatch, workspace
):
    monkeypatch.setattr(encoding, "_IN_MEMORY", 1_000)
    found = encode_corpus(counting, made(tmp_path / "a", TEXTS), info)
    assert isinstance(found.vectors, np.memmap)
    np.testing.assert_array_equal(found.vectors, wanted(TEXTS))
    assert [path.name for path in workspace.iterdir() if path.is_file()] == []


def test_no_room_for_the_vectors_is_one_clear_failure(tmp_path, info, counting, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(encoding, "_IN_MEMORY", 1_000)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(Failed, match=r"no room for .* of vectors"):
        encode_corpus(counting, made(tmp_path / "a", TEXTS), info)


def test_a_disk_that_fills_up_keeps_what_was_encoded(tmp_path, info, monkeypatch):
    corpus, counting = made(tmp_path / "a", TEXTS), Counting()
    real, calls = os.pwrite, []

    def full(handle, content, offset):
        calls.append(len(content))
        if len(calls) > 7:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, content, offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(Failed, match="make room and start again"):
            encode_corpus(counting, corpus, info)
    again = Counting()
    found = encode_corpus(again, corpus, info)
    assert len(again.seen) == 500 - 3 * 64, "three batches were whole"
    np.testing.assert_array_equal(found.vectors, wanted(TEXTS))


def test_a_damaged_store_is_told_of_and_encoded_again(tmp_path, info, counting, workspace):
    corpus = made(tmp_path / "a", TEXTS)
    encode_corpus(counting, corpus, info)
    path = next((workspace / ".embeddings").glob("*/*.vectors"))
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    found = encode_corpus(counting, corpus, info)
    assert len(counting.seen) == 501
    np.testing.assert_array_equal(found.vectors, wanted(TEXTS))
    (note,) = found.facts["encoding"]["notes"]
    assert "damaged" in note and "computed again" in note


def test_progress_tells_the_pace(tmp_path, info, counting, monkeypatch):
    monkeypatch.setattr(encoding, "_TELL_EVERY", 0.0)
    told = []
    encode_corpus(
        counting, made(tmp_path / "a", TEXTS), info, lambda d, t, m, _=None: told.append((d, t, m))
    )
    assert told[0] == (0, 500, "indexing 500 passages with generic")
    assert told[-1][:2] == (500, 500)
    assert re.search(r": [\d,.]+ passages a second, 0:0\d left$", told[-1][2])


SLOW = """
import sys, time
from pathlib import Path
sys.path.insert(0, ".")
from search.corpus.corpus import Corpus
from search.models.encoding.corpus import encode_corpus
from search.models.registry import find_model
from search.projects.project import project
from tests.search.models.encoding.conftest import Counting
from dataclasses import replace

class Slow(Counting):
    def encode_document(self, inputs):
        time.sleep(0.05)
        print(len(inputs), flush=True)
        return super().encode_document(inputs)

lab = project("lab")
info = replace(find_model(lab, "generic"), dimension=8, fingerprint="f00d")
encode_corpus(Slow(), Corpus(Path(sys.argv[1])), info)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_kill_loses_at_most_one_batch(tmp_path, info, how, counting):
    corpus = made(tmp_path / "a", TEXTS)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, corpus.path], stdout=subprocess.PIPE, text=True
    )
    asked, deadline = 0, time.monotonic() + 60
    while asked < 200 and time.monotonic() < deadline:
        asked += int(process.stdout.readline())
    process.send_signal(how)
    with process.stdout:
        asked += sum(map(int, process.stdout.read().split()))
    assert process.wait() == -how
    found = encode_corpus(counting, corpus, info)
    assert asked - 64 <= found.reused <= asked
    assert len(counting.seen) == 500 - found.reused < 500 - 100
    np.testing.assert_array_equal(found.vectors, wanted(TEXTS))
