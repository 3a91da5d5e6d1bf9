"""A demo on a projector and on a phone, dark, by keyboard alone: what fits on each screen, and what Back brings."""

from pathlib import Path

import pytest
from accessible import accessible
from driving import PATIENCE, Server, Witness, picture, settled
from playwright.sync_api import Browser, Page, expect

from search.evaluation.evaluate import evaluate
from search.projects.project import Project, project_to_be
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.train import train

COLUMNS = "model=words&model=bm25"
ASKED = "tirmathal shoulder"
# How many ranks can be read whole, of all sides, under what sticks to the top.
WHOLE = """() => new Set([...document.querySelectorAll('.b-hit')].filter(card => {
  const box = card.getBoundingClientRect(); return box.height && box.top >= 0 && box.bottom <= innerHeight;
}).map(card => card.dataset.rank)).size"""


@pytest.fixture
def tiny(tiny_beir: Path, workspace: Path) -> Project:
    made = project_to_be("Tiny")
    import_beir(made, tiny_beir)
    train(made, "word2vec", "words", {"epochs": 3})
    index_model(made, "words")
    evaluate(made, ["words", "bm25"])
    return made


def _answered(page: Page) -> None:
    expect(page.locator(".b-hit[data-doc]").first).to_be_visible()
    settled(page)


def _tab_to(page: Page, selector: str, most: int = 40) -> None:
    """Press Tab until what is wanted has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} is not reached by the key Tab")


def _ask(page: Page, query: str) -> None:
    page.keyboard.press("/")
    page.wait_for_function("document.activeElement.tagName === 'INPUT'")
    page.keyboard.type(query)
    page.keyboard.press("Enter")
    expect(page.locator(".b-compare[role=table]")).to_contain_text(query.split(" ")[0].capitalize())
    _answered(page)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_demo_on_a_projector_and_a_phone_dark_by_keyboard_alone(
    tiny: Project, browser: Browser, server: Server, tmp_path: Path
) -> None:
    witness = Witness()
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="dark", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    witness.watch(page)
    page.goto(f"{server.url}/evaluate?project=Tiny")
    settled(page)
    page.goto(f"{server.url}/compare?project=Tiny&{COLUMNS}")
    settled(page)
    _ask(page, ASKED)
    assert page.evaluate(WHOLE) >= 5, "five ranks on a laptop"
    picture(page, tmp_path, "laptop")

    # On the projector: nothing but the question and the answers; arrows walk, Escape leaves.
    _tab_to(page, ".st-key-full-screen button")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 720})
    settled(page)
    _tab_to(page, ".b-hit")
    assert page.evaluate(WHOLE) >= 3, "three ranks on a projector"
    assert page.locator(".b-hit .b-text").first.evaluate("e => e.getBoundingClientRect().height") > 50  # fmt: skip
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.side") == "1"
    expect(page.get_by_role("button", name="Columns")).to_be_hidden()
    picture(page, tmp_path, "projector")
    accessible(page, "projector")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stHeader")).to_be_visible()

    # Why, then another question; Back brings the first, and one more press leaves.
    page.locator(".b-hit").first.focus()
    _tab_to(page, "[data-act=why]", most=4)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("for the question")
    settled(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.wait_for_timeout(1_500)  # Only what stays a moment is a step of its own.
    _ask(page, "velkorin hand")
    page.wait_for_timeout(1_500)
    page.go_back()
    expect(page.locator(".st-key-q input")).to_have_value(ASKED)
    expect(page.locator(".b-compare[role=table]")).to_contain_text("Tirmathal")
    settled(page)
    _tab_to(page, "[data-act=proof]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is the custom model better, really?")).to_be_visible()
    settled(page)
    accessible(page, "proof, dark")
    page.go_back()
    _answered(page)
    page.go_back()
    expect(page).to_have_url(f"{server.url}/evaluate?project=Tiny")
    context.close()

    phone = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True, is_mobile=True
    )
    phone.set_default_timeout(PATIENCE)
    page = phone.new_page()
    witness.watch(page)
    page.goto(f"{server.url}/compare?project=Tiny&{COLUMNS}&q={ASKED.replace(' ', '+')}")
    _answered(page)
    assert page.evaluate(WHOLE) >= 1, "the first hit is on the first screen"
    expect(page.locator(".b-tail").first).to_have_css("opacity", "1")
    page.locator("[data-show='0']").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".b-hit[data-side='0']").first).to_be_hidden()
    expect(page.locator(".b-hit[data-side='1']").first).to_be_visible()
    expect(page.locator("[data-show='1']")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
    picture(page, tmp_path, "phone")
    accessible(page, "phone, dark, one side")
    assert (witness.errors, witness.strangers) == ([], [])
