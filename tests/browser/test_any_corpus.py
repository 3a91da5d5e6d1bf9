"""A lawyer brings what she has: a PDF, a Word file, a spreadsheet export in cp1252 and a ZIP."""

import re
import zipfile
from pathlib import Path

import docx
import pytest
from driving import PATIENCE, Server, Witness, picture, press, settled, visit
from fpdf import FPDF
from playwright.sync_api import Browser, Page, expect

CLAUSES = ("Rent and deposits", "Notice and eviction", "Repairs and safety")


def _write(folder: Path) -> dict[str, Path]:
    """The four files; the spreadsheet's longest column is not the one that should be searched."""
    paths = {
        name: folder / name for name in ("lease.pdf", "opinion.docx", "cases.csv", "bundle.zip")
    }
    pdf = FPDF()
    for number, clause in enumerate(CLAUSES, start=1):
        pdf.add_page()
        pdf.set_font("helvetica", style="B", size=16)
        pdf.cell(0, 12, clause, new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("helvetica", size=11)
        for part in range(1, 7):
            text = (
                f"Clause {number}.{part}. The tenant keeps the premises as agreed, and the landlord gives "
                f"written notice of {7 * part} days before any change to {clause.lower()}. A breach "
                "entitles the other party to a remedy under the Housing Act (HA)."
            )
            pdf.multi_cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(3)
    pdf.output(str(paths["lease.pdf"]))
    word = docx.Document()
    word.add_heading("Opinion on deposits", 1)
    word.add_paragraph("A deposit is returned within thirty days. Silence is not consent.")
    word.save(str(paths["opinion.docx"]))
    rows = ["Ref;Kind;Year;Facts;Holding"]
    for n in range(30):
        facts = f"The owner of the café {n}, a long story of “letters” and of visits on both sides"
        held = f"Notice of {n} days was too short for eviction."
        rows.append(f"R{n};{('case', 'statute', 'blog')[n % 3]};{1990 + n};{facts};{held}")
    rows += ["R3;case;2001;The same reference again;Twice.", "R99;blog;2020;;"]
    paths["cases.csv"].write_text("\r\n".join(rows), encoding="cp1252")
    with zipfile.ZipFile(paths["bundle.zip"], "w") as archive:
        archive.writestr("2021/note.md", "# Eviction\n\nNotice is given in writing.\n")
        page = "<title>Deposits</title><script>x()</script><h1>Deposits</h1><p>Half &frac12;</p>"
        archive.writestr("2022/page.html", page)
        archive.writestr("photo.png", b"\x89PNG\r\n\x1a\n")
        archive.writestr("../evil.txt", "x")
    return paths


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_any_corpus(server: Server, browser: Browser, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    files = _write(tmp_path)
    witness = Witness()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    witness.watch(page)
    page.goto(server.url)
    page.get_by_label("Name of the project").fill("Tenancy")
    press(page, "Create")
    _table(page, pictures, files["cases.csv"])
    _others(page, pictures, [files[name] for name in ("lease.pdf", "opinion.docx", "bundle.zip")])
    _report(page, pictures)
    _search(page, pictures)
    found = {"other hosts": sorted(set(witness.strangers)), "errors": sorted(set(witness.errors))}
    assert found == {"other hosts": [], "errors": []}
    assert "Traceback" not in server.log.read_text()


def _upload(page: Page, *paths: Path) -> None:
    page.locator("[class*=st-key-documents-Tenancy] input[type=file]").set_input_files(list(paths))


def _choose(page: Page, label: str, value: str) -> None:
    """Choose with the keyboard: a click may hit an entry of the list that opens under the mouse meanwhile."""
    page.get_by_label(label, exact=True).focus()
    page.keyboard.type(value)
    expect(page.get_by_role("option", name=value)).to_be_visible()
    page.keyboard.press("Enter")
    settled(page)


def _table(page: Page, pictures: Path, path: Path) -> None:
    """The guessed column is wrong; it is put right, the tiers are given, and the rows come in."""
    _upload(page, path)
    said = page.get_by_text("found in cases.csv (CSV, encoding cp1252, delimiter semicolon).")
    expect(said).to_be_visible()
    expect(page.get_by_text("read as cp1252; choose another encoding")).to_be_visible()
    expect(page.get_by_text("'Facts' was taken, its texts are the longest")).to_be_visible()
    picture(page, pictures, "1-wrong-guess")
    _choose(page, "Column of the text", "Holding")
    expect(page.get_by_text("'Facts' was taken")).to_have_count(0)
    settled(page)  # What is typed into a box while the page is still drawn may be lost.
    _choose(page, "Column of the id", "Ref")
    page.get_by_text(re.compile("^2 of 32 rows will be left out: ")).click()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download the list").click()
    listed = Path(started.value.path()).read_text(encoding="utf-8-sig")
    assert "'R3' was used by an earlier row" in listed
    assert "row 33,the text is empty" in listed
    page.get_by_text("Some sources count for more than others").click()
    settled(page)
    _choose(page, "Column", "Kind")
    for value in ("case", "statute", "blog"):
        _choose(page, "The most binding first", value)
    page.keyboard.press("Escape")
    picture(page, pictures, "2-put-right")
    press(page, "Add 30 documents")
    expect(page.get_by_text("Adding documents is done").first).to_be_visible()
    expect(page.get_by_text("Sources count by Kind: case, statute, blog")).to_be_visible()


def _others(page: Page, pictures: Path, paths: list[Path]) -> None:
    """A PDF, a Word file and a ZIP together: what is in the ZIP and cannot be read is listed."""
    press(page, "Add documents")
    _upload(page, *paths)
    expect(page.get_by_text(re.compile("^2 of 6 rows will be left out: "))).to_be_visible()
    page.get_by_text(re.compile("the longest of these makes [0-9]+ passages")).click()
    expect(page.locator(".b-passage").first).to_contain_text("page 1")
    picture(page, pictures, "3-several-files")
    press(page, "Add 4 documents")
    expect(page.get_by_text(re.compile("34 documents, cut into [0-9]+ passages"))).to_be_visible()
    expect(page.get_by_text(re.compile("^2 of [0-9]+ files were left out: "))).to_be_visible()
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_text(re.compile("4 added, 0 changed, 0 removed"))).to_be_visible()


def _report(page: Page, pictures: Path) -> None:
    page.get_by_role("tab", name="What they are like").click()
    press(page, "Look at the data")
    expect(page.get_by_text("parts a word is read in")).to_be_visible()
    expect(page.get_by_text("How long documents are")).to_be_visible()
    expect(page.get_by_text("Abbreviations with their meaning")).to_be_visible()
    picture(page, pictures, "4-report")


def _search(page: Page, pictures: Path) -> None:
    """The PDF is found by its best passage, with its page; filters and tiers work in the page."""
    visit(page, "Compare", "Which side understood")
    box = page.get_by_placeholder("Type a question and press Enter")
    box.fill("who pays for repairs and safety of the premises")
    box.press("Enter")
    lease = page.locator(".b-hit").filter(has_text="lease")
    expect(lease.first).to_contain_text("page 3")
    expect(lease.first).to_contain_text(re.compile("passage [0-9]+ of [0-9]+"))
    picture(page, pictures, "5-best-passage")
    box.fill("how many days of notice before an eviction")
    box.press("Enter")
    press(page, "Filters")
    page.get_by_text("case before statute before blog").click()
    expect(page.locator(".b-hit .b-tier").first).to_have_text("case")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("tiers=first"))
    picture(page, pictures, "6-tiers")
    page.goto(re.sub("tiers=first", "filter=Kind%3Dblog", page.url))
    expect(page.locator(".b-hit")).to_have_count(20)  # Keyword search stands beside generic.
    expect(page.locator(".b-hit .b-tier")).to_have_text(["blog"] * 20)
    picture(page, pictures, "7-filtered")
