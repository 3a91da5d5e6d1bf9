"""Pictures of every page, wide and narrow, light and dark: make screenshots. The README's is the wide, light one of Compare."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from driving import CHROMIUM, FLAGS, REPOSITORY, Server, settled
from playwright.sync_api import Browser, sync_playwright

_SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_PROJECT, _SAMPLE, _QUESTION = "Medical sample", "medical", "Fused ankle bones"
_PAGES = (
    "projects", "corpus", "questions", "train", "compare", "evaluate", "map", "words", "judge", "models",
)  # fmt: skip
_README = "compare-wide-light"


def take(folder: Path) -> None:
    """Take all pictures, of an app with the medical sample and of one without any project."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["BESPOKE_HOME"] = home
        server = Server(folder / "server.log")
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
                _each(browser, server, folder, {"newcomer": ""})
                _make_sample()
                _each(browser, server, folder, dict(_addresses()))
                browser.close()
        finally:
            server.kill()
    (folder / "server.log").unlink()


def _make_sample() -> None:
    from search.projects.project import project_to_be
    from training.samples import create_sample

    create_sample(project_to_be(_PROJECT), _SAMPLE)


def _addresses() -> Iterator[tuple[str, str]]:
    """Each page by name, with its address."""
    for name in _PAGES:
        said: dict[str, str | list[str]] = {"project": _PROJECT}
        if name == "compare":
            said |= {"q": _QUESTION, "model": ["generic", "patient-words"]}
        path = "" if name == "projects" else name  # The first page has no path of its own.
        yield name, f"{path}?{urlencode(said, doseq=True)}"


def _each(browser: Browser, server: Server, folder: Path, pages: dict[str, str]) -> None:
    for size, (width, height) in _SIZES.items():
        for scheme in _SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            page = context.new_page()
            for name, address in pages.items():
                page.goto(f"{server.url}/{address}")
                settled(page)
                if name == "compare":
                    page.wait_for_selector(".b-hit")
                page.wait_for_timeout(
                    500
                )  # Charts are drawn a moment after the page says that it is.
                page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")
            context.close()


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    take(into)
    shutil.copy(into / f"{_README}.png", REPOSITORY / "docs" / "compare.png")
