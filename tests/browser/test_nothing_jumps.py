"""Cold, over a slow line: a page that is opened for the first time does not jump while its parts come in."""

from pathlib import Path

import pytest
from driving import PATIENCE, Server, settled
from playwright.sync_api import Browser
from slow_line import SlowLine

from search.evaluation.evaluate import evaluate
from search.projects.project import Project, project_to_be
from search.retrieval.history import remember
from search.retrieval.indexing.build import index_model
from tests import proofs
from training.data.intake import import_beir
from training.train import train
from ui.navigation import NAMES

# Every layout shift since the first byte, with what it moved.
WATCH = """window.bespokeShifts = []; new PerformanceObserver(list => {
  for (const e of list.getEntries()) window.bespokeShifts.push(
    [e.value, ...e.sources.map(s => s.node?.className || s.node?.nodeName || '')]);
}).observe({type: 'layout-shift', buffered: true});"""
# web.dev calls a page good below .1 (https://web.dev/articles/cls); a page of ours must be far below, Compare still more.
MOST = {"compare": 0.01}
USUAL = 0.05
LATENCY, DOWN, UP = 0.02, 4_000_000, 1_000_000  # Seconds each way, bytes a second.


@pytest.fixture
def tiny(tiny_beir: Path, workspace: Path) -> Project:
    made = project_to_be("Tiny")
    import_beir(made, tiny_beir)
    train(made, "word2vec", "words", {"epochs": 3})
    index_model(made, "words")
    evaluate(made, ["generic", "words"])
    remember(made, "velkorin")
    return made


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_no_page_jumps_on_a_cold_first_load(
    tiny: Project, browser: Browser, server: Server, whole: bool
) -> None:
    moved = {}
    others = sorted(set(NAMES) - set(MOST), key=proofs.draw)
    with SlowLine(server.port, LATENCY, DOWN, UP) as line:
        for name in [*MOST, *(others if whole else others[:3])]:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.add_init_script(WATCH)
            path = "" if name == "projects" else name
            query = "&q=tirmathal+velkorin+shoulder" if name == "compare" else ""
            page.goto(f"{line.url}/{path}?project=Tiny{query}")
            settled(page)
            if name == "compare":
                page.wait_for_selector(".b-hit[data-doc]")
            page.wait_for_timeout(1_000)
            settled(page)
            assert page.evaluate("getComputedStyle(document.querySelector('.stMainBlockContainer')).maxWidth") == "1200px"  # fmt: skip
            told = page.evaluate("window.bespokeShifts")
            if sum(shift[0] for shift in told) > MOST.get(name, USUAL):
                moved[name] = told
            context.close()
    assert moved == {}
