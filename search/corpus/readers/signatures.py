"""What a file really is, by its first bytes: for names whose ending says something else."""

import zipfile
from pathlib import PurePath
from typing import BinaryIO

from search.projects.errors import Refused

_BINARY = (
    (b"%PDF-", "a PDF file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"BZh91AY&SY", "a bzip2 file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_DAMAGED_ZIP = "a ZIP file that is truncated or damaged"
_PROTECTED = "an Office file that is protected with a password"
_OLD_EXCEL = "an old Excel workbook (.xls)"
_ADVICE = {
    _DAMAGED_ZIP: "Copy or download it again.",
    _PROTECTED: "Open it, save it without the password, and try again.",
    _OLD_EXCEL: "Open it, save it as .xlsx, and give that file.",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = (
    ("xl/workbook.xml", "an Excel workbook (.xlsx)"),
    ("word/document.xml", "a Word document (.docx)"),
    ("ppt/presentation.xml", "a PowerPoint file (.pptx)"),
)
_OLE_PARTS = (
    ("EncryptedPackage", _PROTECTED),
    ("WordDocument", "an old Word document (.doc)"),
    ("Workbook", _OLD_EXCEL),
    ("Book", _OLD_EXCEL),
)
_PAGE = 1024 * 1024


def kind_of(stream: BinaryIO) -> str | None:
    """What the content says that the file is ("a PDF file"), or None for what may be text.

    :param stream: seekable; left at its start.
    """
    stream.seek(0)
    head = stream.read(1024)
    kind = next((name for magic, name in _BINARY if head.startswith(magic)), None)
    if head.startswith(_ZIP):
        kind = _zip_kind(stream)
    elif head.startswith(_OLE):
        kind = _ole_kind(stream)
    stream.seek(0)
    return kind


def markup_of(stream: BinaryIO) -> str | None:
    """Whether a file that may be text is a web page ("an HTML page"); the stream is left at its start."""
    stream.seek(0)
    head = stream.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    stream.seek(0)
    return "an HTML page" if head.startswith((b"<!doctype html", b"<html")) else None


def refuse_other_kind(kind: str | None, source: str, wanted: str) -> None:
    """Refuse a file whose content is not what its name says; None is no contradiction.

    :param wanted: what the name says, for the message: "CSV".
    :raises Refused: saying what the file is and what to do.
    """
    if kind is None:
        return
    if advice := _ADVICE.get(kind):
        raise Refused(f"{source} is {kind}. {advice}")
    raise Refused(f"{source} is {kind}, not {wanted}: rename it or give the right file.")


def wanted_by(name: str) -> str:
    """What a file's name says that it is: "CSV" for table.csv; "text" without an ending."""
    return PurePath(name).suffix.lstrip(".").upper() or "text"


def _zip_kind(stream: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return _DAMAGED_ZIP
    return next((kind for part, kind in _OFFICE if part in names), "a ZIP file")


def _ole_kind(stream: BinaryIO) -> str:
    """Which program wrote an OLE2 file: its directory holds names as UTF-16, anywhere in the file."""
    found: set[str] = set()
    rest = b""
    stream.seek(0)
    while page := stream.read(_PAGE):
        page = rest + page
        found |= {part for part, _ in _OLE_PARTS if part.encode("utf-16-le") in page}
        rest = page[-64:]
    return next((kind for part, kind in _OLE_PARTS if part in found), "an old Office file")
