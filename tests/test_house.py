"""The rules of the house that a program can check: who imports whom, and what is never used."""

import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
HEAVY = {
    "torch", "sentence_transformers", "transformers", "gensim", "faiss", "openai", "pandas", "streamlit",
    "datasets", "sklearn", "scipy", "pymilvus", "ray", "pyarrow", "plotly", "openvino",
    "huggingface_hub", "tokenizers", "wordllama", "peft", "fastapi", "uvicorn", "prometheus_client",
}  # fmt: skip
LIGHT_ROOMS = ("search", "training", "indexes", "cli.py", "terminal", "bespoke")


def sources(*rooms: str) -> list[Path]:
    found = []
    for room in rooms:
        path = REPOSITORY / room
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert found
    return found


def named(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def at_module_level(tree: ast.Module) -> Iterator[str]:
    """What is imported when the file is: not inside functions, not for type checking only."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
        elif isinstance(node, ast.If):
            checked = "TYPE_CHECKING" in ast.unparse(node.test)
            waiting += node.orelse if checked else node.body + node.orelse
        elif isinstance(node, ast.Try):
            waiting += node.body + node.orelse + node.finalbody
            waiting += [s for handler in node.handlers for s in handler.body]
        elif isinstance(node, ast.With | ast.ClassDef):
            waiting += node.body


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), named(path))


def roots(names: Iterator[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_the_checks_see_what_they_should():
    code = (
        "import os, torch.nn\nfrom pandas import x\nif TYPE_CHECKING:\n    import faiss\n"
        "try:\n    import gensim\nexcept ImportError:\n    import scipy\n"
        "def f():\n    import streamlit\nclass C:\n    import openai\n"
    )
    tree = ast.parse(code)
    assert roots(at_module_level(tree)) == {"os", "torch", "pandas", "gensim", "scipy", "openai"}
    assert roots(imports(tree)) >= {"faiss", "streamlit"}


def test_heavy_libraries_are_imported_where_they_are_used():
    heavy = {
        named(path): roots(at_module_level(parsed(path))) & HEAVY for path in sources(*LIGHT_ROOMS)
    }
    assert {name: libraries for name, libraries in heavy.items() if libraries} == {}


@pytest.mark.parametrize("room", ["search", "ui", "serving"])
def test_threads_import_transformers_in_one_order(room):
    """See `before_transformers`: where threads work side by side, each asks for it first."""
    for path in sources(room):
        for function in ast.walk(parsed(path)):
            if not isinstance(function, ast.FunctionDef):
                continue
            asked = [
                node.lineno
                for node in function.body
                if isinstance(node, ast.ImportFrom)
                and (node.module or "").split(".")[0] == "transformers"
            ]
            before = [
                node.lineno
                for node in function.body
                if isinstance(node, ast.Expr) and ast.unparse(node) == "before_transformers()"
            ]
            assert not asked or min(before) < min(asked), f"{named(path)}:{function.lineno}"


@pytest.mark.parametrize(
    "room", ["indexes", "search", "training", "serving", "ui", "terminal", "bespoke"]
)
def test_nothing_imports_what_is_started(room):
    """The linter knows packages only; app.py and cli.py are files above them."""
    for path in sources(room):
        assert roots(imports(parsed(path))) & {"cli", "app"} == set(), named(path)


def test_no_pickle_and_no_remote_code():
    for path in sources(
        "app.py", "cli.py", "bespoke", "terminal", "ui", "serving", "search", "training", "indexes"
    ):
        tree = parsed(path)
        forbidden = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "_pickle"}
        assert roots(imports(tree)) & forbidden == set(), named(path)
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "trust_remote_code"):
                value = node.value
                assert isinstance(value, ast.Constant) and value.value is False, named(path)
            if isinstance(node, ast.Constant) and node.value in (
                "allow_pickle",
                "trust_remote_code",
            ):
                raise AssertionError(f"{named(path)} builds {node.value} from text")
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("eval", "exec", "torch.load", "os.system"), named(path)
                if called.split(".")[-1] == "load" and called.split(".")[0] in ("np", "numpy"):
                    given = {keyword.arg for keyword in node.keywords}
                    assert "allow_pickle" in given, f"{named(path)}: {ast.unparse(node)}"


def test_only_settings_reads_the_environment():
    for path in sources(
        "cli.py", "bespoke", "terminal", "serving", "search", "training", "indexes", "ui", "app.py"
    ):
        if named(path) == "search/projects/settings.py":
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) not in ("os.environ", "os.getenv"), named(path)


def test_no_page_reads_a_state_that_another_event_may_have_dropped():
    reads = [
        f"{named(path)}:{node.lineno}"
        for path in sources("ui")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and ast.unparse(node.value) == "st.session_state"
    ]
    assert reads == [], "two events at once: .get, or ui.widgets.said_by"


def test_no_two_files_of_tests_share_a_name():
    """Their folders are no packages, so pytest refuses to collect the second: all of the suite, not that file alone."""
    names = Counter(path.name for path in sources("tests") if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_app_is_short():
    assert len((REPOSITORY / "app.py").read_text().splitlines()) < 40


def test_no_folder_named_pages():
    assert not (REPOSITORY / "pages").exists()


LOADED = """
import json, runpy, sys
for line in json.loads(sys.argv[1]):
    sys.argv = ["cli.py", *line]
    status = 0
    try:
        runpy.run_path("cli.py", run_name="__main__")
    except SystemExit as end:
        status = end.code or 0
    print("\\n@", json.dumps([status, sorted({heavy!r} & set(sys.modules))]))
"""


def loaded_by(*lines: Sequence[object]) -> list[tuple[int, list[str]]]:
    """Exit status of commands, one after the other in one process, and which heavy libraries are loaded after each."""
    wanted = json.dumps([[str(part) for part in line] for line in lines])
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(heavy=HEAVY), wanted],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    said = [json.loads(line[2:]) for line in done.stdout.splitlines() if line.startswith("@ ")]
    return [(status, libraries) for status, libraries in said]


def test_help_and_small_commands_load_nothing_heavy(tiny_beir):
    """In one process: what one of them loaded would stand in the answers of all after it."""
    assert (
        loaded_by(
            ["--help"],
            ["train", "--help"],
            ["import", "lab", tiny_beir],
            ["models", "lab", "--json"],
            ["projects"],
            ["search", "lab", "frost", "--model", "nope"],
            ["train", "lab", "--recipe", "nope"],
        )
        == [(0, [])] * 5 + [(2, [])] * 2
    )


def test_help_names_every_command(run_cli):
    done = run_cli("--help")
    assert done.returncode == 0
    for command in (
        "import", "add", "pairs", "queries", "index", "train", "search", "evaluate", "models", "export",
    ):  # fmt: skip
        assert f" {command} " in done.stdout
