"""Every command that writes, killed before its changes to the disk, or with a disk that is full or broken there

After each fault every project opens, nothing that was acknowledged is lost, nothing is half visible, the same command
again ends as one that nobody disturbed, and nothing is left over.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import proofs
from tests.faults import faults
from tests.reliability.faulting import Tried, Workshop, tried, undisturbed
from tests.reliability.writing_commands import COMMANDS, Inputs, Writing

pytestmark = pytest.mark.slow

HOWS = {"kill": 1.0, "ENOSPC": 1 / 7, "EIO": 1 / 30}
"""The faults, and how many of each are tried for one kill."""
TITLE = "Faults before changes to the disk: how many were tried"
COLUMNS = ("killed", "disk full", "disk broken")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder for many small copies, in memory where the machine has a place for it."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="bespoke-faults-", dir=memory if memory.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def shop(folder: Path) -> Iterator[Workshop]:
    with faults("tests.reliability.description") as worker:
        inputs = Inputs(folder / "inputs")
        inputs.write()
        yield Workshop(worker, folder / "light", inputs)


@pytest.fixture(scope="module")
def whole_shop(folder: Path, tiny_model: Path, tiny_cross_encoder: Path) -> Iterator[Workshop]:
    with faults("torch", "tests.reliability.description") as worker:
        inputs = Inputs(folder / "all-inputs", tiny_model, tiny_cross_encoder)
        inputs.write()
        yield Workshop(worker, folder / "all", inputs)


def all_tried(shop: Workshop, writing: Writing, counts: dict[str, int]) -> list[Tried]:
    """Faults at so many points of a command, by their kind."""
    shop.warm(writing)
    wanted = undisturbed(shop, writing)
    return [
        tried(shop, writing, wanted, at, how)
        for how, count in counts.items()
        for at in wanted.points(how, count)
    ]


def words_of(results: list[Tried]) -> str:
    """What is wrong, for whoever reads of the failure."""
    return "\n".join(
        f"{one.how} before change {one.at} ({one.change}):\n  " + "\n  ".join(one.problems)
        for one in results
        if one.problems
    )


@pytest.mark.parametrize("writing", [w for w in COMMANDS if w.sampled], ids=lambda w: w.name)
def test_a_sample(shop: Workshop, writing: Writing) -> None:
    results = all_tried(shop, writing, dict(zip(HOWS, writing.sampled, strict=True)))
    assert len(results) == sum(writing.sampled)
    assert not words_of(results), words_of(results)


def test_the_sample_is_of_so_many() -> None:
    sums = [sum(counts) for counts in zip(*(w.sampled for w in COMMANDS if w.sampled), strict=True)]
    assert sums == [60, 15, 5]
    whole = [sum(w.count(share) for w in COMMANDS) for share in HOWS.values()]
    assert whole[0] >= 1_500 and whole[1] >= 250 and whole[2] >= 50


@pytest.mark.prove
@pytest.mark.parametrize("writing", COMMANDS, ids=lambda w: w.name)
def test_the_whole(whole_shop: Workshop, writing: Writing, record_property) -> None:
    counts = {how: writing.count(share) for how, share in HOWS.items()}
    results = all_tried(whole_shop, writing, counts)
    record_property(proofs.ROW, (TITLE, row_of(writing.name, results)))
    assert not words_of(results), words_of(results)


def row_of(name: str, results: list[Tried]) -> dict[str, str]:
    """A row of the page: the command, at how many points each fault was tried, and how often something was wrong."""
    tries = Counter(one.how for one in results)
    cells = {title: str(tries[how]) for how, title in zip(HOWS, COLUMNS, strict=True)}
    return {"command": name, **cells, "failures": str(sum(bool(one.problems) for one in results))}
