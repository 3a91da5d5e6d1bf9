"""A server and a browser for each story."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import CHROMIUM, FLAGS, PATIENCE, Server
from playwright.sync_api import Browser, expect, sync_playwright

from search import runs
from search.workspace import projects


@pytest.fixture
def server(workspace: Path, tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server.log")
    made.start()
    yield made
    made.kill()
    for project in projects():
        for run in runs.runs(project):
            run.cancel()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield made
        made.close()
