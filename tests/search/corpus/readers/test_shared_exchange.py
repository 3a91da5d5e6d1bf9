"""The files of exchange formats that everybody was handed: what each becomes."""

from pathlib import Path

import pytest

from search.corpus.readers.documents import preview_documents


@pytest.fixture(scope="session")
def handed_out(shared_data: Path) -> Path:
    return shared_data.parent / "cases" / "documents"


# File, how many documents, and of each that is looked at: id, title, words that are in the text, in this order.
FILES = [
    ("pubmed.xml", 3, [
        ("31000001", "Metformin and Akkermansia in type 2 diabetes: levels of IL-1β.",
         ["BACKGROUND: Glucose control matters & is hard (p<0.05).", "RESULTS: Counts of 10⁶ CFU", "H₂O",
          "Diabetes Mellitus/drug therapy"]),
        ("31000002", "[A title in another language].", ["Humans"]),
        ("31000003", "Sjögren syndrome and dry eyes.", ["xerophthalmia"]),
    ]),
    ("endnote.xml", 2, [("endnote-1", "Metformin trial", ["Glucose fell in the treated arm."])]),
    ("jats.xml", 1, [
        ("jats.xml", "Statins in the very old",
         ["Abstract", "Statins lower LDL.", "common ¹ and 10⁹ tablets", "Figure 1 Flow of participants.",
          "Arm | n", "Placebo | 120", "(p=.4)"]),
    ]),
    ("akn.xml", 4, [
        ("sec_1", "1. Short title", ["cited as the Beekeeping Act."]),
        ("sec_2", "2. Definitions", ["(a) hive means a structure housing Apis mellifera;", "(b) apiary means"]),
        ("sec_3", "3. Duty to be licensed", ["a licence under section 4 of", "AUTHNOTE inserted in 2022"]),
        ("akn.xml", "Beekeeping Licences", ["Part 1 Preliminary", "Part 2 Licences"]),
    ]),
    ("uslm.xml", 3, [
        ("/us/usc/t99/s101", "§ 101. Appointment of keepers",
         ["(a) In general", "(b) The keeper shall—", "(1) maintain the lamp; and", "(2) log every vessel."]),
        ("/us/usc/t99/s102", "§ 102. Penalties", ["not more than $500"]),
    ]),
    ("icd_tabular.xml", 7, [
        ("Chapter 1", "Chapter 1 Certain infectious diseases", []),
        ("A00-A09", "A00-A09 Intestinal infectious diseases", []),
        ("A00", "A00 Cholera", []),
        ("A00.0", "A00.0 Cholera due to Vibrio cholerae 01, biovar cholerae", ["Classical cholera"]),
        ("A00.1", "A00.1 Cholera due to biovar eltor", ["Excludes 1: shigellosis (A03.-)"]),
    ]),
    ("n2c2.xml", 1, [("n2c2.xml", "n2c2", ["CHIEF COMPLAINT\n\nChest pain", "60 y.o.\nmale with angina."])]),
    ("cda_mixed.xml", 1, [
        ("cda_mixed.xml", "Visit note",
         ["Allergies\n\nKnown allergies:\n\nSubstance | Reaction\n\nPenicillin | Urticaria\n\nLatex | Dermatitis",
          "Advice given\n\nStop smoking\n\nReturn in May\n\nSpirometry\n\nVaccination"]),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "count", "expected"), FILES, ids=[name for name, *_ in FILES])
def test_what_a_file_becomes(handed_out, name, count, expected):
    found, report = preview_documents(handed_out / name, rows=100)
    assert (len(found), report.refused_count) == (count, 0)
    for document, (identity, title, words) in zip(found, expected, strict=False):
        assert (document.id, document.title) == (identity, title)
        starts = [document.text.find(part) for part in words]
        assert -1 not in starts, document.text
        assert starts == sorted(starts)


def test_where_a_section_stands_is_metadata(handed_out):
    found, _ = preview_documents(handed_out / "uslm.xml")
    assert found[0].metadata == {
        "within": "Title 99— LIGHTHOUSES > CHAPTER 1— KEEPERS",
        "act": "Title 99",
    }
    found, _ = preview_documents(handed_out / "icd_tabular.xml", rows=9)
    assert (
        found[3].metadata["within"].endswith("A00-A09 Intestinal infectious diseases > A00 Cholera")
    )
