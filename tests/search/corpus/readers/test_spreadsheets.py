"""Excel workbooks: the first sheet with data, typed cells as text, and workbooks made to harm."""

import io
import re
import zipfile
from dataclasses import replace
from datetime import date, datetime, time

import openpyxl
import pytest

from search.corpus.readers import spreadsheets
from search.corpus.readers.report import BadField, clean_text
from search.projects.errors import Refused
from search.projects.settings import LIMITS
from tests.search.corpus.readers.refused_rows import refusals

SHEET = "xl/worksheets/sheet1.xml"


def saved(book) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def workbook(*lines) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    return saved(book)


def changed(
    content: bytes, name: str, *edits: tuple[bytes, bytes], strings: bytes | None = None
) -> bytes:
    """A workbook with bytes of one of its entries replaced, and perhaps a table of shared texts."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.namelist():
            data = old.read(entry)
            if entry == name:
                for before, after in edits:
                    assert before in data
                    data = data.replace(before, after, 1)
            new.writestr(entry, data)
        if strings is not None:
            new.writestr("xl/sharedStrings.xml", strings)
    return stream.getvalue()


def reason(value) -> str:
    with pytest.raises(BadField) as caught:
        clean_text(value, "text")
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.xlsx", "A.XLSX", "a.xlsm"])
def test_rows_are_named_by_their_numbers_in_the_sheet(rows, name):
    content = workbook([], ["id", " text "], [1, "one"], [], [None, "  "], [2, "two"])
    found, report = rows(name, content)
    assert found == [("row 3", {"id": 1, "text": "one"}), ("row 6", {"id": 2, "text": "two"})]
    assert (report.format, report.columns, report.notes) == ("Excel", ("id", "text"), [])
    assert (report.encoding, report.delimiter, report.refused_count) == (None, None, 0)


def test_typed_cells(rows):
    header = ["whole", "half", "sum", "day", "moment", "clock", "yes", "none", "text"]
    cells = [2.0, 0.5, 0.1 + 0.2, date(2024, 2, 3), datetime(2024, 1, 2, 3, 4, 5), time(3, 4)]
    found, _ = rows("a.xlsx", workbook(header, [*cells, True, None, "ä\n日本"]))
    assert list(found[0][1].values()) == [
        2, 0.5, 0.3, "2024-02-03", "2024-01-02T03:04:05", "03:04:00", True, None, "ä\n日本",
    ]  # fmt: skip
    assert clean_text(found[0][1]["whole"], "whole") == "2"


def test_whole_numbers_stored_as_floats_have_no_point(rows):
    content = changed(workbook(["id"], [7]), SHEET, (b"<v>7</v>", b"<v>7.0</v>"))
    assert rows("a.xlsx", content)[0] == [("row 2", {"id": 7})]


def test_the_first_sheet_with_data_is_read_and_the_others_named(rows):
    book = openpyxl.Workbook()
    book.active.title = "Hidden"
    book.active.append(["secret"])
    book.active.sheet_state = "hidden"
    book.create_sheet("Blank")
    book.create_sheet("Cases").append(["text"])
    book["Cases"].append(["one"])
    book.active = 2
    found, report = rows("a.xlsx", saved(book))
    assert found == [("row 2", {"text": "one"})]
    assert report.notes == ["the sheet 'Cases' was read, not 'Blank', 'Hidden'"]


@pytest.mark.parametrize("lines", [[], [[None, " "]]])
def test_nothing_in_any_sheet(rows, lines):
    found, report = rows("a.xlsx", workbook(*lines))
    assert (found, report.columns, report.format) == ([], (), "Excel")


def test_formulas_give_their_saved_results(rows):
    content = workbook(["id", "text"], [1, "=A2+1"], [2, "=A2"], [3, "plain"], [4, None])
    without = "text is a formula without a saved result: open the workbook in Excel, save it, and"
    found, _ = rows("a.xlsx", content)
    assert [reason(fields["text"])[: len(without)] for _, fields in found[:2]] == [without] * 2
    assert [fields["text"] for _, fields in found[2:]] == ["plain", None]
    content = changed(
        content,
        SHEET,
        (b'<c r="B2"><f>A2+1</f><v></v></c>', b'<c r="B2"><f>A2+1</f><v>2</v></c>'),
        (b'<c r="B3"><f>A2</f><v></v></c>', b'<c r="B3" t="str"><f>A2</f><v></v></c>'),
    )
    found, _ = rows("a.xlsx", content)
    assert [fields["text"] for _, fields in found] == [2, None, "plain", None]


def test_errors_of_the_sheet_are_no_text(rows):
    found, _ = rows("a.xlsx", workbook(["id", "text"], [1, "#REF!"], [2, "see #REF!"]))
    assert reason(found[0][1]["text"]) == "text is an error of the sheet (#REF!)"
    assert found[1][1]["text"] == "see #REF!"


def test_merged_cells_hold_their_value_in_each_of_their_rows(rows):
    book = openpyxl.Workbook()
    for line in (["court", "text"], ["High", "one"], [None, "two"], [None, None], [None, "four"]):
        book.active.append(line)
    book.active.merge_cells("A2:A4")
    found, report = rows("a.xlsx", saved(book))
    assert [fields for _, fields in found] == [
        {"court": "High", "text": "one"}, {"court": "High", "text": "two"}, {"court": None, "text": "four"},
    ]  # fmt: skip
    assert report.notes == ["1 merged cells: their value stands in each of their rows"]


def test_the_header_may_stand_under_a_title(rows):
    content = workbook(["Quarterly report"], [], ["id", "text"], [1, "one"], [2, "=A4"])
    found, report = rows("a.xlsx", content)
    assert [where for where, _ in found] == ["row 4", "row 5"]
    assert report.columns == ("id", "text")
    assert report.notes == ["above the header, and not read: Quarterly report"]
    assert "formula without a saved result" in str(found[1][1]["text"])
    (one, two), report = rows("b.xlsx", workbook(["text"], ["one"], ["two"]))
    assert (one[1], two[1], report.notes) == ({"text": "one"}, {"text": "two"}, [])


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (123, "00000", "00123"), (0.25, "0%", "25%"), (5, '0.0" mg"', "5.0 mg"), (0.5, "0.00", "0.50"),
        (2.5, "0", 2.5), (1234.5, "#,##0.0", "1234.5"), (-5, "0.0;(0.0)", "(5.0)"), (0.25, "General", 0.25),
        (12.5, "#,##0.00 [$€-407]", "12.50 €"), (5551234, "###-####", 5551234), (1.5, "0.0E+00", 1.5),
        (datetime(2026, 1, 3), "dd.mm.yyyy", "2026-01-03"), (datetime(2026, 1, 3), "[$-411]ge.m.d", "2026-01-03"),
    ],
)  # fmt: skip
def test_numbers_and_dates_are_as_the_sheet_shows_them(rows, value, code, shown):
    book = openpyxl.Workbook()
    book.active.append(["id", "dose"])
    book.active.append(["a", value])
    book.active["B2"].number_format = code
    ((_, fields),), _ = rows("a.xlsx", saved(book))
    assert fields["dose"] == shown


def test_dates_of_chinese_and_japanese_programs_are_no_numbers(rows):
    book = openpyxl.Workbook()
    book.active.append(["id", "seen"])
    book.active.append(["a", 46025])
    content = saved(book)
    # The built-in format 31 (yyyy年m月d日) has no code in the file: only its number.
    source, changed = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(changed, "w") as copy:
        for name in source.namelist():
            part = source.read(name)
            if name == "xl/styles.xml":
                part = re.sub(rb'(<cellXfs.*?numFmtId=")0"', rb'\g<1>31"', part, flags=re.S)
            copy.writestr(name, part)
    ((_, fields),), _ = rows("a.xlsx", changed.getvalue())
    assert fields["seen"] == "2026-01-03"


def test_escaped_characters(rows):
    found, _ = rows("a.xlsx", workbook(["text"], ["one_x000D_\ntwo"], ["snake_xyz_case"]))
    assert clean_text(found[0][1]["text"], "text") == "one\ntwo"
    assert found[1][1]["text"] == "snake_xyz_case"


def test_values_beyond_the_header_are_left_out_and_named(rows):
    content = workbook(["id", "text"], [1], [2, "two", None, "more"], [3, "three", " "])
    found, report = rows("a.xlsx", content)
    assert found == [("row 2", {"id": 1, "text": None}), ("row 4", {"id": 3, "text": "three"})]
    assert refusals(report) == [("row 3", "has a value in column 4, the header has 2")]


def test_header_rules_are_those_of_csv(rows):
    with pytest.raises(Refused, match=r"^a\.xlsx has two columns named 'text'\. Rename one\.$"):
        rows("a.xlsx", workbook(["text", "text"], ["a", "b"]))
    with pytest.raises(Refused, match=r"^a\.xlsx has 1,001 columns; the limit is 1,000\.$"):
        rows("a.xlsx", workbook([f"c{n}" for n in range(1001)]))
    found, report = rows("a.xlsx", workbook(["text", None, 2024], ["a", "b", "c"]))
    assert report.columns == ("text", "", "2024")
    assert report.notes == ["columns without a name, which are not read: 2"]
    assert (found[0][1]["text"], found[0][1]["2024"]) == ("a", "c")


@pytest.mark.parametrize("size", [b"A1", b"A1:XFD1048576", b"C5:D9"])
def test_a_sheet_that_lies_about_its_size(rows, size):
    content = workbook(["id", "text"], [1, "one"], [2, "two"])
    content = changed(
        content, SHEET, (b'<dimension ref="A1:B3"', b'<dimension ref="' + size + b'"')
    )
    assert [fields for _, fields in rows("a.xlsx", content)[0]] == [
        {"id": 1, "text": "one"},
        {"id": 2, "text": "two"},
    ]


def test_a_row_number_that_no_sheet_has(rows):
    content = workbook(["id"], [1], [2])
    edit = (b'<row r="3"><c r="A3"', b'<row r="99999999999"><c r="A99999999999"')
    with pytest.raises(
        Refused, match=r"^a\.xlsx has a row beyond 1,048,576, the last of a sheet\.$"
    ):
        rows("a.xlsx", changed(content, SHEET, edit))


def test_a_bomb_is_not_opened(rows):
    bomb = changed(
        workbook(["id"], [1]), SHEET, (b"</sheetData>", b" " * 50_000_000 + b"</sheetData>")
    )
    with pytest.raises(Refused, match=r"^a\.xlsx unpacks to far more than its size: not read"):
        rows("a.xlsx", bomb)


def test_limits_of_a_workbook(rows, monkeypatch):
    content = workbook(["id"], ["some text"])
    monkeypatch.setattr(spreadsheets, "LIMITS", replace(LIMITS, zip_entries=3))
    with pytest.raises(Refused, match=r"^a\.xlsx has \d+ entries; the limit is 3\.$"):
        rows("a.xlsx", content)
    monkeypatch.setattr(spreadsheets, "LIMITS", replace(LIMITS, spreadsheet_rest_bytes=50))
    with pytest.raises(Refused, match=r"^a\.xlsx holds [\d,]+ bytes besides its sheets; .* as CSV"):
        rows("a.xlsx", content)


def test_entities_are_not_expanded(rows):
    content = changed(
        workbook(["id"], ["harmless"]),
        SHEET,
        (b"<worksheet", b'<!DOCTYPE worksheet [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><worksheet'),
        (b"harmless", b"&b;"),
    )
    with pytest.raises(Refused, match=r"^a\.xlsx is not an Excel workbook that can be read: "):
        rows("a.xlsx", content)


def test_texts_that_cells_share_as_excel_writes_them(rows):
    main = b"application/vnd.openxmlformats-officedocument.spreadsheetml"
    content = changed(
        workbook(["text"], [10], [11], [10]),
        SHEET,
        *((b't="n"><v>1%d</v>' % n, b't="s"><v>%d</v>' % n) for n in (0, 1, 0)),
    )
    content = changed(
        content,
        "[Content_Types].xml",
        (
            b"</Types>",
            b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s.sharedStrings+xml"/></Types>'
            % main,
        ),
        strings=b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b"<si><r><t>rich </t></r><r><t>text</t></r></si><si><t>one_x000D_</t></si></sst>",
    )
    found, _ = rows("a.xlsx", content)
    assert [fields["text"] for _, fields in found] == ["rich text", "one\r", "rich text"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,text\n1,one\n", r"is not an Excel workbook, although its name says so\.$"),
        (b"%PDF-1.7", r"is a PDF file, not an Excel workbook: rename it or give the right file\.$"),
    ],
)
def test_what_is_no_workbook(rows, content, message):
    with pytest.raises(Refused, match=r"^a\.xlsx " + message):
        rows("a.xlsx", content)


def test_damage_anywhere_is_one_sentence(rows, rng):
    content = workbook(["id", "text"], *([number, f"text {number}"] for number in range(50)))
    refused = 0
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[rng.randrange(4, len(damaged))] = rng.randrange(256)
        try:
            rows("a.xlsx", bytes(damaged))
        except Refused as error:
            refused += 1
            assert str(error).startswith("a.xlsx ")
            assert "\n" not in str(error)
    assert refused > 30
