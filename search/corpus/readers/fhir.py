"""FHIR: a resource a document, its codes by their names, its attachments read."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.corpus.readers.attachments import attachment_blocks
from search.corpus.readers.blocks import Block, BlockText
from search.corpus.readers.html import content_of
from search.corpus.readers.report import Report, Row
from search.corpus.readers.xml.known import known_rows
from search.corpus.readers.xml.parsing import XmlSource, local_name, xml_events
from search.projects.errors import Refused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# What is about the resource, addresses, and what only programs use.
_NOT_READ = frozenset((
    "resourceType", "id", "meta", "implicitRules", "language", "identifier", "url", "system", "fullUrl", "reference",
    "contained", "extension", "modifierExtension", "masterIdentifier", "photo", "signature", "link", "endpoint",
    "version", "userSelected", "rank", "sequence", "linkId", "ifNoneExist", "versionId", "value_type",
))  # fmt: skip
_TITLES = (
    "code", "medicationCodeableConcept", "vaccineCode", "medication", "type", "title", "name", "description",
    "reasonCode", "category", "productCode", "scope",
)  # fmt: skip
_DATES = (
    "onsetDateTime", "effectiveDateTime", "performedDateTime", "occurrenceDateTime", "recordedDate", "authoredOn",
    "date", "issued", "created", "start", "birthDate",
)  # fmt: skip
_PEOPLE = ("subject", "patient", "beneficiary")
LEFT_OUT = "identifiers, extensions and addresses were left out"
"""What a report says of every file of FHIR."""
_DEPTH = 20
_NOTES = 20
_CHOICE = re.compile(
    r"^(value|onset|effective|performed|occurrence|medication|deceased|abatement|reported|product|item)"
    r"(?:Quantity|CodeableConcept|String|Boolean|Integer|Range|Ratio|DateTime|Period|Time|Age|Timing|Reference)$"
)


def is_resource(fields: Mapping[str, Any]) -> bool:
    """Whether an object is a resource, or the entry of a bundle that holds one."""
    inner = fields.get("resource", fields)
    return isinstance(inner, Mapping) and isinstance(inner.get("resourceType"), str)


def resource_rows(row: Row, report: Report) -> Iterator[Row]:
    """The resource of a row; of a bundle, one row for each of its entries; nothing for what only describes a bundle."""
    resource = row.fields.get("resource", row.fields)
    if not isinstance(resource, Mapping):
        return
    entries = resource.get("entry")
    if resource.get("resourceType") == "Bundle" and isinstance(entries, list):
        for number, entry in enumerate(entries, start=1):
            if isinstance(entry, Mapping) and is_resource(entry):
                yield from resource_rows(Row(f"{row.where}, entry {number}", entry), report)
        return
    yield Row(row.where, _fields(resource, report, row.where), row.fields)


def fhir_xml_rows(path: Path, report: Report) -> Iterator[Row]:
    """The resources of a file in FHIR's XML, as their JSON has them.

    :raises Refused: when it is not XML, or uses entities of its own.
    """
    report.format = "FHIR XML"
    report.notes.append(LEFT_OUT)
    number = 0
    source = XmlSource(path, report)
    for event, stack in xml_events(source, report):
        bundle = local_name(stack[0]) == "Bundle"
        entry = len(stack) == 2 and local_name(stack[-1]) == "entry"
        if event == "end" and (entry if bundle else len(stack) == 1):
            number += 1
            element = stack[-1]
            value = _plain(element, 0)
            if isinstance(value, dict) and not bundle:
                value = {"resourceType": local_name(element), **value}
            element.clear()
            source.pending = 0
            if isinstance(value, dict) and is_resource(value):
                yield from resource_rows(Row(f"entry {number}", value), report)


def _plain(element: "Element", depth: int) -> Any:
    """An element as the JSON of FHIR has it; one that stands once is no list, which the reader does not mind."""
    name = local_name(element)
    if name == "div" and not element.get("value"):
        from xml.etree.ElementTree import tostring

        for inner in element.iter():
            inner.tag = local_name(inner)
        return tostring(element, encoding="unicode", method="html")
    children = list(element)
    if not children:
        return element.get("value", "")
    if name in ("resource", "contained") and len(children) == 1:
        inner = _plain(children[0], depth + 1)
        return {
            "resourceType": local_name(children[0]),
            **(inner if isinstance(inner, dict) else {}),
        }
    values: dict[str, Any] = {}
    for child in children:
        key, value = local_name(child), _plain(child, depth + 1)
        if key in values:
            before = values[key]
            values[key] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            values[key] = value
    return values


def _fields(resource: Mapping[str, Any], report: Report, where: str) -> dict[str, Any]:
    kind, identity = str(resource["resourceType"]), resource.get("id")
    blocks = [*_narrative(resource, report), *_lines(resource, report, where)]
    title = next((said for name in _TITLES if (said := _short(resource.get(name)))), "")
    fields: dict[str, Any] = {
        "id": f"{kind}/{identity}" if identity else f"{kind}-{where.rpartition(' ')[2]}",
        "title": title or _words(kind),
        "text": BlockText(tuple(blocks)),
        "resourceType": kind,
        "status": _short(resource.get("clinicalStatus") or resource.get("status")),
        "category": _short(resource.get("category")),
        "date": next(
            (str(resource[name])[:10] for name in _DATES if isinstance(resource.get(name), str)), ""
        ),
        "subject": next((said for name in _PEOPLE if (said := _reference(resource.get(name)))), ""),
        "code": "; ".join(_codes(resource.get("code"))),
    }
    return {name: value for name, value in fields.items() if value != ""}


def _narrative(resource: Mapping[str, Any], report: Report) -> list[Block]:
    """The text that a program or a person wrote for people; a generated one says what the fields say."""
    text = resource.get("text")
    if not isinstance(text, Mapping) or not isinstance(text.get("div"), str):
        return []
    return content_of(text["div"], Report(report.source))[1]


def _lines(resource: Mapping[str, Any], report: Report, where: str) -> Iterator[Block]:
    """A paragraph for each field: its name, and what it says."""
    if resource.get("resourceType") == "Binary":
        yield from _file(resource, report, where)
        return
    for name, value in resource.items():
        if name in _NOT_READ or name == "text":
            continue
        files: list[Mapping[str, Any]] = []
        said = "; ".join(dict.fromkeys(_said(value, files, 0)))
        if said:
            yield Block(f"{_words(name)}: {said}")
        for file in files:
            yield from _file(file, report, where)
    contained = resource.get("contained")
    for inner in contained if isinstance(contained, list) else [contained]:
        if isinstance(inner, Mapping):
            yield from _lines(inner, report, where)


def _said(value: Any, files: list[Mapping[str, Any]], depth: int) -> Iterator[str]:
    """What a value says to people; attachments are put aside in `files`."""
    if depth > _DEPTH or value is None:
        return
    if isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, str | int | float):
        if text := str(value).strip():
            yield text
    elif isinstance(value, list):
        for item in value:
            yield from _said(item, files, depth + 1)
    elif isinstance(value, Mapping):
        yield from _said_by_object(value, files, depth)


def _said_by_object(
    value: Mapping[str, Any], files: list[Mapping[str, Any]], depth: int
) -> Iterator[str]:
    if "contentType" in value or ("data" in value and "origin" not in value):
        files.append(value)
        if title := value.get("title"):
            yield str(title)
    elif (
        "coding" in value
        or "display" in value
        or ("code" in value and "system" in value and "value" not in value)
    ):
        yield from _concept(value)
    elif "value" in value and ("unit" in value or "code" in value or "currency" in value):
        unit = value.get("unit") or value.get("code") or value.get("currency")
        yield " ".join(
            str(part)
            for part in (value.get("comparator"), value["value"], unit)
            if part not in (None, "")
        )
    elif "family" in value or "given" in value:
        names = [value.get(part) for part in ("prefix", "given", "family", "suffix")]
        yield " ".join(" ".join(_said(name, files, depth + 1)) for name in names if name)
    elif "start" in value or ("end" in value and len(value) <= 2):
        yield " to ".join(str(value[end]) for end in ("start", "end") if value.get(end))
    else:
        parts = []
        for name, inner in value.items():
            if name in _NOT_READ:
                continue
            if name == "div" and isinstance(inner, str):
                inner = " ".join(block.text for block in content_of(inner, Report(""))[1])
            if said := ", ".join(_said(inner, files, depth + 1)):
                plain = name in ("text", "concept", "name", "code", "div")
                parts.append(said if plain else f"{_words(name).lower()} {said}")
        yield ", ".join(parts)


def _concept(value: Mapping[str, Any]) -> Iterator[str]:
    """A code: its names, and the codes in brackets."""
    codings = value.get("coding", [value])
    for coding in codings if isinstance(codings, list) else [codings]:
        if isinstance(coding, Mapping):
            name, code = coding.get("display"), coding.get("code")
            shown = f"{name} ({code})" if name and code and isinstance(code, str) else name or code
            if shown:
                yield str(shown)
    if isinstance(value.get("text"), str):
        yield value["text"]


def _codes(value: Any) -> list[str]:
    codings = value.get("coding") if isinstance(value, Mapping) else None
    items = codings if isinstance(codings, list) else [codings]
    return [str(item["code"]) for item in items if isinstance(item, Mapping) and item.get("code")]


def _short(value: Any) -> str:
    """The best name of a value: the text of a code, else the name of its first coding, else the value."""
    if isinstance(value, list):
        return next((said for item in value if (said := _short(item))), "")
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str):
            return str(value["text"])
        if "coding" in value:
            return next((said for said in (_short(value["coding"]),) if said), "")
        return str(value.get("display") or "") or next(iter(_said(value, [], 0)), "")
    return value if isinstance(value, str) else ""


def _reference(value: Any) -> str:
    return (
        str(value.get("display") or value.get("reference") or "")
        if isinstance(value, Mapping)
        else ""
    )


def _file(file: Mapping[str, Any], report: Report, where: str) -> Iterator[Block]:
    """An attachment that lies inside the file; what does not, and what cannot be read, is noted."""
    kind, data = str(file.get("contentType") or ""), file.get("data")
    named = f"the attachment of {where}"
    problem = f"{named} lies elsewhere and was not read" if file.get("url") else ""
    if isinstance(data, str) and data:
        try:
            yield from attachment_blocks(data, kind, named, _xml_blocks)
            return
        except Refused as error:
            problem = str(error).rstrip(".")
    if problem and len(report.notes) < _NOTES:
        report.notes.append(problem)
    elif problem and len(report.notes) == _NOTES:
        report.notes.append("further attachments were not read")


def _xml_blocks(path: Path, report: Report) -> list[Block]:
    """The text of an attached document in XML of a well-known format, as CDA is.

    :raises Refused: when it is of no such format.
    """
    texts = [row.fields.get("text", "") for row in known_rows(path, report) or ()]
    blocks = [block for text in texts if isinstance(text, BlockText) for block in text.blocks]
    if not blocks:
        raise Refused(f"{report.source} is XML of a kind that is not read here.")
    return blocks


def _words(name: str) -> str:
    """The name of a field as words, without the type of a choice: "Clinical status", "Onset"."""
    name = _CHOICE.sub(r"\1", name)
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).strip()
    return parts[:1].upper() + parts[1:].lower()
