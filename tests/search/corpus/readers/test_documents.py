"""Files into documents: columns, ids, metadata, plain text."""

import json
from dataclasses import replace

import pytest

from search.corpus.document import Document
from search.corpus.readers import documents as module
from search.corpus.readers.documents import DocumentColumns, preview_documents
from search.projects.errors import Refused
from search.projects.settings import LIMITS


def refusals(report):
    return [(row.where, row.reason) for row in report.refused]


def test_columns_are_found_by_name(documents):
    found, report = documents("a.csv", "_id,Heading,Body,year\nx1,On Frost,Frost bites.,1999\n")
    assert found == [Document("x1", "On Frost", "Frost bites.", {"year": "1999"})]
    assert report.roles == {"id": "_id", "title": "Heading", "text": "Body"}
    assert found[0].embedded == "On Frost Frost bites."


def test_columns_may_be_chosen(documents):
    found, report = documents(
        "a.csv", "text,better,key,label\nno,yes,k1,L1\n", text="better", title="label", id="key"
    )
    assert found == [Document("k1", "L1", "yes", {"text": "no"})]
    assert report.roles == {"id": "key", "title": "label", "text": "better"}


def test_a_single_column_is_the_text(documents):
    found, _ = documents("notes.csv", "whatever\nfirst\nsecond\n")
    assert found == [Document("notes-1", "", "first"), Document("notes-2", "", "second")]


def test_no_text_column_names_the_columns(documents):
    with pytest.raises(Refused) as caught:
        documents("a.csv", "colour,size\nred,1\n")
    assert str(caught.value) == (
        "a.csv has no text column: its columns are colour, size. "
        "Say which one holds the text (--text-column)."
    )


@pytest.mark.parametrize("role", ["text", "title", "id"])
def test_chosen_column_that_is_missing(documents, role):
    with pytest.raises(Refused, match=r"a\.csv has no column 'nope'\. Its columns are: "):
        documents("a.csv", "id,title,text\n1,a,b\n", **{role: "nope"})


def test_duplicate_ids_keep_the_first(documents):
    found, report = documents("a.csv", "id,text\na,first\nb,other\na,second\n")
    assert [(d.id, d.text) for d in found] == [("a", "first"), ("b", "other")]
    assert refusals(report) == [("row 4", "the id 'a' was used by an earlier row")]
    assert (report.accepted, report.refused_count) == (2, 1)


def test_numeric_ids_are_text(documents):
    found, report = documents("a.jsonl", '{"id": 7, "text": "x"}\n{"id": "7", "text": "y"}\n')
    assert [d.id for d in found] == ["7"]
    assert refusals(report) == [("line 2", "the id '7' was used by an earlier row")]
    assert [d.id for d in documents("b.csv", "id,text\n007,x\n7,y\n")[0]] == ["007", "7"]


def test_zero_is_an_id_and_a_value(documents):
    found, _ = documents("a.jsonl", '{"id": 0, "text": "x", "page": 0}\n')
    assert found == [Document("0", "", "x", {"page": "0"})]


def test_rows_without_id_or_text_are_left_out(documents):
    found, report = documents(
        "a.jsonl",
        '{"id": "1", "text": "ok"}\n{"text": "no id"}\n{"id": "3"}\n{"id": "4", "text": "  "}\n'
        '{"id": "5", "title": "title only"}\n{"id": "6\\n7", "text": "x"}\n',
    )
    assert [d.id for d in found] == ["1", "5"]
    assert refusals(report) == [
        ("line 2", "the id is empty"),
        ("line 3", "the text is empty"),
        ("line 4", "the text is empty"),
        ("line 6", "the id holds a line break or a tab"),
    ]


def test_a_title_alone_is_enough(documents):
    found, _ = documents("a.csv", "id,title,text\n1,Title only,\n2,,Text only\n")
    assert found == [Document("1", "Title only", ""), Document("2", "", "Text only")]


def test_broken_characters_in_json(documents):
    found, report = documents(
        "a.jsonl", '{"id": "1", "text": "\\ud800"}\n{"id": "2", "text": "\\ud83d\\ude00 ok"}\n'
    )
    assert [(d.id, d.text) for d in found] == [("2", "\U0001f600 ok")]
    assert refusals(report) == [("line 1", "text holds a broken character (an unpaired surrogate)")]


def test_broken_characters_in_a_column_name_never_reach_a_document(documents):
    """Such a name cannot be written as UTF-8, so neither a document nor the report may hold it."""
    try:
        found, report = documents(
            "a.jsonl", '{"id": "1", "text": "one", "\\ud800": "x"}\n{"id": "2", "text": "two"}\n'
        )
    except Refused as error:
        str(error).encode("utf-8")
        return
    for document in found:
        json.dumps(dict(document.metadata), ensure_ascii=False).encode("utf-8")
    json.dumps(report.summary(), ensure_ascii=False).encode("utf-8")
    assert "2" in [d.id for d in found]


def test_broken_characters_in_the_only_column_name(documents):
    try:
        _, report = documents("a.jsonl", '{"\\ud800": "one"}\n{"\\ud800": "two"}\n')
    except Refused as error:
        str(error).encode("utf-8")
        return
    json.dumps(report.summary(), ensure_ascii=False).encode("utf-8")


def test_nested_values_are_metadata_as_json_but_never_text(documents):
    found, report = documents(
        "a.json",
        json.dumps(
            [
                {"id": "1", "text": "ok", "tags": ["a", "b"], "deep": {"k": 1}, "draft": True},
                {"id": "2", "text": [{"not": "text"}]},
                {"id": ["x"], "text": "t"},
            ]
        ),
    )
    assert found == [
        Document("1", "", "ok", {"tags": '["a", "b"]', "deep": '{"k": 1}', "draft": "true"})
    ]
    assert refusals(report) == [
        ("item 2", "text is not text but a list"),
        ("item 3", "id is not text but a list"),
    ]


def test_texts_are_cleaned(documents):
    found, _ = documents("a.jsonl", '{"id": " a ", "text": "  cafe\\u0301\\u0007 \\n"}\n')
    assert found == [Document("a", "", "caf\u00e9")]


def test_text_over_the_limit_is_left_out(documents):
    found, report = documents("a.csv", "id,text\n1," + "x" * 1_000_001 + "\n2,short\n")
    assert [d.id for d in found] == ["2"]
    assert refusals(report) == [("row 2", "text has 1,000,001 characters; the limit is 1,000,000")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,text\n", "a.csv holds no documents: it is empty."),
        ("a.json", "[]", "a.json holds no documents: it is empty."),
        ("a.jsonl", "\n\n", "a.jsonl holds no documents: it is empty."),
        ("a.txt", "  \n\n\t\n", "a.txt holds no documents: it is empty."),
        (
            "a.json",
            "[1, 2]",
            "a.json holds no usable documents: all 2 rows were refused "
            "(item 1: not a JSON object; item 2: not a JSON object).",
        ),
        (
            "a.csv",
            "id,text\n1,\n",
            "a.csv holds no usable documents: all 1 rows were refused (row 2: the text is empty).",
        ),
    ],
)
def test_files_without_documents(documents, name, content, message):
    with pytest.raises(Refused) as caught:
        documents(name, content)
    assert str(caught.value) == message


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


LONG = "A text of more than twenty characters"


def test_the_longest_column_is_the_text_where_no_name_says_so(documents):
    found, report = documents("a.csv", f"key,note,story\n1,short,{LONG}\n2,,{LONG} too\n")
    assert [(d.text, dict(d.metadata)) for d in found] == [
        (LONG, {"key": "1", "note": "short"}),
        (f"{LONG} too", {"key": "2"}),
    ]
    assert report.roles == {"text": "story"}
    assert report.notes == [
        "no column is named like a text: 'story' was taken, its texts are the longest; choose another if "
        "that is wrong"
    ]


def test_an_id_or_a_title_is_never_guessed_to_be_the_text(documents):
    with pytest.raises(
        Refused, match=r"^a\.csv has no text column: its columns are id, title, n\."
    ):
        documents("a.csv", f"id,title,n\n{LONG},{LONG},1\n")


def test_the_guess_is_by_the_first_hundred_rows_and_loses_none(documents):
    rows = "".join(f"{LONG} {n},{'x' * 200 if n > 99 else ''}\n" for n in range(150))
    found, report = documents("a.csv", f"story,late\n{rows}")
    assert report.roles == {"text": "story"}
    assert [d.text for d in found] == [f"{LONG} {n}" for n in range(150)]


def test_metadata_columns_may_be_chosen(file):
    path = file("a.csv", "id,text,Year,kind\n1,x,1999,a\n")
    columns = DocumentColumns(metadata=("year",))
    assert preview_documents(path, columns)[0][0].metadata == {"Year": "1999"}
    assert preview_documents(path, DocumentColumns(metadata=()))[0][0].metadata == {}
    with pytest.raises(Refused, match=r"^a\.csv has no column 'month'\. Its columns are: id, text"):
        preview_documents(path, DocumentColumns(metadata=("year", "month")))


def test_a_file_may_have_no_title_and_no_id_although_names_say_so(documents):
    found, report = documents("a.csv", "id,title,text\n1,t,x\n", id="", title="")
    assert found == [Document("a-1", "", "x", {"id": "1", "title": "t"})]
    assert report.roles == {"text": "text"}


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("a.doc", "files ending in .doc cannot be read. Open it and save it as DOCX or PDF."),
        ("a.odt", "files ending in .odt cannot be read. Open it and save it as DOCX or PDF."),
        ("a.PPTX", "files ending in .pptx cannot be read. Open it and save it as PDF."),
        ("a.msg", "files ending in .msg cannot be read. Save the message as .eml."),
        ("a.png", "files ending in .png cannot be read. Run OCR (text recognition) over it, and save it as PDF."),
        ("a.bin", "files ending in .bin cannot be read. What can be read: CSV, TSV, JSON, JSONL, XLSX, "
                  "Parquet, TXT, Markdown, HTML, PDF, DOCX, XML, EML, MBOX, RIS, NBIB, BibTeX and HL7."),
        ("a", "its name has no ending. What can be read: CSV, TSV, JSON, JSONL, XLSX, Parquet, TXT, "
              "Markdown, HTML, PDF, DOCX, XML, EML, MBOX, RIS, NBIB, BibTeX and HL7."),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(documents, name, advice):
    with pytest.raises(Refused) as caught:
        documents(name, "content")
    assert str(caught.value) == f"{name} cannot be read: {advice}"


def test_a_preview_reads_only_the_beginning_of_a_large_file(file, monkeypatch):
    monkeypatch.setattr(module, "LIMITS", replace(LIMITS, preview_rows=10))
    rows = [json.dumps({"id": n, "text": "x" if n % 2 else ""}) for n in range(100)]
    first, report = preview_documents(file("a.jsonl", "\n".join(rows)), rows=2)
    assert [d.id for d in first] == ["1", "3"]
    assert (report.accepted, report.refused_count) == (5, 5)
    assert report.notes == [
        "only the first 10 rows were looked at; all are read when the file is added"
    ]


def test_a_preview_of_many_files_reads_only_some(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LIMITS", replace(LIMITS, preview_files=3, preview_rows=5))
    for name in "abcdef":
        (tmp_path / f"{name}.txt").write_text(f"text of {name}")
    _, report = preview_documents(tmp_path)
    assert report.accepted == 3
    assert report.notes == [
        "only the first 3 files were looked at; all are read when the file is added"
    ]
    for name in "abcdef":
        (tmp_path / f"{name}.txt").write_text("one\ntwo\nthree\n")
    _, report = preview_documents(tmp_path, DocumentColumns(document_per="line"))
    assert report.accepted == 5
    assert (
        "only the first 2 files were looked at; all are read when the file is added" in report.notes
    )


def test_preview_shows_the_first_and_reads_to_the_end(file):
    path = file("a.csv", "id,text\n" + "".join(f"{n},text {n}\n" for n in range(50)) + "3,again\n")
    first, report = preview_documents(path, rows=2)
    assert [d.id for d in first] == ["0", "1"]
    assert (report.accepted, report.refused_count) == (50, 1)


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


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_numbers_of_json_are_shown_as_they_are_written(documents, name):
    line = '{"id": 1.10, "text": "Digoxin once daily", "dose": 1.00, "share": 2.5e-3, "year": 2020}'
    (found,), _ = documents(name, f"[{line}]" if name == "a.json" else f"{line}\n")
    assert found.id == "1.10"
    assert found.metadata == {"dose": "1.00", "share": "2.5e-3", "year": "2020"}


def test_numbers_inside_lists_and_objects_are_shown_as_they_are_written(documents):
    line = (
        '{"id": "a", "text": "Digoxin", "doses": [1.50, 2.0, 7], "drug": {"µg": [{"low": 0.10}]}}'
    )
    (found,), _ = documents("a.jsonl", f"{line}\n")
    assert found.metadata == {"doses": "[1.50, 2.0, 7]", "drug": '{"µg": [{"low": 0.10}]}'}
