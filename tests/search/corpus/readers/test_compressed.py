"""Gzip of single files: read as what is in them, bounded while unpacking."""

import gzip
import io
import json
from dataclasses import replace

import pytest

from search.corpus.readers import compressed
from search.corpus.readers.compressed import inflated, inner_name, opened
from search.corpus.readers.tables import open_report, text_lines
from search.projects.errors import Refused
from search.projects.settings import LIMITS

TABLE = b"id,text\n1,one\n2,two\n"
ROWS = [("row 2", {"id": "1", "text": "one"}), ("row 3", {"id": "2", "text": "two"})]


def test_a_compressed_csv(rows):
    found, report = rows("a.CSV.GZ", gzip.compress(TABLE))
    assert (found, report.format, report.source) == (ROWS, "CSV", "a.CSV.GZ")
    assert (report.encoding, report.delimiter) == ("utf-8", ",")


def test_several_members_are_one_file(rows):
    assert rows("a.csv.gz", gzip.compress(TABLE[:9]) + gzip.compress(TABLE[9:]))[0] == ROWS


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.tsv.gz", b"id\ttext\n1\tone\n", "TSV"),
        ("a.jsonl.gz", b'{"id": "1", "text": "one"}', "JSONL"),
        ("a.json.gz", json.dumps([{"id": "1", "text": "one"}]).encode(), "JSON"),
        ("a.csv.gz", "id,text\n1,one\n".encode("utf-16"), "CSV"),
    ],
)
def test_other_formats(rows, name, content, form):
    found, report = rows(name, gzip.compress(content))
    assert ([fields for _, fields in found], report.format) == ([{"id": "1", "text": "one"}], form)


def test_a_compressed_workbook_and_parquet(rows):
    import openpyxl
    import pyarrow
    from pyarrow import parquet

    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active.append(["one"])
    stream = io.BytesIO()
    book.save(stream)
    assert rows("a.xlsx.gz", gzip.compress(stream.getvalue()))[0] == [("row 2", {"text": "one"})]
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table({"text": ["one"]}), stream)
    found, _ = rows("a.parquet.gz", gzip.compress(stream.getvalue()))
    assert found == [("row 1", {"text": "one"})]


def test_lines_of_compressed_text(file):
    path = file("a.txt.gz", gzip.compress("one\nzwölf\n".encode("latin-1")))
    report = open_report(path)
    assert list(text_lines(path, report)) == ["one\n", "zwölf\n"]
    assert report.encoding == "cp1252"


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated(rows, keep):
    packed = gzip.compress(bytes(range(256)) * 100)
    with pytest.raises(Refused) as caught:
        rows("a.csv.gz", packed[: int(len(packed) * keep)])
    assert str(caught.value) == (
        "a.csv.gz ends in the middle: the gzip file is truncated. Copy or download it again."
    )


def test_damaged(rows):
    packed = bytearray(gzip.compress(TABLE))
    packed[-6] ^= 0xFF  # in the checksum
    with pytest.raises(
        Refused, match=r"^a\.csv\.gz is not a gzip file that can be read: CRC check"
    ):
        rows("a.csv.gz", bytes(packed))
    packed[10] = 0xFF  # the first block is of a kind that does not exist
    with pytest.raises(
        Refused, match=r"^a\.csv\.gz is not a gzip file that can be read: .*invalid"
    ):
        rows("a.csv.gz", bytes(packed))


def test_not_gzip_at_all(rows):
    with pytest.raises(Refused, match=r"^a\.csv\.gz is not a gzip file, although its name ends in"):
        rows("a.csv.gz", TABLE)
    with pytest.raises(Refused, match=r"^a\.csv\.gz is a PDF file, not gzip: rename it or give"):
        rows("a.csv.gz", b"%PDF-1.7")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.csv.gz.gz", "is not of a format that can be read as a table"),
        ("a.gz", "is not of a format that can be read as a table"),
    ],
)
def test_what_is_inside_must_have_a_known_ending(rows, name, message):
    with pytest.raises(Refused, match=message):
        rows(name, gzip.compress(TABLE))


def test_nothing_inside(rows):
    with pytest.raises(Refused, match=r"^a\.csv\.gz holds an empty file \(0 bytes\)\.$"):
        rows("a.csv.gz", gzip.compress(b""))


def test_a_bomb_is_not_unpacked(rows):
    bomb = gzip.compress(b"\n" * 20_000_000)
    assert len(bomb) * LIMITS.zip_ratio < 20_000_000
    with pytest.raises(
        Refused, match=r"^a\.csv\.gz unpacks to more than [\d,]+ bytes, .* not read"
    ):
        rows("a.csv.gz", bomb)


def test_the_limit_of_uploads_holds_for_what_is_inside(rows, monkeypatch):
    content = b"text\n" + b"x" * 95
    monkeypatch.setattr(compressed, "LIMITS", replace(LIMITS, upload_bytes=100))
    assert len(rows("a.csv.gz", gzip.compress(content))[0]) == 1
    with pytest.raises(Refused, match=r"^a\.csv\.gz unpacks to more than 100 bytes"):
        rows("a.csv.gz", gzip.compress(content + b"x"))


def test_a_small_file_of_one_repeated_line_is_no_bomb(rows):
    content = b"text\n" + b"x\n" * 400_000
    assert len(gzip.compress(content)) * LIMITS.zip_ratio < len(content)
    assert len(rows("a.csv.gz", gzip.compress(content))[0]) == 400_000


def test_opened_is_seekable(file):
    with opened(file("a.csv.gz", gzip.compress(TABLE))) as stream:
        assert (stream.read(), stream.seek(3), stream.read(4)) == (TABLE, 3, TABLE[3:7])


def test_inflated_gives_a_file_with_the_inner_ending_and_no_name_of_the_person(file):
    path = file("../my report.PDF.gz".replace("/", "_"), gzip.compress(b"content"))
    with inflated(path) as inner:
        assert (inner.name, inner.read_bytes()) == ("content.pdf", b"content")
    assert not inner.parent.exists()
    with inflated(file("odd.$(x).gz", gzip.compress(b"content"))) as inner:
        assert inner.name == "content"
    plain = file("plain.pdf", b"content")
    with inflated(plain) as inner:
        assert inner == plain


def test_inner_name(tmp_path):
    assert [inner_name(tmp_path / name) for name in ("a.csv.gz", "B.TXT.GZ", "a.csv", ".gz")] == [
        "a.csv",
        "B.TXT",
        "a.csv",
        ".gz",
    ]
