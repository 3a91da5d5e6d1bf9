"""CSV and TSV: delimiters, quotes, headers, and rows that do not fit."""

import pytest

from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals


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


def test_broken_quotes_name_the_line(rows):
    with pytest.raises(Refused, match=r"^a\.csv, row 3 \(line 5\): .*quotation mark missing\?$"):
        rows("a.csv", 'id,text\n1,one\n2,"two\n3,three\n4,four\n')


def test_text_after_a_closing_quote_is_refused(rows):
    with pytest.raises(Refused, match=r"^a\.csv, row 2 \(line 2\):"):
        rows("a.csv", 'id,text\n1,"one" more\n')


def test_broken_quotes_in_the_header(rows):
    with pytest.raises(Refused, match=r"^a\.csv, line 1:"):
        rows("a.csv", '"id,text\n1,one\n')


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("id~text\n1~one\n2~two\n", "~"),
        ("id^text\n1^one\n2^two\n", "^"),
        ("id:text\n1:one\n2:two\n", ":"),
        ("id;text, long\n1;one, two, three\n2;four\n", ";"),  # the header itself cannot tell
        ("id|a,b,c\n1|x\n2|y,z\n", "|"),
        ("id;Preis, netto;Gewicht, kg\n1;2,50;3,50\n2;4,00;1,25\n", ";"),
        ('id;"a\nb";text\n1;"x;y";"z, z"\n', ";"),  # quotes go on over lines
        ("text\none, two\nthree, four\n", ","),
        ("note: one\nsee: this, that\nelse\n", ","),  # a colon that only some lines have is prose
    ],
)
def test_the_delimiter_is_that_of_most_lines(rows, content, delimiter):
    assert rows("a.csv", content)[1].delimiter == delimiter


def test_what_excel_says_of_the_delimiter_is_no_row(rows):
    found, report = rows("a.csv", "\ufeffsep=;\r\nid;text\r\n1;a,b\r\n")
    assert (found, report.delimiter) == ([("row 2", {"id": "1", "text": "a,b"})], ";")


def test_a_chosen_delimiter_is_used_as_it_is(rows):
    found, report = rows("a.csv", "id,a;text\n1,b;c\n", delimiter=";")
    assert (found, report.delimiter) == ([("row 2", {"id,a": "1,b", "text": "c"})], ";")
    assert rows("a.tsv", "id,text\n1,c\n", delimiter=",")[0] == [
        ("row 2", {"id": "1", "text": "c"})
    ]


@pytest.mark.parametrize("delimiter", ["ab", "\n"])
def test_a_delimiter_that_cannot_be_one(rows, delimiter):
    with pytest.raises(Refused, match=r"^a\.csv cannot be read with the delimiter .*one character"):
        rows("a.csv", "id,text\n1,c\n", delimiter=delimiter)


def test_line_ends_of_old_macs(rows):
    found, _ = rows("a.csv", "id,text\r1,one\r2,two\r")
    assert found == [("row 2", {"id": "1", "text": "one"}), ("row 3", {"id": "2", "text": "two"})]


def test_columns_without_a_name_are_noted(rows):
    assert rows("a.csv", "text,,x,\na,b,c,d\n")[1].notes == [
        "columns without a name, which are not read: 2, 4"
    ]


def test_a_broken_name_of_a_column(rows):
    good = b"1,caf\xc3\xa9\n" * 150
    with pytest.raises(Refused) as caught:
        rows("a.csv", b"id,caf\xe9\n" + good)
    assert str(caught.value) == (
        "a.csv: the name of column 2 holds a byte that is not utf-8. Choose another encoding, or "
        "rename the column."
    )


# --- TSV has no quoting, unless it is a CSV with tabs -----------------------------------------------------


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ('1\t"Water pill is a diuretic.\n2\tplain\n3\tso called"\n', ['"Water pill is a diuretic.', "plain", 'so called"']),
        ('1\t"Water pill" is a diuretic.\n2\t5" of snow\n', ['"Water pill" is a diuretic.', '5" of snow']),
        ('1\t"Say aaah."\n2\tplain, with a comma\n', ['"Say aaah."', "plain, with a comma"]),
        ('1\t"\n2\t""\n', ['"', '""']),
    ],
)  # fmt: skip
def test_a_quotation_mark_in_a_tsv_is_a_letter(rows, body, texts):
    for name in ("a.tsv", "a.csv"):
        found, report = rows(name, "id\ttext\n" + body)
        assert [fields["text"] for _, fields in found] == texts
        assert (report.format, report.refused_count) == ("TSV", 0)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('"id"\t"text"\n"1"\t"one"\n', ["one"]),
        ('id\ttext\n1\t"one"\n2\t"two"\n', ["one", "two"]),
        ('id\ttext\n1\t"so ""called"""\n2\ttwo\n', ['so "called"', "two"]),
        ('id\ttext\n1\t"one\ttab"\n2\ttwo\n', ["one\ttab", "two"]),
        ('id\ttext\n1\t"two\nlines"\n2\ttwo\n', ["two\nlines", "two"]),
    ],
)
def test_a_csv_with_tabs_has_quoting(rows, content, texts):
    found, report = rows("a.tsv", content)
    assert [fields["text"] for _, fields in found] == texts
    assert report.refused_count == 0


def test_a_torn_row_beside_a_quotation_mark_is_named(rows):
    found, report = rows("a.tsv", 'id\ttext\n1\t"one\n2\ttorn\nhere\n3\tthree"\n')
    assert [where for where, _ in found] == ["row 2", "row 3", "row 5"]
    assert refusals(report) == [("row 4", "has 1 fields, the header has 2")]
