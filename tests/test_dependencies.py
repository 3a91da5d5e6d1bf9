"""What is installed: the lists say what is needed and why, the lock files hold just that, by hash."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
APP = ("app.py", "bespoke", "cli.py", "indexes", "search", "serving", "terminal", "training", "ui")
LISTS = {
    "requirements.lock": ("requirements.txt",),
    "requirements-cluster.lock": ("requirements.txt", "requirements-cluster.txt"),
    "requirements-dev.lock": (
        "requirements.txt", "requirements-cluster.txt", "requirements-multilingual.txt", "requirements-export.txt",
        "requirements-dev.txt",
    ),
    "requirements-bench.lock": (
        "requirements.txt", "requirements-cluster.txt", "requirements-multilingual.txt", "requirements-export.txt",
        "requirements-dev.txt",
        "requirements-bench.txt",
    ),
    "requirements-multilingual.lock": ("requirements-multilingual.txt",),
    "requirements-export.lock": ("requirements-export.txt",),
}  # fmt: skip
LOCKS = tuple(LISTS)
PINNED = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)(?:\s+# (\S.*))?$")
ONLY_TORCH = re.compile(r"^(torch|triton|nvidia-.*|cuda-.*)$")


def spelled(name: str) -> str:
    """A name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def direct(*lists: str) -> dict[str, tuple[str, str]]:
    """The packages that some lists name: version and what for."""
    found = {}
    for file in lists:
        for line in (REPOSITORY / file).read_text(encoding="utf-8").splitlines():
            if not line or line.startswith(("#", "-r ")):
                continue
            pin = PINNED.match(line)
            assert pin, f"{file}: {line!r} is not a version and what it is for"
            name, version, reason = pin.groups()
            assert reason, f"{file}: what is {name} for?"
            assert spelled(name) not in found, f"{file}: {name} stands there twice"
            found[spelled(name)] = (version, reason)
    return found


@cache
def locked(file: str) -> dict[str, str]:
    """The packages of a lock file and their versions; every line is a pin, its hash or a comment."""
    found: dict[str, str] = {}
    hashes: dict[str, int] = {}
    name = ""
    for line in (REPOSITORY / file).read_text(encoding="utf-8").splitlines():
        text = line.strip().removesuffix(" \\")
        if text.startswith("--hash="):
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text), f"{file}: {text}"
            hashes[name] += 1
        elif text and not text.startswith("#"):
            pin = PINNED.match(text)
            assert pin, f"{file}: {text!r} is neither a pin nor a hash"
            name = spelled(pin[1])
            assert name not in found, f"{file}: {name} stands there twice"
            found[name], hashes[name] = pin[2], 0
    assert not [name for name, count in hashes.items() if not count], f"{file}: without a hash"
    return found


owners = cache(packages_distributions)


def imported(*rooms: str) -> set[str]:
    """The packages that some of our code imports, anywhere in it."""
    ours = {path.stem for path in (REPOSITORY / "tests").rglob("*.py")} | {"tests", "benchmarks"}
    ours |= {Path(room).stem for room in APP}
    found = set()
    for room in rooms:
        path = REPOSITORY / room
        for file in [path] if path.is_file() else path.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return {
        # What is not installed (txtai) has the name of its package.
        spelled(owners().get(module, [module])[0])
        for module in found - ours - set(sys.stdlib_module_names)
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_its_lists_name_in_the_same_versions(lock: str) -> None:
    wanted = {
        name: version for name, (version, _) in direct(*LISTS[lock]).items() if name != "torch"
    }
    held = locked(lock)
    assert {name: held.get(name) for name in wanted} == wanted, "make lock"
    assert len(held) > len(wanted), "and what those need"


@pytest.mark.parametrize("lock", LOCKS)
def test_torch_and_its_own_companions_are_in_no_lock(lock: str) -> None:
    assert not [name for name in locked(lock) if ONLY_TORCH.match(name)]
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|--index-url|--find-links|(^|\s)/", text), "nor whence files came"


def test_a_larger_lock_holds_the_smaller_one() -> None:
    app, cluster, dev, bench, multilingual, exporting = (
        set(locked(lock).items()) for lock in LOCKS
    )
    assert app < cluster < dev < bench
    assert multilingual < dev and exporting < dev


@pytest.mark.parametrize(
    ("rooms", "lists"),
    [
        # ray is what only a cluster needs, onnx and its like what only an export for others' runtimes does.
        (APP, ("requirements.txt", "requirements-cluster.txt", "requirements-export.txt")),
        (("tests",), LISTS["requirements-dev.lock"]),
        (("benchmarks",), LISTS["requirements-bench.lock"]),
    ],
)
def test_what_is_imported_is_a_direct_dependency(
    rooms: tuple[str, ...], lists: tuple[str, ...]
) -> None:
    assert not imported(*rooms) - set(direct(*lists))


def test_what_the_app_does_not_import_says_so() -> None:
    listed = direct("requirements.txt")
    said = {
        name
        for name, (_, reason) in listed.items()
        if "not imported here" in reason or "its code is not run" in reason
    }
    assert set(listed) - imported(*APP) == said


def test_torch_is_installed_by_the_version_of_the_list() -> None:
    first = next(iter(direct("requirements.txt")))
    assert first == "torch"
    assert "install --quiet $(TORCH)" in (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def test_the_page_of_licences_has_every_package_of_the_app_in_its_version():
    page = (REPOSITORY / "docs" / "licences.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:4] for line in page.splitlines() if line.startswith("| ")]
    stated = {
        spelled(name.strip()): (version.strip(), said.strip()) for name, version, said in rows
    }
    wanted = locked("requirements.lock")
    assert {name: stated.get(name, ("", ""))[0] for name in wanted} == wanted, "make licences"
    assert [name for name in wanted if stated[name][1] in ("", "UNKNOWN")] == []
    assert stated["gensim"][1].startswith("LGPL") and "gensim is under the LGPL" in page
