"""Documents as clinics, courts and libraries have them: each row of the table that comes with them."""

from pathlib import Path

import pytest

from search.corpus.readers.documents import preview_documents
from search.projects.errors import Refused

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "cases" / "documents"
# File; how many documents; what must stand in their titles, texts or metadata; what must not.
READ = [
    ("drug_chart.docx", 1, ("125 µg", "±0.5", "≥4", "≤30"), ("125 g",)),
    ("contract.docx", 1, ("may not sublet the premises", "two thousand euros", "tolerance ±2", "5 µg per litre",
                          "EQUATIONWORD=P×r", "FOOTNOTEWORD", "TEXTBOXWORD", "2.1 Either party", "1.2 The tenant",
                          "(b) for insolvency"), ("HIDDENWORD", "nine hundred", "DELETEDCLAUSE")),
    ("discharge.docx", 1, ("Levothyroxine | 75 µg", "SpO₂ ≥ 94 %"), ()),
    ("discharge.pdf", 1, ("SpO₂ ≥ 94 %", "Ramipril | 2.5 mg | once daily"), ()),
    ("hindi.pdf", 1, ("में दर्द है", "अधिक", "ज़्यादा"), ()),
    ("hindi.docx", 1, ("दर्द है", "ज़्यादा पानी"), ()),
    ("arabic_fpdf.pdf", 1, ("علاج", "لا يوجد"), ()),
    ("ligature.pdf", 1, ("well-differentiated", "non-inferiority"), ()),
    ("pleading.pdf", 1, ("undue burden", "four", "fourteen days"), ("bur6 den",)),
    ("opinion_2col_rows.pdf", 1, ("dismissed the complaint for want of standing. We review that ruling",), ()),
    ("opinion_2col.pdf", 1, ("dismissed the complaint for want of standing. We review that ruling",), ()),
    ("form_filled.pdf", 1, ("Quartermaine", "Lewy body dementia"), ()),
    ("labs.pdf", 1, ("10⁹/L", "Potassium | 6.1 | 3.5-5.0"), ("109/L",)),
    ("opinion.html", 1, ("10⁹/L", "denied. ¹"), ("109/L", "denied.1")),
    ("jats.xml", 1, ("common ¹", "10⁹ tablets", "Statins in the very old"), ("109 tablets", "Older trial")),
    ("cda_mixed.xml", 1, ("Penicillin | Urticaria", "Latex | Dermatitis", "Stop smoking"), ()),
    ("pubmed.xml", 3, ("Metformin and Akkermansia in type 2 diabetes: levels of IL-1β.", "Glucose control matters",
                       "10⁶ CFU", "drug therapy", "xerophthalmia"), ("106 CFU",)),
    ("pubmed_medline.txt", 2, ("a long title that goes on over the line", "glycaemia improved"), ()),
    ("export.nbib", 2, ("Metformin and Akkermansia", "glycaemia improved", "Diabetes Mellitus"), ()),
    ("export.ris", 2, ("Metformin and Akkermansia", "Glucose control matters", "Negligence of a carrier"), ()),
    ("endnote.xml", 2, ("Metformin trial", "Glucose fell in the treated arm"), ()),
    ("refs.bib", 1, ("Metformin and Akkermansia", "Glucose control matters"), ()),
    ("akn.xml", 4, ("2. Definitions", "Apis mellifera", "Part 1 Preliminary"), ()),
    ("uslm.xml", 3, ("§ 101. Appointment of keepers", "(b) The keeper shall", "(1) maintain the lamp"), ()),
    ("icd_tabular.xml", 7, ("A00.0", "Classical cholera", "shigellosis"), ()),
    ("n2c2.xml", 1, ("male with angina",), ()),
    ("fhir_bundle.json", 4, ("Type 2 diabetes mellitus without complications",), ()),
    ("fhir_bundle.xml", 2, ("Chronic pancreatitis", "Steatorrhoea on enzymes", "Ankylosing spondylitis"), ()),
    ("fhir_conditions.ndjson", 4, ("Type II diabetes",), ()),
    ("labs.hl7", 1, ("Sodium: 128 mmol/L",), ()),
    ("hl7v2.txt", 1, ("Sodium: 128 mmol/L",), ()),
    ("courtlistener_opinion.json", 1, ("410 U.S. 113 standard governs", "riparian rights"), ("<span",)),
    ("courtlistener_page.json", 2, ("410 U.S. 113 standard governs", "usufruct"), ("<span",)),
    ("courtjson", 3, ("easement by prescription", "Doe v. Roe 2"), ()),
    ("cap.jsonl", 1, ("larceny conviction is reversed", "State v. Example"), ()),
    ("ctgov_study.json", 1, ("Invented trial of exercise in gout", "Gout"), ()),
    ("ctgov_studies.json", 1, ("Invented trial of exercise in gout",), ()),
    ("nested.parquet", 2, ("First paragraph on sepsis.", "Second paragraph."), ()),
    ("labels.jsonl", 2, ("white powder.", "It dissolves."), ()),
    ("squad.parquet", 1, ("Sepsis is an infection response",), ()),
    ("matters.xlsx", 3, ("Claim for unpaid overtime", "High Court", "2024-02-05"), ("HIDDENSHEETWORD",)),
    ("matters_title_row.xlsx", 3, ("Claim for unpaid overtime", "High Court"), ()),
    ("rich.xlsx", 1, ("warfarin 5 mg",), ()),
    ("codes_formatted.xlsx", 5, ("00123", "NA", "1E5", "E11.9"), ()),
    ("codes.csv", 8, ("007", "NA", "1E5", "MAR1", "900000000000207008"), ()),
    ("codes.tsv", 8, ("007", "NA", "1E5", "MAR1", "900000000000207008"), ()),
    ("codes_semicolon_cp1252.csv", 2, ("00123", "Ménière-Krankheit"), ()),
    ("icd10cm_order.txt", 2, ("A000", "biovar cholerae"), ()),
    ("snomed_description.txt", 2, ("Neoplasm of anterior aspect of epiglottis", "900000000000207008"), ()),
    ("unicode_text.txt", 2, ("Übelkeit", "Trockener Husten nachts"), ()),
    ("MRCONSO.RRF", 1, ("(131)I-Macroaggregated Albumin", "D012711"), ()),
    ("bulk_backslash.csv", 2, ('The witness said "never", and left.',), ("\\",)),
    ("bulk_nulls.tsv", 2, ("Other text on pledges",), ("\\N",)),
    ("html_cells.csv", 2, ("The lessee shall repair the roof—see clause 9.",), ("<b>", "tracking")),
    ("notes", 3, ("pneumonia", "cellulitis", "gout", "patient1.txt"), ()),
    ("note.txt", 1, ("Dyspnoea", "Furosemide 40 mg", "note.txt"), ()),
    ("notes_clinical.txt", 1, ("SOB x2d", "Lasix 40 IV"), ()),
    ("opinion_plain.txt", 1, ("line 0", "line 4"), ()),
    ("letters.mbox", 3, ("MBOXWORD0", "MBOXWORD2", "Message 1 on disclosure", "From the registry"), (">From",)),
    ("nested.eml", 1, ("OUTERBODY", "INNERBODY", "INNERSUBJECT", "o@example.org"), ()),
    ("namedbody.eml", 1, ("NAMEDBODY",), ()),
    ("htmlonly.eml", 1, ("HTMLONLYWORD", "Invoice | 500"), ()),
    ("counts_cp1252.txt", 60, ("Count 59 /mm³",), ()),
    ("statutes_cp1252.csv", 40, ("42 U.S.C. § 1867",), ()),
    ("hinglish.csv", 3, ("मेरे पेट में दर्द hai",), ()),
    ("out_of_order.pdf", 1, ("Target SpO2 ≥ 94 %; stop if INR >4.",), ()),
    ("statute.md", 1, ("First rule", "MDFOOT text"), ()),
    ("pubmed_site.csv", 2, ("Metformin and Akkermansia in type 2 diabetes",), ()),
]  # fmt: skip
NOTED = [
    ("krutidev.docx", "Kruti Dev 010 is not Unicode"),
    ("contract.docx", "left out: 1 pieces of hidden text, headers, footers, comments"),
    ("pleading.pdf", "numbers of lines in the margin"),
    ("html_cells.csv", "holds HTML"),
    ("nested.eml", "2 attachments were not read: statement.txt, contract.docx"),
]
REFUSED = [
    ("discharge.rtf", "save it as DOCX"),
    ("discharge.odt", "save it as DOCX"),
    ("discharge.doc", "save it as DOCX"),
    ("scan_no_text.pdf", "run OCR"),
]


@pytest.mark.parametrize(("file", "count", "present", "absent"), READ)
def test_what_is_read(file, count, present, absent):
    documents, report = preview_documents(DOCUMENTS / file, rows=100)
    said = "\n".join("\n".join((d.id, d.title, d.text, *d.metadata.values())) for d in documents)
    assert (len(documents), report.refused_count) == (count, 0)
    assert [part for part in present if part not in said] == []
    assert [part for part in absent if part in said] == []


@pytest.mark.parametrize(("file", "note"), NOTED)
def test_what_is_noted(file, note):
    _, report = preview_documents(DOCUMENTS / file)
    assert any(note in one for one in report.notes), report.notes


@pytest.mark.parametrize(("file", "advice"), REFUSED)
def test_what_is_refused_with_what_to_do(file, advice):
    with pytest.raises(Refused, match=advice):
        preview_documents(DOCUMENTS / file)
