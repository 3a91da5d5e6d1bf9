"""Which files can be read, by the endings of their names, and what to do with the others."""

from collections.abc import Callable
from pathlib import Path, PurePath

from search.corpus.readers.blocks import Prose
from search.corpus.readers.compressed import inner_name
from search.corpus.readers.html import read_html
from search.corpus.readers.mail import read_mail
from search.corpus.readers.markdown import read_markdown
from search.corpus.readers.pdf import read_pdf
from search.corpus.readers.report import Report
from search.corpus.readers.tables import TABLE_SUFFIXES
from search.corpus.readers.word import read_word

PROSE: dict[str, Callable[[Path, Report], Prose]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf,
    ".docx": read_word,
    ".eml": read_mail,
}
"""The formats of which each file is one document."""
TABLES = TABLE_SUFFIXES
PLAIN_TEXT = (".txt", ".text")
XML = (".xml", ".tei")
READABLE = (*TABLES, *PLAIN_TEXT, *PROSE, *XML)
"""Every ending that can be read as documents, in small letters; each may be followed by .gz."""

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_KINDS = "CSV, TSV, JSON, JSONL, XLSX, Parquet, TXT, Markdown, HTML, PDF, DOCX, XML and EML"
_INSTEAD = {
    "Open it and save it as DOCX or PDF.": ".doc .rtf .odt .pages .wpd .dot .dotx .docm .wps",
    "Open it and save it as PDF.": ".ppt .pptx .odp .key .pps .ppsx .vsd .vsdx .djvu .xps .ps .tex",
    "Open it and save it as XLSX or CSV.": ".xls .xlsb .ods .numbers",
    "Save the message as .eml.": ".msg .oft .pst .mbox",
    "Convert it to HTML or PDF.": ".epub .mobi .azw .azw3 .chm .mht .mhtml",
    "Run OCR (text recognition) over it, and save it as PDF.": (
        ".png .jpg .jpeg .tif .tiff .gif .bmp .webp .heic"
    ),
    "Unpack it, and pack the files as ZIP or TAR.GZ.": ".7z .rar .zst .lz4 .bz2 .xz .cab",
}
_ADVICE = {ending: advice for advice, endings in _INSTEAD.items() for ending in endings.split()}


def suffix_of(name: str) -> str:
    """The ending that decides how a file is read, in small letters; that before .gz, if there is one."""
    return PurePath(inner_name(PurePath(name))).suffix.lower()


def is_archive(name: str) -> bool:
    """Whether a file's name says that it holds other files."""
    return name.lower().endswith(ARCHIVES)


def unreadable(name: str) -> str | None:
    """Why a file cannot be read, by its name, and what to do; None where it can."""
    suffix = suffix_of(name)
    if suffix in READABLE:
        return None
    what = f"files ending in {suffix} cannot be read" if suffix else "its name has no ending"
    return f"{what}. {_ADVICE.get(suffix, f'What can be read: {_KINDS}.')}"
