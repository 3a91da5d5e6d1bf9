import re
import sys
from types import FrameType
from typing import Any

import pytest

from ui.hits import excerpt, marked, query_words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("What are the symptoms of flat feet?", {"symptom", "flat", "feet"}),
        ("Who may vote in elections, and when", {"may", "vote", "election"}),
        ("bodies glass gas BUS", {"body", "glass", "gas", "bus"}),
        ("what is it", {"what", "is", "it"}),
        ("Straße STRASSE", {"strasse"}),
        ("COVID-19", {"covid", "19"}),
        ("🤕 ?!", set()),
        ("", set()),
        ("पुलिस हिरासत", {"पुलिस", "हिरासत"}),
        ("கைது", {"கைது"}),
    ],
)
def test_query_words(query: str, words: set[str]) -> None:
    assert query_words(query) == words


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("flat foot", "Flat feet, a FLAT foot", ["Flat", "FLAT", "foot"]),
        ("symptom", "Symptoms of the symptom: symptomatic", ["Symptoms", "symptom"]),
        ("the police", "The police of the state", ["police"]),
        ("the of", "The police of the state", ["The", "of", "the"]),
        ("art", "party art start", ["art"]),
        ("पुलिस", "पुलिस ने पानी पिया", ["पुलिस"]),
        ("", "anything", []),
    ],
)
def test_marks_whole_words_in_any_case(query: str, text: str, expected: list[str]) -> None:
    html = marked(text, query_words(query))
    assert re.findall("<mark>(.*?)</mark>", html) == expected
    assert re.sub("</?mark>", "", html) == text


def test_marking_escapes_everything_around_and_inside() -> None:
    html = marked('<script>alert("1")</script> & alert', query_words("alert"))
    assert html == (
        "&lt;script&gt;<mark>alert</mark>(&#34;1&#34;)&lt;/script&gt; &amp; <mark>alert</mark>"
    )


def test_a_short_text_is_its_own_excerpt() -> None:
    assert excerpt("kurz", frozenset({"x"})) == "kurz"
    assert excerpt("a" * 280, frozenset()) == "a" * 280


def test_excerpt_without_a_match_is_the_beginning() -> None:
    text = "word " * 200
    cut = excerpt(text, frozenset({"absent"}))
    assert cut.startswith("word word")
    assert cut.endswith(" …")
    assert 280 <= len(cut) <= 300


def test_excerpt_shows_where_most_words_of_the_query_are() -> None:
    text = "alpha " + "filler " * 100 + "alpha beta gamma " + "filler " * 100
    cut = excerpt(text, frozenset({"alpha", "beta", "gamma"}))
    assert "alpha beta gamma" in cut
    assert cut.startswith("… filler")
    assert cut.endswith("filler …")
    assert len(cut) <= 310


def test_excerpt_at_the_end_of_a_text_ends_with_the_text() -> None:
    text = "filler " * 100 + "needle"
    cut = excerpt(text, frozenset({"needle"}))
    assert cut.startswith("… ")
    assert cut.endswith("needle")


def test_excerpt_of_a_text_without_spaces_is_still_short_and_holds_the_match() -> None:
    """Chinese and Thai do without spaces."""
    assert len(excerpt("警" * 5_000, frozenset())) <= 340
    cut = excerpt("甲" * 3_000 + " 警察 " + "乙" * 3_000, frozenset({"警察"}))
    assert "警察" in cut
    assert len(cut) <= 340


def _steps(text: str, words: frozenset[str]) -> int:
    """How many instructions of Python run while an excerpt is made, in whatever functions of ours."""
    count = 0

    def traced(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        excerpt(text, words)
    finally:
        sys.settrace(before)
    return count


def test_excerpt_of_the_longest_text_with_a_frequent_word_is_its_beginning() -> None:
    text = "patient and doctor " * 52_000
    assert excerpt(text, frozenset({"patient"})).startswith("patient and doctor")


def test_the_work_of_an_excerpt_grows_with_the_text_and_no_faster() -> None:
    words = frozenset({"patient"})
    once, twice, eight = (_steps("patient and doctor " * n, words) for n in (500, 1_000, 4_000))
    assert once > 500
    assert eight - twice == 6 * (twice - once), "as many steps for each further word, however many"
