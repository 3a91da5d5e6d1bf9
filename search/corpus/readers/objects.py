"""JSON objects of well-known kinds: FHIR, opinions and cases, trials, papers, data sets of questions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from search.corpus.readers.blocks import Block, BlockText, paragraphs
from search.corpus.readers.cells import with_columns
from search.corpus.readers.fhir import LEFT_OUT, is_resource, resource_rows
from search.corpus.readers.html import content_of
from search.corpus.readers.paths import joined, value_at
from search.corpus.readers.report import BadField, Report, Row, Unusable
from search.corpus.readers.text_columns import is_markup
from search.projects.errors import Refused

OBJECTS = (".json", ".jsonl", ".ndjson")
"""The endings of files that hold objects."""
_AHEAD = 100
_SHARE = 0.8


@dataclass(frozen=True)
class Kind:
    """A kind of object: what it is called, how one is known, and the rows that it becomes."""

    name: str
    is_one: Callable[[Mapping[str, Any]], bool]
    rows: Callable[[Row, Report], Iterator[Row]]
    left_out: str = ""


def known_objects(rows: Iterator[Row], report: Report) -> Iterator[Row]:
    """The rows of objects of a well-known kind as records with id, title, text and metadata; others as they are.

    What they were made of stays reachable by paths.
    """
    ahead = list(islice(rows, _AHEAD))
    together = chain(ahead, rows)
    for kind in KINDS:
        if ahead and sum(kind.is_one(row.fields) for row in ahead) >= _SHARE * len(ahead):
            report.format = f"{kind.name} ({report.format})"
            if kind.left_out:
                report.notes.append(kind.left_out)
            return with_columns(_made(together, kind, report), report)
    return together


def _made(rows: Iterator[Row], kind: Kind, report: Report) -> Iterator[Row]:
    for row in rows:
        try:
            if kind.is_one(row.fields):
                yield from kind.rows(row, report)
            else:
                yield row
        except (Refused, BadField) as error:
            report.refuse(row.where, str(error))


def _text(fields: Mapping[str, Any], path: str, separator: str = "; ") -> str:
    value = joined(value_at(fields, path), separator)
    return (
        "" if value is None or isinstance(value, list | Mapping | Unusable) else str(value).strip()
    )


def _blocks(text: str, source: str = "") -> list[Block]:
    return content_of(text, Report(source))[1] if is_markup(text) else list(paragraphs(text))


def _record(
    row: Row, title: str, blocks: list[Block], metadata: Mapping[str, str], identity: str = ""
) -> Row:
    given = {"id": identity, "title": title}
    fields: dict[str, Any] = {name: value for name, value in given.items() if value}
    fields["text"] = BlockText(tuple(blocks))
    return Row(
        row.where, fields | {name: value for name, value in metadata.items() if value}, row.fields
    )


def _under(heading: str, texts: list[str]) -> list[Block]:
    blocks = [block for text in texts if text for block in _blocks(text)]
    return [Block(heading, 1), *blocks] if blocks else []


_OPINION = (  # the texts of one opinion as its publisher prefers them
    "html_with_citations", "html_columbia", "html_lawbox", "html_anon_2020", "xml_harvard", "html", "plain_text",
)  # fmt: skip


def _opinion(row: Row, report: Report) -> Iterator[Row]:
    fields = row.fields
    text = next((said for name in _OPINION if (said := _text(fields, name))), "")
    if not text:
        raise BadField("the text is empty: none of its text and HTML fields has one")
    metadata = {
        str(name): _text(fields, str(name))
        for name in fields
        if name not in _OPINION and name not in ("id", "case_name", "caseName")
    }
    title = _text(fields, "case_name") or _text(fields, "caseName")
    yield _record(row, title, _blocks(text, report.source), metadata, _text(fields, "id"))


def _case(row: Row, report: Report) -> Iterator[Row]:
    fields = row.fields
    body = value_at(fields, "casebody.data") or fields["casebody"]
    blocks: list[Block] = []
    if isinstance(body, str):
        blocks = _blocks(body, report.source)
    elif isinstance(body, Mapping):
        blocks = _blocks(_text(body, "head_matter"))
        opinions = body.get("opinions")
        for opinion in opinions if isinstance(opinions, list) else []:
            if isinstance(opinion, Mapping):
                by = [_text(opinion, "type").capitalize(), _text(opinion, "author")]
                blocks += _under(", ".join(filter(None, by)) or "Opinion", [_text(opinion, "text")])
    names = ("name_abbreviation", "decision_date", "docket_number", "url", "frontend_url")
    metadata = {name: _text(fields, name) for name in names}
    metadata |= {
        "court": _text(fields, "court.name"),
        "jurisdiction": _text(fields, "jurisdiction.name"),
    }
    metadata["citations"] = _text(fields, "citations[].cite")
    yield _record(row, _text(fields, "name"), blocks, metadata, _text(fields, "id"))


def _trial(row: Row, _report: Report) -> Iterator[Row]:
    study = row.fields["protocolSection"]

    def items(path: str, *parts: str) -> list[str]:
        found = value_at(study, path)
        each = found if isinstance(found, list) else []
        return [
            ". ".join(filter(None, (_text(one, part) for part in parts)))
            for one in each
            if isinstance(one, Mapping)
        ]

    who = "identificationModule."
    title, official = _text(study, f"{who}briefTitle"), _text(study, f"{who}officialTitle")
    outcome = ("measure", "timeFrame", "description")
    blocks = [Block(official)] if title and official and official != title else []
    for heading, texts in (
        ("Summary", [_text(study, "descriptionModule.briefSummary")]),
        ("Description", [_text(study, "descriptionModule.detailedDescription")]),
        ("Conditions", [_text(study, "conditionsModule.conditions")]),
        (
            "Interventions",
            items("armsInterventionsModule.interventions", "type", "name", "description"),
        ),
        ("Arms", items("armsInterventionsModule.armGroups", "label", "type", "description")),
        ("Primary outcomes", items("outcomesModule.primaryOutcomes", *outcome)),
        ("Secondary outcomes", items("outcomesModule.secondaryOutcomes", *outcome)),
        ("Eligibility", [_text(study, "eligibilityModule.eligibilityCriteria")]),
        ("Keywords", [_text(study, "conditionsModule.keywords")]),
    ):
        blocks += _under(heading, texts)
    paths = {
        "status": "statusModule.overallStatus", "start_date": "statusModule.startDateStruct.date",
        "type": "designModule.studyType", "phase": "designModule.phases", "sex": "eligibilityModule.sex",
        "minimum_age": "eligibilityModule.minimumAge", "maximum_age": "eligibilityModule.maximumAge",
        "conditions": "conditionsModule.conditions", "sponsor": "sponsorCollaboratorsModule.leadSponsor.name",
    }  # fmt: skip
    metadata = {name: _text(study, path) for name, path in paths.items()}
    yield _record(row, title or official, blocks, metadata, _text(study, f"{who}nctId"))


def _contexts(row: Row, _report: Report) -> Iterator[Row]:
    title = _text(row.fields, "title")
    for number, paragraph in enumerate(row.fields["paragraphs"], start=1):
        if isinstance(paragraph, Mapping):
            text = _text(paragraph, "context")
            where = Row(f"{row.where}, paragraph {number}", row.fields)
            yield _record(where, title.replace("_", " "), list(paragraphs(text)), {})


def _answered(row: Row, _report: Report) -> Iterator[Row]:
    fields = row.fields
    blocks = [
        block
        for path in ("ideal_answer", "snippets[].text")
        for block in paragraphs(_text(fields, path, "\n\n"))
    ]
    yield _record(
        row, _text(fields, "body"), blocks, {"type": _text(fields, "type")}, _text(fields, "id")
    )


def _paper(row: Row, _report: Report) -> Iterator[Row]:
    """A paper of CORD-19 or S2ORC."""
    fields = row.fields
    blocks = _under("Abstract", [_text(fields, "abstract[].text", "\n\n")])
    heading = ""
    for part in fields["body_text"]:
        if isinstance(part, Mapping):
            section = _text(part, "section")
            if section and section != heading:
                blocks.append(Block(section, 1))
            heading = section
            blocks += list(paragraphs(_text(part, "text")))
    title = _text(fields, "metadata.title") or _text(fields, "title")
    yield _record(row, title, blocks, {}, _text(fields, "paper_id"))


def _passages(row: Row, _report: Report) -> Iterator[Row]:
    """A document of BioC."""
    title, blocks = "", []
    for passage in row.fields["passages"]:
        kind = _text(passage, "infons.type").lower()
        text = _text(passage, "text") or _text(passage, "sentences[].text", " ")
        if _text(passage, "infons.section_type").upper() == "REF" or kind == "ref" or not text:
            continue
        if not title and kind in ("front", "title"):
            title = text
        else:
            blocks.append(Block(text, 2 if kind.startswith("title") else 0))
    yield _record(row, title, blocks, {}, _text(row.fields, "id"))


def _label(row: Row, _report: Report) -> Iterator[Row]:
    """A drug label of openFDA: each section under its name; tables are there a second time, as markup."""
    fields = row.fields
    blocks: list[Block] = []
    for name, value in fields.items():
        if isinstance(value, list) and not str(name).endswith("_table"):
            blocks += _under(
                str(name).replace("_", " ").capitalize(), [_text(fields, str(name), "\n\n")]
            )
    brand, generic = (_text(fields, f"openfda.{kind}_name") for kind in ("brand", "generic"))
    paths = (
        "openfda.manufacturer_name",
        "openfda.route",
        "openfda.rxcui",
        "effective_time",
        "set_id",
    )
    metadata = {path.removeprefix("openfda."): _text(fields, path) for path in paths}
    title = " – ".join(dict.fromkeys(filter(None, (brand, generic))))
    yield _record(row, title, blocks, metadata, _text(fields, "id"))


def _has(**types: type) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an object has some fields, each of a type."""
    return lambda fields: all(isinstance(fields.get(name), of) for name, of in types.items())


def _is_case(fields: Mapping[str, Any]) -> bool:
    body = value_at(fields, "casebody.data") or fields.get("casebody")
    return isinstance(body, str) or (isinstance(body, Mapping) and "opinions" in body)


def _is_opinion(fields: Mapping[str, Any]) -> bool:
    return "plain_text" in fields and any(name in fields for name in _OPINION[:-1])


def _is_squad(fields: Mapping[str, Any]) -> bool:
    parts = fields.get("paragraphs")
    return isinstance(parts, list) and all(
        isinstance(one, Mapping) and "context" in one for one in parts
    )


def _is_bioc(fields: Mapping[str, Any]) -> bool:
    passages = fields.get("passages")
    return isinstance(passages, list) and all(
        isinstance(one, Mapping) and "infons" in one for one in passages
    )


_NO_REFERENCES = "the lists of references were left out"
KINDS = (
    Kind("FHIR", is_resource, resource_rows, LEFT_OUT),
    Kind("opinions", _is_opinion, _opinion),
    Kind("cases", _is_case, _case),
    Kind(
        "ClinicalTrials.gov",
        _has(protocolSection=dict),
        _trial,
        "sites, contacts, results and documents of trials were left out",
    ),
    Kind("passages with questions", _is_squad, _contexts, "the questions were left out"),
    Kind("drug labels", _has(openfda=dict, id=str), _label, "tables in markup were left out"),
    Kind("questions with snippets", _has(body=str, snippets=list), _answered),
    Kind("papers", _has(body_text=list), _paper, _NO_REFERENCES),
    Kind("BioC", _is_bioc, _passages, _NO_REFERENCES),
)
