"""Clinical documents and trials: CDA, i2b2 and n2c2 notes, ClinicalTrials.gov, questions and answers as MedQuAD has them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from search.corpus.readers.attachments import attachment_blocks
from search.corpus.readers.blocks import Block, paragraphs
from search.corpus.readers.report import Unusable
from search.corpus.readers.xml.fields import Fields, blocks_of, first_text, headed, record, texts
from search.corpus.readers.xml.prose import flat_text
from search.projects.errors import Refused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def cda_document(document: "Element", single: bool) -> Iterator[Fields]:
    """A `ClinicalDocument`, or a `document` of structured product labelling: the texts of its sections, which are what its author signed.

    A section without a text is read by the names of its codes; the other entries say the same for machines.
    """
    blocks: list[Block] = []
    for section in document.iterfind("component/structuredBody/component/section"):
        blocks += _section(section, 1)
    body = document.find("component/nonXMLBody/text")
    problem = ""
    if body is not None and body.get("representation", "").upper() == "B64":
        try:
            kind = body.get("mediaType", "text/plain")
            blocks += attachment_blocks(body.text or "", kind, "the document inside")
        except Refused as error:
            problem = str(error)
    elif body is not None:
        blocks += paragraphs(body.text or "")
    effective = document.find("effectiveTime")
    code = document.find("code")
    person = "assignedAuthor/assignedPerson/name"
    fields = record(
        first_text(document, "title"),
        blocks,
        "" if single else _identifier(document),
        patient=first_text(document, "recordTarget/patientRole/patient/name"),
        author=texts(document, f"author/{person}"),
        date=_date("" if effective is None else effective.get("value", "")),
        type="" if code is None else code.get("displayName", ""),
    )
    if problem:
        fields["text"] = Unusable(f"is missing: {problem}")
    yield fields


def _section(section: "Element", level: int) -> list[Block]:
    blocks = blocks_of(section.find("text"))
    if not blocks:
        names = [
            one.get("displayName", "")
            for entry in section.iterfind("entry")
            for one in entry.iter()
            if one.get("displayName")
        ]
        blocks = [Block(name) for name in dict.fromkeys(names)]
    for inner in section.iterfind("component/section"):
        blocks += _section(inner, 1)
    return headed(first_text(section, "title"), blocks, level)


def _identifier(document: "Element") -> str:
    found = document.find("id")
    return "" if found is None else found.get("extension") or found.get("root") or ""


def _date(value: str) -> str:
    """A time of HL7 (20240312...) as a date of ISO 8601."""
    return (
        f"{value[:4]}-{value[4:6]}-{value[6:8]}"
        if value[:8].isdecimal() and len(value) >= 8
        else value
    )


def clinical_note(root: "Element", single: bool) -> Iterator[Fields]:
    """The notes of i2b2 and n2c2: `TEXT` as it is; `TAGS` that say "met" or "not met" are metadata."""
    notes = (
        [root]
        if root.find("TEXT") is not None
        else [one for one in root if one.find("TEXT") is not None]
    )
    for note in notes:
        content = "".join("".join(text.itertext()) for text in note.iterfind("TEXT"))
        tags = {
            tag.tag: tag.get("met", "")
            for tag in note.iterfind("TAGS/*")
            if set(tag.attrib) == {"met"}
        }
        identity = "" if single and note is root else note.get("ID") or note.get("id") or ""
        yield {**record("", paragraphs(content), identity), **tags}


_TRIAL = (  # heading, the elements under it, and what of each is read; "" is all of it
    ("Summary", "brief_summary", ("",)),
    ("Description", "detailed_description", ("",)),
    ("Conditions", "condition", ("",)),
    ("Interventions", "intervention", ("intervention_type", "intervention_name", "description", "other_name")),
    ("Arms", "arm_group", ("arm_group_label", "arm_group_type", "description")),
    ("Primary outcomes", "primary_outcome", ("measure", "time_frame", "description")),
    ("Secondary outcomes", "secondary_outcome", ("measure", "time_frame", "description")),
    ("Eligibility", "eligibility/criteria", ("",)),
    ("Keywords", "keyword", ("",)),
)  # fmt: skip


def clinical_trial(study: "Element", _single: bool) -> Iterator[Fields]:
    """A `clinical_study` of ClinicalTrials.gov: titles, summary, description, arms, outcomes, eligibility."""
    title = first_text(study, "brief_title", "official_title")
    official = first_text(study, "official_title")
    blocks = [Block(official)] if official != title else []
    for heading, path, parts in _TRIAL:
        inner: list[Block] = []
        for one in study.iterfind(path):
            if parts == ("",):
                inner += blocks_of(one)
            else:
                inner.append(Block(". ".join(texts(one, *parts))))
        blocks += headed(heading, inner)
    yield record(
        title,
        blocks,
        first_text(study, "id_info/nct_id"),
        status=first_text(study, "overall_status"),
        phase=first_text(study, "phase"),
        type=first_text(study, "study_type"),
        gender=first_text(study, "eligibility/gender"),
        minimum_age=first_text(study, "eligibility/minimum_age"),
        maximum_age=first_text(study, "eligibility/maximum_age"),
        start_date=first_text(study, "start_date"),
        conditions=texts(study, "condition"),
        sponsor=first_text(study, "sponsors/lead_sponsor/agency"),
    )


def question_answers(document: "Element", _single: bool) -> Iterator[Fields]:
    """The pairs of a page of questions and answers: each answer a document, its question the title."""
    focus = first_text(document, "Focus")
    for pair in document.iterfind("QAPairs/QAPair"):
        question = pair.find("Question")
        asked = "" if question is None else question.get("qid", "")
        answer = pair.find("Answer")
        blocks = blocks_of(answer)
        fields = record(
            flat_text(question) or focus,
            blocks,
            asked or "-".join(filter(None, (document.get("id", ""), pair.get("pid", "")))),
            focus=focus,
            question_type="" if question is None else question.get("qtype", ""),
            source=document.get("source", ""),
            url=document.get("url", ""),
            synonyms=texts(document, "FocusAnnotations/Synonyms/Synonym"),
            semantic_group=texts(document, "FocusAnnotations/UMLS/SemanticGroup"),
        )
        if not blocks:
            fields["text"] = Unusable("is missing: the question has no answer")
        yield fields
