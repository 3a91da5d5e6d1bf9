"""Why, Words and Map in a real browser: a project of tiny data, both themes, wide and narrow, keyboard and axe-core."""

import re
from pathlib import Path

import pytest
from accessible import complaints
from driving import PATIENCE, Server, Witness, picture, settled
from lasso import POINTS, lasso
from playwright.sync_api import Browser, Page, expect

from search.evaluation.evaluate import evaluate
from search.insight.map import draw_map, load_map
from search.projects.project import Project, project_to_be
from search.retrieval.search import retrievers_for
from training.data.intake import import_beir
from training.train import train

MODELS = "&model=words&model=tuned"
QUERY = "what helps against velkorin in the hand"


@pytest.fixture
def tiny(workspace: Path, tiny_beir: Path, tiny_model: Path) -> Project:
    """Documents, word vectors, and a transformer that learned from pairs; measured, with a map."""
    made = project_to_be("Tiny")
    import_beir(made, tiny_beir)
    train(made, "word2vec", "words", {"min_count": 1, "epochs": 2, "vector_size": 8})
    train(made, "fine-tune", "tuned", {"base": str(tiny_model), "epochs": 1})
    retrievers_for(made, ["words", "tuned", "bm25"])
    evaluate(made, ["words", "tuned"])
    draw_map(made, ["words", "tuned"])
    return made


def opened(
    browser: Browser, server: Server, path: str, witness: Witness, **context: object
) -> Page:
    page = browser.new_context(
        **{"viewport": {"width": 1280, "height": 1400}, **context}
    ).new_page()
    page.set_default_timeout(PATIENCE)
    witness.watch(page)
    page.goto(server.url + path)
    settled(page)
    return page


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_why_words_and_map(server: Server, browser: Browser, tiny: Project, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    witness = Witness()
    _why(browser, server, witness, pictures)
    _words(browser, server, witness, pictures)
    _map(browser, server, witness, pictures, tiny)
    found = {"other hosts": sorted(set(witness.strangers)), "errors": sorted(set(witness.errors))}
    assert found == {"other hosts": [], "errors": []}
    assert "Traceback" not in server.log.read_text()


def _why(browser: Browser, server: Server, witness: Witness, pictures: Path) -> None:
    """Why? on a hit opens a dialog: shaded words for each model, and what the custom one learned from."""
    for scheme in ("light", "dark"):
        path = f"/compare?project=Tiny&q={QUERY.replace(' ', '+')}{MODELS}"
        page = opened(browser, server, path, witness, color_scheme=scheme)
        dialog = page.get_by_role("dialog")
        page.get_by_role("button", name=re.compile("Why")).first.click()
        expect(dialog.get_by_text("It learned from: ")).to_be_visible()
        expect(dialog.locator(".b-heat")).to_have_count(2)
        expect(dialog.locator(".b-heat mark").first).to_be_visible()
        settled(page)
        picture(page, pictures, f"why-{scheme}")
        assert complaints(page, "[role=dialog]") == []
        ink = page.locator("[role=dialog] .b-lessons").first.evaluate(
            "e => getComputedStyle(e).color"
        )
        bright = sum(map(int, re.findall(r"\d+", ink)[:3])) > 380
        assert bright == (scheme == "dark"), "a dialog follows the theme"
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.context.close()


def _words(browser: Browser, server: Server, witness: Witness, pictures: Path) -> None:
    """A chip is looked around in both models; the address holds the word; an unknown word is told."""
    page = opened(browser, server, f"/words?project=Tiny{MODELS}", witness)
    expect(page.get_by_text("Type a word your field uses in its own way")).to_be_visible()
    box = page.get_by_placeholder("Type a word or a short phrase and press Enter")
    box.fill("registrar")
    box.press("Enter")
    expect(page.locator(".b-near")).to_have_count(2)
    expect(page.locator(".b-near").first.locator("li")).to_have_count(10)
    expect(page).to_have_url(re.compile("word=registrar"))
    picture(page, pictures, "words")
    assert complaints(page) == []
    expect(page.get_by_text("What moved", exact=True)).to_be_visible()
    box.fill("हस्त")
    box.press("Enter")
    expect(page.get_by_text(re.compile("Only tuned can place|No model knows"))).to_be_visible()
    page.context.close()
    narrow = opened(
        browser, server, f"/words?project=Tiny&word=kidney{MODELS}", witness,
        viewport={"width": 400, "height": 1400}, color_scheme="dark",
    )  # fmt: skip
    expect(narrow.locator(".b-near")).to_have_count(2)
    picture(narrow, pictures, "words-narrow-dark")
    assert complaints(narrow) == []
    left, right = (narrow.locator(".b-near").nth(n).bounding_box() for n in (0, 1))
    assert left is not None
    assert right is not None
    assert right["y"] > left["y"] + left["height"] - 1, "columns stack on a narrow window"
    narrow.context.close()


def _map(browser: Browser, server: Server, witness: Witness, pictures: Path, tiny: Project) -> None:
    """A lasso in one view marks the same documents in the other, and lists them."""
    page = opened(browser, server, f"/map?project=Tiny{MODELS}", witness)
    charts = page.locator(".js-plotly-plot")
    expect(charts).to_have_count(2)
    expect(page.get_by_text("What moved most")).to_be_visible()
    picture(page, pictures, "map")
    assert complaints(page) == []
    drawn = page.evaluate(POINTS)
    manifest = tiny.newest("maps")
    assert manifest is not None
    made = load_map(tiny, manifest)
    assert [sorted(one["documents"]) for one in drawn] == [list(range(len(made.positions)))] * 2
    assert 0 < lasso(page) < len(made.positions)
    picture(page, pictures, "map-chosen")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text(re.compile(r"documents? selected$"))).to_have_count(0)
    page.get_by_text("Held-out questions").click()
    expect(page.get_by_text("Diamonds are held-out questions")).to_be_visible()
    settled(page)
    page.context.close()
    dark = opened(
        browser, server, f"/map?project=Tiny{MODELS}", witness,
        viewport={"width": 400, "height": 1400}, color_scheme="dark",
    )  # fmt: skip
    expect(dark.locator(".js-plotly-plot")).to_have_count(2)
    picture(dark, pictures, "map-narrow-dark")
    assert complaints(dark) == []
    dark.context.close()
