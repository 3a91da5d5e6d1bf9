"""No page wants anything that the content policy forbids, and each draws what it has to draw."""

import pytest
from driving import Server, settled
from playwright.sync_api import Browser, expect

from search.evaluation.evaluate import evaluate
from search.insight.map import draw_map
from search.projects.project import project_to_be
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.train import train
from ui.page_names import NAMES

SEEN = "addEventListener('securitypolicyviolation', e => console.error('POLICY ' + e.violatedDirective + ' ' + e.blockedURI))"
DRAWN = {
    "evaluate": "[data-testid=stVegaLiteChart] :is(canvas, svg)",
    "map": "[data-testid=stPlotlyChart] canvas",
    "compare": ".b-compare",
}


@pytest.mark.slow
def test_no_page_wants_what_the_policy_forbids(server: Server, browser: Browser, tiny_beir) -> None:
    tiny = project_to_be("Tiny")
    import_beir(tiny, tiny_beir)
    for name in ("words", "more"):
        train(tiny, "word2vec", name, {"epochs": 2})
        index_model(tiny, name)
    evaluate(tiny, ["words", "more", "bm25"])
    draw_map(tiny, ["words", "more"])
    page = browser.new_page()
    page.add_init_script(SEEN)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for name in NAMES:
        page.goto(f"{server.url}/{name}?project=Tiny&model=words&model=more&q=velkorin")
        settled(page)
        if name in DRAWN:
            expect(page.locator(DRAWN[name]).first).to_be_visible()
            assert page.get_by_text("WebGL is not supported").count() == 0
    assert [text for text in said if "POLICY" in text or "Content Security" in text] == []
    # The policy is in force: what it forbids is noticed.
    with page.expect_console_message(lambda message: "POLICY img-src" in message.text) as seen:
        page.evaluate("new Image().src = 'http://192.0.2.1/x.png'")
    assert "http://192.0.2.1" in seen.value.text
