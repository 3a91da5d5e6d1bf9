"""FHIR: a resource a document, in JSON, NDJSON and XML; codes by their names, attachments read."""

import base64
import json

import pytest

from search.corpus.document import Document

PRESSURE = {
    "resourceType": "Observation", "id": "o1", "status": "final", "meta": {"profile": ["http://x"]},
    "text": {"status": "generated", "div": "<div><p>BP <b>120</b>/80</p></div>"},
    "category": [{"coding": [{"code": "vital-signs", "display": "Vital Signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure panel"}]},
    "subject": {"reference": "Patient/p1", "display": "Asha Example"}, "effectiveDateTime": "2024-03-12T08:00:00Z",
    "component": [
        {"code": {"text": "Systolic"}, "valueQuantity": {"value": 120, "unit": "mmHg"}},
        {"code": {"text": "Diastolic"}, "valueQuantity": {"comparator": "<", "value": 80, "unit": "mmHg"}},
    ],
    "referenceRange": [{"low": {"value": 90, "unit": "mmHg"}, "text": "normal"}],
}  # fmt: skip
ALLERGY = {
    "resourceType": "AllergyIntolerance", "id": "a1", "code": {"text": "Penicillin"}, "criticality": "high",
    "reaction": [{"manifestation": [{"coding": [{"display": "Urticaria", "code": "126485001"}]}], "severity": "mild"}],
    "contained": [{"resourceType": "Practitioner", "id": "x", "name": [{"family": "Doe", "prefix": ["Dr"]}]}],
    "identifier": [{"value": "SECRET-1"}], "doNotPerform": False,
}  # fmt: skip


def test_what_a_resource_says(documents):
    lines = "\n".join(map(json.dumps, [PRESSURE, ALLERGY]))
    (pressure, allergy), report = documents("a.ndjson", lines)
    assert pressure == Document(
        "Observation/o1",
        "Blood pressure panel",
        "BP 120/80\n\nStatus: final\n\nCategory: Vital Signs (vital-signs)\n\nCode: Blood pressure panel (85354-9)\n\n"
        "Subject: Asha Example\n\nEffective: 2024-03-12T08:00:00Z\n\n"
        "Component: Systolic, value 120 mmHg; Diastolic, value < 80 mmHg\n\nReference range: low 90 mmHg, normal",
        {
            "resourceType": "Observation", "status": "final", "category": "Vital Signs", "date": "2024-03-12",
            "subject": "Asha Example", "code": "85354-9",
        },
    )  # fmt: skip
    assert allergy.title == "Penicillin"
    assert allergy.text == (
        "Code: Penicillin\n\nCriticality: high\n\nReaction: manifestation Urticaria (126485001), severity mild\n\n"
        "Do not perform: no\n\nName: Dr Doe"
    )
    assert report.format == "FHIR (JSONL)"
    assert report.notes == ["identifiers, extensions and addresses were left out"]


def test_bundles_one_a_line_and_resources_without_an_id(documents):
    entries = [{"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Condition", "code": {"text": word}}} for word in ("Gout", "Sprain")]  # fmt: skip
    bundle = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    other = json.dumps({"resourceType": "Bundle", "entry": [{"resource": PRESSURE}]})
    found, _ = documents("a.ndjson", f"{bundle}\n{other}\n")
    assert [(d.id, d.title) for d in found] == [
        ("Condition-1", "Gout"), ("Condition-2", "Sprain"), ("Observation/o1", "Blood pressure panel"),
    ]  # fmt: skip
    (single,), _ = documents("b.json", json.dumps(ALLERGY))
    assert single.id == "AllergyIntolerance/a1"


def attached(raw: bytes, kind: str, **more: str) -> str:
    data = base64.b64encode(raw).decode()
    file = {"contentType": kind, "data": data, **more}
    resource = {
        "resourceType": "DocumentReference",
        "id": "d",
        "description": "Letter",
        "content": [{"attachment": file}],
    }
    return json.dumps(resource)


CDA = (
    b"<ClinicalDocument xmlns='urn:hl7-org:v3'><component><structuredBody><component><section><title>Plan</title>"
    b"<text>Rest.</text></section></component></structuredBody></component></ClinicalDocument>"
)


@pytest.mark.parametrize(
    ("raw", "kind", "says"),
    [
        (b"Infarction.\n\nAspirin 75 mg.", "text/plain", "Infarction.\n\nAspirin 75 mg."),
        ("Fièvre".encode("latin-1"), "text/plain; charset=ISO-8859-1", "Fièvre"),
        (b"<p>Rest <b>well</b></p><script>x</script>", "text/html", "Rest well"),
        (CDA, "application/xml", "Plan\n\nRest."),
    ],
)  # fmt: skip
def test_attachments_are_read(documents, raw, kind, says):
    (found,), report = documents("a.json", attached(raw, kind))
    assert found.text == f"Description: Letter\n\n{says}"
    assert len(report.notes) == 1


def test_an_attached_pdf_is_read(documents, shared_data):
    raw = (shared_data.parent / "cases" / "documents" / "ligature.pdf").read_bytes()
    (found,), _ = documents("a.json", attached(raw, "application/pdf"))
    assert "differentiated" in found.text


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (attached(b"{\\rtf1 x}", "application/rtf"), "the attachment of item 1 is RTF, which is not read here. Save it as a file of its own"),
        (attached(b"\x89PNG\x00", "image/png"), "the attachment of item 1 is of the kind 'image/png', which is not read"),
        (attached(b"<a/>", "text/xml"), "the attachment of item 1 is XML of a kind that is not read here"),
        (attached(b"x", "text/plain", data="*?*"), "the attachment of item 1 is damaged: it is no base64"),
        (attached(b"", "text/plain", url="http://x/Binary/1"), "the attachment of item 1 lies elsewhere and was not read"),
    ],
)  # fmt: skip
def test_attachments_that_are_not_read_are_noted(documents, content, note):
    (found,), report = documents("a.json", content)
    assert found.text == "Description: Letter"
    assert report.notes[-1] == note


def test_xml(documents):
    one = (
        "<Condition><id value='c1'/><text><status value='generated'/><div xmlns='http://www.w3.org/1999/xhtml'>"
        "<p>It <i>hurts</i></p></div></text><code><coding><code value='M10'/><display value='Gout'/></coding></code>"
        "<note><text value='One'/></note><note><text value='Two'/></note></Condition>"
    )
    two = (
        "<Patient><name><family value='Doe'/><given value='J'/><given value='K'/></name></Patient>"
    )
    entries = "".join(f"<entry><resource>{each}</resource></entry>" for each in (one, two))
    found, report = documents(
        "a.xml", f"<Bundle xmlns='http://hl7.org/fhir'><type value='x'/>{entries}</Bundle>"
    )
    assert found == [
        Document(
            "Condition/c1", "Gout", "It hurts\n\nCode: Gout (M10)\n\nNote: One; Two",
            {"resourceType": "Condition", "code": "M10"},
        ),
        Document("Patient-2", "J K Doe", "Name: J K Doe", {"resourceType": "Patient"}),
    ]  # fmt: skip
    assert report.format == "FHIR XML"
    single = one.replace("<Condition>", "<Condition xmlns='http://hl7.org/fhir'>")
    assert documents("b.xml", single)[0][0].id == "Condition/c1"
