"""Lists of references: MEDLINE (.nbib), RIS, EndNote's and Web of Science's tagged exports, BibTeX.

Written by hand because the libraries drop what repeats: of two abstracts or keywords the first or the last.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.corpus.readers.bibtex import bibtex_entries
from search.corpus.readers.blocks import Block, BlockText, paragraphs, whole_text
from search.corpus.readers.cells import with_columns
from search.corpus.readers.report import Report, Row, stem_of
from search.corpus.readers.tables import text_lines
from search.projects.errors import Refused

SUFFIXES = (".nbib", ".ris", ".bib", ".bibtex", ".enw", ".ciw", ".medline")
"""The endings of lists of references, in small letters; each is read by what is in it."""
_LABEL = re.compile(r"([A-Z][A-Z /&-]{2,40}):\s")


@dataclass(frozen=True)
class _Tags:
    """How one format writes its fields: a tag at the start of a line, and what the tags mean.

    `line` has the groups tag and value. A record begins at one of `starts`, and ends at one of `ends` or, if
    `blank`, at a blank line. Roles name their tags, the best first.
    """

    name: str
    line: re.Pattern[str]
    starts: frozenset[str]
    ends: frozenset[str]
    blank: bool
    roles: Mapping[str, Sequence[str]]


def _roles(**tags: str) -> Mapping[str, Sequence[str]]:
    return {role: names.split() for role, names in tags.items()}


_MEDLINE = _Tags(
    "MEDLINE",
    re.compile(r"(?=.{4}-)([A-Z]{2,4}) {0,2}- ?(.*)"),
    frozenset(("PMID",)),
    frozenset(),
    True,
    _roles(id="PMID", title="TI BTI TT", text="AB OAB", keywords="OT MH", substances="NM RN", authors="FAU AU CN",
           journal="JT TA", year="DP", doi="LID AID", language="LA", type="PT"),
)  # fmt: skip
_RIS = _Tags(
    "RIS",
    re.compile(r"([A-Z][A-Z0-9]) {1,2}- ?(.*)"),
    frozenset(("TY",)),
    frozenset(("ER",)),
    False,
    _roles(id="DO AN", title="TI T1 CT BT", text="AB N2 N1", keywords="KW", authors="AU A1 A2", journal="JO JF T2 JA",
           year="PY Y1 DA", doi="DO", language="LA", type="TY", url="UR"),
)  # fmt: skip
_ENDNOTE = _Tags(
    "EndNote",
    re.compile(r"%([0-9A-Z@!#$^&*()\[\]~<>?+=|]) (.*)"),
    frozenset(("0",)),
    frozenset(),
    True,
    _roles(id="R M F", title="T", text="X Z", keywords="K", authors="A", journal="J B", year="D", doi="R",
           language="G", type="0", url="U"),
)  # fmt: skip
_SCIENCE = _Tags(
    "Web of Science",
    re.compile(r"([A-Z][A-Z0-9])(?: (.*)|$)"),
    frozenset(("PT",)),
    frozenset(("ER",)),
    False,
    _roles(id="PM DI UT", title="TI", text="AB", keywords="DE ID MH", authors="AF AU", journal="SO", year="PY",
           doi="DI", language="LA", type="DT"),
)  # fmt: skip
_KNOWN_BY = (
    (re.compile(r"PMID- \d"), _MEDLINE),
    (re.compile(r"TY {1,2}- "), _RIS),
    (re.compile(r"%[0-9A-Z] \S"), _ENDNOTE),
    (re.compile(r"FN (Clarivate|Thomson|ISI)|PT [JBSP]\s*$"), _SCIENCE),
)
_BIBTEX = re.compile(r"\s*@\s*[A-Za-z]+\s*[{(]")
# Fields of which the first that is there is meant; of the others all are.
_ONE = frozenset(("id", "title", "journal", "year", "doi", "type", "language", "url", "authors"))
_DOI = re.compile(r"(10\.\d{4,9}/\S+?)(?:\s*\[doi\])?\s*$", re.I)


def reference_rows(path: Path, report: Report) -> Iterator[Row] | None:
    """The references of a file, one a row, known by what is in it; None where it is no list of references.

    The abstract and the keywords are the text; an id is a PMID, a DOI or the key of BibTeX, as the file has it.

    :raises Refused: when the file is not text; when it is BibTeX and too large.
    """
    first = next((line for line in text_lines(path, report) if line.strip()), "").lstrip("\ufeff")
    for pattern, tags in _KNOWN_BY:
        if pattern.match(first):
            report.format = tags.name
            return with_columns(_rows(path, report, tags), report)
    if _BIBTEX.match(first) or (first.startswith("%") and report.source.lower().endswith(".bib")):
        report.format = "BibTeX"
        return with_columns(_bibtex_rows(path, report), report)
    return None


def required_reference_rows(path: Path, report: Report) -> Iterator[Row]:
    """`reference_rows` of a file whose name says that it is a list of references.

    :raises Refused: when it is none.
    """
    rows = reference_rows(path, report)
    if rows is None:
        raise Refused(
            f"{report.source} is no list of references that can be read: it begins like none of MEDLINE, RIS, "
            "EndNote, Web of Science and BibTeX. Export it again as RIS."
        )
    return rows


def _rows(path: Path, report: Report, tags: _Tags) -> Iterator[Row]:
    records = _records(text_lines(path, report), tags)
    for number, (line, fields) in enumerate(records, start=1):
        yield _row(f"line {line}", _meanings(fields, tags), f"{stem_of(report.source)}-{number}")


def _records(lines: Iterator[str], tags: _Tags) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """The line where each record begins, and its fields: every value that a tag has, in order."""
    fields: dict[str, list[str]] = {}
    start, last = 1, ""
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip().lstrip("\ufeff")
        found = tags.line.match(line)
        ended = (tags.blank and not line) or (
            found is not None and found[1] in tags.starts | tags.ends
        )
        if ended:
            if fields:
                yield start, fields
            fields, last = {}, ""
        if found is not None and found[1] not in tags.ends:
            start = start if fields else number
            last = found[1]
            fields.setdefault(last, []).append((found[2] or "").strip())
        elif line and last and found is None:
            # What goes on in the next line; of Web of Science each line of authors is one.
            several = tags is _SCIENCE and last in ("AU", "AF")
            if several:
                fields[last].append(line.strip())
            else:
                fields[last][-1] = f"{fields[last][-1]} {line.strip()}".strip()
    if fields:
        yield start, fields


def _meanings(fields: Mapping[str, Sequence[str]], tags: _Tags) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for role, names in tags.roles.items():
        for name in names:
            several = [value for value in fields.get(name, ()) if value]
            if several and not (role in _ONE and values.get(role)):
                values.setdefault(role, []).extend(several)
    dois = [match[1] for value in values.get("doi", ()) if (match := _DOI.search(value))]
    return {**values, "doi": dois[:1]}


def _row(where: str, values: Mapping[str, Sequence[str]], fallback: str) -> Row:
    """A reference as the fields of a document."""
    keywords = [
        part.strip(" *")
        for value in values.get("keywords", ())
        for part in re.split(r"[;\n]", value)
        if part.strip(" *")
    ]
    blocks = [
        block
        for text in dict.fromkeys(values.get("text", ()))
        for block in paragraphs(_parted(text))
    ]
    words = {"Keywords": keywords, "Substances": values.get("substances", ())}
    blocks += [
        Block(f"{name}: {'; '.join(dict.fromkeys(said))}") for name, said in words.items() if said
    ]
    fields: dict[str, Any] = {
        "id": next(iter(values.get("id", ())), "") or fallback,
        "title": next(iter(values.get("title", ())), ""),
        "text": BlockText(tuple(blocks)),
        "keywords": "; ".join(dict.fromkeys(keywords)),
        "authors": "; ".join(values.get("authors", ())),
        "year": next(iter(re.findall(r"\d{4}", " ".join(values.get("year", ())))), ""),
    }
    for name in ("journal", "doi", "language", "type", "url"):
        fields[name] = "; ".join(dict.fromkeys(values.get(name, ())))
    return Row(where, {name: value for name, value in fields.items() if value})


def _parted(abstract: str) -> str:
    """An abstract whose parts have labels ("RESULTS: ...") with each on a line of its own."""
    if len(_LABEL.findall(abstract)) < 2:
        return abstract
    return re.sub(rf"(?<=[.!?)])\s+(?={_LABEL.pattern})", "\n\n", abstract)


_BIBTEX_ROLES = _roles(title="title", text="abstract annote annotation note", keywords="keywords keyword mesh",
                       authors="author editor", journal="journal journaltitle booktitle", year="year date", doi="doi",
                       language="language langid", url="url")  # fmt: skip


def _bibtex_rows(path: Path, report: Report) -> Iterator[Row]:
    text = whole_text(path, report)
    for number, (line, kind, key, given) in enumerate(bibtex_entries(text, report), start=1):
        values: dict[str, list[str]] = {"type": [kind], "id": [key] if key else []}
        for role, names in _BIBTEX_ROLES.items():
            several = [given[name] for name in names if given.get(name)]
            values[role] = several[:1] if role in _ONE else several
        values["authors"] = [
            name.strip()
            for value in values["authors"]
            for name in re.split(r"(?<!\s)\s++and\s++", value)
        ]
        values["keywords"] = [
            word
            for value in values["keywords"]
            for word in re.split(r"[,;]", value)
            if word.strip()
        ]
        yield _row(f"line {line}", values, f"{stem_of(report.source)}-{number}")
