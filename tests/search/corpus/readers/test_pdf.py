"""PDF files: made by fpdf2, read by PDFium."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fpdf import FPDF

from search.corpus.readers import pdf as reader
from search.corpus.readers.documents import preview_documents
from search.projects.errors import Refused
from search.projects.settings import LIMITS


def made(path, *pages, header=None, title=None, author=None, password=None, outline=False):
    """A PDF of pages; each is a list of paragraphs, those that begin with "# " headings."""
    pdf = FPDF()
    if password:
        pdf.set_encryption(owner_password="owner", user_password=password)
    if title:
        pdf.set_title(title)
    if author:
        pdf.set_author(author)
    for number, paragraphs in enumerate(pages, start=1):
        pdf.add_page()
        pdf.set_font("helvetica", size=11)
        if header:
            pdf.cell(text=header, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(10)
        for paragraph in paragraphs:
            heading = paragraph.removeprefix("# ")
            if heading != paragraph:
                pdf.set_font("helvetica", size=18)
                if outline:
                    pdf.start_section(heading)
            pdf.multi_cell(0, 7, heading, new_x="LMARGIN", new_y="NEXT")
            pdf.set_font("helvetica", size=11)
            pdf.ln(7)
        if header:
            pdf.set_y(-25)
            pdf.cell(text=f"Page {number} of {len(pages)}")
    pdf.output(str(path))
    return path


LONG = (
    "A sentence that is long enough to need a second line on the page, and even a third line. " * 3
)


def test_paragraphs_headings_and_pages(tmp_path):
    path = made(
        tmp_path / "report.pdf",
        ["# Terms", LONG, "The end of the first page."],
        ["# Liability", "Nobody is liable."],
        title="Annual Report",
        author="A. Nother",
    )
    (found,), report = preview_documents(path)
    assert found.title == "Annual Report"
    assert found.metadata == {"author": "A. Nother", "file": "report.pdf"}
    assert found.id == "report.pdf"
    assert found.text.split("\n\n") == [
        "Terms", LONG.strip(), "The end of the first page.", "Liability", "Nobody is liable.",
    ]  # fmt: skip
    assert [(found.text[m.start :].split("\n")[0], m.heading, m.page) for m in found.marks] == [
        ("Terms", "Terms", 1),
        ("Liability", "Liability", 2),
    ]
    assert (report.format, report.accepted, report.notes) == ("PDF", 1, [])


def test_bookmarks_are_headings(tmp_path):
    path = made(tmp_path / "a.pdf", ["# One", LONG], ["Text."], ["# Two", LONG], outline=True)
    (found,), _ = preview_documents(path)
    assert [(mark.heading, mark.page) for mark in found.marks] == [
        ("One", 1),
        ("One", 2),
        ("Two", 3),
    ]


def test_words_that_were_cut_at_the_end_of_a_line(tmp_path):
    path = made(
        tmp_path / "a.pdf",
        ["The hyphen-\nation of a line, which a cross-\nexamination of it shows."],
    )
    assert preview_documents(path)[0][0].text == (
        "The hyphenation of a line, which a cross-examination of it shows."
    )  # fmt: skip


def test_running_headers_are_left_out_and_noted(tmp_path):
    pages = [[f"Text of page {word}."] for word in ("one", "two", "three", "four")]
    (found,), report = preview_documents(made(tmp_path / "a.pdf", *pages, header="ACME Corp."))
    assert (
        found.text
        == "Text of page one.\n\nText of page two.\n\nText of page three.\n\nText of page four."
    )
    assert [mark.page for mark in found.marks] == [1, 2, 3, 4]
    assert report.notes == [
        'lines that repeat at the top or bottom of pages were left out: "ACME Corp."; "Page 1 of 4"'
    ]


@pytest.mark.parametrize("title", ["untitled", "Microsoft Word - ", "Document1", None])
def test_titles_that_say_nothing(tmp_path, title):
    assert (
        preview_documents(made(tmp_path / "plan.pdf", ["Text."], title=title))[0][0].title == "plan"
    )


def test_a_title_by_a_program(tmp_path):
    path = made(tmp_path / "a.pdf", ["Text."], title="Microsoft Word - Lease 2021")
    assert preview_documents(path)[0][0].title == "Lease 2021"


def test_a_locked_file(tmp_path):
    path = made(tmp_path / "a.pdf", ["Secret."], password="secret")
    with pytest.raises(Refused, match=r"^a\.pdf is locked with a password\. Save it without"):
        preview_documents(path)


@pytest.mark.parametrize(("pages", "many"), [(1, "1 scanned page"), (3, "3 scanned pages")])
def test_scanned_pages(tmp_path, pages, many):
    with pytest.raises(Refused) as caught:
        preview_documents(made(tmp_path / "a.pdf", *[[]] * pages))
    assert str(caught.value) == (
        f"a.pdf holds {many} and no text: run OCR (text recognition) over it first."
    )


def test_some_pages_without_text_are_noted(tmp_path):
    (found,), report = preview_documents(made(tmp_path / "a.pdf", ["One."], [], ["Three."], []))
    assert [(mark.start, mark.page) for mark in found.marks] == [(0, 1), (6, 3)]
    assert report.notes == ["2 pages (2, 4) without text (scanned, or empty): nothing read there"]


@pytest.mark.parametrize("content", [b"hello", b"PK\x03\x04", b"\x00" * 2000 + b"%PDF-1.7"])
def test_what_is_no_pdf(documents, content):
    with pytest.raises(Refused, match=r"^a\.pdf is not a PDF file, although its name says so\.$"):
        documents("a.pdf", content)


def test_limits(tmp_path, monkeypatch):
    path = made(tmp_path / "a.pdf", [LONG], [LONG])
    monkeypatch.setattr(reader, "LIMITS", replace(LIMITS, pages=1))
    with pytest.raises(Refused, match=r"^a\.pdf has 2 pages; the limit is 1\."):
        preview_documents(path)
    monkeypatch.setattr(reader, "LIMITS", replace(LIMITS, prose_characters=len(LONG) + 10))
    with pytest.raises(Refused, match=r"^a\.pdf has more than 277 characters\. Split it\.$"):
        preview_documents(path)


def test_damaged_files_are_read_or_refused(tmp_path, rng: random.Random):
    whole = made(tmp_path / "a.pdf", ["# One", LONG], ["Two."], title="T").read_bytes()
    refused = 0
    path = tmp_path / "damaged.pdf"
    for number in range(150):
        raw = bytearray(whole)
        if number % 3 == 0:
            raw = raw[: rng.randrange(len(raw))]
        for _ in range(rng.randint(1, 30)):
            if raw:
                raw[rng.randrange(len(raw))] = rng.randrange(256)
        path.write_bytes(raw or b"x")
        try:
            (found,), _ = preview_documents(path)
        except Refused as error:
            assert str(error).startswith("damaged.pdf ")
            refused += 1
        else:
            assert found.text
    assert 10 < refused < 150


def test_threads_may_read_at_the_same_time(tmp_path):
    words = ("one", "two", "three", "four")
    paths = [made(tmp_path / f"{word}.pdf", *[[f"{word} {x}."] for x in words]) for word in words]
    with ThreadPoolExecutor(4) as pool:
        texts = [found[0].text for found, _ in pool.map(preview_documents, paths * 5)]
    assert texts == ["\n\n".join(f"{word} {x}." for x in words) for word in words] * 5
