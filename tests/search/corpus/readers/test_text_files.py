"""Plain text into documents: whole, by paragraph or by line; and what is called .txt and is a table."""

import pytest

from search.corpus.document import Document
from search.corpus.readers.documents import DocumentColumns, preview_documents
from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals


def test_plain_text_by_line(documents):
    found, report = documents(
        "notes.txt", b"\xef\xbb\xbf\n first line \r\nsecond line\nthird", document_per="line"
    )
    assert found == [
        Document("notes-1", "", "first line"),
        Document("notes-2", "", "second line"),
        Document("notes-3", "", "third"),
    ]
    assert (report.format, report.accepted, report.roles) == ("plain text", 3, {})


def test_trailing_blank_lines_make_no_paragraphs(documents):
    found, _ = documents("notes.txt", "\n\none\ntwo\n\n\n", document_per="line")
    assert [d.text for d in found] == ["one", "two"]


def test_plain_text_by_paragraph(documents):
    found, _ = documents(
        "notes.text", "one\nstill one\n\n \n\ntwo\r\n\r\nthree\n", document_per="paragraph"
    )
    assert [(d.id, d.text) for d in found] == [
        ("notes-1", "one\nstill one"),
        ("notes-2", "two"),
        ("notes-3", "three"),
    ]


def test_a_text_file_is_one_document(documents):
    (found,), report = documents("note.txt", "NOTE\n\nHx: HTN,\nDM2.\n\nPlan: 40 mg.\n")
    assert found == Document(
        "note.txt", "note", "NOTE\n\nHx: HTN,\nDM2.\n\nPlan: 40 mg.", {"file": "note.txt"}
    )
    assert (report.format, report.accepted, report.notes) == ("plain text", 1, [])


TERMS = [f"Disorder number {n} of the liver" for n in range(40)]
ANSWERS = [f"An answer, number {n}, that is a sentence of its own." for n in range(40)]


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (TERMS, 40),  # a list of terms
        (ANSWERS, 40),  # a document a line
        (TERMS[:19], 1),  # too short to say
        ([part for line in ANSWERS for part in (line, "")], 40),  # a document a paragraph
        ([part for line in ANSWERS[:19] for part in (line, "")], 1),
        # An opinion: headings among its paragraphs; one with numbered paragraphs; a note of labels.
        ([part for n, line in enumerate(ANSWERS) for part in ((["HELD", ""] if n % 5 == 0 else []) + [line, ""])], 1),
        ([part for n, line in enumerate(ANSWERS) for part in (f"{n}. {line}", "")], 1),
        ([f"Lab {chr(65 + n % 26)}: {n} mg" for n in range(40)], 1),
        # Prose that a program broke at a width.
        (["The court held that the party who broke the contract had to pay the", "price that was agreed upon. Nothing else was said of this in the long"] * 20, 1),
    ],
)  # fmt: skip
def test_what_of_a_text_file_is_a_document(documents, lines, count):
    found, report = documents("text.txt", "\n".join(lines))
    assert len(found) == count
    assert bool(report.notes) == (count > 1)


def test_a_text_file_that_is_a_table_is_read_as_one(documents):
    found, report = documents("terms.txt", "id\tterm\n007\tCholera\n1E5\tTyphoid\n")
    assert [(d.id, d.text) for d in found] == [("007", "Cholera"), ("1E5", "Typhoid")]
    assert report.format == "TSV"
    order = "00001 A00     0 {:60} {}\n".format(
        "Cholera", "Cholera"
    ) + "00002 A000    1 {:60} {}\n".format(
        "Cholera due to 01", "Cholera due to Vibrio cholerae 01"
    )
    found, report = documents("icd10cm_order_2025.txt", order)
    assert [(d.text, d.metadata["code"]) for d in found] == [
        ("Cholera", "A00"), ("Cholera due to Vibrio cholerae 01", "A000"),
    ]  # fmt: skip


def test_tables_of_the_umls(documents):
    line = "C0000005|ENG|P|L0000005|PF|S0007492|Y|A26634265||M0019694|D012711|MSH|PEP|D012711|(131)I-MAA|0|N|256|"
    (found,), report = documents("MRCONSO.RRF", line + "\nC1|too short|\n")
    assert (found.id, found.text, found.metadata["CODE"]) == ("A26634265", "(131)I-MAA", "D012711")
    assert refusals(report) == [("line 2", "has 2 fields, not 18")]
    (found,), _ = documents("MRX.RRF", "1|a text that is long enough to be taken|x|\n")
    assert found.metadata == {"column 1": "1", "column 3": "x"}


def test_plain_text_in_another_encoding(documents, file):
    found, report = documents("notes.txt", b"fine\ng\xfct\n", document_per="line")
    assert ([d.text for d in found], report.encoding) == (["fine", "güt"], "cp1252")
    path = file("dos.txt", "müde\n\nnein\n".encode("cp850"))
    found, report = preview_documents(
        path, DocumentColumns(document_per="paragraph"), encoding="cp850"
    )
    assert ([d.text for d in found], report.encoding) == (["müde", "nein"], "cp850")
    with pytest.raises(Refused, match=r"^notes\.txt, line 1: holds NUL bytes"):
        documents("notes.txt", b"\x7fELF\x00\x01\n")


def test_one_text_over_the_limit_among_paragraphs(documents):
    long = "\n".join(["word " * 2000] * 101)
    found, report = documents("notes.txt", f"short\n\n{long}\n\nlast\n", document_per="paragraph")
    assert [d.text for d in found] == ["short", "last"]
    assert [where for where, _ in refusals(report)] == ["line 3"]
    assert "the limit is 1,000,000" in refusals(report)[0][1]


def test_a_file_name_is_data(documents):
    """Ids made from a file's name must be ids that every other file can hold on one line."""
    found, _ = documents("no\ttab\nplease.txt", "one\ntwo\n", document_per="line")
    assert [d.text for d in found] == ["one", "two"]
    assert not any("\t" in d.id or "\n" in d.id for d in found)


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        (["id,text", '1,"A rash, no fever"', "2,Cough", "3,Pain"], ["A rash, no fever", "Cough", "Pain"]),
        (["code;text", "I10;High blood pressure", "I50;Heart failure", "I21;Infarct"],
         ["High blood pressure", "Heart failure", "Infarct"]),
        (["code|text", "1|one", "2|two", "3|three"], ["one", "two", "three"]),
    ],
)  # fmt: skip
def test_a_csv_that_is_named_txt_is_a_table(documents, rows, texts):
    found, report = documents("a.txt", "\n".join(rows))
    assert ([one.text for one in found], report.format) == (texts, "CSV")


@pytest.mark.parametrize(
    "lines",
    [
        ["Diabetes, type 2", "Asthma, severe", "Cough, dry", "Pain, acute"],
        ["I10;High blood pressure", "I50;Heart failure", "I21;Infarct", "I22;More"],
        ["Yes, it is.", "No, it is not.", "Perhaps, he said.", "Never, she said."],
        ["a|b", "one|two", "three", "four|five"],
    ],
)
def test_lists_and_prose_with_commas_are_no_table(documents, lines):
    found, report = documents("a.txt", "\n".join(lines))
    assert report.format == "plain text"
    assert lines[0] in found[0].text


def test_words_that_the_width_of_lines_broke_are_whole_and_negations_stay(documents):
    text = (
        "The respondent denies that the agreement was signed by the tenant and in-\n"
        "sists upon it; the lease, being of a kind that is well known as non-\n"
        "assignable, gave him no right at all to sublet the house before or re-\n"
        "\n"
        "fever-\n"
        "cough+\n"
        "in-\n"
        "sists, in a short line\n"
    )
    (found,), _ = documents("a.txt", text)
    assert found.text == text.replace("tenant and in-\nsists", "tenant and insists").strip()
