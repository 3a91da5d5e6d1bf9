"""Compare on a sample project: from an offered question to lit documents, four columns, and what is taken away."""

import csv
import re
from pathlib import Path

import pytest
from accessible import accessible
from driving import Server, picture, settled
from playwright.sync_api import Browser, expect
from test_compare import Visitor

from search.evaluation.query_sets.query_set import current_query_set
from search.projects.project import Project
from search.retrieval.search import compare

# No title gives way to what stands beside it, and nothing is wider than the page.
FITS = """() => [...document.querySelectorAll('.b-hit .b-title')].every(e => !e.getClientRects().length || e.clientWidth > 60)
  && document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth"""
FOUR = ("generic", "clauses", "bm25", "hybrid:clauses")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sample_project(legal: Project, browser: Browser, server: Server, tmp_path: Path) -> None:
    visitor = Visitor(browser, server)
    page = visitor.open("project=Legal")
    offered = page.locator(".st-key-compare-offers button")
    expect(offered.first).to_be_visible()
    expect(offered.first).to_contain_text(legal.info.examples[0][:30])
    query = legal.info.examples[0]
    offered.first.click()
    expect(page.locator(".b-hit[data-doc]")).to_have_count(20)
    expect(page.locator(".st-key-q input")).to_have_value(query)
    settled(page)

    # Which side understood, against the searches themselves.
    results = compare(legal, query, ["generic", "clauses"], 10).results
    _, held = current_query_set(legal)
    (asked,) = [identity for identity, text in held.queries.items() if text == query]
    answers = set(held.relevant(asked))
    ranks = [next((h.rank for h in r.hits if h.id in answers), None) for r in results]
    expect(page.locator(".b-standing")).to_have_text(
        [
            f"judged answer at rank {rank}" if rank else "judged answer not in the first 10"
            for rank in ranks
        ]
    )
    common = {h.id for h in results[0].hits} & {h.id for h in results[1].hits}
    expect(page.locator(".b-figure").first).to_contain_text(f"{len(common)} of 10")
    expect(page.locator(".b-lines path")).to_have_count(len(common))
    expect(page.locator(".b-took").first).to_have_text(re.compile(r"^\d+ ms$"))
    expect(page.get_by_text("how probable it is that a hit answers")).to_be_visible()
    shared = next(hit for hit in results[0].hits if hit.id in common)
    page.locator(f'.b-hit[data-side="0"][data-rank="{shared.rank}"]').hover()
    expect(page.locator(".b-hit.b-lit")).to_have_count(2)
    alone = [hit for hit in results[0].hits if hit.id not in common]
    expect(page.locator(".b-gone li")).to_have_count(len(alone))
    picture(page, tmp_path, "wide")
    assert page.evaluate(FITS)
    accessible(page, "a sample, answered")

    page.get_by_role("button", name="Share").click()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download CSV").click()
    with Path(started.value.path()).open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [hit.id for result in results for hit in result.hits]
    assert {row["id"] for row in rows if row["judged"]} <= answers
    page.keyboard.press("Escape")

    models = "".join(f"&model={name}" for name in FOUR)
    four = visitor.open(f"project=Legal{models}&k=5&q={query.replace(' ', '+')}", width=1600)
    expect(four.locator(".b-column b")).to_have_text(
        ["Generic", "clauses", "Keyword search", "Keywords + clauses"]
    )
    expect(four.locator(".b-hit[data-doc]")).to_have_count(20)
    picture(four, tmp_path, "four")
    accessible(four, "four columns of a sample")
    for width, scheme in ((420, "light"), (1280, "dark")):
        other = visitor.open(page.url.partition("?")[2], width=width, scheme=scheme)
        expect(other.locator(".b-hit[data-doc]")).to_have_count(20)
        picture(other, tmp_path, f"{width}-{scheme}")
        assert other.evaluate(FITS)
        accessible(other, f"a sample, {width} wide, {scheme}")
        other.context.close()
    visitor.content()
