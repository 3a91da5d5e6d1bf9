"""The shared uploads: clean files parse whole, dirty ones do what they should."""

import csv
import json
import unicodedata

import pytest

from search.corpus.readers.documents import DocumentColumns, preview_documents
from search.corpus.readers.pairs import PairColumns, preview_pairs
from search.projects.errors import Refused

ALL = 1_000_000


def words(text: str) -> list[str]:
    """The words of a text, with Windows quotation marks that the sources hold as controls put right."""
    right = text
    for code in range(0x80, 0xA0):
        instead = " " if code == 0x85 else bytes([code]).decode("cp1252", "ignore")
        right = right.replace(chr(code), instead)
    return "".join(c for c in right if c in "\n\t" or unicodedata.category(c) != "Cc").split()


@pytest.mark.parametrize("name", ["corpus.csv", "corpus.jsonl"])
def test_corpus_tables_equal_their_source(shared_data, name):
    found, report = preview_documents(shared_data / "uploads" / "ask_cfpb" / name, rows=ALL)
    with (shared_data / "uploads" / "ask_cfpb" / "corpus.jsonl").open(encoding="utf-8") as stream:
        source = [json.loads(line) for line in stream]
    assert (len(found), report.accepted, report.refused_count) == (1057, 1057, 0)
    assert [(d.id, d.title, words(d.text)) for d in found] == [
        (row["id"], row["title"], words(row["text"])) for row in source
    ]


def test_corpus_as_plain_text(shared_data):
    found, report = preview_documents(shared_data / "uploads" / "ask_cfpb" / "corpus.txt", rows=ALL)
    table, _ = preview_documents(shared_data / "uploads" / "ask_cfpb" / "corpus.csv", rows=ALL)
    assert (report.format, report.accepted, report.refused_count) == ("plain text", 1057, 0)
    assert [words(d.text) for d in found] == [words(d.text) for d in table]
    assert (found[0].id, found[-1].id) == ("corpus-1", "corpus-1057")


@pytest.mark.sample(3)
@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize(
    ("folder", "count"),
    [
        ("ask_cfpb", 834),
        ("esci_sample", 1500),
        ("hinglish_top", 2277),
        pytest.param("medquad_small", 3828, marks=pytest.mark.slow),
    ],
)
def test_clean_pairs_parse_whole(shared_data, folder, count, form):
    path = shared_data / "uploads" / folder / f"pairs_train.{form}"
    found, report = preview_pairs(path, rows=ALL)
    assert (len(found), report.accepted, report.refused_count) == (count, count, 0)
    source = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert [(words(p.query), words(p.response)) for p in found] == [
        (words(row["query"]), words(row["response"])) for row in source
    ]


def dirty(shared_data, name):
    return shared_data / "uploads" / "dirty" / name


def test_windows_letters_are_read_and_said_to_be_guessed(shared_data):
    path = dirty(shared_data, "cfpb_semicolon_latin1.csv")
    for preview, column in ((preview_documents, "text"), (preview_pairs, "response")):
        found, report = preview(path, rows=ALL)
        assert (report.encoding, report.delimiter, report.accepted) == ("cp1252", ";", 300)
        assert report.notes == [
            "not UTF-8: read as cp1252; choose another encoding if letters look wrong"
        ]
        assert any("“" in getattr(one, column) and "”" in getattr(one, column) for one in found)


def test_byte_order_mark_duplicates_and_blanks(shared_data):
    path = dirty(shared_data, "cfpb_bom_dupes_blanks.csv")
    found, report = preview_pairs(path, rows=ALL)
    expected, reasons = [], {"empty": 0, "same": 0}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            pair = (row["Query"].strip(), row["Response"].strip())
            if not any(pair):
                continue
            if not all(pair):
                reasons["empty"] += 1
            elif pair in expected:
                reasons["same"] += 1
            else:
                expected.append(pair)
    assert [(words(p.query), words(p.response)) for p in found] == [
        (words(query), words(response)) for query, response in expected
    ]
    assert (report.accepted, report.refused_count) == (300, 50)
    assert sum("is empty" in row.reason for row in report.refused) == reasons["empty"]
    assert sum("the same pair" in row.reason for row in report.refused) == reasons["same"]
    assert report.roles == {"query": "Query", "response": "Response"}
    assert (report.refused[0].where, report.refused[0].reason) == (
        "row 3",
        "the same pair stands in an earlier row",
    )


def test_original_export_with_html_and_many_columns(shared_data):
    path = dirty(shared_data, "ask_cfpb_original.csv")
    found, report = preview_pairs(path, rows=ALL)
    assert report.roles == {"query": "Question", "response": "Answer"}
    with path.open(encoding="utf-8", newline="") as stream:
        source = list(csv.DictReader(stream))
    assert len(source) == 1086
    assert report.accepted + report.refused_count == 1086
    assert (report.accepted, len(found)) == (1086, 1086)
    assert found[0].query == source[0]["Question"].strip()
    documents, _ = preview_documents(path, DocumentColumns(id="ASK_ID", title="Question"), rows=ALL)
    assert [d.id for d in documents] == [row["ASK_ID"] for row in source]
    assert documents[0].metadata["Topic"] == source[0]["Topic"].strip()


def test_tsv_without_usual_column_names(shared_data):
    path = dirty(shared_data, "hinglish_top_validation.tsv")
    with pytest.raises(Refused, match=r"has no query and no response column: its columns are en_q"):
        preview_pairs(path)
    _, guessed = preview_documents(path)
    assert guessed.roles == {"text": "cs_parse"}
    assert guessed.notes[0].startswith("no column is named like a text: 'cs_parse' was taken")
    found, report = preview_pairs(path, PairColumns("cs_query", "en_query"), rows=ALL)
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    assert report.accepted + report.refused_count == len(lines)
    assert (found[0].query, found[0].response) == ("mere timer ko roko", "Pause my timer .")
    assert {row.reason for row in report.refused} <= {"the same pair stands in an earlier row"}


def test_penal_code_json(shared_data):
    found, report = preview_documents(dirty(shared_data, "indian_ipc.json"), rows=ALL)
    assert report.roles == {"title": "section_title", "text": "section_desc"}
    assert (report.accepted, report.refused_count, len(found)) == (575, 0, 575)
    assert found[0].title == "Title and extent of operation of the Code"
    assert found[0].metadata["Section"] == "1"
    with pytest.raises(Refused, match="no query and no response column"):
        preview_pairs(dirty(shared_data, "indian_ipc.json"))


def test_doctor_questions_with_nested_tags(shared_data):
    path = dirty(shared_data, "questionDoctorQAs.json")
    found, report = preview_pairs(path, rows=ALL)
    assert (report.accepted, report.refused_count, len(found)) == (5679, 0, 5679)
    assert found[0].query == "is my anti hiv test conclusive or need retest?"
    documents, _ = preview_documents(path, rows=1)
    assert documents[0].metadata["tags"] == '["hiv test"]'
