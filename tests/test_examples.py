"""The usage examples in docstrings are true."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = (
    "bespoke",
    "indexes",
    "search/models",
    "search/retrieval",
    "search/evaluation",
    "training",
    "serving",
)
RECIPES = ("adapter", "auto", "fine_tune", "static", "word_vectors")


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


def test_no_public_class_is_without_an_example() -> None:
    """Protocols and exceptions are left out; of training, the recipes are looked at."""
    looked_at = (
        "bespoke.results",
        "indexes",
        "search",
        *(f"training.{recipe}" for recipe in RECIPES),
    )
    modules = [name for name in map(named, sources()) if name.startswith(looked_at)]
    bare = [
        f"{module}.{name}"
        for module in modules
        for name, one in inspect.getmembers(importlib.import_module(module), inspect.isclass)
        if one.__module__ == module
        and not name.startswith("_")
        and not issubclass(one, Exception)
        and not getattr(one, "_is_protocol", False)
        and ">>>" not in (one.__doc__ or "")
    ]
    assert bare == []
