"""Files into documents: columns, ids, metadata, plain text."""

import json
from dataclasses import replace

import pytest

from search.corpus.document import Document
from search.corpus.readers import documents as module
from search.corpus.readers.documents import DocumentColumns, preview_documents
from search.projects.errors import Refused
from search.projects.settings import LIMITS
from tests.search.corpus.readers.refused_rows import refusals


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
