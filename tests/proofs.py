"""What a long proof runs of itself: a sample with a fixed seed in the slow suite, all of it in `make prove`.

A test, or a file of tests, that is marked `sample(n)` keeps n of its cases; one that is marked `prove` runs in
`make prove` alone, where it says `--whole`. One over made-up examples is marked `longer`, and tries a third of
them elsewhere (`examples`). The cases are drawn by the seed and their names, so that a new case never
changes which others are drawn, and a failure can be had again.
"""

import hashlib
import platform
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

SEED = "2026-11-30"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "proofs.md"
PAGES = {
    PAGE.with_name("reliability.md"): ("tests/reliability/", "tests/slow/test_faults"),
    PAGE.with_name("evaluation.md"): ("tests/simulations/",),
}
"""Pages that end with what proofs came to, and where those are."""
ROW = "row"
"""What a test calls a row of a table of its own, on the page of its folder; see `table_of`."""
_MARK = "<!-- Written by make prove, from here on. -->"
_PAGE_HEAD = """

Machine: {machine}. Date: {date}. {passed:,} of {total:,} cases passed.

| proof | what it tries | cases | failed | minutes |
|---|---|---|---|---|
"""
_HEAD = """# What was proved at length, where and when?

`make prove` runs every case of what `make test-slow` runs a sample of, and writes this page. Outside CI.

Machine: {machine}. Date: {date}. {passed:,} of {total:,} passed, in {minutes:.0f} minutes of tests.

| proof | cases | passed | failed | minutes |
|---|---|---|---|---|
"""


# Asked when the files of tests are imported; `make prove` runs in one process, whose words these are.
_WHOLE = "--whole" in sys.argv


def examples(most: int) -> int:
    """How many examples a proof that is marked `longer` tries: all with --whole, else a third."""
    return most if _WHOLE else max(1, most // 3)


def sampled(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """What stays of the collected tests without `--whole`, and what is left to it."""
    groups: dict[tuple[int, str, int], list[pytest.Item]] = defaultdict(list)
    left = {item for item in items if item.get_closest_marker("prove")}
    for item in items:
        for node, mark in item.iter_markers_with_node("sample"):
            name = item.nodeid.partition("[")[0] if node is item else node.nodeid
            groups[-len(node.listchain()), name, mark.args[0]].append(item)
    # From the inside out: a file keeps n of what its tests keep.
    for group in sorted(groups):
        here = [item for item in groups[group] if item not in left]
        left.update(sorted(here, key=lambda item: draw(item.nodeid))[group[-1] :])
    return [item for item in items if item not in left], [item for item in items if item in left]


def draw(name: str) -> bytes:
    """What a name drew: cases that are sorted by it stand in an order of chance, the same each time."""
    return hashlib.sha256(f"{SEED} {name}".encode()).digest()


class Table:
    """Counts what a run of everything with `--whole` proves, file by file, and writes the page at its end."""

    def __init__(self) -> None:
        self._outcomes: dict[str, list[str]] = defaultdict(list)
        self._seconds: dict[str, float] = defaultdict(float)
        self._words: dict[str, str] = {}
        self._rows: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            words = (getattr(getattr(item, "module", None), "__doc__", None) or "").strip()
            self._words[item.nodeid.partition("::")[0]] = words.partition("\n")[0].rstrip(".")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        proof = report.nodeid.partition("::")[0]
        self._seconds[proof] += report.duration
        if report.when == "call" or report.outcome == "failed":
            self._outcomes[proof].append(report.outcome)
        if report.when == "call":
            for name, content in report.user_properties:
                if name == ROW:
                    title, cells = content
                    self._rows[proof, title].append(cells)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        config = session.config
        if hasattr(config, "workerinput") or not self._outcomes or config.getoption("keyword"):
            return
        everything = config.args_source is config.ArgsSource.TESTPATHS
        asked = [arg.rstrip("/") + "/" for arg in config.args]
        for page, folders in PAGES.items():
            if everything or asked == list(folders[:1]):
                self._write_page(page, folders)
        if not everything:
            return
        passed = {proof: told.count("passed") for proof, told in self._outcomes.items()}
        total = sum(map(len, self._outcomes.values()))
        head = _HEAD.format(
            machine=machine(),
            date=datetime.now(UTC).date(),
            passed=sum(passed.values()),
            total=total,
            minutes=sum(self._seconds.values()) / 60,
        )
        rows = [
            f"| `{proof}` | {len(told)} | {passed[proof]} | {len(told) - passed[proof]} "
            f"| {self._seconds[proof] / 60:.1f} |\n"
            for proof, told in sorted(self._outcomes.items())
        ]
        PAGE.write_text(head + "".join(rows), encoding="utf-8")

    def _write_page(self, page: Path, folders: tuple[str, ...]) -> None:
        """Write what proofs came to under what a page says."""
        proofs = {name: each for name, each in self._outcomes.items() if name.startswith(folders)}
        head = _PAGE_HEAD.format(
            machine=machine(),
            date=datetime.now(UTC).date(),
            passed=sum(told.count("passed") for told in proofs.values()),
            total=sum(map(len, proofs.values())),
        )
        rows = [
            f"| `{name}` | {self._words.get(name, '')} | {len(told)} | {len(told) - told.count('passed')} "
            f"| {self._seconds[name] / 60:.1f} |\n"
            for name, told in sorted(proofs.items())
        ]
        text = page.read_text(encoding="utf-8").partition(_MARK)[0]
        tables: dict[str, list[dict[str, str]]] = defaultdict(list)
        for (proof, title), cells in self._rows.items():
            if proof.startswith(folders):
                tables[title] += cells
        after = "".join(table_of(title, cells) for title, cells in tables.items())
        page.write_text(text + _MARK + head + "".join(rows) + after, encoding="utf-8")


def table_of(title: str, rows: Sequence[dict[str, str]]) -> str:
    """A table of a page: what tests say of themselves with `record_property(ROW, (title, {column: cell}))`."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *(list(row.values()) for row in rows)]
    return f"\n### {title}\n\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def machine() -> str:
    """This machine in words: its processor, cores and system."""
    import psutil

    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{names[0] if names else platform.machine()}, {psutil.cpu_count()} cores, {memory:.0f} GiB"
    )
