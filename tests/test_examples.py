"""The usage examples in docstrings are true."""

import doctest
import importlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = ("indexes", "search/models", "search/retrieval", "search/evaluation", "training")


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((REPOSITORY / room).rglob("*.py"))]


def named(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize(
    "path", [path for path in sources() if ">>>" in path.read_text(encoding="utf-8")], ids=named
)
def test_examples_are_true(path: Path) -> None:
    done = doctest.testmod(
        importlib.import_module(named(path)), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert done.attempted > 0
    assert done.failed == 0
