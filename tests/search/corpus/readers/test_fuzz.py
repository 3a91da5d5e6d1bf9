"""Any bytes under any known ending give documents, or one `Refused`; nothing else ever."""

import gzip
import io
import json
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from search.corpus.readers.documents import preview_documents
from search.corpus.readers.pairs import preview_pairs
from search.corpus.readers.qrels import read_judgments
from search.corpus.readers.queries import read_queries
from search.projects.errors import Refused
from tests.proofs import examples

QUIET = settings(
    max_examples=examples(150),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SUFFIXES = st.sampled_from([
    ".csv", ".tsv", ".jsonl", ".json", ".txt", ".xlsx", ".parquet", ".csv.gz", ".xml", ".html", ".docx",
])  # fmt: skip
PIECES = st.sampled_from(
    [
        b"id,text\n", b"query,response\n", b"_id\ttext\n", b'"', b"\n", b"\r", b",", b";", b"\t", b"|",
        b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"[", b"]", b"{", b"}", b":",
        b'{"id": 1, "text": "a"}', b'{"query": "a", "response": "b"}', b'"\\ud800"', b'{"\\ud800": "x"}',
        b"NaN", b"Infinity", b"1e999", b"9" * 5000, b"null", b"\xe2\x80\xa8", b"\x85", b"text", b" ",
    ]
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=12).map(b"".join))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["id", "text", "title", "query", "response"]), JSON_VALUES)
    | JSON_VALUES,
    max_size=5,
)


def read_every_way(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            documents, _ = preview_documents(path, rows=1000)
        except Refused as error:
            assert str(error).strip()
        else:
            assert documents
            ids = [document.id for document in documents]
            assert len(set(ids)) == len(ids)
            for document in documents:
                assert document.embedded == document.embedded.strip() != ""
                whole = [document.id, document.title, document.text, dict(document.metadata)]
                json.dumps(whole, ensure_ascii=False).encode("utf-8")
        try:
            pairs, _ = preview_pairs(path, rows=1000)
        except Refused as error:
            assert str(error).strip()
        else:
            assert pairs
            assert all(pair.query and pair.response for pair in pairs)
        for read in (read_queries, read_judgments):
            try:
                found, _ = read(path)
            except Refused as error:
                assert str(error).strip()
            else:
                assert found


@pytest.mark.longer
@QUIET
@given(SUFFIXES, BYTES)
@example(".csv", b'id,text\r1,"a\rb"\r')
@example(".csv", b",,\n1,2,3\n")
@example(".csv", b"text\n\x85\n")
@example(".jsonl", b'{"text": 1e999}\n{"text": NaN}\n')
@example(".json", b'[{"text": ' + b"9" * 5000 + b"}]")
@example(".json", b"[" * 5000)
@example(".jsonl", b'{"id": "1", "text": "a", "\\ud800": 1}')
@example(".txt", b"\xe2\x80\xa8\n\xc2\x85")
def test_any_bytes(suffix, content):
    read_every_way(f"fuzz{suffix}", content)


@pytest.mark.longer
@QUIET
@given(ROWS, st.booleans())
def test_any_json(rows, lines):
    text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
    read_every_way("fuzz.jsonl" if lines else "fuzz.json", text.encode())


TABLE = "id,text\n" + "".join(f'{n},"text, number {n}"\n' for n in range(20))
SOUND = (".xlsx", ".parquet", ".csv", ".csv.gz", ".xml", ".html", ".docx", ".pdf", ".eml", ".zip", ".tar.gz")  # fmt: skip
# Where (as a share of the file), how many bytes, and what takes their place; None cuts the file off there.
DAMAGE = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 40),
        st.one_of(st.none(), st.binary(max_size=8), PIECES, st.just(b"\xff" * 40)),
    ),
    min_size=1,
    max_size=4,
)


@cache
def sound(suffix: str) -> bytes:
    """A good file of a format."""
    stream = io.BytesIO()
    if suffix == ".xlsx":
        import openpyxl

        book = openpyxl.Workbook()
        for row in (("id", "text"), (1, "one"), (2, "two"), (3, "=1+1")):
            book.active.append(row)
        book.save(stream)
    elif suffix == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"id": [1, 2, 3], "text": ["one", "two", "three"]}), stream)
    elif suffix == ".docx":
        import docx

        document = docx.Document()
        document.add_heading("Rent", 1)
        document.add_table(2, 2).cell(0, 0).text = "cell"
        document.save(stream)
    elif suffix == ".pdf":
        from fpdf import FPDF

        made = FPDF()
        made.add_page()
        made.set_font("helvetica", size=12)
        made.start_section("Rent")
        made.multi_cell(0, 8, "The tenant pays. " * 30)
        stream.write(made.output())
    elif suffix == ".zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", TABLE)
            archive.writestr("in/b.txt", "one\ntwo\n")
    elif suffix == ".tar.gz":
        with tarfile.open(fileobj=stream, mode="w:gz") as packed:
            entry = tarfile.TarInfo("a.csv")
            entry.size = len(TABLE)
            packed.addfile(entry, io.BytesIO(TABLE.encode()))
    else:
        rows = "".join(f"<doc><id>{n}</id><text>text {n} &lt;</text></doc>" for n in range(9))
        stream.write({
            ".csv": TABLE.encode(),
            ".csv.gz": gzip.compress(TABLE.encode(), mtime=0),
            ".xml": f"<?xml version='1.0' encoding='utf-8'?><all>{rows}</all>".encode(),
            ".html": b"<html><title>T</title><body><h1>Hi</h1><p>a &amp; b<table><td>c</table></body>",
            ".eml": (
                b"From: a@b.c\nSubject: =?utf-8?q?h=C3=A9?=\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n"
                b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>x</p>\n"
                b'--b\nContent-Type: application/zip; name="x.zip"\n\nUEsDBA==\n--b--\n'
            ),
        }[suffix])  # fmt: skip
    return stream.getvalue()


def damaged(content: bytes, damage: list[tuple[float, int, bytes | None]]) -> bytes:
    for share, count, instead in damage:
        at = int(share * len(content))
        content = content[:at] + (b"" if instead is None else instead + content[at + count :])
    return content


@pytest.mark.longer
@settings(QUIET, max_examples=examples(400))
@given(st.sampled_from(SOUND), DAMAGE)
@example(".html", [(0.5, 0, b"<?php ?>")])
@example(".zip", [(0.98, 2, b"\xff\xff")])
def test_any_damage(suffix, damage):
    read_every_way(f"fuzz{suffix}", damaged(sound(suffix), damage))


def test_what_is_damaged_was_sound():
    for suffix in SOUND:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"fuzz{suffix}"
            path.write_bytes(sound(suffix))
            assert preview_documents(path)[1].accepted >= 1, suffix
