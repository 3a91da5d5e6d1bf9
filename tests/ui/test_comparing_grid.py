"""The columns of Compare side by side: rows, movement, marks, and what is never markup."""

import re

import pytest
from app_help import cards, hit, plain
from board_help import board, cards_of, drawn, found, of_hits

from search.retrieval.relevance.shares import Relevance
from search.retrieval.results import Best, Hit
from ui.comparing import relevance
from ui.comparing.cards import name_of
from ui.comparing.grid import skeleton
from ui.comparing.sides import Board


def _moves(made: Board, place: int) -> dict[str, str]:
    return {card.title.removeprefix("Title "): card.move for card in cards_of(made, place)}


def test_movement_is_told_against_the_first_column() -> None:
    made = board(found("generic", "a", "b", "c", "d"), found("x", "c", "b", "a", "e"))
    assert _moves(made, 0) == {"a": "", "b": "", "c": "", "d": "only here"}
    assert _moves(made, 1) == {"c": "▲ 2", "b": "same rank", "a": "▼ 2", "e": "new"}


def test_movement_of_the_third_column_is_also_against_the_first() -> None:
    made = board(found("generic", "a", "b"), found("x", "b", "a"), found("y", "a", "c"))
    assert _moves(made, 1) == {"b": "▲ 1", "a": "▼ 1"}
    assert _moves(made, 2) == {"a": "same rank", "c": "new · only here"}
    assert _moves(made, 0) == {"a": "", "b": ""}


def test_a_document_new_in_two_columns_is_not_only_in_one() -> None:
    made = board(found("generic", "a"), found("x", "c"), found("y", "c"))
    assert _moves(made, 1) == _moves(made, 2) == {"c": "new"}
    assert not cards_of(made, 1)[0].only
    assert cards_of(made, 0)[0].only


def test_one_column_alone_has_no_movement() -> None:
    assert _moves(board(found("generic", "a", "b")), 0) == {"a": "", "b": ""}


def test_equal_ranks_stand_in_one_row() -> None:
    made = board(found("g", "a", "b", "c"), found("x", "c"))
    rows = drawn(made).split('<div class="b-line')[1:]
    heads, *ranks, gone = rows
    assert "b-heads" in heads
    inside = [[(side, card.rank, card.title) for side, card in cards(row)] for row in ranks]
    assert inside == [
        [(0, 1, "Title a"), (1, 1, "Title c")],
        [(0, 2, "Title b")],
        [(0, 3, "Title c")],
    ]
    assert [row.count('role="cell"') for row in [*ranks, gone]] == [2, 2, 2, 2]
    assert heads.count('role="columnheader"') == 2


def test_what_fell_out_of_the_first_column_is_told_under_the_others() -> None:
    made = board(found("g", "a", "b", "c"), found("x", "b"), found("y", "a", "b", "c"))
    last = drawn(made).split('<div class="b-line')[-1]
    cells = [plain(cell) for cell in last.split('role="cell"')[1:]]
    assert "1 Title a 3 Title c" in cells[1]
    assert "Gone: in the first 10 of G, but not here" in cells[1]
    assert "Title" not in cells[0] + cells[2]
    assert "b-gone" not in drawn(board(found("g", "a"), found("x", "a", "b")))


def test_a_card_says_how_probable_it_is_that_it_answers() -> None:
    made = board(found("g", "a", "b", relevance=Relevance((0.62, 0.04))), found("x", "b"))
    first, unknown, second = re.findall(r'class="b-score( b-likely)?"[^>]*>([^<]*)<', drawn(made))
    assert first == (" b-likely", "likely, 62 %")
    assert second == ("", "probably nothing, 4 %")
    assert unknown == ("", "")
    line = "Not what this corpus is about"
    one = board(found("g", "a", relevance=Relevance((0.02,), line)), found("x", "b"))
    assert relevance.sentence(one) == f"{line}, the g would say."
    both = board(*(found(m, "a", relevance=Relevance((0.02,), line)) for m in "gx"))
    assert relevance.sentence(both) == f"{line}."


def test_the_same_document_has_the_same_number_everywhere() -> None:
    made = drawn(board(found("g", "a", "b"), found("x", "b", "c")))
    numbers = dict.fromkeys("abc", "")
    for number, title in re.findall(r'data-doc="(\d+)".*?Title (\w)', made):
        assert numbers[title] in ("", number)
        numbers[title] = number
    assert len(set(numbers.values())) == 3


def test_a_card_shows_rank_metadata_and_the_judgment_and_says_its_score() -> None:
    one = hit(3, "d7", 0.5, "", "flat feet", metadata={"source": "<WHO>", "year": "1999"})
    made = board(of_hits("x", hit(1, "d1", 1.0, "", "no"), one), found("y", "d7"), query="flat", judged={"d7": 1})  # fmt: skip
    html = drawn(made)
    assert 'title="score 0.500; another' in html
    assert "&lt;WHO&gt;" in html
    assert ">year 1999<" in html, "a bare number is named"
    card = cards_of(made, 0)[1]
    assert (card.rank, card.judged, card.only, card.marks) == (3, True, False, ["flat"])
    assert ">d7<" not in html, "an id is not shown"


@pytest.mark.parametrize("scores", [(0.0, 0.0), (-1.0, -2.0), (0.5, -0.1)])
def test_scores_of_zero_and_below_make_bars_too(scores: tuple[float, float]) -> None:
    both = [hit(rank, str(rank), score, "T", "t") for rank, score in enumerate(scores, 1)]
    widths = [int(w) for w in re.findall(r"width:(-?\d+)%", drawn(board(of_hits("x", *both))))]
    assert all(0 <= width <= 100 for width in widths)


def test_grades_are_told_where_they_differ() -> None:
    made = board(found("g", "a", "b", "c"), judged={"a": 2, "b": 1})
    html = drawn(made)
    assert "judged relevant · grade 2" in html
    assert "judged relevant · grade 1" in html
    assert "grade" not in drawn(board(found("g", "a"), judged={"a": 1}))
    assert [card.judged for card in cards_of(made, 0)] == [True, True, False]


def test_a_judged_answer_is_marked_as_that_and_not_as_lonely() -> None:
    made = board(found("generic", "a"), found("x", "b", "c"), judged={"b": 1})
    judged, other = cards_of(made, 1)
    assert (judged.judged, judged.only) == (True, False)
    assert (other.judged, other.only) == (False, True)


def test_each_column_says_where_it_has_the_judged_answer() -> None:
    made = board(found("g", "a", "j"), found("x", "j"), found("y", "a"), judged={"j": 1}, k=5)
    said = re.findall(r'b-standing.*?">(.*?)</span>', drawn(made))
    assert said == [
        "judged answer at rank 2",
        "judged answer at rank 1",
        "judged answer not in the first 5",
    ]


def test_title_text_column_and_metadata_are_never_markup() -> None:
    evil = "<script>alert(1)</script>"
    note = {evil: evil, "link": 'https://x.example/"onmouseover="alert(1)'}
    both = [
        hit(1, evil, 0.1, evil, evil, metadata=note, tier=evil),
        hit(2, evil + "2", 0.1, "", evil, metadata=note),
    ]
    html = drawn(board(of_hits(evil, *both), of_hits("y"), query="alert"))
    assert "<script" not in html
    assert "onmouseover=" not in html.replace("&#34;onmouseover=&#34;", "")
    assert html.count("&lt;script&gt;") > 8


@pytest.mark.parametrize(
    "value",
    ["javascript:alert(1)", "data:text/html,x", "ftp://x.example/a", "http://[::1", "//x.example", "/askcfpb/2/a.html"],
)  # fmt: skip
def test_only_addresses_of_the_web_become_links(value: str) -> None:
    one = hit(1, "a", 1.0, "T", "t", metadata={"url": value})
    assert "<a " not in drawn(board(of_hits("x", one)))


def test_an_address_of_the_web_is_a_link_that_says_where_it_leads() -> None:
    one = hit(1, "a", 1.0, "T", "t", metadata={"url": "https://law.example/a?b=1&c=2"})
    html = drawn(board(of_hits("x", one)))
    assert '<a title="url" href="https://law.example/a?b=1&amp;c=2" target="_blank">law.example ↗</a>' in html  # fmt: skip


def test_the_whole_text_is_there_when_it_was_cut() -> None:
    long = "word " * 200 + "end"
    html = drawn(board(of_hits("x", hit(1, "a", 0.1, "T", long)), query="absent"))
    assert "<details><summary>whole text</summary>" in html
    assert long in html
    assert "details" not in drawn(board(found("x", "a")))


def test_where_the_best_passage_stands_is_told() -> None:
    text = "The whole document about rent. " * 20
    best = Best("about rent", "Duties > Rent", 4, 2, 3)
    one = Hit(1, "a", 0.5, "Lease", text, best, {"type": "case", "year": "1999"}, "case")
    made = board(of_hits("x", one), query="rent")
    html = drawn(made)
    assert cards_of(made, 0)[0].marks[0] == "rent"
    for said in ("page 4", "Duties &gt; Rent", "passage 2 of 3", "year 1999"):
        assert f">{said}</span>" in html
    assert html.count(">case<") == 1, "the tier is not told twice"
    assert "whole text" in html


def test_of_a_very_long_document_the_neighbourhood_unfolds() -> None:
    text = "before " * 3_000 + "the needle here. " + "after " * 3_000
    one = Hit(1, "a", 0.5, "", text, Best("the needle here.", "", None, 9, 20, 21_000))
    html = drawn(board(of_hits("x", one), query="needle"))
    assert "what stands around it" in html
    assert "before the <mark>needle</mark> here. after" in html
    assert len(html) < 8_000


def test_a_screen_reader_hears_side_rank_name_and_movement() -> None:
    made = board(found("generic", "a", "b"), found("x", "b", "c"), judged={"b": 1})
    labels = re.findall(r'class="b-card b-hit[^>]*aria-label="([^"]*)"', drawn(made))
    assert labels == [
        "Generic, rank 1: Title a, found only here",
        "X, rank 1: Title b, moved up 1, judged relevant",
        "Generic, rank 2: Title b, judged relevant",
        "X, rank 2: Title c, new here",
    ]


def test_a_column_that_found_nothing_says_why() -> None:
    html = drawn(board(found("g", "a"), found("x", note="no known words in this query")))
    assert "Nothing found No known words in this query." in plain(html)
    assert "Nothing found" in plain(drawn(board(found("g"))))


def test_a_document_without_a_title_is_called_by_its_first_words() -> None:
    assert name_of(hit(1, "id7", 1.0, "", "How  do I\ncancel?")) == "How do I cancel?"
    long = name_of(hit(1, "id7", 1.0, "", "word " * 100))
    assert long.endswith(" …")
    assert len(long) <= 92


def test_the_skeleton_has_as_many_columns_and_no_words() -> None:
    html = skeleton(3)
    assert plain(html) == ""
    assert html.count("b-skeleton") % 3 == 0
    assert 'aria-hidden="true"' in html
