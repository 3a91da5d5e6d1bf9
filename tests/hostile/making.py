"""Sound files of every format, made here, to be broken by the tests."""

import gzip
import io
import json
import tarfile
import zipfile

import docx
import openpyxl
import pyarrow as pa
import pyarrow.parquet
from fpdf import FPDF

ROWS = [
    ("a", "The tenant pays the rent."),
    ("b", "The landlord repairs the roof."),
    ("c", "Notice."),
]
CSV = "id,text\n" + "".join(f"{i},{text}\n" for i, text in ROWS)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def xlsx() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [("id", "text"), *ROWS]:
        sheet.append(row)
    return _saved(book)


def xlsx_of_formulas() -> bytes:
    """A workbook whose formulas were never computed."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [("id", "text"), ("a", '=CONCAT("x","y")'), ("b", "=1+1")]:
        sheet.append(row)
    return _saved(book)


def encrypted_xlsx() -> bytes:
    """What Excel writes for a locked workbook: an OLE2 container that names an encrypted package."""
    return OLE + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(1_024)


def parquet() -> bytes:
    stream = io.BytesIO()
    pa.parquet.write_table(
        pa.table({"id": [r[0] for r in ROWS], "text": [r[1] for r in ROWS]}), stream
    )
    return stream.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Lease", 1)
    document.add_paragraph("The tenant pays the rent.")
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def pdf(locked: bool = False, scanned: bool = False) -> bytes:
    made = FPDF()
    made.add_page()
    if scanned:
        made.set_fill_color(90, 90, 90)
        made.rect(10, 10, 100, 100, style="F")
    else:
        made.set_font("helvetica", size=12)
        made.multi_cell(0, 8, "The tenant pays the rent. " * 20)
    if locked:
        made.set_encryption(owner_password="owner", user_password="user")
    return bytes(made.output())


def zipped(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def zipped_link(name: str, target: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system = 3
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, target)
    return stream.getvalue()


def tarred(members: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return stream.getvalue()


def gz(content: bytes | str) -> bytes:
    return gzip.compress(content if isinstance(content, bytes) else content.encode())


def pairs(count: int = 20) -> str:
    rows = [{"query": f"question {n} of{n}", "response": f"reply{n} to{n}"} for n in range(count)]
    return json.dumps(rows)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
