"""The page that is handed over, in a real browser: readable by everybody, alone with itself, and at most six pages printed."""

import copy
from pathlib import Path

import pypdfium2
import pytest
from accessible import accessible
from playwright.sync_api import Browser

from search.insight.verdict_page.content import MeasuredPair, verdict_content
from search.insight.verdict_page.view import html_page
from tests.made_up_verdict import made_up_project

pytestmark = pytest.mark.slow
_LONG = (
    "What does the lender owe to a borrower who moved twice and paid too much in each of the years? "
    * 4
)


@pytest.fixture
def full(tmp_path: Path) -> str:
    """A page with as much on it as there can be."""
    project = made_up_project(tmp_path)
    manifest = project.newest("evaluations")
    assert manifest is not None
    content = verdict_content(MeasuredPair.of(project, manifest, "mine", "generic"))
    content["slices"] = [
        copy.deepcopy(content["slices"][n % 2])
        | {"key": f"part {n}", "title": _LONG[: 90 + n % 40]}
        for n in range(200)
    ]
    content["columns"] += [copy.deepcopy(content["columns"][1]) for _ in range(5)]
    for one in content["questions"]:
        one["text"] = _LONG[:240]
        for hits in one["hits"].values():
            for hit in hits:
                hit |= {"title": _LONG[:90], "text": _LONG[:150]}
    look = {
        "time": "2026-11-30",
        "baseline": "generic",
        "candidate": "mine",
        "p_value": 0.2,
        "since": True,
    }
    content["looks"] = [look] * 40
    content["notes"] = [_LONG[:250]] * 8
    return html_page(content)


def test_it_prints_on_six_pages_and_is_readable_in_any_light_and_width(
    full: str, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "verdict.html"
    path.write_text(full, encoding="utf-8")
    for scheme, width in (("light", 1280), ("dark", 390)):
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, said=said: said.append(message.text))
        page.goto(path.as_uri())
        accessible(page, f"the verdict, {scheme}, {width} wide")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert (asked, said) == ([path.as_uri()], [])
    page.pdf(path=tmp_path / "verdict.pdf", prefer_css_page_size=True, print_background=True)
    assert len(pypdfium2.PdfDocument(tmp_path / "verdict.pdf")) <= 6
    assert len(full.encode()) < 2_000_000
