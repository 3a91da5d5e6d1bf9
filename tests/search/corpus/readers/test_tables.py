"""Which file is read how: by its ending, against its first bytes, within its limits."""

import io
import zipfile
from dataclasses import replace

import pytest

from search.corpus.readers import encodings, tables
from search.corpus.readers.report import Report
from search.corpus.readers.tables import open_report, text_lines
from search.projects.errors import Refused
from search.projects.settings import LIMITS


def zipped(**entries: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000


@pytest.mark.parametrize("name", ["a.docx", "a.pdf", "a", "a.pkl", "a.tar.gz"])
def test_unknown_format(rows, name):
    with pytest.raises(Refused) as caught:
        rows(name, "x")
    assert str(caught.value) == (
        f"{name} is not of a format that can be read as a table: give .csv, .tsv, .jsonl, .ndjson, "
        ".json, .xlsx, .xlsm, .parquet or .arrow."
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (zipped(a="x"), "a ZIP file"),
        (zipped(**{"xl/workbook.xml": "x"}), "an Excel workbook (.xlsx)"),
        (zipped(**{"word/document.xml": "x"}), "a Word document (.docx)"),
        (b"%PDF-1.7 ...", "a PDF file"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a PNG image"),
        (b"PAR1\x00", "a Parquet file"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (OLE + "WordDocument".encode("utf-16-le"), "an old Word document (.doc)"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html><html>", "an HTML page"),
    ],
)
@pytest.mark.parametrize(("name", "wanted"), [("a.csv", "CSV"), ("a.json", "JSON")])
def test_the_wrong_ending(rows, content, kind, name, wanted):
    with pytest.raises(Refused) as caught:
        rows(name, content)
    assert str(caught.value) == (
        f"{name} is {kind}, not {wanted}: rename it or give the right file."
    )


def test_the_wrong_ending_of_plain_text(file):
    path = file("a.txt", b"%PDF-1.7 ...")
    with pytest.raises(Refused, match=r"^a\.txt is a PDF file, not TXT: rename it"):
        list(text_lines(path, open_report(path)))


def test_a_damaged_zip(rows):
    with pytest.raises(
        Refused, match=r"^a\.xlsx is a ZIP file that is truncated or damaged\. Copy"
    ):
        rows("a.xlsx", zipped(a="x" * 1000)[:-40])


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx", "a.csv"])
def test_old_and_protected_workbooks(rows, name):
    with pytest.raises(Refused, match=r"is an old Excel workbook \(\.xls\)\. .*save it as \.xlsx"):
        rows(name, OLE + "Workbook".encode("utf-16-le"))
    far = OLE + b"\x00" * (1024 * 1024 - len(OLE) - 7) + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(
        Refused, match=r"is an Office file that is protected with a password\. Open"
    ):
        rows(name, far)


def test_an_old_workbook_by_name_only(rows):
    with pytest.raises(Refused, match=r"^a\.xls is an HTML page, not XLS: rename it"):
        rows("a.xls", "<html><table>")
    with pytest.raises(Refused, match=r"^a\.xls is not an Excel workbook\. Save it as \.xlsx\.$"):
        rows("a.xls", "id\ttext\n")


def test_nul_bytes_name_the_line(rows):
    with pytest.raises(Refused, match=r"^a\.csv, line 3: holds NUL bytes"):
        rows("a.csv", b"id,text\n1,one\n2,t\x00wo\n")
    far = b"id,text\n" + b"1,one more line\n" * 9000 + b"2,t\x00wo\n"
    with pytest.raises(Refused, match=r"^a\.csv, line 9002: holds NUL bytes"):
        rows("a.csv", far)


def test_control_bytes_are_no_text(rows):
    with pytest.raises(Refused) as caught:
        rows("a.csv", bytes(range(1, 9)) * 40)
    assert str(caught.value) == (
        "a.csv is not a text file: 320 of its first 320 bytes are control characters."
    )
    assert rows("b.csv", b"text\na bell\x07\n")[0] == [("row 2", {"text": "a bell\x07"})]


def test_long_line_in_full_size(rows):
    with pytest.raises(Refused, match=r"^a\.jsonl, line 2: longer than 8,388,608 characters"):
        rows("a.jsonl", '{"text": "short"}\n{"text": "' + "x" * 9_000_000 + '"}\n')


def test_line_limit_is_exact(rows, monkeypatch):
    monkeypatch.setattr(encodings, "LIMITS", replace(LIMITS, line_bytes=20))
    assert rows("a.csv", "text\n" + "x" * 19 + "\n")[0] == [("row 2", {"text": "x" * 19})]
    with pytest.raises(Refused, match="line 2: longer than 20 characters"):
        rows("b.csv", "text\n" + "x" * 20 + "\n")


def test_file_over_the_limit(rows, monkeypatch):
    monkeypatch.setattr(tables, "LIMITS", replace(LIMITS, upload_bytes=10))
    with pytest.raises(Refused, match=r"a\.csv has 11 bytes; the limit is 10\. Split the file\."):
        rows("a.csv", "text\nhello\n")


def test_a_file_that_has_gone(tmp_path):
    with pytest.raises(Refused, match=r"^gone\.csv cannot be opened: No such file or directory\.$"):
        list(text_lines(tmp_path / "gone.csv", Report("gone.csv")))


def test_missing_empty_and_folder(tmp_path):
    missing = tmp_path / "missing.csv"
    with pytest.raises(Refused, match=r"^There is no file .*missing\.csv\.$"):
        open_report(missing)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(Refused, match=r"^empty\.csv is empty \(0 bytes\)\.$"):
        open_report(tmp_path / "empty.csv")
    with pytest.raises(Refused, match="is not a file"):
        open_report(tmp_path)


def test_a_csv_as_postgresql_writes_it(rows):
    content = '"id","text"\n"1","The witness said \\"never\\", and left."\n"2","A path C:\\\\x"\n"3",\\N\n'
    found, report = rows("bulk.csv", content)
    assert [fields["text"] for _, fields in found] == [
        'The witness said "never", and left.', "A path C:\\x", None,
    ]  # fmt: skip
    assert report.notes == ['quotation marks are written \\" (as PostgreSQL may): read so']
    found, report = rows("usual.csv", 'id,text\n1,"He said ""no"""\n2,"ends in a backslash\\"\n')
    assert [fields["text"] for _, fields in found] == ['He said "no"', "ends in a backslash\\"]
    assert report.notes == []


def test_a_tsv_that_a_database_copied(rows):
    found, _ = rows("copy.tsv", "id\ttitle\ttext\n1\t\\N\tone\\ttwo\\nthree\n2\tA\tC:\\\\x\n")
    assert [(fields["title"], fields["text"]) for _, fields in found] == [
        (None, "one\ttwo\nthree"), ("A", "C:\\x"),
    ]  # fmt: skip
    found, _ = rows("plain.tsv", "id\ttext\n1\tone\\ttwo\n")
    assert found[0][1]["text"] == "one\\ttwo"
