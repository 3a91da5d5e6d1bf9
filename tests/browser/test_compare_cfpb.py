"""Compare on a real corpus, ask_cfpb (a thousand answers on consumer finance): what is judged, and odd questions."""

import re
from pathlib import Path

import pytest
from accessible import accessible
from driving import Server, picture, settled
from playwright.sync_api import Browser, Page, expect
from test_compare import Visitor

from search.evaluation.query_sets.query_set import current_query_set
from search.projects.project import Project
from search.retrieval.search import compare

COLUMNS = ["bm25", "finance"]
ADDRESS = "project=Finance&model=bm25&model=finance"


def _telling(project: Project) -> tuple[str, str, list[int | None]]:
    """A judged question that the columns answer differently: its text, the answer, its rank in each column."""
    _, query_set = current_query_set(project)
    for query, text in query_set.queries.items():
        results = compare(project, text, COLUMNS, 10).results
        answers = set(query_set.relevant(query))
        ranks = [next((h.rank for h in r.hits if h.id in answers), None) for r in results]
        if ranks[0] == 1 and ranks[1] not in (1, None):
            return text, next(iter(answers)), ranks
    raise AssertionError("no question of the query set tells the columns apart")


def _ask(page: Page, query: str) -> None:
    box = page.get_by_placeholder("Type a question and press Enter")
    box.fill(query)
    box.press("Enter")
    settled(page)


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_questions_and_odd_ones(
    finance: Project, browser: Browser, server: Server, tmp_path: Path
) -> None:
    visitor = Visitor(browser, server)
    text, _, ranks = _telling(finance)
    page = visitor.open(ADDRESS)
    _ask(page, text)
    said = page.locator(".b-summary .b-say")
    expect(said).to_have_text(
        "Keyword search puts the judged answer first; "
        f"the custom model finance has it at rank {ranks[1]}."
    )
    expect(page.locator(".b-standing")).to_have_text(
        ["judged answer at rank 1", f"judged answer at rank {ranks[1]}"]
    )
    judged = page.locator(".b-hit.b-judged")
    expect(judged.first).to_have_attribute("data-rank", "1")
    expect(judged.first.locator(".b-answer")).to_contain_text("judged relevant")
    shown = page.locator(".b-compare").inner_text()
    assert not re.search(r"\bask[0-9]+\b", shown), "no raw identifiers"
    picture(page, tmp_path, "wide")
    accessible(page, "a judged question")
    for name, width, scheme in (("narrow", 420, "light"), ("dark", 1280, "dark")):
        other = visitor.open(page.url.partition("?")[2], width=width, scheme=scheme)
        expect(other.locator(".b-summary .b-say")).to_have_text(said.inner_text())
        picture(other, tmp_path, name)
        other.context.close()

    page.locator(".b-hit").first.get_by_role("button", name="More like this").click()
    expect(page.get_by_text("Documents like")).to_be_visible()
    expect(page).to_have_url(re.compile("like=ask[0-9]+"))
    accessible(page, "more like this")
    page.get_by_role("button", name="Back to the question").click()
    expect(page.locator(".b-standing").first).to_be_visible()

    page.locator(".b-hit").first.get_by_role("button", name="Why?").click()
    dialog = page.get_by_role("dialog").filter(has_text="Why is it where it is?")
    expect(dialog.get_by_text("for the question")).to_be_visible()
    settled(page)
    accessible(page, "why", "[role=dialog]")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    for query in ("ما هو الحد الأدنى للدفع", "क्रेडिट कार्ड", "🦶🤕", "xyzzy plugh"):
        _ask(page, query)
        expect(said).to_have_text("No side found anything for this question.")
        expect(page.get_by_text("Nothing found")).to_have_count(2)
    _ask(page, "credit card " * 833 + "cred")
    expect(page.locator(".b-hit[data-doc]")).to_have_count(20)
    _ask(page, "credit card " * 833 + "credit")
    expect(page.get_by_text("the limit is 10,000")).to_be_visible()
    _ask(page, "")
    expect(page.get_by_text("Ask something the way your users would")).to_be_visible()
    visitor.content()
