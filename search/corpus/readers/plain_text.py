"""Plain text, a document a file, a paragraph or a line; and Markdown, rendered as a page and then read as one."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, islice, pairwise
from pathlib import Path
from typing import Literal

from search.corpus.document import Document
from search.corpus.readers.blocks import Prose, document_of, paragraphs, whole_text
from search.corpus.readers.compressed import inflated
from search.corpus.readers.html import content_of
from search.corpus.readers.report import BadField, Report, clean_text
from search.corpus.readers.tables import text_lines

DocumentPer = Literal["file", "paragraph", "line"]
"""What of a text file is one document."""
_AHEAD = 5_000
_LIST = 20  # so many paragraphs or lines at least are a list of documents
_SHORT = 60
_WRAPPED = 0.3
_LABELLED = 0.3
_HEADED = 0.1
_LABEL = re.compile(r"\s*(?:[A-Z][\w /&().-]{0,30}:|(?:\d+|[ivx]+|[A-Za-z])[.)]\s)")
_BROKEN = re.compile(r"(?<![^\W\d_])([^\W\d_]{2,}+)-\r?\n[ \t]*+([a-zà-öø-ÿ]{2,}+)(?![\w-])")
_FULL, _KNOWN, _LANGUAGES = 0.75, 1.5, ("en", "de", "fr", "es")
_ENDS = (".", "!", "?", ":", ";", "”", '"', ")", "।", "。", "؟")


def read_plain_text(
    path: Path, report: Report, stem: str, per: DocumentPer | None = None
) -> Iterator[Document]:
    """The documents of a text file: the whole of it, each paragraph, or each line.

    Where nobody chose, a file is one document, unless it is a long list of lines or paragraphs that stand for
    themselves; what was taken is said in the report.

    :param stem: what the ids of parts begin with; a number follows. A whole file has its name.
    :raises Refused: when the file is not text.
    """
    report.format = "plain text"
    unit = per or _guessed_unit(list(islice(text_lines(path, report), _AHEAD)))
    if per is None and unit != "file":
        report.notes.append(
            f"each {unit} is a document; choose another way if that is wrong (--document-per)"
        )
    if unit == "file":
        with inflated(path) as plain:
            text = _with_whole_words(whole_text(plain, report))
        if not text.strip():
            return
        document = document_of(Prose("", paragraphs(text)), report)
        report.accepted += 1
        yield document
        return
    blocks = _paragraphs(path, report) if unit == "paragraph" else _lines(path, report)
    for number, (line, block) in enumerate(blocks, start=1):
        try:
            text = clean_text(block, "the text")
        except BadField as error:
            report.refuse(f"line {line}", str(error))
            continue
        if text:
            report.accepted += 1
            yield Document(f"{stem}-{number}", "", text)


def _guessed_unit(lines: Sequence[str]) -> DocumentPer:
    """What of a file is one document, by its first lines."""
    texts = [line.rstrip() for line in lines]
    while texts and not texts[-1]:
        texts.pop()
    if "" in texts:
        parts = [list(group) for blank, group in groupby(texts, key=lambda t: not t) if not blank]
        firsts = [part[0] for part in parts]
        heads = sum(len(p) == 1 and len(p[0]) < _SHORT and not p[0].endswith(_ENDS) for p in parts)
        of_one_text = heads >= _HEADED * len(parts) or _share_labelled(firsts) >= _LABELLED
        return "file" if len(parts) < _LIST or of_one_text else "paragraph"
    if len(texts) < _LIST or _share_wrapped(texts) >= _WRAPPED:
        return "file"
    return "file" if _share_labelled(texts) >= _LABELLED else "line"


def _share_labelled(lines: Sequence[str]) -> float:
    """How many lines begin as parts of one text do: "Diagnosis: ...", "3. ..."."""
    return sum(bool(_LABEL.match(line)) for line in lines) / len(lines)


def _share_wrapped(lines: Sequence[str]) -> float:
    """How many lines go on in the next one, because a program broke them at a width."""
    width = sorted(map(len, lines))[int(0.9 * (len(lines) - 1))]
    full = max(0.6 * width, _SHORT / 2)
    broken = [
        len(line) >= full and not line.endswith(_ENDS) and after[:1].islower()
        for line, after in pairwise(lines)
    ]
    return sum(broken) / len(broken)


def _with_whole_words(text: str) -> str:
    """A text without the hyphens that the width of its lines brought: in-⏎sists, but not fever-⏎cough.

    Only where the line is full and the two parts are a word; all else stays as it is.
    """
    if "-\n" not in text and "-\r\n" not in text:
        return text
    lengths = sorted(len(line.rstrip()) for line in text.split("\n") if line.strip())
    full = _FULL * lengths[int(0.9 * (len(lengths) - 1))]

    def joined(matched: re.Match[str]) -> str:
        from wordfreq import zipf_frequency

        line = matched.end(1) - (text.rfind("\n", 0, matched.start()) + 1)
        whole = f"{matched[1]}{matched[2]}"
        known = line >= full and any(
            zipf_frequency(whole, language) >= _KNOWN for language in _LANGUAGES
        )
        return whole if known else matched[0]

    return _BROKEN.sub(joined, text)


def _lines(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text_lines(path, report), start=1):
        if line.strip():
            yield number, line


def _paragraphs(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    lines = enumerate(text_lines(path, report), start=1)
    for blank, group in groupby(lines, key=lambda numbered: not numbered[1].strip()):
        if not blank:
            numbers, block = zip(*group, strict=True)
            yield numbers[0], "".join(block)


_FIELD = re.compile(r"([A-Za-z][\w .-]{0,60}):(?:\s+(.*)|\s*)$")
_FRONT_LINES = 200


def read_markdown(path: Path, report: Report) -> Prose:
    """A Markdown file as prose; code blocks and the texts of links are kept, addresses of links are not.

    :raises Refused: when the file is too large or not text.
    """
    from markdown_it import MarkdownIt

    report.format = "Markdown"
    fields, text = _front_matter(whole_text(path, report))
    markup = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    _, blocks = content_of(f"<body>{markup}", report)
    title = fields.pop("title", "")
    return Prose(title, blocks, fields)


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """The `key: value` lines between two `---` at the start, and the rest; lists are joined by commas."""
    lines = text.split("\n", _FRONT_LINES)
    if lines[0].rstrip() != "---":
        return {}, text
    fields: dict[str, str] = {}
    last = ""
    for number, line in enumerate(lines[1:_FRONT_LINES], start=1):
        stripped = line.strip()
        if line.rstrip() in ("---", "..."):
            return {name: value for name, value in fields.items() if value}, "\n".join(
                lines[number + 1 :]
            )
        if found := _FIELD.match(line.rstrip()):
            last = found[1].strip().lower()
            fields[last] = _unquoted(found[2] or "")
        elif stripped.startswith("- ") and last:
            item = _unquoted(stripped[2:])
            fields[last] = f"{fields[last]}, {item}" if fields[last] else item
        elif stripped.startswith("#") or not stripped:
            continue
        elif last and line[:1].isspace():
            fields[last] = f"{fields[last]} {stripped}".strip(" >|")
        else:
            break
    return {}, text


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    if value.startswith("[") and value.endswith("]"):
        return ", ".join(_unquoted(item) for item in value[1:-1].split(","))
    return value
