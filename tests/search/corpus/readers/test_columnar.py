"""Parquet: typed columns as plain values, batch by batch; what is damaged or something else."""

import io
from datetime import date, datetime
from decimal import Decimal

import pyarrow
import pytest
from pyarrow import parquet

from search.corpus.readers import columnar
from search.corpus.readers.report import BadField, clean_text
from search.projects.errors import Refused


def packed(table, **options) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table(table), stream, **options)
    return stream.getvalue()


def reason(value) -> str:
    with pytest.raises(BadField) as caught:
        clean_text(value, "text")
    return str(caught.value)


def test_rows_are_counted_over_batches_and_row_groups(rows):
    count = 1000
    content = packed(
        {"id": list(range(count)), "text": [f"text {n} ü" for n in range(count)]},
        row_group_size=300,
    )
    found, report = rows("a.parquet", content)
    assert found == [(f"row {n + 1}", {"id": n, "text": f"text {n} ü"}) for n in range(count)]
    assert (report.format, report.columns) == ("Parquet", ("id", "text"))
    assert (report.encoding, report.delimiter, report.notes) == (None, None, [])


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
def test_compressions(rows, compression):
    content = packed({"text": ["one", "two"]}, compression=compression)
    assert rows("a.parquet", content)[0] == [("row 1", {"text": "one"}), ("row 2", {"text": "two"})]


def test_typed_cells(rows):
    moment = datetime(2024, 1, 2, 3, 4, 5)
    table = {
        "whole": pyarrow.array([7.0]),
        "half": pyarrow.array([0.5]),
        "nan": pyarrow.array([float("nan")]),
        "none": pyarrow.array([None], pyarrow.string()),
        "yes": pyarrow.array([True]),
        "day": pyarrow.array([date(2024, 2, 3)]),
        "moment": pyarrow.array([moment], pyarrow.timestamp("ns")),
        "zone": pyarrow.array([moment], pyarrow.timestamp("us", "+02:00")),
        "money": pyarrow.array([Decimal("1.10")]),
        "kind": pyarrow.array(["case"]).dictionary_encode(),
        "tags": pyarrow.array([["a", None]]),
        "nested": pyarrow.array([{"n": 1.0, "days": [date(2024, 1, 1)], "raw": b"\xff"}]),
        "bytes": pyarrow.array(["ü".encode()]),
    }
    found, _ = rows("a.parquet", packed(table))
    assert found[0][1] == {
        "whole": 7,
        "half": 0.5,
        "nan": None,
        "none": None,
        "yes": True,
        "day": "2024-02-03",
        "moment": "2024-01-02T03:04:05",
        "zone": "2024-01-02T05:04:05+02:00",
        "money": "1.10",
        "kind": "case",
        "tags": ["a", None],
        "nested": {"n": 1, "days": ["2024-01-01"], "raw": "(is binary data (1 bytes))"},
        "bytes": "ü",
    }


def test_cells_that_are_no_text_are_refused_by_themselves(rows):
    table = {
        "id": [1, 2],
        "raw": pyarrow.array([b"\xff\xfe", b"fine"]),
        "text": pyarrow.array([b"caf\xe9", b"fine"]).view(pyarrow.string()),
        "far": pyarrow.array([2**59, 0], pyarrow.timestamp("ms")),
    }
    found, report = rows("a.parquet", packed(table))
    assert reason(found[0][1]["raw"]) == "text is binary data (2 bytes)"
    assert reason(found[0][1]["text"]) == "text holds bytes that are not UTF-8"
    assert reason(found[0][1]["far"]).startswith("text cannot be read (")
    assert found[1][1] == {"id": 2, "raw": "fine", "text": "fine", "far": "1970-01-01"}
    assert report.refused_count == 0


def test_no_rows(rows):
    found, report = rows("a.parquet", packed({"text": pyarrow.array([], pyarrow.string())}))
    assert (found, report.columns) == ([], ("text",))


def test_header_rules_are_those_of_csv(rows):
    names = pyarrow.table([["a"], ["b"]], names=["text", "text"])
    with pytest.raises(Refused, match=r"^a\.parquet has two columns named 'text'\. Rename one\.$"):
        rows("a.parquet", packed(names))
    with pytest.raises(Refused, match=r"^a\.parquet has 1,001 columns; the limit is 1,000\.$"):
        rows("a.parquet", packed({f"c{n}": [1] for n in range(1001)}))


def test_what_is_no_parquet(rows):
    with pytest.raises(Refused, match=r"^a\.parquet is not a Parquet file, although its name says"):
        rows("a.parquet", "id,text\n1,one\n")
    with pytest.raises(Refused, match=r"^a\.parquet is a PDF file, not Parquet: rename it or give"):
        rows("a.parquet", b"%PDF-1.7")
    with pytest.raises(Refused, match=r"^a\.parquet is an encrypted Parquet file, not Parquet"):
        rows("a.parquet", b"PARE" + b"\x00" * 50 + b"PARE")


@pytest.mark.parametrize("keep", [4, 7, 50, -1])
def test_truncated(rows, keep):
    with pytest.raises(Refused) as caught:
        rows("a.parquet", packed({"text": ["one"] * 100})[:keep])
    assert str(caught.value) == (
        "a.parquet ends in the middle: the Parquet file is truncated. Copy or download it again."
    )


def test_a_small_file_that_says_it_unpacks_to_much(rows):
    content = packed({"text": ["a " * 1_000_000]}, compression="zstd")
    with pytest.raises(Refused) as caught:
        rows("a.parquet", content)
    assert str(caught.value).startswith("a.parquet unpacks to 2,000,")
    assert str(caught.value).endswith(
        " bytes, which is far more than its size or over the limit (1,048,576): not read."
    )


def test_one_long_text_that_many_rows_point_to(rows, monkeypatch):
    from dataclasses import replace

    from search.projects.settings import LIMITS

    content = packed({"text": ["long " * 10_000] * 1000})
    assert len(content) < 50_000
    monkeypatch.setattr(columnar, "LIMITS", replace(LIMITS, upload_bytes=10_000_000))
    with pytest.raises(Refused, match=r"^a\.parquet holds more than 10,000,000 bytes of data\."):
        rows("a.parquet", content)


def test_damage_anywhere_is_one_sentence(rows, rng):
    content = packed({"id": list(range(200)), "text": [f"text {n}" for n in range(200)]})
    refused = 0
    for _ in range(100):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[rng.randrange(4, len(damaged) - 8)] = rng.randrange(256)
        try:
            rows("a.parquet", bytes(damaged))
        except Refused as error:
            refused += 1
            assert str(error).startswith("a.parquet is not a Parquet file that can be read: ")
            assert "\n" not in str(error)
    assert refused > 50


def test_pages_with_checksums_are_checked(rows):
    content = packed({"text": ["findable"]}, write_page_checksum=True, compression="none")
    with pytest.raises(
        Refused, match=r"^a\.parquet is not a Parquet file that can be read: .*[Cc][Rr][Cc]"
    ):
        rows("a.parquet", content.replace(b"findable", b"fundable", 1))
