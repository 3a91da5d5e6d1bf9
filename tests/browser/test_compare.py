"""Compare in a real browser: what is seen, pressed, typed, copied, linked to, and heard by a screen reader."""

import csv
import json
import re
from pathlib import Path

import pytest
from accessible import accessible
from driving import PATIENCE, Server, Witness, picture, press, settled
from playwright.sync_api import Browser, Locator, Page, Route, expect

from search.judging.setup import saved_setup
from search.projects.project import Project, project_to_be
from search.retrieval.history import recent
from search.retrieval.indexing.build import index_model
from search.retrieval.search import compare
from training.data.intake import import_beir
from training.train import train

QUERY = "tirmathal velkorin shoulder"
# The page's socket loses all that it is given for a second from the first word on.
LOSE = """() => {
  window.lost = 0;
  let until = null;
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    until ??= Date.now() + 1_000;
    if (Date.now() < until) window.lost += 1;
    else send.call(this, data);
  };
}"""
BOTH = "model=words&model=words-2"
# Layout shifts that no key or click brought about, since the call before.
SHIFTS = (
    """() => { const told = window.bespokeShifts ?? []; window.bespokeShifts = []; return told; }"""
)
WATCH = """() => { window.bespokeShifts = []; new PerformanceObserver(list => {
  for (const e of list.getEntries()) window.bespokeShifts.push(e.value); }).observe({type: 'layout-shift'}); }"""


@pytest.fixture
def tiny(tiny_beir: Path, workspace: Path) -> Project:
    """Forty documents and two models of word vectors."""
    made = project_to_be("Tiny")
    import_beir(made, tiny_beir)
    train(made, "word2vec", "words", {"epochs": 3})
    train(made, "word2vec", "words-2", {"epochs": 30, "pooling": "mean"})
    for name in ("words", "words-2"):
        index_model(made, name)
    return made


@pytest.fixture
def visitor(browser: Browser, server: Server) -> "Visitor":
    return Visitor(browser, server)


class Visitor:
    """Opens pages and sees to it that none complains."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.browser, self.server, self.witness = browser, server, Witness()

    def open(self, address: str, width: int = 1280, scheme: str = "light") -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        self.witness.watch(page)
        page.goto(f"{self.server.url}/compare?{address}")
        settled(page)
        return page

    def content(self) -> None:
        assert (self.witness.errors, self.witness.strangers) == ([], [])
        assert "Traceback" not in self.server.log.read_text()


def _column(page: Page, place: int) -> Locator:
    return page.locator(f'.b-hit[data-side="{place}"]')


def _titles(page: Page, place: int) -> list[str]:
    return [text.strip() for text in _column(page, place).locator(".b-title").all_inner_texts()]


def _slash(page: Page) -> None:
    """Press the key that leads to the question, as soon as the page's script listens."""
    for _ in range(300):
        page.keyboard.press("/")
        if page.evaluate("document.activeElement.tagName") == "INPUT":
            return
        page.wait_for_timeout(200)
    raise AssertionError("the key / does not lead to the question")


def _answered(page: Page, count: int = 20) -> None:
    expect(page.locator(".b-hit[data-doc]")).to_have_count(count)
    settled(page)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_is_typed_is_answered_in_place_and_the_address_is_a_link(
    tiny: Project, visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.open(f"project=Tiny&{BOTH}")
    expect(page.get_by_text("Ask something the way your users would")).to_be_visible()
    accessible(page, "Compare before a question")
    page.evaluate(WATCH)
    _slash(page)
    page.keyboard.type("tirmathal", delay=40)
    _answered(page)
    page.evaluate(SHIFTS)
    page.keyboard.type(" velkorin shoulder", delay=40)
    expect(page).to_have_url(re.compile("q=tirmathal(\\+|%20)velkorin(\\+|%20)shoulder"))
    _answered(page)
    page.wait_for_timeout(600)
    assert sum(page.evaluate(SHIFTS)) < 0.02, "nothing jumps while typing goes on"
    assert page.evaluate("history.length") <= 2, (
        "typing leaves no trail of addresses to go back through"
    )
    assert page.evaluate("document.activeElement.tagName") == "INPUT", "the box keeps the keys"
    results = compare(tiny, QUERY, ["words", "words-2"], 10).results
    wanted = [[hit.title for hit in result.hits] for result in results]
    assert [_titles(page, 0), _titles(page, 1)] == wanted
    assert recent(tiny) == [QUERY], "what was typed on the way is not remembered"
    expect(page.get_by_text("in common")).to_be_visible()
    picture(page, tmp_path, "answered")
    accessible(page, "Compare with results")

    again = visitor.open(page.url.partition("?")[2])
    _answered(again)
    assert [_titles(again, 0), _titles(again, 1)] == wanted, "a fresh browser shows the same"
    expect(again.locator(".st-key-q input")).to_have_value(QUERY)
    again.get_by_role("button", name="History").click()
    past = again.locator(".st-key-compare-history button")
    expect(past).to_have_text([QUERY])
    visitor.content()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_document_lights_up_everywhere_and_lines_join_it(tiny: Project, visitor: Visitor) -> None:
    page = visitor.open(f"project=Tiny&{BOTH}&q={QUERY.replace(' ', '+')}")
    _answered(page)
    shared = sorted(set(_titles(page, 0)) & set(_titles(page, 1)))
    lines = page.locator(".b-lines path")
    expect(lines).to_have_count(len(shared))
    left = _column(page, 0).filter(has=page.get_by_text(shared[0], exact=True)).first
    right = _column(page, 1).filter(has=page.get_by_text(shared[0], exact=True)).first
    left.hover()
    expect(page.locator(".b-hit.b-lit .b-title")).to_have_text([shared[0]] * 2)
    expect(page.locator(".b-lines path.b-lit")).to_have_count(1)
    joins = page.locator(".b-lines path.b-lit").bounding_box()
    a, b = left.bounding_box(), right.bounding_box()
    assert joins is not None and a is not None and b is not None
    assert abs(joins["x"] - (a["x"] + a["width"])) < 8, "a line begins at the card"
    assert abs(joins["x"] + joins["width"] - b["x"]) < 8, "and ends at the other"
    page.locator(".b-summary").hover()
    expect(page.locator(".b-lit")).to_have_count(0)
    rank = int(left.get_attribute("data-rank") or 0)
    moved = rank - int(right.get_attribute("data-rank") or 0)
    told = f"▲ {moved}" if moved > 0 else f"▼ {-moved}" if moved < 0 else "same rank"
    expect(right.locator(".b-move")).to_have_text(told)
    # By keyboard: focus lights, arrows walk, a click keeps the light, Escape puts it out.
    first = page.locator('.b-hit[data-rank="1"][data-side="0"]')
    first.focus()
    expect(first).to_have_class(re.compile("b-lit"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("[document.activeElement.dataset.side, document.activeElement.dataset.rank]") == ["1", "2"]  # fmt: skip
    left.locator(".b-rank").click()
    page.locator(".b-summary").hover()
    expect(page.locator(".b-hit.b-lit")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator(".b-hit.b-lit")).to_have_count(0)
    # Equal ranks stand level and are equally high.
    boxes = [
        [page.locator(f'.b-hit[data-rank="{r}"][data-side="{s}"]').bounding_box() for s in (0, 1)]
        for r in range(1, 11)
    ]
    for one, other in boxes:
        assert one is not None and other is not None
        assert (one["y"], one["height"]) == (other["y"], other["height"])
    visitor.content()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_can_be_taken_away_and_full_screen(
    tiny: Project, visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.open(f"project=Tiny&{BOTH}&k=5&q={QUERY.replace(' ', '+')}")
    _answered(page, 10)
    results = compare(tiny, QUERY, ["words", "words-2"], 5).results
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").click()
    press(page, "Copy as Markdown")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"**{QUERY}**" in copied
    assert f"| 1 | {results[0].hits[0].title}" in copied
    press(page, "Copy link")
    page.wait_for_function(
        "address => navigator.clipboard.readText().then(text => text === address)", arg=page.url
    )
    found = {}
    for kind in ("CSV", "JSON"):
        with page.expect_download() as started:
            page.get_by_role("button", name=f"Download {kind}").click()
        found[kind] = Path(started.value.path()).read_text(encoding="utf-8-sig")
        assert started.value.suggested_filename == f"Tiny-{QUERY.replace(' ', '-')}.{kind.lower()}"
    rows = list(csv.DictReader(found["CSV"].splitlines()))
    assert [row["id"] for row in rows] == [hit.id for result in results for hit in result.hits]
    told = json.loads(found["JSON"])["results"]
    assert {name: [hit["id"] for hit in value["hits"]] for name, value in told.items()} == {
        result.model: [hit.id for hit in result.hits] for result in results
    }
    page.keyboard.press("Escape")
    small = page.locator(".b-hit").first.bounding_box()
    page.get_by_role("button", name="Full screen").click()
    expect(page).to_have_url(re.compile("view=full"))
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    expect(page.get_by_role("button", name="Columns")).to_be_hidden()
    _answered(page, 10)
    large = page.locator(".b-hit").first.bounding_box()
    assert small is not None and large is not None
    assert large["width"] > small["width"] * 1.1
    picture(page, tmp_path, "full")
    accessible(page, "full screen")
    shared = visitor.open(page.url.partition("?")[2])
    expect(shared.get_by_test_id("stHeader")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("view=full"))
    expect(page.get_by_test_id("stHeader")).to_be_visible()
    visitor.content()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_narrow_and_dark_and_four_columns(tiny: Project, visitor: Visitor, tmp_path: Path) -> None:
    query = f"q={QUERY.replace(' ', '+')}"
    narrow = visitor.open(f"project=Tiny&{BOTH}&k=3&{query}", width=420, scheme="dark")
    _answered(narrow, 6)
    order = narrow.locator(".b-hit").evaluate_all(
        "cards => cards.map(c => c.dataset.rank + c.dataset.side)"
    )
    assert order == ["10", "11", "20", "21", "30", "31"], "rank by rank"
    tops = narrow.locator(".b-hit").evaluate_all(
        "cards => cards.map(c => c.getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)
    assert len(set(tops)) == 6, "one under another"
    expect(narrow.locator(".b-hit .b-side").first).to_be_visible()
    expect(narrow.locator(".b-lines path")).to_have_count(0)
    wide, seen = narrow.evaluate(
        "[document.querySelector('[data-testid=stMain]').scrollWidth, innerWidth]"
    )
    assert wide <= seen, "nothing scrolls sideways"
    picture(narrow, tmp_path, "narrow-dark")
    accessible(narrow, "narrow and dark")
    four = visitor.open(
        f"project=Tiny&{BOTH}&model=bm25&model=hybrid:words@0.3&{query}", width=1600
    )
    expect(four.locator(".b-column b")).to_have_text(
        ["words", "words-2", "Keyword search", "Keywords + words, words 30 %"]
    )
    settled(four)
    picture(four, tmp_path, "four")
    accessible(four, "four columns")
    visitor.content()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_judge_blind_takes_the_columns_along_and_what_was_asked(
    tiny: Project, visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.open(f"project=Tiny&{BOTH}&q={QUERY.replace(' ', '+')}")
    _answered(page)
    press(page, "Judge blind")
    expect(page.get_by_role("heading", name="Which answers are better?")).to_be_visible()
    expect(page).to_have_url(re.compile("/judge\\?.*project=Tiny"))
    assert re.findall("model=([^&]+)", page.url) == ["words", "words-2"]
    begin = page.locator(".st-key-judge-begin")
    for side, name in (("one", "words"), ("other", "words-2")):
        box = begin.locator(f".st-key-judge-{side}-handed").get_by_role("combobox")
        expect(box).to_have_value(name)
    page.get_by_label("Your name").fill("Anna")
    press(page, "Start judging")
    expect(page.locator(".b-board")).to_be_visible()
    settled(page)
    expect(page).not_to_have_url(re.compile("model="))
    expect(page.locator(".b-board")).not_to_contain_text("words")
    found = saved_setup(tiny)
    assert found is not None and (found.one, found.other) == ("words", "words-2")

    press(page, "Ask your own")
    page.get_by_label("Or one that was searched before").click()
    page.get_by_role("option", name=QUERY).click()
    press(page, "Ask it next")
    expect(page.locator(".b-asked")).to_have_text(QUERY)
    settled(page)
    accessible(page, "a question from the history")
    picture(page, tmp_path, "asked-before")
    visitor.content()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_is_pressed_before_the_script_is_there_is_not_lost(
    tiny: Project, visitor: Visitor
) -> None:
    """The script of the page comes late here, as over a slow line; Why? is pressed long before."""
    page = visitor.open("project=Tiny")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("/BidiComponent"), hold)
    page.goto(f"{visitor.server.url}/compare?project=Tiny&{BOTH}&q={QUERY.replace(' ', '+')}")
    expect(page.locator(".b-hit[data-doc]")).to_have_count(20)
    expect(page.locator(".st-key-q input")).to_be_visible()
    assert page.evaluate("window.bespoke.hears") is False
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") == "INPUT"
    button = page.get_by_role("button", name="Why?").nth(1)
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    assert page.get_by_role("dialog").count() == 0
    for route in held:
        route.continue_()
    expect(page.get_by_role("dialog")).to_contain_text("for the question")
    visitor.content()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_question_that_the_app_did_not_hear_is_asked_again(
    tiny: Project, visitor: Visitor
) -> None:
    page = visitor.open("project=Tiny")
    page.goto(f"{visitor.server.url}/compare?project=Tiny&{BOTH}")
    expect(page.get_by_text("Ask something the way your users would")).to_be_visible()
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.evaluate(LOSE)
    page.locator(".st-key-q input").fill(QUERY)
    page.locator(".st-key-q input").press("Enter")
    expect(page.locator(".b-hit[data-doc]")).to_have_count(20)
    assert page.evaluate("window.lost") > 0
    expect(page.locator(".st-key-q input")).to_have_value(QUERY)
    expect(page).to_have_url(re.compile("q=" + QUERY.replace(" ", r"\+")))
    visitor.content()
