"""JSON of well-known kinds: what a document is; what it was made of stays reachable."""

import json

import pytest

from search.corpus.document import Document

CASE = {
    "id": 5, "name": "Doe v. Roe", "citations": [{"cite": "1 Ex. 2"}], "court": {"name": "High Court"},
    "casebody": {"data": {"head_matter": "Head.", "opinions": [
        {"type": "majority", "author": "DOE, J.", "text": "Affirmed.\n\nCosts."}, {"type": "dissent", "text": "No."}]}},
}  # fmt: skip


def test_a_case(documents):
    (found,), report = documents("case.json", json.dumps(CASE))
    assert (found.id, found.title) == ("5", "Doe v. Roe")
    assert found.text == "Head.\n\nMajority, DOE, J.\n\nAffirmed.\n\nCosts.\n\nDissent\n\nNo."
    assert [mark.heading for mark in found.marks] == ["Majority, DOE, J.", "Dissent"]
    assert found.metadata == {"court": "High Court", "citations": "1 Ex. 2"}
    assert report.format == "cases (JSON)"
    (chosen,), report = documents(
        "case.json", json.dumps(CASE), text="casebody.data.opinions[].text", title="name"
    )
    assert (chosen.text, chosen.title) == ("Affirmed.\n\nCosts.\n\nNo.", "Doe v. Roe")


def test_opinions_have_their_text_where_there_is_one(documents):
    rows = [
        {
            "id": 1,
            "plain_text": "",
            "html": "",
            "html_with_citations": "<p>We <em>affirm</em>.</p>",
            "sha1": "0",
        },
        {"id": 2, "plain_text": "Reversed.", "html": "", "html_with_citations": ""},
        {"id": 3, "plain_text": "", "html": "", "html_with_citations": ""},
    ]
    found, report = documents("a.jsonl", "\n".join(map(json.dumps, rows)))
    assert found == [Document("1", "", "We affirm.", {"sha1": "0"}), Document("2", "", "Reversed.")]
    assert [(row.where, row.reason) for row in report.refused] == [
        ("line 3", "the text is empty: none of its text and HTML fields has one")
    ]


TRIAL = {"protocolSection": {
    "identificationModule": {"nctId": "NCT1", "briefTitle": "Walking", "officialTitle": "Of walking"},
    "descriptionModule": {"briefSummary": "They walk."}, "conditionsModule": {"conditions": ["Gout", "Age"]},
    "armsInterventionsModule": {"interventions": [{"type": "OTHER", "name": "Walk", "description": "Daily"}]},
    "eligibilityModule": {"eligibilityCriteria": "Adults", "sex": "ALL"}, "contactsLocationsModule": {"locations": [{}]},
}}  # fmt: skip
SQUAD = {"version": "1", "data": [{"title": "Gout_care", "paragraphs": [
    {"context": "Rest helps.", "qas": [{"question": "What helps?"}]}, {"context": "Ice, too.", "qas": []}]}]}  # fmt: skip
BIOASQ = {"questions": [{"id": "b1", "body": "Is gout rare?", "type": "yesno", "documents": ["http://x/1"],
    "ideal_answer": ["No."], "snippets": [{"text": "It is common.", "document": "http://x/1"}]}]}  # fmt: skip
PAPER = {"paper_id": "p1", "metadata": {"title": "On gout"}, "abstract": [{"text": "Short."}], "bib_entries": {},
    "body_text": [{"section": "Intro", "text": "A."}, {"section": "Intro", "text": "B."}]}  # fmt: skip
LABEL = {"results": [{"id": "l1", "set_id": "s", "openfda": {"brand_name": ["EXAMPLINE"], "generic_name": ["EX"]},
    "dosage_and_administration": ["Take 5 mg.", "Daily."], "warnings": ["No milk."], "warnings_table": ["<table/>"]}]}  # fmt: skip
BIOC = {"documents": [{"id": "PMC1", "passages": [{"infons": {"type": "front"}, "text": "Gout"},
    {"infons": {"section_type": "REF"}, "text": "Old"}, {"infons": {}, "text": "It hurts."}]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (TRIAL, [("NCT1", "Walking", "Of walking\n\nSummary\n\nThey walk.\n\nConditions\n\nGout; Age\n\nInterventions\n\n"
                  "OTHER. Walk. Daily\n\nEligibility\n\nAdults")]),
        (SQUAD, [("a-1", "Gout care", "Rest helps."), ("a-2", "Gout care", "Ice, too.")]),
        (BIOASQ, [("b1", "Is gout rare?", "No.\n\nIt is common.")]),
        (PAPER, [("p1", "On gout", "Abstract\n\nShort.\n\nIntro\n\nA.\n\nB.")]),
        (LABEL, [("l1", "EXAMPLINE – EX", "Dosage and administration\n\nTake 5 mg.\n\nDaily.\n\nWarnings\n\nNo milk.")]),
        (BIOC, [("PMC1", "Gout", "It hurts.")]),
    ],
    ids=["trial", "squad", "bioasq", "paper", "label", "bioc"],
)  # fmt: skip
def test_well_known_kinds(documents, content, expected):
    found, _ = documents("a.json", json.dumps(content))
    assert [(d.id, d.title, d.text) for d in found] == expected
