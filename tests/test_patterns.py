"""No pattern of ours may take more than linear time, whatever it is given: counted in steps, by nobody's clock."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from search.corpus.filters import parse_condition
from search.projects.errors import Refused
from tests.pattern_steps import growth

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = ("search", "training", "indexes", "ui", "terminal")
TWICE = 1.3  # times the steps that a linear search takes for a text that is twice as long
# Patterns that are put together where they are used, out of parts that no file and no person gives.
MADE_OF_PARTS = {
    ("search/corpus/readers/delimited.py", "compile"), ("search/models/prompts.py", "search"),
    ("search/retrieval/bm25/letters.py", "compile"), ("training/synthetic/structure.py", "compile"),
}  # fmt: skip
# What is only searched in a text that was cut before: the text's most characters.
BOUNDED = {("search/text/sentences.py", "_LAST"): 60}


class Pattern(NamedTuple):
    """One pattern of ours, how it is used, and where it stands."""

    file: str
    name: str
    how: str
    text: str | bytes
    flags: int


def sources() -> list[str]:
    """The files with patterns; what is in them is read by the test of each."""
    return [
        path.relative_to(REPOSITORY).as_posix()
        for room in ROOMS
        for path in sorted((REPOSITORY / room).rglob("*.py"))
        if b"\nimport re\n" in path.read_bytes()
    ]


def calls(source: str) -> Iterator[tuple[ast.Call, str]]:
    tree = ast.parse(source)
    names = {
        id(node.value): node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr != "escape"
        ):
            yield node, names.get(id(node), "")


def flags_of(node: ast.Call) -> ast.expr | None:
    named = [keyword.value for keyword in node.keywords if keyword.arg == "flags"]
    at = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(node.func.attr, 2)
    return next(iter([*named, *node.args[at : at + 1]]), None)


def patterns(file: str) -> Iterator[Pattern]:
    source = (REPOSITORY / file).read_text(encoding="utf-8")
    for node, name in calls(source):
        how = node.func.attr
        used = set(re.findall(rf"\b{name}\.(\w+)", source)) if name else set()
        if how == "compile":
            anchored = used and used <= {"match", "fullmatch"}
            how = "fullmatch" if used == {"fullmatch"} else "match" if anchored else "search"
        module = vars(
            importlib.import_module(
                file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            )
        )
        try:
            text, flags = (
                eval(compile(ast.Expression(part), file, "eval"), dict(module))
                if part is not None
                else 0
                for part in (node.args[0], flags_of(node))
            )
        except NameError:
            assert (file, node.func.attr) in MADE_OF_PARTS, f"{file}:{node.lineno}"
            continue
        yield Pattern(file, name, how, text, int(flags))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "linear"),
    [
        (r"(a+)+b", False), (r"(?:\w+\s?)*$", False), (r"\s+$", False), (r"\s*\n\s*", False), (r"\[[^\]]*\]", False),
        (r"\s*([^=<>!].*?)\s*(>=|<=|!=|=|>|<)\s*(.*?)\s*", False), (r"<a.*?>.*?</a>", False),
        (r"(?<!\s)\s++$", True), (r'"[^"]*"', True), (r"[a-z]{1,8}x", True), (r"(?<!a)a++b", True), (r"a|b|c", True),
    ],
)  # fmt: skip
def test_the_count_knows_what_is_linear(pattern, linear):
    ratio, text = growth(pattern, re.DOTALL, anchored=False, whole=False)
    assert (ratio < TWICE) == linear, (ratio, text)


@pytest.mark.slow
@pytest.mark.sample(12)
@pytest.mark.parametrize("file", sources())
def test_every_pattern_of_a_file_is_linear(file):
    found = list(patterns(file))
    assert found or file in {path for path, _ in MADE_OF_PARTS}
    for pattern in found:
        if (file, pattern.name) not in BOUNDED:
            anchored, whole = pattern.how in ("match", "fullmatch"), pattern.how == "fullmatch"
            ratio, text = growth(pattern.text, pattern.flags, anchored, whole)
            assert ratio < TWICE, f"{pattern.text!r} on {text!r}"


def test_a_filter_of_any_length_is_read_at_once_or_refused():
    assert str(parse_condition(" type = case, statute ")) == "type=case,statute"
    assert parse_condition("a!b>=  2 ").column == "a!b"
    with pytest.raises(Refused, match="is not of the form"):
        parse_condition(" " * 9_000 + "x" + " " * 900)
    with pytest.raises(Refused, match=r"has 5,000,001 characters; the limit is 10,000"):
        parse_condition("x" + " " * 5_000_000)
    for text in ("=a", "a=", "  >=2", "!=x", "", "no sign"):
        with pytest.raises(Refused):
            parse_condition(text)


def test_what_an_address_says_is_bounded_before_it_is_looked_at():
    read = re.compile(r"query_params\.get(?:_all)?\(")
    found = {
        path.name: len(read.findall(path.read_text("utf-8")))
        for path in (REPOSITORY / "ui").rglob("*.py")
    }
    # The navigation only compares what the address says with what it should say.
    assert {name: count for name, count in found.items() if count} == {
        "address.py": 1,
        "navigation.py": 1,
    }
