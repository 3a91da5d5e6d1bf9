"""Blocks become the text and the marks of a document."""

from dataclasses import replace

import pytest

from search.corpus.document import Document, Heading
from search.corpus.readers import blocks
from search.corpus.readers.blocks import Block, Prose, assembled, document_of, paragraphs
from search.corpus.readers.report import Report
from search.projects.errors import Refused
from search.projects.settings import LIMITS


def test_headings_stay_in_the_text_and_marks_point_at_them():
    text, marks = assembled(
        [
            Block("Before."),
            Block("Terms", 1),
            Block("One."),
            Block("Liability", 2),
            Block("Two."),
            Block("Annex", 1),
            Block("Three."),
        ]
    )
    assert text == "Before.\n\nTerms\n\nOne.\n\nLiability\n\nTwo.\n\nAnnex\n\nThree."
    assert [(text[mark.start :].split("\n")[0], mark.heading) for mark in marks] == [
        ("Terms", "Terms"),
        ("Liability", "Terms > Liability"),
        ("Annex", "Annex"),
    ]


def test_the_path_has_three_levels_at_most_and_skips_what_is_not_there():
    blocks_ = [Block(name, level) for level, name in enumerate("abcd", start=1)]
    _, marks = assembled([*blocks_, Block("text"), Block("c2", 3)])
    assert [mark.heading for mark in marks] == [
        "a",
        "a > b",
        "a > b > c",
        "b > c > d",
        "a > b > c2",
    ]
    assert [m.heading for m in assembled([Block("x", 4), Block("y", 2)])[1]] == ["x", "y"]


def test_a_mark_where_the_page_changes():
    text, marks = assembled(
        [Block("one", page=1), Block("two", page=1), Block("H", 1, 2), Block("three", page=3)]
    )
    assert marks == (Heading(0, "", 1), Heading(10, "H", 2), Heading(13, "H", 3))
    assert text[10:] == "H\n\nthree"


def test_marks_are_of_the_clean_text():
    text, marks = assembled(
        [Block("cafe\u0301\x07 \x00"), Block(" \n "), Block("so\xadft"), Block(" The\n  end ", 1)]
    )
    assert (text, marks) == ("caf\u00e9\n\nsoft\n\nThe end", (Heading(12, "The end"),))


def test_a_document_is_named_after_its_file():
    report = Report("2021/a.pdf.gz", format="PDF")
    prose = Prose(" A\n title ", [Block("text")], {"author": "X", "none": " "})
    assert document_of(prose, report) == Document(
        "2021/a.pdf", "A title", "text", {"author": "X", "file": "2021/a.pdf.gz"}
    )


@pytest.mark.parametrize(
    ("found", "title"),
    [
        ([Block("First", 1), Block("text")], "First"),
        ([Block("text"), Block("Later", 1)], "annual report"),
    ],
)
def test_without_a_title_the_first_heading_or_the_name_is_one(found, title):
    assert document_of(Prose("", found), Report("x/annual report.pdf")).title == title


def test_a_very_long_title_is_cut():
    document = document_of(Prose("", [Block("word " * 100, 1), Block("text")]), Report("a.md"))
    assert len(document.title) == 300
    assert document.title.endswith("…")
    assert len(document.marks[0].heading) == 120
    assert document.text.startswith("word " * 99 + "word\n\n")


@pytest.mark.parametrize("found", [[], [Block(" \n\x00 ")]])
def test_no_text_is_refused(found):
    with pytest.raises(Refused, match=r"^a\.md holds no text\.$"):
        document_of(Prose("Title", found), Report("a.md"))


def test_too_much_text_is_refused_before_it_is_all_read(monkeypatch):
    monkeypatch.setattr(blocks, "LIMITS", replace(LIMITS, prose_characters=100))
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield Block("ten chars.")

    with pytest.raises(Refused, match=r"^a\.md cannot be used: the text has more than 100 char"):
        document_of(Prose("", endless()), Report("a.md"))
    assert len(taken) == 9


def test_a_broken_character_is_refused():
    with pytest.raises(Refused, match=r"^a\.md cannot be used: the text holds a broken character"):
        document_of(Prose("", [Block("\ud800")]), Report("a.md"))


def test_paragraphs():
    found = [block.text for block in paragraphs("one\nstill\n \t\ntwo\r\n\r\n\r\n\nthree\n")]
    assert [text.strip() for text in found] == ["one\nstill", "two", "three"]
