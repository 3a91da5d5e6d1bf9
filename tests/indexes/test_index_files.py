"""What every vector index must do about its files: read back the same, and say what is damaged or finds no room."""

from dataclasses import replace

import pytest

from indexes.vector_index import BrokenIndex
from tests.indexes.brute_force import numbers


def _files(folder):
    return sorted(path for path in folder.iterdir() if path.is_file())


def test_a_full_disk_while_building_is_an_error_and_no_crash(kind, tmp_path):
    """Each file in turn is one that takes nothing more."""
    vectors = numbers(1_500, 8)
    (tmp_path / "whole").mkdir()
    kind.build(vectors, tmp_path / "whole")
    for name in [path.name for path in _files(tmp_path / "whole")]:
        folder = tmp_path / f"full-{name}"
        folder.mkdir()
        (folder / name).symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left"):
            kind.build(vectors, folder)


def test_an_index_read_back_answers_the_same_bit_for_bit(kind, tmp_path):
    vectors, queries = numbers(120, 16), numbers(9, 16, seed=2)
    vectors[5] = 0
    vectors[60] = vectors[61]
    facts = kind.build(vectors, tmp_path)
    index, back = kind.open(tmp_path, facts), kind.open(tmp_path, facts)
    assert (len(back), back.dimension) == (120, 16)
    for one, other in zip(index.search(queries, 120), back.search(queries, 120), strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_index_is_broken(kind, tmp_path, share):
    facts = kind.build(numbers(50, 8), tmp_path)
    for path in _files(tmp_path):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(BrokenIndex, match="cannot be read"):
            kind.open(tmp_path, facts)
        path.write_bytes(content)


def test_garbage_is_a_broken_index(kind, tmp_path):
    facts = kind.build(numbers(50, 8), tmp_path)
    for path in _files(tmp_path):
        whole = path.read_bytes()
        for content in (b"no index at all", b"\x00" * 500, bytes(range(256)) * 20):
            path.write_bytes(content)
            with pytest.raises(BrokenIndex, match="cannot be read"):
                kind.open(tmp_path, facts)
        path.write_bytes(whole)


def test_a_missing_file_is_a_broken_index(kind, tmp_path):
    facts = kind.build(numbers(50, 8), tmp_path)
    for path in _files(tmp_path):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(BrokenIndex, match="cannot be read"):
            kind.open(tmp_path, facts)
        path.write_bytes(content)


def test_an_index_of_another_size_than_its_manifest_says_is_broken(kind, tmp_path):
    facts = kind.build(numbers(50, 8), tmp_path)
    for other in (replace(facts, vectors=49), replace(facts, dimension=9)):
        with pytest.raises(BrokenIndex, match="instead of"):
            kind.open(tmp_path, other)
