"""What the pages say holds: each command runs or is understood, each link leads somewhere, the short ones stay short."""

import argparse
import importlib
import re
import sys
from typing import Any

import pytest
import typer.main

import cli
from tests.conftest import REPOSITORY
from tests.docs.pages import PAGES, Command, anchors, commands, infos, links, name_of

README, ARCHITECTURE = PAGES[0], PAGES[1]
KINDS = {"sh", "sh server", "python", "text"}
# Words of commands that take longer than two seconds, want a network, or go on with what was killed: parsed alone.
LONG = {
    "sample",
    "report",
    "advise",
    "curve",
    "map",
    "--learn-weights",
    "auto",
    "fine-tune",
    "fasttext",
}
DOWNLOADED = {"intfloat/e5-small-v2", "static"}
BROKEN_OFF = {"resume"}
ALL = [command for page in PAGES for command in commands(page)]


def parsed(words: tuple[str, ...]) -> dict[str, Any]:
    """What the real command line makes of a command's words, without running it."""
    group: Any = typer.main.get_command(cli.app)
    assert words[0] in group.commands, f"there is no command {words[0]!r}"
    given = group.commands[words[0]].make_context(words[0], list(words[1:])).params
    assert isinstance(given, dict)
    return given


def runs(command: Command) -> bool:
    """Whether a command of ours is run here, beside being parsed."""
    words = set(command.own or ())
    return not (command.server or words & (LONG | DOWNLOADED | BROKEN_OFF))


def titled(command: Command) -> str:
    return f"{command.page}: {' '.join(command.words)}"


@pytest.mark.parametrize("command", [c for c in ALL if c.own is not None], ids=titled)
def test_commands_of_ours_are_understood(command):
    _, *rest = command.own
    assert parsed(command.own).get("project") == (rest[0] if rest else None)


@pytest.mark.parametrize("page", [p for p in PAGES if any(c.own for c in commands(p))], ids=name_of)
def test_commands_of_a_page_run_one_after_the_other(page, typist):
    asked = [command for command in commands(page) if command.own and runs(command)]
    typed = typist(not any({"train", "mine"} <= set(command.words) for command in asked))
    for command in asked:
        done = typed(*command.own)
        assert done.status == 0, f"{titled(command)}: {done.err}"


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
        with pytest.raises((AssertionError, Exception), match=r"no command|Missing|No such option"):
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
