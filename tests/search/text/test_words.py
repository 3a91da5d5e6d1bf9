"""Words of every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.text.words import WORD, folded_words, word_runs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The BP, of 120/80 mmHg!", ["the", "bp", "of", "120", "80", "mmhg"]),
        ("घर में कानून", ["घर", "में", "कानून"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("Straße ÉCOLE", ["strasse", "école"]),
        ("cafe\u0301", ["cafe\u0301"]),
        ("…!? —", []),
        ("न्\u200dयायालय می\u200cتواند", ["न्यायालय", "میتواند"]),
        (
            "co\u00adoperate zero\u200bwidth word\u2060joiner \ufeffle\u200eft",
            ["cooperate", "zerowidth", "wordjoiner", "left"],
        ),
    ],
)
def test_words(text, words):
    assert folded_words(text) == words


def test_matches_keep_their_places():
    assert [(m.start(), m.group()) for m in WORD.finditer("a घर b")] == [
        (0, "a"),
        (2, "घर"),
        (5, "b"),
    ]


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_the_fast_way_for_plain_english_finds_the_same_words(text):
    assert folded_words(text) == WORD.findall(text.casefold())


def test_format_signs_are_inside_matches_and_end_no_phrase():
    assert [m.span() for m in WORD.finditer("\u200fन्\u200dय \u00ad x")] == [(1, 5), (8, 9)]
    assert word_runs("The Co\u00adurt sat. It rose") == [["the", "court", "sat"], ["it", "rose"]]
