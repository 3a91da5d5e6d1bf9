"""A fault before a change of a command that writes, and what must be true after it."""

import os
import random
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults import Ended, Faults
from tests.reliability.writing_commands import STAGES, Inputs, Line, Writing

SEED = 20261130
_TOOK = re.compile(r"\d[\d.,]* ms\b")
_DESCRIBE = "tests.reliability.description:described"
_DECISIVE = (
    ".journal", "manifest.json", "project.json", "/proof/", ".deleted", ".grave", ".restoring",
)  # fmt: skip


class Workshop:
    """Copies of workspaces, in which a warmed process runs commands.

    :param folder: an empty one.
    """

    def __init__(self, worker: Faults, folder: Path, inputs: Inputs) -> None:
        self._worker = worker
        self._folder = folder
        self._inputs = inputs
        self._number = 0
        self._warmed: set[Line] = set()

    def run(self, base: Path, line: Line, at: int = 0, how: str = "kill", **more: Any) -> Ended:
        """Run a command in the workspace of a case."""
        filled = self._inputs.fill(line, base)
        around = {"watch": str(base), "environment": {"TMPDIR": str(base / "tmp")}}
        if filled[0] == "call":
            return self._worker.run(base / "ws", at=at, how=how, call=filled[1], **around, **more)
        return self._worker.run(base / "ws", *filled, at=at, how=how, **around, **more)

    def warm(self, writing: Writing) -> None:
        """Run a command, and what has to be there before it, in the process that forks, which has imported and loaded
        what it needs from then on.
        """
        for stage in self._before(writing.stage):
            for line in STAGES[stage][1]:
                self._warm(STAGES[stage][0], line)
        self._warm(writing.stage, writing.line)

    def _warm(self, stage: str | None, line: Line) -> None:
        if line in self._warmed or stage is None or line[0] == "call":
            return
        self._warmed.add(line)
        base = self.case(stage)
        self.run(base, _with_id(line, base), warm=True)
        shutil.rmtree(base)

    def _before(self, stage: str) -> list[str]:
        earlier = STAGES[stage][0]
        return [*(self._before(earlier) if earlier else ()), stage]

    def describe(self, base: Path) -> dict[str, Any]:
        """What stands in the workspace of a case; see `description`."""
        seen = self._worker.run(
            base / "ws", str(base), call=_DESCRIBE, environment={"TMPDIR": str(base / "tmp")}
        )
        assert seen.status == 0, seen.err
        assert isinstance(seen.result, dict)
        return seen.result

    def case(self, stage: str) -> Path:
        """A folder with a copy of a stage's workspace (`ws`), an empty `tmp` and an empty `out`."""
        self._number += 1
        base = self._folder / f"{os.getpid()}-{id(self._worker)}-{self._number}"
        shutil.copytree(self.stage(stage), base)
        return base

    def stage(self, name: str) -> Path:
        """What has to be there before a command: made once, and once more in the process that forks, which then has
        imported and loaded what that needs.
        """
        base = self._folder / f"stage-{name}"
        if base.is_dir():
            return base
        before, lines = STAGES[name]
        if before is None:
            for part in ("ws", "tmp", "out"):
                (base / part).mkdir(parents=True)
            return base
        draft = self.case(before)
        for line in lines:
            ended = self.run(draft, line)
            assert ended.status == 0, (name, line, ended.err)
        draft.rename(base)
        return base


@dataclass(frozen=True)
class Undisturbed:
    """How a command goes that nobody disturbs: from `before` to `after`, and to `twice` where it is asked again.

    What differs between two that were not disturbed is left out of all of them.
    """

    line: Line
    ended: Ended
    again: Ended
    before: dict[str, Any]
    after: dict[str, Any]
    twice: dict[str, Any]
    store: dict[str, int]
    chance: frozenset[str]
    left: frozenset[str]

    def plain(self, items: dict[str, Any]) -> dict[str, Any]:
        """A description without what is left to chance."""
        return {path: value for path, value in _flat(items) if path not in self.chance}

    def points(self, how: str, most: int) -> list[int]:
        """Before which changes a fault is tried: at each decisive one, the rest evenly over all.

        :param most: how many.
        """
        total = self.ended.points
        decisive = [
            n + 1
            for n, path in enumerate(self.ended.paths)
            if any(sign in path for sign in _DECISIVE)
        ]
        draw = random.Random(f"{SEED} {how} {self.line}")
        even = [1 + int((n + draw.random()) * total / most) for n in range(most)]
        chosen = set(even[: max(most - len(decisive), most // 2)])
        rest = [n for n in (*decisive, *range(1, total + 1)) if n not in chosen]
        draw.shuffle(rest)
        rest.sort(key=lambda n: n not in decisive)
        return sorted([*chosen, *rest[: max(min(most, total) - len(chosen), 0)]])


def undisturbed(shop: Workshop, writing: Writing) -> Undisturbed:
    """Run a command that nobody disturbs, twice beside each other and once more after it."""
    one, other = shop.case(writing.stage), shop.case(writing.stage)
    before = shop.describe(one)
    line = _with_id(writing.line, one)
    ended = shop.run(one, line)
    assert "Traceback" not in ended.err and ended.status in (0, 1), (writing.name, ended)
    after, after_other = shop.describe(one), None
    shop.run(other, line)
    after_other = shop.describe(other)
    again = shop.run(one, line)
    shop.run(other, line)
    twice, twice_other = shop.describe(one), shop.describe(other)
    chance = _differing(after, after_other) | _differing(twice, twice_other)
    for seen in (before, after):
        assert not seen["problems"] or writing.stage == "damaged", (writing.name, seen["problems"])
    result = Undisturbed(
        line,
        ended,
        again,
        {},
        {},
        {},
        after["store"],
        frozenset(chance),
        frozenset([*before["left"], *after["left"]]),
    )
    found = {"before": before, "after": after, "twice": twice}
    for name, seen in found.items():
        getattr(result, name).update(result.plain(seen["items"]))
    for base in (one, other):
        shutil.rmtree(base)
    return result


@dataclass
class Tried:
    """A fault, and what is wrong after it."""

    at: int
    how: str
    change: str
    problems: list[str] = field(default_factory=list)


def tried(shop: Workshop, writing: Writing, wanted: Undisturbed, at: int, how: str) -> Tried:
    """Let a command fail before a change, look at what is there, and ask the same again."""
    base = shop.case(writing.stage)
    change = f"{wanted.ended.kinds[at - 1]} {wanted.ended.paths[at - 1]}"
    result = Tried(at, how, change)
    say = result.problems.append
    hurt = shop.run(base, wanted.line, at=at, how=how)
    # Two runs may differ by a change or two: moments at which progress is written.
    missed = how == "kill" and hurt.status == wanted.ended.status and hurt.points < at
    if not missed and hurt.status not in ((-9,) if how == "kill" else (0, 1, wanted.ended.status)):
        say(f"ended with {hurt.status}: {hurt.err[-600:]}")
    if "Traceback" in hurt.err or "Error:" in hurt.err:
        say(f"a raw error: {hurt.err[-1500:]}")
    seen = shop.describe(base)
    if writing.stage != "damaged":
        for problem in seen["problems"]:
            say(f"after the fault: {problem}")
    there = wanted.plain(seen["items"])
    is_done = there == wanted.after
    if not is_done and there != wanted.before:
        if writing.together:
            say(f"half visible: {_unlike(there, wanted.before)} | {_unlike(there, wanted.after)}")
        else:
            for words in _strange(there, wanted):
                say(words)
    if hurt.status == 0 and not is_done and not writing.in_passing:
        say(f"acknowledged, and not there: {_unlike(there, wanted.after)}")
    again = shop.run(base, wanted.line)
    last = shop.describe(base)
    end = wanted.plain(last["items"])
    fine = end == wanted.after and again.status == wanted.ended.status
    fine |= is_done and end == wanted.twice and again.status == wanted.again.status
    if fine and not is_done and last["store"] != wanted.store:
        say(f"remembered at the end: {last['store']}, not {wanted.store}")
    if not fine:
        say(f"the same again: {again.status} {again.err[-500:]} {_unlike(end, wanted.after)}")
    if "Traceback" in again.err:
        say(f"a raw error, the second time: {again.err[-1500:]}")
    for problem in last["problems"]:
        say(f"at the end: {problem}")
    for left in last["left"]:
        if left not in wanted.left:
            say(f"left over: {left}")
    shutil.rmtree(base)
    return result


def _with_id(line: Line, base: Path) -> Line:
    if "{id}" not in line:
        return line
    kind = {
        "pairs": "pairs",
        "queries": "queries",
        "index": "indexes",
        "evaluation": "evaluations",
    }[line[2]]
    name = min(path.name for path in (base / "ws" / "lab" / kind).glob("[!.]*"))
    return tuple(name if part == "{id}" else part for part in line)


def _flat(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict) and content:
        for name, inner in content.items():
            yield from _flat(inner, f"{path}|{name}")
    elif isinstance(content, list) and content:
        for number, inner in enumerate(content):
            yield from _flat(inner, f"{path}|{number}")
    else:
        # How many milliseconds a query took is chance in a sentence, too.
        yield path, _TOOK.sub("? ms", content) if isinstance(content, str) else content


def _differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    first, second = dict(_flat(one["items"])), dict(_flat(other["items"]))
    assert first.keys() == second.keys(), first.keys() ^ second.keys()
    return {path for path in first if first[path] != second[path]}


def _strange(there: dict[str, Any], wanted: Undisturbed) -> Iterator[str]:
    """What is neither as it was nor as it will be, of work that appears in steps."""
    for path in sorted({*there, *wanted.before}):
        value = there.get(path)
        known = [state.get(path) for state in (wanted.before, wanted.after)]
        if value not in known:
            yield f"neither before nor after: {path} is {value}, not {known}"


def _unlike(one: dict[str, Any], other: dict[str, Any]) -> Sequence[str]:
    """Some of the paths at which two descriptions differ."""
    paths = [path for path in sorted({*one, *other}) if one.get(path) != other.get(path)]
    return [f"{path}: {one.get(path)} / {other.get(path)}" for path in paths[:6]]
