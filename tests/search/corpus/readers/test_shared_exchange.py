"""The files of exchange formats that everybody was handed: what each becomes."""

from pathlib import Path

import pytest

from search.corpus.readers.documents import DocumentColumns, preview_documents


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
    ("fhir_bundle.json", 4, [
        ("Patient/p1", "Asha Example", ["female"]),
        ("Condition/c1", "Type II diabetes", ["Type 2 diabetes mellitus without complications (E11.9)", "2011-05"]),
        ("DocumentReference/d1", "Discharge letter cardiology", ["Patient had an anterior myocardial infarction."]),
        ("Observation/o1", "Haemoglobin A1c", ["Value: 8.2 %", "Poor glycaemic control since spring."]),
    ]),
    ("fhir_conditions.ndjson", 4, [
        ("Patient/p1", "Asha Example", []),
        ("Condition/c1", "Type II diabetes", ["Type 2 diabetes mellitus without complications (E11.9)"]),
    ]),
    ("fhir_bundle.xml", 2, [
        ("Condition/c1", "Chronic pancreatitis",
         ["Narrative: chronic pancreatitis", "Other chronic pancreatitis (K86.1)", "Steatorrhoea on enzymes."]),
        ("Condition/c2", "Ankylosing spondylitis", ["Stiff in the morning."]),
    ]),
    ("courtlistener_opinion.json", 1, [
        ("1", "", ["The 410 U.S. 113 standard governs.", "We AFFIRM the easement.", "Second paragraph on riparian"]),
    ]),
    ("courtlistener_page.json", 2, [
        ("1", "", ["410 U.S. 113 standard"]), ("2", "", ["Plain text of the second opinion on usufruct."]),
    ]),
    ("courtjson", 3, [("0", "Doe v. Roe 0", ["Opinion 0 about an easement by prescription"])]),
    ("cap.jsonl", 1, [("77", "State v. Example", ["HEADMATTER", "DOE, J.", "for want of asportation."])]),
    ("ctgov_study.json", 1, [
        ("NCT00000000", "Invented trial of exercise in gout", ["Participants with gout will walk.", "Gout"]),
    ]),
    ("ctgov_studies.json", 1, [
        ("NCT00000000", "Invented trial of exercise in gout", ["Participants with gout will walk."]),
    ]),
    ("nested.parquet", 2, [
        ("a", "One", ["First paragraph on sepsis.\n\nSecond paragraph."]), ("b", "Two", ["Only one on asthma."]),
    ]),
    ("labels.jsonl", 2, [
        ("s1", "Exampline", ["Exampline is a white powder.\n\nIt dissolves."]), ("s2", "Samplol", ["Samplol is blue."]),
    ]),
    *((name, 2, [
        ("31000001", "Metformin and Akkermansia in type 2 diabetes: a long title that goes on over the line.",
         ["BACKGROUND: Glucose control matters.", "RESULTS: Counts were seen and glycaemia improved.",
          "Diabetes Mellitus/drug therapy"]),
        ("31000003", "Sjogren syndrome and dry eyes.", ["xerophthalmia"]),
    ]) for name in ("pubmed_medline.txt", "export.nbib")),
    ("export.ris", 2, [
        ("export-1", "Metformin and Akkermansia", ["Glucose control matters."]),
        ("export-2", "Example v. Sample", ["Negligence of a carrier."]),
    ]),
    ("refs.bib", 1, [("doe2020", "Metformin and Akkermansia", ["Glucose control matters."])]),
    *((name, 1, [("1", "ORU^R01", ["Sodium: 128 mmol/L (reference 135-145, L)"])])
      for name in ("labs.hl7", "hl7v2.txt")),
    ("squad.parquet", 1, [("q1", "", ["Sepsis is an infection response that harms."])]),
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


def test_texts_of_nested_json_are_reached_by_their_paths(handed_out):
    path = DocumentColumns(text="casebody.data.opinions[].text")
    (found,), _ = preview_documents(handed_out / "cap.jsonl", path)
    assert found.text == "The larceny conviction is reversed for want of asportation."
