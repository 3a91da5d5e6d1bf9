"""Titles above headers and remarks below tables, in CSV, TSV and Excel: passed over, and said."""

import pytest
from openpyxl import Workbook

TABLE = [["id", "text", "court"], ["007", "Rent, due in May", "High"], ["008", "Frost", "Low"]]
ROWS = [{"id": a, "text": b, "court": c} for a, b, c in TABLE[1:]]


def written(rows, sign):
    return "".join(
        sign.join(f'"{cell}"' if sign in cell or "\n" in cell else cell for cell in row) + "\n"
        for row in rows
    )


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("above", "said"),
    [
        ([["Matters of 2024"]], "Matters of 2024"),
        ([["Matters of 2024"], []], "Matters of 2024"),
        ([["Matters of 2024", "", ""], ["", "", ""]], "Matters of 2024"),
        ([["", "Matters", ""], ["all closed"], []], "Matters; all closed"),
        ([["Matters, all of them; closed"], []], "Matters, all of them; closed"),
    ],
)
def test_a_title_above_the_header_is_passed_over_and_said(rows, sign, above, said):
    content = written([*above, *TABLE], sign)
    found, report = rows("a.tsv" if sign == "\t" else "a.csv", content)
    assert [fields for _, fields in found] == ROWS
    assert found[0][0] == f"row {len(above) + 2}", "as a spreadsheet numbers it"
    assert report.notes == [f"above the header, and not read: {said}"]
    assert (report.refused_count, report.delimiter) == (0, sign)


def test_a_title_of_several_lines_and_a_hint_for_excel(rows):
    found, report = rows("a.csv", 'sep=;\n"Matters\nof 2024"\n\nid;text\n1;"a\nb"\n')
    assert found == [("row 4", {"id": "1", "text": "a\nb"})]
    assert report.notes == ["above the header, and not read: Matters\nof 2024"]


def test_what_an_export_says_of_itself_is_no_header(rows):
    above = "Exported by,Ann\nDate,2024-03-01\n\n"
    found, report = rows("a.csv", above + "id,text,court,year\n1,one,High,2020\n2,two,,2021\n")
    assert report.columns == ("id", "text", "court", "year") and len(found) == 2
    assert report.notes == ["above the header, and not read: Exported by; Ann; Date; 2024-03-01"]


@pytest.mark.parametrize("below", ["Confidential", "Confidential,,", "Confidential\nend of list"])
def test_remarks_below_an_empty_row_are_passed_over_and_said(rows, below):
    found, report = rows("a.csv", written(TABLE, ",") + f"\n{below}\n\n")
    assert [fields for _, fields in found] == ROWS
    said = below.rstrip(",").replace("\n", "; ")
    assert report.notes == [f"below the table, and not read: {said}"]
    assert report.refused_count == 0


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("text\nhello, there\nfoo, bar\n", ("text",)),
        ("text\ndue,and paid\nlate,and not\n", ("text",)),
        ("text,\nhello,x\nbye,y\n", ("text", "")),
        ("Matters\nRent is due\nFrost\n", ("Matters",)),
        ("code\n1,one is the first\n2,two is the second\n", ("code",)),
    ],
)
def test_a_header_stays_a_header(rows, content, columns):
    _, report = rows("a.csv", content)
    assert report.columns == columns
    assert not any("above" in note for note in report.notes)


def test_rows_after_an_empty_one_are_rows(rows):
    found, report = rows("a.csv", "id,text\n1,one\n\n2,\n3,three\n\n4,four\n")
    assert [fields["id"] for _, fields in found] == ["1", "2", "3", "4"]
    assert report.notes == []
    assert len(rows("a.csv", "text\none\n\ntwo\n")[0]) == 2


def test_a_sheet_is_read_likewise(rows, tmp_path):
    book = Workbook()
    lines = [["by", "Ann"], [], ["id", "text", "court", "year"], ["1", "one", "High", "x"],
             ["2", "two", "Low", "y"], [], ["Confidential"], [None, "end of list"]]  # fmt: skip
    for line in lines:
        book.active.append(line)
    book.save(tmp_path / "made.xlsx")
    found, report = rows("a.xlsx", (tmp_path / "made.xlsx").read_bytes())
    assert [(where, fields["text"]) for where, fields in found] == [
        ("row 4", "one"),
        ("row 5", "two"),
    ]
    assert report.notes == [
        "above the header, and not read: by; Ann",
        "below the table, and not read: Confidential; end of list",
    ]


def test_hidden_rows_are_read_and_said(rows, tmp_path):
    book = Workbook()
    for line in TABLE:
        book.active.append(line)
    book.active.row_dimensions[3].hidden = True
    book.save(tmp_path / "made.xlsx")
    found, report = rows("a.xlsx", (tmp_path / "made.xlsx").read_bytes())
    assert [fields for _, fields in found] == ROWS
    assert report.notes == ["hidden in the sheet, or by a filter of it, and read, too: 1 rows"]
