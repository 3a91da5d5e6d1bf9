"""The whole story in a real browser: a project, its proof, a sample, on a phone and in the dark."""

import csv
import json
import re
import zipfile
from collections.abc import Iterator
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
from playwright.sync_api import Browser, Page, expect

from search.projects.project import projects

PAGES = ("projects", "corpus", "train", "compare", "evaluate", "models")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")


def _write_files(folder: Path, tiny_pairs: Path) -> tuple[Path, Path, list[dict[str, str]]]:
    """A corpus of 40 documents with two rows too many, and pairs with one row too many."""
    rows = json.loads(tiny_pairs.read_text(encoding="utf-8"))
    texts = list(dict.fromkeys(row["response"] for row in rows))
    corpus = folder / "my corpus.csv"
    with corpus.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "title", "text"])
        writer.writerows([f"d{n}", text.split()[0], text] for n, text in enumerate(texts))
        writer.writerows([["d0", "Twice", "The same id again."], ["d99", "", ""]])
    pairs = folder / "my pairs.json"
    pairs.write_text(json.dumps([*rows, {"query": "no answer", "response": ""}]), encoding="utf-8")
    return corpus, pairs, rows


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_story(
    server: Server,
    browser: Browser,
    workspace: Path,
    tmp_path: Path,
    tiny_pairs: Path,
    tiny_model: Path,
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    witness = Witness()
    context = browser.new_context(viewport={"width": 1280, "height": 860}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    witness.watch(page)
    count_clicks(page)
    corpus, pairs, rows = _write_files(tmp_path, tiny_pairs)

    page.goto(server.url)
    picture(page, pictures, "1-newcomer")
    _bring_documents_and_pairs(page, pictures, corpus, pairs)
    _train_and_cancel(page, pictures, server, workspace, tiny_model)
    _train_word_vectors(page, pictures)
    _prove(page, pictures)
    _compare(page, pictures, rows[2]["query"])
    _take_away(page, pictures, tmp_path)
    _on_a_phone(browser, server, pictures, witness)
    _in_the_dark(browser, server, pictures, witness)

    found = {"other hosts": sorted(set(witness.strangers)), "errors": sorted(set(witness.errors))}
    assert found == {"other hosts": [], "errors": []}
    log = server.log.read_text()
    assert "Traceback" not in log, log


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_newcomer_has_the_verdict_on_a_sample_after_one_click(
    server: Server, browser: Browser, tmp_path: Path
) -> None:
    """Side by side with the question that shows the difference, and measured; a second click, and the proof is read in full."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, witness = context.new_page(), Witness()
    witness.watch(page)
    count_clicks(page)
    page.goto(server.url)
    picture(page, tmp_path, "newcomer")
    page.locator(".st-key-open-legal button").click()
    expect(page.locator(".b-hit").first).to_be_visible()
    for column in ("Generic", "plain-law", "Keyword search"):
        expect(page.get_by_role("columnheader").filter(has_text=column)).to_be_visible()
    expect(page.get_by_text("plain-law puts the judged answer first")).to_be_visible()
    picture(page, tmp_path, "side-by-side")
    (sample,) = projects()
    while sample.newest("evaluations") is None:  # Ended by the test's timeout.
        page.wait_for_timeout(200)
    assert clicks(page) == 1
    assert "project=Legal" in page.url
    visit(page, "Proof", "Is the custom model better, really?")
    expect(page.locator(".b-verdict .b-say")).to_contain_text("plain-law")
    assert clicks(page) == 2
    picture(page, tmp_path, "proof")
    assert (witness.errors, witness.strangers) == ([], [])
    assert "Traceback" not in server.log.read_text()


def _bring_documents_and_pairs(page: Page, pictures: Path, corpus: Path, pairs: Path) -> None:
    page.get_by_label("Name of the project").fill("Letters")
    press(page, "Create")
    expect(page.get_by_role("heading", name="What is in your corpus?")).to_be_visible()
    page.locator("[class*=st-key-documents-Letters] input[type=file]").set_input_files(corpus)
    expect(
        page.get_by_text(
            "40 documents found in my-corpus.csv (CSV, encoding utf-8, delimiter comma)."
        )
    ).to_be_visible()
    expect(page.get_by_text("2 of 42 rows will be left out: ")).to_be_visible()
    picture(page, pictures, "2-corpus-preview")
    press(page, "Add 40 documents")
    expect(page.get_by_text("Adding documents is done").first).to_be_visible()
    expect(page.get_by_text("40 documents.", exact=True)).to_be_visible()
    page.get_by_role("tab", name="Pairs").click()
    page.locator("[class*=st-key-pairs-Letters] input[type=file]").set_input_files(pairs)
    expect(
        page.get_by_text("80 pairs found in my-pairs.json (JSON, encoding utf-8).")
    ).to_be_visible()
    expect(page.get_by_text("1 of 81 rows will be left out: ")).to_be_visible()
    press(page, "Add 80 pairs")
    expect(page.get_by_text("Adding pairs is done").first).to_be_visible()
    expect(page.get_by_role("button", name="Train a model")).to_be_visible()
    picture(page, pictures, "3-corpus")
    press(page, "Train a model")


def _choose_recipe(page: Page, title: str) -> None:
    expert = page.get_by_text("Expert: every recipe and its settings")
    expect(expert).to_be_visible()
    settled(page)  # It is open where a recipe was chosen before.
    if not page.get_by_test_id("stButtonGroup").is_visible():
        expert.click()
    page.get_by_test_id("stButtonGroup").get_by_text(title).click()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()


def _train_and_cancel(
    page: Page, pictures: Path, server: Server, workspace: Path, tiny_model: Path
) -> None:
    """A run is found again after a reload and after a restart of the app; then it is cancelled."""
    expect(page.get_by_role("heading", name="Which model should you make?")).to_be_visible()
    _choose_recipe(page, "Fine-tune")
    expect(page.get_by_text("Teaches the whole model")).to_be_visible()
    settled(page)
    page.get_by_label("Start from").fill(str(tiny_model))
    page.get_by_label("Epochs").fill("100")
    page.get_by_label("Batch size").fill("2")
    page.get_by_text("Advanced settings", exact=True).click()
    page.get_by_label("Patience").fill("0")  # Else it may end by itself before it is cancelled.
    picture(page, pictures, "4-train-form")
    press(page, "Train")
    expect(page.get_by_text(re.compile("epoch [0-9]+ of 100")).first).to_be_visible()
    command = f"python cli.py train Letters --recipe fine-tune --set base={tiny_model}"
    page.get_by_text("As a command").first.click()
    expect(page.get_by_test_id("stCode").first).to_contain_text(command)
    expect(page.get_by_test_id("stCode").first).to_contain_text("--set epochs=100")
    expect(page.get_by_role("progressbar").first).to_be_visible()
    picture(page, pictures, "5-training")
    box = page.locator("[class*=st-key-run-]")
    identity = re.search(r"(st-key-run-\S+)", box.get_attribute("class") or "")
    assert identity is not None
    page.reload()
    expect(page.locator(f".{identity[1]}")).to_be_visible()
    # What draws the chart is fetched when it is first needed; a server that is gone cannot send it.
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    server.kill()
    server.start()
    page.reload()
    expect(page.locator(f".{identity[1]}")).to_be_visible()
    expect(page.get_by_text(re.compile("epoch [0-9]+ of 100")).first).to_be_visible()
    press(page, "Cancel")
    expect(page.get_by_text("Training was cancelled after")).to_be_visible()
    picture(page, pictures, "6-cancelled")
    models = workspace / "Letters" / "models"
    assert not models.exists() or not list(models.iterdir()), "a cancelled run publishes nothing"


def _train_word_vectors(page: Page, pictures: Path) -> None:
    _choose_recipe(page, "Word2Vec")
    expect(page.get_by_text("Learns words from scratch")).to_be_visible()
    settled(page)
    page.get_by_placeholder("word2vec (numbered when taken)").fill("letters-words")
    press(page, "Train")
    expect(page.locator(".b-trained-gain")).to_contain_text(re.compile(r"dev 1?\.[0-9]{3}"))
    picture(page, pictures, "7-trained")
    press(page, "See the proof")


def _prove(page: Page, pictures: Path) -> None:
    expect(page.get_by_role("heading", name="Is the custom model better, really?")).to_be_visible()
    expect(page.locator(".b-verdict .b-say")).to_have_count(1)
    expect(page.locator(".b-verdict .b-say")).to_have_text(
        re.compile("^(Yes|No|No clear difference)[. ].*letters-words.*generic")
    )
    expect(page.locator(".b-table tbody tr").first).to_be_attached()
    picture(page, pictures, "8-evaluate")


def _compare(page: Page, pictures: Path, query: str) -> None:
    visit(page, "Compare", "Which side understood")
    box = page.get_by_placeholder("Type a question and press Enter")
    box.fill(query)
    box.press("Enter")
    expect(page.locator(".b-column")).to_have_count(2)
    expect(page.locator(".b-column b")).to_have_text(["Generic", "letters-words"])
    expect(page.locator(".b-hit")).to_have_count(20)
    expect(page.locator(".b-summary .b-say")).not_to_be_empty()
    expect(page.locator(".b-hit mark").first).to_be_visible()
    picture(page, pictures, "9-compare")


def _take_away(page: Page, pictures: Path, folder: Path) -> None:
    visit(page, "Models", "What can you take away?")
    expect(page.get_by_text("letters-words", exact=True).first).to_be_visible()
    press(page, "Export")
    press(page, "Prepare")
    download = page.get_by_role("button", name="Download zip")
    expect(download).to_be_visible()
    settled(page)
    with page.expect_download() as started:
        download.click()
    picture(page, pictures, "10-models")
    assert started.value.suggested_filename == "letters-words.zip"
    target = folder / "letters-words.zip"
    started.value.save_as(target)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert "letters-words/modules.json" in names
    assert any(name.endswith(".safetensors") for name in names)
    assert not [name for name in names if name.endswith(PICKLES)]


def _each_page(page: Page, server: Server) -> Iterator[str]:
    for name in PAGES:
        path = "" if name == "projects" else name  # The first page has no path of its own.
        query = "&q=velkorin+knee" if name == "compare" else ""
        page.goto(f"{server.url}/{path}?project=Letters{query}")
        settled(page)
        expect(page.get_by_text("Page not found")).to_have_count(0)
        if name == "compare":
            expect(page.locator(".b-hit")).to_have_count(20)
        yield name


def _on_a_phone(browser: Browser, server: Server, pictures: Path, witness: Witness) -> None:
    context = browser.new_context(viewport={"width": 420, "height": 900})
    page = context.new_page()
    witness.watch(page)
    too_wide = {}
    for name in _each_page(page, server):
        picture(page, pictures, f"phone-{name}")
        wide, seen = page.evaluate(
            "() => { const m = document.querySelector('[data-testid=stMain]');"
            " return [Math.max(document.documentElement.scrollWidth, m.scrollWidth), innerWidth]; }"
        )
        if wide > seen:
            too_wide[name] = (wide, seen)
        broken = page.evaluate(
            "[...document.querySelectorAll('.b-table td:not(:first-child)')].filter(td => {"
            " const r = document.createRange(); r.selectNodeContents(td);"
            " return r.getClientRects().length > 1; }).length"
        )
        assert not broken, "numbers are broken over two lines"
    context.close()
    assert not too_wide, "pages that scroll sideways at 420 px"


def _in_the_dark(browser: Browser, server: Server, pictures: Path, witness: Witness) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme="dark")
    page = context.new_page()
    witness.watch(page)
    for name in _each_page(page, server):
        picture(page, pictures, f"dark-{name}")
        ground = page.evaluate(
            "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        )
        assert ground == "rgb(18, 22, 28)", "the page did not go dark"
    context.close()
