"""Names are the field's: the words on the left of the glossary name no module, class or public function."""

import ast
import re
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = ("bespoke", "search", "training", "indexes", "serving", "ui", "terminal")
# In no name of a class, function, field or parameter.
NOWHERE = {"place", "places", "found", "told", "kept"}
# In no name of a module, class or public function.
PRIVATE = NOWHERE | {
    "portrait", "portray", "copies", "foreignness", "shredded", "pieces", "cutting", "cutter", "searcher", "ranks",
    "alike", "finder", "effort", "refine", "adapted", "endpoint", "taught", "keeping", "keeper", "steering",
    "climbing", "climb", "ladder", "rung", "rungs", "parted", "blends", "caution", "cautious", "careful", "mining",
    "mined", "flip", "pull", "lessons", "lesson", "consensus", "exchange", "narrowing", "loaders", "material", "gather",
}  # fmt: skip


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def named(tree: ast.AST) -> list[tuple[str, set[str]]]:
    """Every name that counts, and the words that it may not hold."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names.append((node.name, PRIVATE))
            fields = [field.target for field in node.body if isinstance(field, ast.AnnAssign)]
            names += [(field.id, NOWHERE) for field in fields if isinstance(field, ast.Name)]
        elif isinstance(node, ast.FunctionDef):
            names.append((node.name, NOWHERE if node.name.startswith("_") else PRIVATE))
            given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            names += [(argument.arg, NOWHERE) for argument in given]
    return names


def test_the_check_sees_what_it_should() -> None:
    tree = ast.parse("class Keeper:\n    told: int\ndef _f(place): ...\ndef mined_pairs(): ...\n")
    wrong = {name for name, banned in named(tree) if words(name) & banned}
    assert wrong == {"Keeper", "told", "place", "mined_pairs"}


def test_no_name_is_a_private_word() -> None:
    wrong, classes = [], defaultdict(set)
    for room in ROOMS:
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            where = path.relative_to(REPOSITORY).as_posix()
            wrong += [
                f"{where}: {name}" for name, banned in named(tree) if words(name) & banned
            ] + [where for word in words(path.stem) & PRIVATE if word]
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    classes[node.name].add(where)
    assert wrong == []
    assert {name: places for name, places in classes.items() if len(places) > 1} == {}
