import re
import time

import pytest
from app_help import cards, hit

from search.hits import Best, Hit, SearchResult
from ui.hits import column_html, excerpt, marked, query_words


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
        "&lt;script&gt;<mark>alert</mark>(&quot;1&quot;)&lt;/script&gt; &amp; <mark>alert</mark>"
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


def test_excerpt_of_the_longest_text_with_a_frequent_word_does_not_take_long() -> None:
    text = "patient and doctor " * 52_000
    started = time.perf_counter()
    assert excerpt(text, frozenset({"patient"})).startswith("patient and doctor")
    assert time.perf_counter() - started < 5


def _result(model: str, *ids: str) -> SearchResult:
    hits = [hit(rank, i, 1 / rank, f"Title {i}", f"Text {i}") for rank, i in enumerate(ids, 1)]
    return SearchResult(model, hits, 1.0)


def _moves(result: SearchResult, results: list[SearchResult]) -> dict[str, str]:
    others = [other for other in results if other is not result]
    html = column_html(result, others, results[0], "q", {}, "red")
    return {card.title.removeprefix("Title "): card.move for card in cards(html)}


def test_movement_is_told_against_the_first_column() -> None:
    results = [_result("generic", "a", "b", "c", "d"), _result("x", "c", "b", "a", "e")]
    assert _moves(results[0], results) == {"a": "", "b": "", "c": "", "d": "only here"}
    assert _moves(results[1], results) == {"c": "▲ 2", "b": "same rank", "a": "▼ 2", "e": "new"}


def test_movement_of_the_third_column_is_also_against_the_first() -> None:
    results = [_result("generic", "a", "b"), _result("x", "b", "a"), _result("y", "a", "c")]
    assert _moves(results[1], results) == {"b": "▲ 1", "a": "▼ 1"}
    assert _moves(results[2], results) == {"a": "same rank", "c": "new"}
    assert _moves(results[0], results) == {"a": "", "b": ""}


def test_one_column_alone_has_no_movement() -> None:
    results = [_result("generic", "a", "b")]
    assert _moves(results[0], results) == {"a": "", "b": ""}


def test_a_card_shows_rank_score_metadata_and_the_judgment() -> None:
    found = hit(3, "d7", 0.5, "", "flat feet", metadata={"source": "<WHO>"})
    result = SearchResult("x", [found], 1.0)
    html = column_html(result, [_result("y", "d7")], result, "flat", {"d7": 1}, "red")
    assert "score 0.500" in html
    assert "&lt;WHO&gt;" in html
    card = cards(html)[0]
    assert (card.rank, card.judged, card.only, card.marks) == (3, True, False, ["flat"])
    assert "d7" in html, "a document without a title shows its id"


def test_a_judged_answer_is_never_greyed_out() -> None:
    results = [_result("generic", "a"), _result("x", "b", "c")]
    html = column_html(results[1], results[:1], results[0], "q", {"b": 1}, "red")
    judged, other = cards(html)
    assert (judged.judged, judged.only) == (True, False)
    assert (other.judged, other.only) == (False, True)


def test_title_text_id_and_metadata_are_escaped() -> None:
    evil = "<script>alert(1)</script>"
    note = {"note": evil}
    both = [
        hit(1, evil, 0.1, evil, evil, metadata=note),
        hit(2, evil, 0.1, "", evil, metadata=note),
    ]
    result = SearchResult("x", both, 1.0)
    html = column_html(result, [], result, "alert", {}, "red")
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 6


def test_the_whole_text_is_there_when_it_was_cut() -> None:
    long = "word " * 200 + "end"
    result = SearchResult("x", [hit(1, "a", 0.1, "T", long)], 1.0)
    html = column_html(result, [], result, "absent", {}, "red")
    assert "<details><summary>whole text</summary>" in html
    assert long in html
    assert "details" not in column_html(_result("x", "a"), [], result, "q", {}, "red")


def test_where_the_best_passage_stands_is_told() -> None:
    text = "The whole document about rent. " * 20
    best = Best("about rent", "Duties > Rent", 4, 2, 3)
    found = Hit(1, "a", 0.5, "Lease", text, best, {"type": "case", "year": "1999"}, "case")
    result = SearchResult("x", [found], 1.0)
    html = column_html(result, [], result, "rent", {}, "red")
    (card,) = cards(html)
    assert card.marks[0] == "rent"
    for said in ("page 4", "Duties &gt; Rent", "passage 2 of 3", "1999"):
        assert f"<span>{said}</span>" in html
    assert html.count(">case<") == 1, "the tier is not told twice"
    assert "whole text" in html


def test_of_a_very_long_document_the_neighbourhood_unfolds() -> None:
    text = "before " * 3_000 + "the needle here. " + "after " * 3_000
    found = Hit(1, "a", 0.5, "", text, Best("the needle here.", "", None, 9, 20, 21_000))
    result = SearchResult("x", [found], 1.0)
    html = column_html(result, [], result, "needle", {}, "red")
    assert "what stands around it" in html
    assert "before the <mark>needle</mark> here. after" in html
    assert len(html) < 6_000
