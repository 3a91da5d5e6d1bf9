"""The harness of faults does what it says (`tests/reliability/test_faults_everywhere.py` tries all commands with it)."""

import json
from collections.abc import Sequence

import pytest
from faults import Ended, Faults, faults

pytestmark = pytest.mark.slow

MODULES = (
    "search.corpus.ingest",
    "search.models.chunking",
    "search.models.legibility",
    "search.projects.run_recorder",
    "training.data.intake",
)


@pytest.fixture(scope="module")
def disk():
    with faults(*MODULES) as process:
        yield process


def _first(kinds: Sequence[str], *wanted: str) -> int:
    """The number of the first change that is followed by just these."""
    size = len(wanted)
    return next(i + 1 for i in range(len(kinds)) if tuple(kinds[i : i + size]) == wanted)


def test_the_harness_counts_and_disturbs_what_it_should(disk: Faults, tmp_path, tiny_beir) -> None:
    asked = ("import", "lab", str(tiny_beir))
    ended: Ended = disk.run(tmp_path / "a", *asked)
    assert {"open", "write", "rename", "mkdir", "rmdir", "unlink", "fsync", "sqlite"} <= set(
        ended.kinds
    )
    killed = disk.run(tmp_path / "b", *asked, at=_first(ended.kinds, "write", "fsync"))
    assert killed.status == -9
    (half,) = (tmp_path / "b").rglob(".status.json.*")
    with pytest.raises(ValueError, match=r"."):
        json.loads(half.read_text())
    full = disk.run(tmp_path / "c", *asked, at=1, how="ENOSPC")
    assert full.status == 1 and "No space left" in full.err
