"""Well-known XML: which format a file is of, and what a record of it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from search.corpus.readers.cells import with_columns
from search.corpus.readers.report import Report, Row, stem_of
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.corpus.readers.xml.articles import (
    bioc_document,
    endnote_record,
    jats_article,
    pubmed_article,
)
from search.corpus.readers.xml.clinical import (
    cda_document,
    clinical_note,
    clinical_trial,
    question_answers,
)
from search.corpus.readers.xml.codes import classification_class, index_term, tabular_list
from search.corpus.readers.xml.fields import Fields
from search.corpus.readers.xml.parsing import (
    JunkAfterRoot,
    XmlSource,
    local_name,
    strip_namespaces,
    xml_events,
)
from search.corpus.readers.xml.records import xml_records
from search.corpus.readers.xml.statutes import AKOMA_NTOSO, CLML, ECFR, HOUSE, USLM, Dialect
from search.projects.errors import Refused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_LOOKED_AT = 3_000
_LOOKED_AT_BYTES = 4 * 1024 * 1024
_ROOT = "*"


@dataclass(frozen=True)
class Format:
    """A well-known format: how it is known, what its records are, and what is left out of them.

    `roots` are the names of root elements, `signs` names that must all occur at the beginning of the file;
    an empty one of the two says nothing. `units` are the names of the elements that are records ("*" is the
    root), read by `read`, which is told whether the unit is the whole file; or sections, read by a `dialect`.
    """

    name: str
    roots: frozenset[str]
    signs: frozenset[str]
    units: frozenset[str]
    read: "Callable[[Element, bool], Iterator[Fields]] | None" = None
    dialect: Dialect | None = None
    left_out: str = ""


def _format(
    name: str,
    known_by: str,
    units: str,
    read: "Callable[[Element, bool], Iterator[Fields]] | Dialect",
    left_out: str = "",
) -> Format:
    """A format, known by the words of "roots / signs"."""
    roots, _, signs = known_by.partition("/")
    sets = frozenset(roots.split()), frozenset(signs.split()), frozenset(units.split())
    if isinstance(read, Dialect):
        return Format(name, *sets, dialect=read, left_out=left_out)
    return Format(name, *sets, read=read, left_out=left_out)


_NO_REFERENCES = "the lists of references were left out"
_TRIAL_LEFT_OUT = "sites, contacts, results and documents of trials were left out"
FORMATS = (
    _format("PubMed XML", "/PubmedArticle", "PubmedArticle PubmedBookArticle", pubmed_article, _NO_REFERENCES),
    _format("PubMed XML", "/PubmedBookArticle", "PubmedArticle PubmedBookArticle", pubmed_article, _NO_REFERENCES),
    _format("PubMed XML", "/MedlineCitation ArticleTitle", "MedlineCitation", pubmed_article, _NO_REFERENCES),
    _format("JATS", "/article article-meta", "article", jats_article, _NO_REFERENCES),
    _format("JATS", "book / book-meta", _ROOT, jats_article, _NO_REFERENCES),
    _format("BioC", "collection / document passage infon", "document", bioc_document, "annotations and references were left out"),
    _format("EndNote XML", "/record ref-type titles", "record", endnote_record),
    _format("ClinicalTrials.gov XML", "/clinical_study", "clinical_study", clinical_trial, _TRIAL_LEFT_OUT),
    _format("questions and answers", "/QAPairs QAPair", "Document doc document", question_answers),
    _format("CDA", "/ClinicalDocument", "ClinicalDocument", cda_document, "coded entries were left out: the texts of their sections were read"),
    _format("SPL", "document / structuredBody section", _ROOT, cda_document, "coded entries were left out: the texts of their sections were read"),
    _format("clinical note", "/TEXT TAGS", _ROOT, clinical_note, "tags inside the text were left out"),
    _format("ICD-10-CM tabular list", "ICD10CM.tabular ICD10PCS.tabular/ diag", _ROOT, tabular_list),
    _format("ICD-10-CM index", "/mainTerm", "mainTerm", index_term),
    _format("ClaML", "ClaML /", "Class", classification_class),
    _format("Akoma Ntoso", "akomaNtoso akomantoso /", "section article", AKOMA_NTOSO, "metadata and tables of contents were left out"),
    _format("USLM", "uscDoc lawDoc pLaw statutesAtLarge /", "section", USLM, "metadata and tables of contents were left out"),
    _format("House bill", "/legis-body section", "section", HOUSE, "metadata and tables of contents were left out"),
    _format("USLM", "bill resolution amendment / main", "section", USLM, "metadata and tables of contents were left out"),
    _format("legislation.gov.uk", "Legislation /", "P1group P1", CLML, "metadata and commentaries were left out"),
    _format("eCFR", "/DIV8 HEAD", "DIV8", ECFR, "tables of contents were left out"),
)  # fmt: skip
FHIR = "http://hl7.org/fhir"


def namespace_of(path: Path, report: Report) -> str:
    """The namespace of the root element; "" where there is none, and where it is no XML (its reader says so)."""
    try:
        for _, stack in xml_events(XmlSource(path, report), report):
            return str(stack[0].tag).rpartition("}")[0].removeprefix("{")
    except (JunkAfterRoot, Refused):
        pass
    return ""


def xml_rows(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of a file of a well-known format or of a list of records, else None; sets the columns first.

    :raises Refused: when it is not XML or uses entities of its own, here or while the rows are read.
    """
    report.format = "XML"
    with path.open("rb") as stream:
        refuse_other_kind(kind_of(stream), report.source, "XML")
    return known_rows(path, report) or xml_records(path, report)


def known_rows(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of a file of a well-known format, else None; sets `report.format` and `report.columns` first.

    A file that is one record has the file's name as its id; other records without an id have none.

    :raises Refused: when it is not XML or uses entities of its own, here or while the rows are read.
    """
    known = _known(path, report)
    if known is None:
        return None
    report.format = known.name
    if known.left_out:
        report.notes.append(known.left_out)
    return with_columns(_rows(XmlSource(path, report), report, known), report)


def _known(path: Path, report: Report) -> Format | None:
    names: set[str] = set()
    root = ""
    source = XmlSource(path, report)
    try:
        for count, (event, stack) in enumerate(xml_events(source, report)):
            if event == "start":
                name = local_name(stack[-1])
                root = root or name
                names.add(name)
            elif len(stack) > 1:
                stack[-1].clear()
            if count > _LOOKED_AT or source.pending > _LOOKED_AT_BYTES:
                break
    except JunkAfterRoot:
        return None
    for known in FORMATS:
        if (not known.roots or root in known.roots) and known.signs <= names:
            return known
    return None


def _rows(source: XmlSource, report: Report, known: Format) -> Iterator[Row]:
    number = 0
    try:
        for fields in _records(source, report, known):
            number += 1
            fields.setdefault("id", f"{stem_of(report.source)}-{number}")
            yield Row(f"record {number}", fields)
    except JunkAfterRoot:
        raise Refused(f"{report.source} is not XML: there is more after its end.") from None


def _records(source: XmlSource, report: Report, known: Format) -> Iterator[Fields]:
    used: set[str] = set()
    root: Element | None = None
    act: str | None = None
    for event, stack in xml_events(source, report):
        root = stack[0]
        if event != "end" or not _is_unit(stack, known):
            continue
        unit, single = stack[-1], len(stack) == 1
        strip_namespaces(unit)
        if known.dialect is not None:
            act = known.dialect.title(root) if act is None else act
            yield _alone(known.dialect.section(stack, act), used)
        elif known.read is not None:
            for fields in known.read(unit, single):
                yield _of_file(fields, report) if single and "id" not in fields else fields
        tail = unit.tail
        unit.clear()
        unit.tail = tail
        source.pending = 0
    if known.dialect is not None and root is not None:
        yield _of_file(known.dialect.rest(root), report)


def _is_unit(stack: Sequence["Element"], known: Format) -> bool:
    """Whether the last open element is a record: one of the names, and inside no other one."""
    if _ROOT in known.units:
        return len(stack) == 1
    if local_name(stack[-1]) not in known.units:
        return False
    return not any(local_name(element) in known.units for element in stack[:-1])


def _of_file(fields: Fields, report: Report) -> Fields:
    """A record that is the whole file, or what no record holds: known by the name of the file."""
    name = report.source
    plain = name[: -len(".gz")] if name.lower().endswith(".gz") else name
    named: Fields = {"id": plain, "title": PurePath(stem_of(name)).name}
    return {**named, **fields, "file": name}


def _alone(fields: Fields, used: set[str]) -> Fields:
    """Sections with an id that an earlier one has, as amended and repealed ones do, are numbered."""
    given = identity = str(fields.get("id", ""))
    number = 1
    while identity in used and identity:
        number += 1
        identity = f"{given}-{number}"
    used.add(identity)
    return {**fields, "id": identity} if identity else fields
