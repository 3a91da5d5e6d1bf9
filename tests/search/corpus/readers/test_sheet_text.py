"""Sheets: signs of negative numbers, powers and signs set by fonts, headers of two rows."""

import io
import zipfile

import openpyxl
import pytest
from openpyxl.styles import Font

from search.corpus.readers.number_formats import shown
from search.corpus.readers.sheet_text import two_rows_of_names


def workbook(rows, fill=lambda sheet: None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    fill(book.active)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (-7.5, "0.00;[Red]0.00", "-7.50"), (-7.5, "0.00_);(0.00)", "(7.50)"), (-3, '0;0 "loss"', "3 loss"),
        (-3, "0;[Red]-0", "-3"), (3, "0.0;[Red]0.0", "3.0"), (-3, '0" mg";[Red]0" mg"', "-3 mg"),
    ],
)  # fmt: skip
def test_a_negative_number_that_is_only_red_keeps_its_sign(value, code, text):
    assert shown(value, code) == text


RICH = (
    '<r><t xml:space="preserve">150 x 10</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>9</t></r>'
    '<r><t>/L, CO</t></r><r><rPr><vertAlign val="subscript"/></rPr><t>2</t></r><r><t xml:space="preserve">, 125 </t></r>'
    '<r><rPr><rFont val="Symbol"/></rPr><t>m</t></r><r><t>g</t></r>'
)


def test_powers_and_signs_of_parts_of_a_text(rows):
    def fill(sheet):
        sheet["C2"].font = Font(name="Wingdings")

    plain = io.BytesIO(workbook([["id", "text", "done"], ["a", "RICH", "þ"]], fill))
    made = io.BytesIO()
    with zipfile.ZipFile(plain) as book, zipfile.ZipFile(made, "w") as copy:
        for name in book.namelist():
            copy.writestr(name, book.read(name).replace(b"<t>RICH</t>", RICH.encode()))
    read, _ = rows("a.xlsx", made.getvalue())
    assert read == [("row 2", {"id": "a", "text": "150 x 10⁹/L, CO₂, 125 µg", "done": "☑"})]


def test_a_header_of_two_rows(rows):
    read, report = rows(
        "a.xlsx",
        workbook(
            [["id", "Dose", None, "text"], [None, "morning", "night"], ["a", 5, 10, "with food"]]
        ),
    )
    assert read == [
        ("row 3", {"id": "a", "Dose morning": 5, "Dose night": 10, "text": "with food"})
    ]
    assert report.notes == ["the header has two rows: their names are joined"]


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        (["id", "", "text"], ["a", "b", "c"]),
        (["id", "Dose", "", "text"], ["", 5, 10, ""]),
        (["id", "text"], ["a", "b"]),
        (["id", "text"], ["", ""]),
        (["id", "Dose", "", "text"], ["", "morning", "", ""]),
    ],
)
def test_a_first_row_of_values_is_no_header(upper, lower):
    assert two_rows_of_names(upper, lower) is None
