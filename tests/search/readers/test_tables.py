"""CSV, TSV, JSONL and JSON row by row: what is read, what is left out and why, what is refused whole."""

import json
from dataclasses import replace

import pytest

from search.errors import Refused
from search.readers import tables
from search.readers.tables import open_report, read_rows
from search.settings import LIMITS


@pytest.fixture
def rows(file):
    def read(name, content):
        path = file(name, content)
        report = open_report(path)
        found = [(row.where, dict(row.fields)) for row in read_rows(path, report)]
        return found, report

    return read


def refusals(report):
    return [(row.where, row.reason) for row in report.refused]


@pytest.mark.parametrize(
    ("name", "delimiter", "form"),
    [
        ("a.csv", ",", "CSV"),
        ("a.csv", ";", "CSV"),
        ("a.csv", "|", "CSV"),
        ("a.csv", "\t", "TSV"),
        ("a.tsv", "\t", "TSV"),
        ("A.CSV", ";", "CSV"),
    ],
)
def test_delimiters(rows, name, delimiter, form):
    content = f"id{delimiter}text\n1{delimiter}one\n2{delimiter}two\n"
    found, report = rows(name, content)
    assert found == [("row 2", {"id": "1", "text": "one"}), ("row 3", {"id": "2", "text": "two"})]
    assert (report.delimiter, report.format, report.columns) == (delimiter, form, ("id", "text"))


def test_other_delimiters_inside_fields_are_text(rows):
    found, _ = rows("a.csv", 'id;"a, b, c"\n1;"x, y"\n')
    assert found == [("row 2", {"id": "1", "a, b, c": "x, y"})]


def test_delimiter_of_one_column_is_a_comma(rows):
    found, report = rows("a.csv", "text\nhello there\n")
    assert (found, report.delimiter) == ([("row 2", {"text": "hello there"})], ",")


def test_tsv_keeps_commas(rows):
    assert rows("a.tsv", "a, b\tc\n1, 2\t3\n")[0] == [("row 2", {"a, b": "1, 2", "c": "3"})]


def test_quoted_newlines_quotes_and_delimiters(rows):
    found, _ = rows("a.csv", 'id,text\n1,"two\nlines, and ""quotes"""\n2,plain\n')
    assert found == [
        ("row 2", {"id": "1", "text": 'two\nlines, and "quotes"'}),
        ("row 3", {"id": "2", "text": "plain"}),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_byte_order_mark_blank_lines_and_line_ends(rows, newline):
    lines = ["", "  ", "id,text", "", "1,one", "   ", ",", "2,two", ""]
    found, report = rows("a.csv", b"\xef\xbb\xbf" + newline.join(lines).encode())
    assert report.columns == ("id", "text")
    assert [fields for _, fields in found] == [
        {"id": "1", "text": "one"},
        {"id": "2", "text": "two"},
    ]
    assert report.refused_count == 0


def test_short_and_long_rows_are_left_out_and_named(rows):
    found, report = rows("a.csv", "id,text\n1\n2,two\n3,three,more\n")
    assert found == [("row 3", {"id": "2", "text": "two"})]
    assert refusals(report) == [
        ("row 2", "has 1 fields, the header has 2"),
        ("row 4", "has 3 fields, the header has 2"),
    ]


def test_two_columns_of_one_name_are_refused(rows):
    with pytest.raises(Refused, match=r"^a\.csv has two columns named 'text'\. Rename one\.$"):
        rows("a.csv", "text,text\n1,2\n")


def test_unnamed_columns_may_repeat(rows):
    assert rows("a.csv", "text,,\nhello,1,2\n")[0][0][1]["text"] == "hello"


@pytest.mark.parametrize("content", ["id,text\n", "id,text", "\n\n", "id,text\n\n , \n"])
def test_header_only_has_no_rows(rows, content):
    assert rows("a.csv", content)[0] == []


def test_too_many_columns(rows):
    with pytest.raises(Refused, match=r"a\.csv has 1,001 columns; the limit is 1,000\."):
        rows("a.csv", ",".join(f"c{n}" for n in range(1001)) + "\n")


def test_nul_bytes_name_the_line(rows):
    with pytest.raises(Refused, match=r"^a\.csv, line 3: holds NUL bytes"):
        rows("a.csv", b"id,text\n1,one\n2,t\x00wo\n")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(rows, codec):
    with pytest.raises(Refused, match=r"UTF-16, not UTF-8|holds NUL bytes"):
        rows("a.csv", "id,text\n1,one\n".encode(codec))


def test_utf_16_is_named_where_it_says_so(rows):
    with pytest.raises(Refused, match=r"^a\.csv is UTF-16, not UTF-8\. Save it as UTF-8\.$"):
        rows("a.csv", "id,text\n1,one\n".encode("utf-16"))


def test_latin_1_names_line_byte_and_column(rows):
    expected = r"^a\.csv, line 3: not UTF-8 \(byte 0xe9 at column 6\)\. Save the file as UTF-8"
    with pytest.raises(Refused, match=expected):
        rows("a.csv", "id,text\n1,one\n2,caf\xe9\n".encode("latin-1"))


def test_broken_quotes_name_the_line(rows):
    with pytest.raises(Refused, match=r"^a\.csv, row 3 \(line 5\): .*quotation mark missing\?$"):
        rows("a.csv", 'id,text\n1,one\n2,"two\n3,three\n4,four\n')


def test_text_after_a_closing_quote_is_refused(rows):
    with pytest.raises(Refused, match=r"^a\.csv, row 2 \(line 2\):"):
        rows("a.csv", 'id,text\n1,"one" more\n')


def test_broken_quotes_in_the_header(rows):
    with pytest.raises(Refused, match=r"^a\.csv, line 1:"):
        rows("a.csv", '"id,text\n1,one\n')


def test_long_line_in_full_size(rows):
    with pytest.raises(Refused, match=r"^a\.jsonl, line 2: longer than 8,388,608 bytes"):
        rows("a.jsonl", '{"text": "short"}\n{"text": "' + "x" * 9_000_000 + '"}\n')


def test_line_limit_is_exact(rows, monkeypatch):
    monkeypatch.setattr(tables, "LIMITS", replace(LIMITS, line_bytes=20))
    assert rows("a.csv", "text\n" + "x" * 19 + "\n")[0] == [("row 2", {"text": "x" * 19})]
    with pytest.raises(Refused, match="line 2: longer than 20 bytes"):
        rows("b.csv", "text\n" + "x" * 20 + "\n")


def test_file_over_the_limit(rows, monkeypatch):
    monkeypatch.setattr(tables, "LIMITS", replace(LIMITS, upload_bytes=10))
    with pytest.raises(Refused, match=r"a\.csv has 11 bytes; the limit is 10\. Split the file\."):
        rows("a.csv", "text\nhello\n")


def test_json_lines(rows):
    found, report = rows("a.jsonl", '\ufeff{"a": 1}\n\n  \n{"b": "zwei", "a": null}\n')
    assert found == [("line 1", {"a": 1}), ("line 4", {"b": "zwei", "a": None})]
    assert (report.format, report.columns, report.refused_count) == ("JSONL", ("a", "b"), 0)


def test_bad_json_lines_are_left_out_and_named(rows):
    lines = ['{"a": 1}', "{broken", '["list"]', "5", "null", '{"a": 2}', "[" * 3000 + "]" * 3000]
    found, report = rows("a.ndjson", "\n".join(lines))
    assert found == [("line 1", {"a": 1}), ("line 6", {"a": 2})]
    assert [where for where, _ in refusals(report)] == [f"line {n}" for n in (2, 3, 4, 5, 7)]
    assert refusals(report)[0][1].startswith("not JSON (Expecting property name")
    assert refusals(report)[1:4] == [(f"line {n}", "not a JSON object") for n in (3, 4, 5)]
    assert refusals(report)[4][1].startswith(("not JSON", "not a JSON object"))


def test_columns_are_gathered_from_the_first_hundred_rows(rows):
    content = "\n".join(json.dumps({f"c{n}": n}) for n in range(120))
    found, report = rows("a.jsonl", content)
    assert report.columns == tuple(f"c{n}" for n in range(100))
    assert found[119] == ("line 120", {"c119": 119})


def test_json_list(rows):
    found, report = rows("a.json", b"\xef\xbb\xbf" + b'[{"a": "x"}, 3, {"a": "y"}]')
    assert found == [("item 1", {"a": "x"}), ("item 3", {"a": "y"})]
    assert refusals(report) == [("item 2", "not a JSON object")]
    assert report.format == "JSON"


def test_json_object_instead_of_list(rows):
    expected = r"^a\.json is not a JSON list of objects: it starts as an object\.$"
    with pytest.raises(Refused, match=expected):
        rows("a.json", '{"query": "x", "response": "y"}')


@pytest.mark.parametrize("content", ["5", '"text"', "null", "true"])
def test_json_that_is_neither_list_nor_object(rows, content):
    with pytest.raises(Refused, match="is not a JSON list of objects") as caught:
        rows("a.json", content)
    assert "starts as an object" not in str(caught.value)


@pytest.mark.parametrize("content", ["[{]", '[{"a": 1}', "[" * 100_000, "query,response\n", "   "])
def test_broken_json_is_refused(rows, content):
    with pytest.raises(Refused, match=r"^a\.json is not JSON: "):
        rows("a.json", content)


def test_json_that_is_not_utf_8(rows):
    with pytest.raises(Refused, match=r"^a\.json is not UTF-8 \(byte 0xe9 at offset 11\)"):
        rows("a.json", '[{"a": "caf\xe9"}]'.encode("latin-1"))


def test_json_over_its_own_limit(rows, monkeypatch):
    monkeypatch.setattr(tables, "_JSON_BYTES", 10)
    with pytest.raises(Refused, match="a JSON list may have 10"):
        rows("a.json", '[{"a": "x"}]')


@pytest.mark.parametrize("name", ["a.xlsx", "a.pdf", "a", "a.pkl", "a.csv.gz"])
def test_unknown_format(rows, name):
    with pytest.raises(Refused, match=r"give \.csv, \.tsv, \.jsonl or \.json\.$"):
        rows(name, "x")


def test_missing_empty_and_folder(tmp_path):
    missing = tmp_path / "missing.csv"
    with pytest.raises(Refused, match=r"^There is no file .*missing\.csv\.$"):
        open_report(missing)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(Refused, match=r"^empty\.csv is empty \(0 bytes\)\.$"):
        open_report(tmp_path / "empty.csv")
    with pytest.raises(Refused, match="is not a file"):
        open_report(tmp_path)
