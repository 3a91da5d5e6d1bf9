"""The app in AppTest: open a page, press on, and read what it shows."""

import html
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from search.evaluation.statistics.significance import PairedTest
from search.projects.locks import Owner
from search.projects.project import Project
from search.projects.runs import Run, Status, new_run
from search.projects.settings import settings
from search.retrieval.results import Best, Hit

APP = Path(__file__).resolve().parents[2] / "app.py"
TINY = "Tiny"
PATIENCE = 60.0


def open_page(page: str, project: str | None = None, **parameters: Any) -> AppTest:
    """The app at an address: a page, a project, and the rest of the address."""
    at = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    if project is not None:
        at.query_params["project"] = project
    for key, value in parameters.items():
        at.query_params[key] = value
    return turn_to(at, page)


def turn_to(at: AppTest, page: str) -> AppTest:
    """Go to a page of the navigation (AppTest.switch_page knows pages that are files only)."""
    at._page_hash = calc_hash(page)
    run(at)
    at._page_hash = ""
    return at


def files_of_questions() -> AppTest:
    """The part of Questions where files of judgments are uploaded."""
    at = open_page("questions", TINY)
    at.segmented_control(key=f"questions-part-{TINY}").set_value("files")
    return run(at)


def run(at: AppTest) -> AppTest:
    """Run the app again; no page fails by a mistake of ours."""
    at.run()
    assert not at.exception, [f"{e.message}\n{e.stack_trace}" for e in at.exception]
    failed = [e.value for e in at.error if "This page failed" in e.value]
    logs = [log.read_text() for log in settings().home.glob(".logs/*.log")]
    assert not failed, [*failed, *logs]
    return at


def press(at: AppTest, key: str) -> AppTest:
    """Press the button of that key."""
    at.button(key=key).click()
    return run(at)


def press_labelled(at: AppTest, label: str) -> AppTest:
    """Press the one button with that label."""
    found = [button for button in at.button if button.label == label]
    assert len(found) == 1, f"{len(found)} buttons {label!r} among {labels(at)}"
    found[0].click()
    return run(at)


def labels(at: AppTest) -> list[str]:
    """The labels of all buttons."""
    return [button.label for button in at.button]


def markup(at: AppTest) -> str:
    """All HTML that the page wrote itself."""
    return "\n".join(element.value for element in at.get("html"))


def plain(text: str) -> str:
    """HTML as the text that a person reads."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def verdict_of(project: Project, model: str) -> str:
    """What the newest evaluation says of a model, read from its manifest."""
    manifest = project.newest("evaluations")
    assert manifest is not None
    test = next(t for t in manifest.details["comparisons"] if t["candidate"] == model)
    return PairedTest(**test).sentence(manifest.details["queries"])


def unescaped(label: str) -> str:
    """A Markdown label as it is drawn, provided that nothing in it works as Markdown."""
    # An underscore inside a word is none of Markdown's.
    assert not re.search(r"(?<!\\)[$*`~\[\]]|(?<![\\\w])_|(?<!\\)_(?!\w)", label), label
    return as_drawn(label)


def as_drawn(markdown: str) -> str:
    """Markdown with what was escaped in it as it is drawn."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


def shown(at: AppTest) -> str:
    """All texts of a page, in no promised order."""
    kinds = (
        "title",
        "header",
        "subheader",
        "markdown",
        "caption",
        "error",
        "warning",
        "info",
        "success",
    )
    texts = [as_drawn(str(element.value)) for kind in kinds for element in at.get(kind)]
    texts += [str(element.value) for element in at.get("code")]
    return "\n".join([*texts, plain(markup(at)), *labels(at)])


@dataclass(frozen=True)
class Card:
    """A result card as the page drew it."""

    rank: int
    title: str
    text: str
    move: str
    judged: bool
    only: bool
    marks: list[str]


@dataclass(frozen=True)
class Column:
    """A column of results."""

    title: str
    subtitle: str
    cards: list[Card]


def columns(at: AppTest) -> list[Column]:
    """The columns of Compare, left to right."""
    found: list[Column] = []
    for element in at.get("html"):
        heads = re.findall(
            r'<div class="b-column" role="columnheader".*?<b>(.*?)</b><span.*?>(.*?)</span>',
            element.value,
        )
        drawn = cards(element.value) if heads else []
        for place, (title, subtitle) in enumerate(heads):
            own = [card for side, card in drawn if side == place]
            found.append(Column(html.unescape(title), html.unescape(subtitle), own))
    return found


def cards(board: str) -> list[tuple[int, Card]]:
    """The cards of the board's HTML in the order of reading, each with the number of its column."""
    found = []
    for part in board.split('<div class="b-card b-hit')[1:]:
        head, _, rest = part.partition('<div class="b-text" dir="auto">')
        text = rest.partition('<div class="b-foot">')[0]
        move = re.search(r'<span class="b-move.*?">(.*?)</span>', head)
        title = re.search(r'<span class="b-title".*?>(.*?)</span>', head)
        card = Card(
            rank=int(re.search(r'data-rank="(\d+)"', head)[1]),  # type: ignore[index]
            title=plain(title[1]) if title else "",
            text=plain(text),
            move=plain(move[1]) if move else "",
            judged='class="b-answer"' in head,
            only=" b-only" in part.split(">", 1)[0],
            marks=[html.unescape(mark) for mark in re.findall(r"<mark>(.*?)</mark>", part)],
        )
        found.append((int(re.search(r'data-side="(\d+)"', head)[1]), card))  # type: ignore[index]
    return found


def write_run(
    project: Project, arguments: Sequence[str], events: Sequence[dict[str, Any]] = (), **status: Any
) -> Run:
    """A run's folder, written by hand."""
    run = new_run(project, arguments)
    run.write(Status(**status))
    for event in events:
        run.add_event({"time": time.time(), "done": 0, "total": 1, **event})
    if (
        status.get("process_started") == alive()["process_started"]
        or run.read().state == "starting"
    ):
        Owner.take(run.owner_file)  # As long as the tests run.
    return run


def alive() -> dict[str, Any]:
    """The part of a status that names a process which lives: this one."""
    return {"pid": os.getpid(), "process_started": psutil.Process().create_time()}


def gone() -> dict[str, Any]:
    """The part of a status that names a process which is no more."""
    return {"pid": os.getpid(), "process_started": 1.0}


def hit(rank: int, identity: str, score: float, title: str, text: str, **more: Any) -> Hit:
    """A hit on a document of one passage."""
    return Hit(rank, identity, score, title, text, Best(text, "", None, 1, 1), **more)


def upload(at: AppTest, key: str, name: str, content: str | bytes) -> AppTest:
    """Put a file into a box of the page."""
    raw = content.encode() if isinstance(content, str) else content
    at.file_uploader(key=f"{key}-0").set_value((name, raw, "application/octet-stream"))
    return run(at)
