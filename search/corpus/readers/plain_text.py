"""Plain text: a document a line, or a paragraph between blank lines."""

from collections.abc import Iterator
from pathlib import Path

from search.corpus.document import Document
from search.corpus.readers.report import BadField, Report, clean_text
from search.corpus.readers.tables import text_lines


def read_plain_text(path: Path, report: Report, stem: str) -> Iterator[Document]:
    """The documents of a text file: its paragraphs where blank lines part any, else its lines.

    :param stem: what the ids begin with; a number follows.
    :raises Refused: when the file is not text.
    """
    report.format = "plain text"
    blocks = _paragraphs(path, report) if _has_blank_lines(path, report) else _lines(path, report)
    for number, (line, block) in enumerate(blocks, start=1):
        try:
            text = clean_text(block, "the text")
        except BadField as error:
            report.refuse(f"line {line}", str(error))
            continue
        if text:
            report.accepted += 1
            yield Document(f"{stem}-{number}", "", text)


def _has_blank_lines(path: Path, report: Report) -> bool:
    """Whether blank lines part the text into paragraphs (else each line is a document)."""
    seen_text = blank_after_text = False
    for line in text_lines(path, report):
        if line.strip():
            if blank_after_text:
                return True
            seen_text = True
        elif seen_text:
            blank_after_text = True
    return False


def _lines(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text_lines(path, report), start=1):
        if line.strip():
            yield number, line


def _paragraphs(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    block: list[str] = []
    start = 1
    for number, line in enumerate(text_lines(path, report), start=1):
        if line.strip():
            if not block:
                start = number
            block.append(line)
        elif block:
            yield start, "".join(block)
            block = []
    if block:
        yield start, "".join(block)
