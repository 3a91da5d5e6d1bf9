"""Why, Words and Map in a real browser on a sample project and on ask_cfpb."""

import re
from pathlib import Path

import pytest
from accessible import complaints
from driving import Server, Witness, picture, press, settled
from lasso import POINTS, lasso
from playwright.sync_api import Browser, Page, expect
from test_insight import opened

from search.evaluation.query_sets.query_set import current_query_set
from search.insight.map import load_map
from search.insight.vocabulary import vocabulary_of
from search.projects.project import Project


def _why(page: Page, cards: int = 0) -> None:
    page.locator(".b-hit[data-doc]").nth(cards).get_by_role("button", name="Why?").click()
    expect(page.get_by_role("dialog").locator(".b-heat").first).to_be_visible()
    settled(page)


def _content(witness: Witness, server: Server) -> None:
    assert (witness.errors, witness.strangers) == ([], [])
    assert "Traceback" not in server.log.read_text()


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sample(server: Server, browser: Browser, legal: Project, tmp_path: Path) -> None:
    """Generic against an adapter: what it learned from, the words it reads first, a map drawn from the page."""
    witness = Witness()
    query = "Can the police keep me locked up without telling me why?"
    page = opened(browser, server, f"/compare?project=Legal&q={query.replace(' ', '+')}", witness)
    _why(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".b-heat")).to_have_count(2)
    expect(dialog.get_by_text("It learned from: ")).to_be_visible()
    expect(dialog.locator(".b-lessons li").first).to_contain_text("→")
    picture(page, tmp_path, "why")
    assert complaints(page, "[role=dialog]") == []
    page.context.close()

    page = opened(browser, server, "/words?project=Legal&word=arrest", witness)
    press(page, "Read the words")
    expect(page.locator(".b-near")).to_have_count(2)
    expect(page.locator(".b-near").first.locator("li")).to_have_count(10)
    expect(page.locator(".b-summary .b-say")).to_contain_text("“arrest”")
    expect(page.get_by_text("What moved", exact=True)).to_be_visible()
    expect(page.get_by_text("Analogies", exact=True)).to_have_count(0)  # Only word vectors can.
    picture(page, tmp_path, "words")
    assert complaints(page) == []
    page.context.close()

    page = opened(browser, server, "/map?project=Legal", witness)
    press(page, "Draw the map")
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    made = legal.newest("maps")
    assert made is not None
    documents = list(range(len(load_map(legal, made).positions)))
    settled(page)
    assert [sorted(one["documents"]) for one in page.evaluate(POINTS)] == [documents] * 2
    assert 0 < lasso(page) < len(documents)
    expect(page.get_by_text("What moved most")).to_be_visible()
    picture(page, tmp_path, "map")
    assert complaints(page) == []
    page.context.close()
    _content(witness, server)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ask_cfpb(server: Server, browser: Browser, finance: Project, tmp_path: Path) -> None:
    """Word vectors against keywords and against each other, on a thousand documents; wide, narrow, dark."""
    witness = Witness()
    query = next(iter(current_query_set(finance)[1].queries.values()))
    path = f"/compare?project=Finance&model=bm25&model=finance&q={query.replace(' ', '+')}"
    page = opened(browser, server, path, witness)
    _why(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".b-findings li")).to_have_text(
        [re.compile(r"^\s*Keyword search: "), re.compile(r"^\s*finance: ")]
    )
    expect(dialog.locator(".b-heat mark").first).to_be_visible()
    picture(page, tmp_path, "why")
    assert complaints(page, "[role=dialog]") == []
    page.context.close()

    models = "&model=finance-mean&model=finance"
    corpus = finance.newest("corpora")
    assert corpus is not None
    assert "mortgage" in vocabulary_of(finance, corpus).words
    page = opened(browser, server, f"/words?project=Finance&word=mortgage{models}", witness)
    expect(page.locator(".b-near")).to_have_count(2)
    for label, word in (
        ("Take this word", "mortgage"),
        ("take this away", "home"),
        ("and add this", "car"),
    ):
        page.get_by_label(label, exact=True).fill(word)
        page.get_by_label(label, exact=True).press("Enter")
        settled(page)
    expect(page.locator(".b-near")).to_have_count(4)
    near = page.locator(".b-near").last.locator("li span:first-child").all_inner_texts()
    assert len(near) == 10 and not {"mortgage", "home", "car"} & set(near)
    picture(page, tmp_path, "words")
    assert complaints(page) == []
    page.context.close()

    for width, scheme in ((1280, "light"), (420, "dark")):
        page = opened(
            browser, server, f"/map?project=Finance{models}", witness,
            viewport={"width": width, "height": 1400}, color_scheme=scheme,
        )  # fmt: skip
        expect(page.locator(".js-plotly-plot")).to_have_count(2)
        page.get_by_text("Held-out questions").click()
        expect(page.get_by_text("Diamonds are held-out questions")).to_be_visible()
        settled(page)
        drawn = [sorted(one["documents"]) for one in page.evaluate(POINTS)]
        assert drawn[0] == drawn[1] and len(drawn[0]) == int(corpus.details["documents"])
        if width > 1000:
            assert 0 < lasso(page) < len(drawn[0])
        picture(page, tmp_path, f"map-{scheme}")
        assert complaints(page) == []
        page.context.close()
    _content(witness, server)
