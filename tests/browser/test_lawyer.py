"""A lawyer with thirty documents and no pairs: from the documents to a verdict, counted in clicks."""

import csv
from pathlib import Path

import pytest
from driving import (
    PATIENCE,
    Server,
    Witness,
    clicks,
    count_clicks,
    picture,
    press,
    settled,
    visit,
)
from leases import CLAUSES
from playwright.sync_api import Browser, Page, expect

OWN = """How long before I leave must I say so? | Notice period
May I have a dog? | Dogs and cats need the written consent of the landlord.
May I have a party at night?
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_thirty_documents_without_pairs_come_to_a_verdict(
    server: Server, browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, witness = context.new_page(), Witness()
    witness.watch(page)
    count_clicks(page)
    table = tmp_path / "leases.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "title", "text"])
        writer.writerows([f"c{n}", *clause] for n, clause in enumerate(CLAUSES.items(), 1))
    page.goto(server.url)
    page.locator(".st-key-first-files input[type=file]").set_input_files(table)
    press(page, "Add 30 documents")
    press(page, "Add questions")
    _keep_proposed(page, tmp_path)
    page.get_by_text("Type your own", exact=True).click()
    settled(page)
    page.locator("textarea").fill(OWN)
    press(page, "Add these questions")
    expect(page.get_by_text("1 question has no right answer yet.")).to_be_visible()
    press(page, "Train a model")
    press(page, "Train from documents")
    expect(page.get_by_role("button", name="See the proof").first).to_be_visible()
    visit(page, "Questions", "Which questions should it answer?")
    _judge_blind(page, tmp_path)
    visit(page, "Proof", "Is the custom model better, really?")
    expect(page.locator(".b-verdict .b-say").first).to_be_visible()
    expect(page.get_by_text("uestions proposed from the documents").first).to_be_visible()
    picture(page, tmp_path, "lawyer-proof")
    assert clicks(page) <= 25
    assert (witness.errors, witness.strangers) == ([], [])
    assert "Traceback" not in server.log.read_text()


def _keep_proposed(page: Page, pictures: Path) -> None:
    """One thrown away, one edited, the others kept, by keys alone."""
    press(page, "Propose questions")
    expect(page.get_by_text("0 of 36 decided.")).to_be_visible()
    settled(page)
    picture(page, pictures, "lawyer-proposed")
    _pressed(page, "x", "1 of 36 decided.")
    page.keyboard.press("e")
    box = page.get_by_label("The question, in your words")
    expect(box).to_be_focused()
    box.press("End")
    page.keyboard.type(" Tell me.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 36 decided.")).to_be_visible()
    settled(page)
    for number in range(3, 22):
        _pressed(page, "k", f"{number} of 36 decided.")
    expect(page.get_by_text("20 of about 30").first).to_be_visible()


def _judge_blind(page: Page, pictures: Path) -> None:
    """Every answer that the searches found, one key each; who found it stands nowhere."""
    press(page, "Judge blind")
    name = page.get_by_label("Your name")
    expect(name).to_be_visible()
    settled(page)
    name.fill("Ada")
    name.press("Enter")
    expect(page.locator(".st-key-sample-document")).to_be_visible()
    settled(page)
    assert "Keyword search" not in page.inner_text(".stMain")
    picture(page, pictures, "lawyer-judging")
    _pressed(page, "3", "1 of ")
    while page.locator(".st-key-sample-document").count():
        before = page.inner_text(".stMain")
        page.keyboard.press("n" if page.locator(".st-key-sample-rest").count() else "0")
        page.wait_for_function("b => document.querySelector('.stMain').innerText !== b", arg=before)
        settled(page)
    expect(page.get_by_text("That was the last document")).to_be_visible()


def _pressed(page: Page, key: str, then: str) -> None:
    page.keyboard.press(key)
    expect(page.get_by_text(then).first).to_be_visible()
    settled(page)
