"""The files of a verdict: the page, its JSON, and JUnit's XML for whatever runs jobs at night."""

import json
from pathlib import Path
from typing import Any, Literal

from search.insight.verdict_page.content import MeasuredPair, verdict_content, within_sentence
from search.insight.verdict_page.rendering import render
from search.insight.verdict_page.view import html_page
from search.projects.errors import Failed, Refused, in_words
from search.projects.files import write_atomically
from search.retrieval.columns import column_title

FailOn = Literal["worse", "not-better"]
SUFFIXES = (".html", ".json")


def written(measured: MeasuredPair, suffix: str, with_text: bool = True) -> str:
    """The page or the JSON of a verdict, as it is written: the same evaluation gives the same bytes.

    :param suffix: .html or .json.
    """
    content = verdict_content(measured, with_text)
    if suffix == ".html":
        return html_page(content)
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def check_path(path: Path) -> Path:
    """A path that a verdict can be written to.

    :raises Refused: where it ends otherwise, or its folder does not exist.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise Refused(f"{path} must end in .html (a page for people) or .json (for programs).")
    return check_folder(path)


def check_folder(path: Path) -> Path:
    """A path whose folder exists.

    :raises Refused: otherwise.
    """
    if not path.parent.is_dir():
        raise Refused(f"The folder {path.parent} does not exist.")
    return path


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; one that is there is replaced.

    :raises Failed: when it cannot be written.
    """
    try:
        write_atomically(path, text)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {in_words(error)}.") from None


def failure(measured: MeasuredPair, fail_on: FailOn | None) -> str:
    """What a job is failed by, in a sentence; empty where it passes."""
    verdict = measured.test.verdict
    fails = {"worse": verdict == "worse", "not-better": verdict != "better"}
    return measured.headline if fail_on is not None and fails[fail_on] else ""


def junit(measured: MeasuredPair, fail_on: FailOn | None) -> str:
    """A verdict as one test case of JUnit's XML, which most servers that run jobs can read."""
    test = measured.test
    detail: list[str] = [test.sentence(len(measured.result.queries))]
    detail += [
        f"{one.title}: {one.verdict} ({one.delta:+.3f}, {one.queries:,} questions)"
        for one in measured.slices
        if one.verdict != "no clear difference"
    ]
    values: dict[str, Any] = {
        "project": measured.project.name,
        "name": f"{column_title(test.candidate)} against {within_sentence(test.baseline)}",
        "measured": measured.manifest.created[:19],
        "failure": failure(measured, fail_on),
        "detail": "\n".join(detail),
    }
    return render("junit.xml", **values)
