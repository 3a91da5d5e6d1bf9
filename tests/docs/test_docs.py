"""What the pages say holds: each command runs or is understood, each link leads somewhere, the short ones stay short."""

import argparse
import importlib
import re
import sys
from functools import cache
from typing import Any

import pytest
import typer.main

import cli
from terminal.printing import key_values
from tests.conftest import REPOSITORY
from tests.docs.pages import PAGES, Command, anchors, bodies, commands, infos, links, name_of
from training.recipes import RECIPES

README, ARCHITECTURE = PAGES[0], PAGES[1]
KINDS = {"sh", "sh server", "python", "python server", "text"}
# Words of commands that are parsed alone: they take longer than two seconds,
LONG = {"sample", "report", "advise", "auto", "multilingual"}
# want a network, more pairs than ten documents have, or a training that was killed.
WANTING = {"intfloat/e5-small-v2", "curve", "resume", "--seal", "--open-seal"}
ALL = [command for page in PAGES for command in commands(page)]


@cache
def every_command() -> dict[str, Any]:
    group: Any = typer.main.get_command(cli.app)
    return dict(group.commands)


def parsed(words: tuple[str, ...]) -> dict[str, Any]:
    """What the real command line makes of a command's words, without running it; a project by its name."""
    assert words[0] in every_command(), f"there is no command {words[0]!r}"
    with pytest.MonkeyPatch.context() as patch:
        for finds in (
            "project",
            "project_to_be",
            "project_of_any_format",
            "project_in_any_state",
        ):
            patch.setattr(f"search.projects.project.{finds}", str)
        given = every_command()[words[0]].make_context(words[0], list(words[1:])).params
    assert isinstance(given, dict)
    return given


def runs(command: Command) -> bool:
    """Whether a command of ours is run here, beside being parsed."""
    words = set(command.own or ())
    return not (command.server or words & (LONG | WANTING))


def titled(command: Command) -> str:
    return f"{command.page}: {' '.join(command.words)}"


@pytest.mark.parametrize("command", [c for c in ALL if c.own is not None], ids=titled)
def test_commands_of_ours_are_understood(command):
    _, *rest = command.own
    given = parsed(command.own)
    if "project" in given:
        assert given["project"] == (rest[0] if rest else None)
    if recipe := given.get("recipe"):
        RECIPES[recipe].settings.model_validate(key_values(given["set_"]))


@pytest.mark.parametrize(
    "page",
    [p for p in PAGES if any(c.own for c in commands(p)) or bodies(p, "python")],
    ids=name_of,
)
def test_commands_of_a_page_run_one_after_the_other(page, typist):
    """And so does its Python, where they leave it."""
    asked = [command for command in commands(page) if command.own and runs(command)]
    typed = typist(not any({"train", "mine"} <= set(command.words) for command in asked))
    for command in asked:
        done = typed(*command.own)
        assert done.status == 0, f"{titled(command)}: {done.err}"
    for code in bodies(page, "python"):
        exec(compile(code, name_of(page), "exec"), {})


class Understood(Exception):
    """Raised in place of the work."""


def benchmark_understands(
    module: str, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let a benchmark read its command line, and stop there.

    :raises SystemExit: where it refuses it.
    """
    read = argparse.ArgumentParser.parse_args

    def stop(*given: Any) -> None:
        read(*given)
        raise Understood

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(Understood):
        importlib.import_module(module).main()


def test_every_other_command_is_known(monkeypatch):
    """Of make, a target; of a benchmark, what its parser takes; else one line that starts the virtual environment."""
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for command in ALL:
        words = command.words
        if command.own is not None or command.server:
            continue
        if words[:2] == ("python", "-m"):
            assert words[2].startswith("benchmarks.")
            benchmark_understands(words[2], words[3:], monkeypatch)
        elif words[0] == "make":
            assert set(words[1:]) <= targets, titled(command)
        else:
            assert words == (".", ".venv/bin/activate"), titled(command)


def test_what_cannot_be_read_is_found(monkeypatch):
    for words in (
        ("serch", "cfpb", "x"),
        ("search", "cfpb"),
        ("search", "cfpb", "x", "--modle", "y"),
    ):
        with pytest.raises(Exception, match=r"no command|Missing|No such option"):
            parsed(words)
    with pytest.raises(SystemExit):
        benchmark_understands("benchmarks.quality", ("--stes", "x"), monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_say_what_they_hold(page):
    assert set(infos(page)) <= KINDS
    assert not re.search(r"^ {4,}(python cli\.py|make|pip) ", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file(), f"{name_of(page)}: {target}"
        assert not anchor or anchor in anchors(file), f"{name_of(page)}: {target}"


def test_every_page_is_linked_from_the_readme():
    assert {name_of(page) for page in PAGES[1:]} <= set(links(README))


def test_short_pages_stay_short():
    assert len(README.read_text().splitlines()) < 150
    assert README.stat().st_size < 10_240
    assert len(ARCHITECTURE.read_text().splitlines()) < 200
    assert ARCHITECTURE.stat().st_size <= 20_480
