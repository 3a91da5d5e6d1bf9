"""HL7 version 2: results, reports, notes, diagnoses, attached files; what a message without any is told."""

import base64

import pytest

from search.corpus.document import Document
from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals

HEAD = r"MSH|^~\&|LAB|HOSP|EHR|X|20240312101500||ORU^R01|{}|P|2.5"
REPORT = [
    HEAD.format("m1"),
    "PID|1||12345^^^MRN||Example^Asha",
    "OBR|1|||24606-6^Mammography|||20240311",
    r"OBX|1|TX|24606-6&IMP^Impression||No mass\T\ no ~calcification.||||||F",
    r"OBX|2|FT|24606-6&IMP^Impression||BI-RADS 1.\.br\Return in a year.||||||F",
    "OBX|3|TX|1^Draft||Withdrawn||||||W",
    "NTE|1||Read twice.",
    "OBR|2|||1^Chemistry",
    "OBX|4|NM|2951-2^Sodium^LN||128|mmol/L^^UCUM|135-145|L|||F",
    "OBX|5|SN|1^Titre||>^1^:^80||||||F",
    "OBX|6|CWE|2^Blood group||A^Group A^L~P^Rh positive^L||||||F",
    "DG1|1||M10.9^Gout, unspecified^I10",
    "AL1|1||P^Penicillin||Hives",
]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_report(documents, end):
    (found,), report = documents("a.hl7", end.join(REPORT) + end)
    assert found == Document(
        "m1",
        "Mammography",
        "Mammography\n\nImpression: No mass& no\ncalcification.\nBI-RADS 1.\nReturn in a year.\n\nNote: Read twice.\n\n"
        "Chemistry\n\nSodium: 128 mmol/L (reference 135-145, L)\n\nTitre: > 1 : 80\n\n"
        "Blood group: Group A; Rh positive\n\nDiagnosis: Gout, unspecified\n\nAllergy: Penicillin: Hives",
        {"type": "ORU^R01", "patient": "Asha Example", "date": "2024-03-11", "sender": "HOSP"},
        found.marks,
    )
    assert [mark.heading for mark in found.marks] == ["Mammography", "Chemistry"]
    assert report.notes == ["identifiers, visits and orders without a text were left out"]


def test_batches_frames_and_messages_that_say_nothing(documents):
    first = "\x0b" + "\r".join(REPORT[:4]) + "\r\x1c\r"
    empty = "\r".join([HEAD.format("m2"), "PID|1||5||Doe^J", "PV1|1|I"])
    found, report = documents("a.txt", f"FHS|^~\\&|X\rBHS|^~\\&|X\r{first}{empty}\rBTS|2\r")
    assert [d.id for d in found] == ["m1"]
    assert refusals(report) == [
        ("line 8", "text is missing: the message holds no result, report, note or diagnosis")
    ]


def test_other_separators_and_bare_line_breaks(documents):
    content = "MSH$*~\\&$LAB$H$E$X$2024$$MDM*T02$9$P$2.5\nTXA$1$DS*Discharge summary\nOBX$1$TX$1*Letter$$She went\nhome.\n"
    (found,), _ = documents("a.hl7", content)
    assert (found.id, found.title, found.text) == (
        "9",
        "Discharge summary",
        "Letter: She went\nhome.",
    )


def test_attached_files(documents):
    data = base64.b64encode(b"Infarction.").decode()
    rows = [
        HEAD.format(1),
        f"OBX|1|ED|1^File||LAB^TEXT^PLAIN^Base64^{data}",
        "OBX|2|ED|1^Scan||LAB^IM^PNG^Base64^iVBO",
    ]
    (found,), report = documents("a.hl7", "\r".join([*rows, "OBX|3|RP|1^Link||http://x"]))
    assert found.text == "Infarction."
    assert report.notes[1:] == [
        "the attachment of line 1 is of the kind 'PNG', which is not read",
        "the attachment of line 1 lies elsewhere and was not read",
    ]


def test_no_message(documents):
    with pytest.raises(
        Refused, match=r"^a\.hl7 holds no HL7 message: it does not begin with MSH\.$"
    ):
        documents("a.hl7", "PID|1\n")
    assert documents("a.txt", "MSH is a word.\n")[1].format == "plain text"
