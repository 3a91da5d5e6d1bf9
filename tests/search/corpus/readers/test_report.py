"""What is kept of a file: clean text, guessed columns, counted refusals."""

from pathlib import Path

import pytest

from search.corpus.readers.report import (
    BadField,
    Report,
    Unusable,
    clean_text,
    guess_column,
    source_of,
)
from search.projects.errors import Refused
from search.projects.settings import LIMITS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  plain \n", "plain"),
        ("cafe\u0301", "caf\u00e9"),  # decomposed becomes composed
        ("a\x00b\x07c\x1bd", "abcd"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("windows\r\nlines", "windows\nlines"),
        ("\x93quoted\x94 \x81", "\u201cquoted\u201d"),  # Windows's quotation marks as Latin-1
        ("two\r\nlines\rand a\u00a0space", "two\nlines and a\u00a0space"),
        ("end of page\x0cnext\x0bpage\x85and\rmore", "end of page next page and more"),
        (7, "7"),
        (2.5, "2.5"),
        ("दिन", "दिन"),
        ("\U0001f469\u200d\u2695\ufe0f", "\U0001f469\u200d\u2695\ufe0f"),  # emoji with its joiner
    ],
)
def test_clean_text(value, text):
    assert clean_text(value, "text") == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "text is not text but a bool"),
        (["a"], "text is not text but a list"),
        ({"a": 1}, "text is not text but a dict"),
        ("\ud800", "text holds a broken character (an unpaired surrogate)"),
        ("ok \udfff", "text holds a broken character (an unpaired surrogate)"),
        (
            "ok \udcff",
            "text holds the byte 0xff, which is not UTF-8 (or not of the encoding chosen)",
        ),
        ("\udc80", "text holds the byte 0x80, which is not UTF-8 (or not of the encoding chosen)"),
        (Unusable("is an error of the sheet (#REF!)"), "text is an error of the sheet (#REF!)"),
    ],
)
def test_values_that_are_no_text(value, reason):
    with pytest.raises(BadField) as caught:
        clean_text(value, "text")
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("name", "shown"),
    [("plain.csv", "plain.csv"), ("a\tb\n\x1b[31m.csv", "a_b__[31m.csv"), ("\udcff.txt", "_.txt")],
)
def test_file_names_in_messages_are_printable(name, shown):
    assert source_of(Path("/somewhere") / name) == shown


def test_limit_is_exact():
    assert clean_text("x" * 10, "text", 10) == "x" * 10
    with pytest.raises(BadField, match="text has 11 characters; the limit is 10"):
        clean_text("x" * 11, "text", 10)


@pytest.mark.parametrize(
    ("columns", "chosen", "expected"),
    [
        (("id", "Text"), None, "Text"),
        (("body", "text"), None, "text"),  # the order of the names decides, not of the columns
        ((" Full Text ", "x"), "full-text", " Full Text "),
        (("TEXT", "text"), "text", "text"),
        (("one", "two"), None, None),
        ((), None, None),
    ],
)
def test_guess_column(columns, chosen, expected):
    assert guess_column(columns, ("text", "body"), chosen, "a.csv") == expected


def test_chosen_column_that_is_not_there():
    with pytest.raises(Refused) as caught:
        guess_column(("a", "b"), ("text",), "c", "a.csv")
    assert str(caught.value) == "a.csv has no column 'c'. Its columns are: a, b."


def test_refusals_are_counted_beyond_those_listed():
    report = Report("a.csv")
    for number in range(LIMITS.listed_refusals + 5):
        report.refuse(f"row {number}", "bad")
    assert (report.refused_count, len(report.refused)) == (1005, 1000)
    assert report.summary()["refused"] == 1005


def test_nothing_accepted_names_the_first_reasons():
    report = Report("a.csv")
    with pytest.raises(Refused, match=r"^a\.csv holds no pairs: it is empty\.$"):
        report.require_some("pairs")
    for number in range(1, 5):
        report.refuse(f"row {number}", f"reason {number}")
    with pytest.raises(Refused) as caught:
        report.require_some("pairs")
    assert str(caught.value) == (
        "a.csv holds no usable pairs: all 4 rows were refused "
        "(row 1: reason 1; row 2: reason 2; row 3: reason 3)."
    )
    report.accepted = 1
    report.require_some("pairs")
