"""Lines of pages into paragraphs: what no PDF library says."""

import pytest

from search.corpus.readers.layout import HYPHEN, Line, Page, pages_to_blocks, without_repeated_lines


def lines(*texts, top=700.0, pitch=14.0, size=10.0):
    """Lines one under the other; None leaves a gap of one line."""
    found = []
    for number, text in enumerate(texts):
        if text is not None:
            found.append(Line(text, top - number * pitch, size))
    return tuple(found)


def read(*pages, outline=None):
    numbered = [Page(number, page) for number, page in enumerate(pages, start=1)]
    return [(b.text, b.level, b.page) for b in pages_to_blocks(numbered, outline or {})]


def test_lines_of_a_paragraph_are_joined_and_gaps_part_paragraphs():
    page = lines(
        "The first line goes on", "and on and ends here.", None, "Another paragraph", "ends."
    )
    assert read(page) == [
        ("The first line goes on and on and ends here.", 0, 1),
        ("Another paragraph ends.", 0, 1),
    ]  # fmt: skip


def test_a_short_line_that_ends_a_sentence_ends_a_paragraph():
    page = lines(
        "A full line of text that goes on to", "an end.", "The next paragraph is long, too,", "x."
    )
    assert [text for text, _, _ in read(page)] == [
        "A full line of text that goes on to an end.",
        "The next paragraph is long, too, x.",
    ]  # fmt: skip


def test_items_of_a_list_are_apart():
    page = lines("We sell:", "• apples that are", "red", "2. pears", "(b) plums")
    assert [t for t, _, _ in read(page)] == [
        "We sell:", "• apples that are red", "2. pears", "(b) plums",
    ]  # fmt: skip


def test_a_sentence_goes_on_in_the_next_column():
    page = (
        *lines("left column begins", "and does not"),
        *lines("end before the right one.", "It ends here."),
        *lines("New column, new paragraph.", top=800),
    )
    assert [text for text, _, _ in read(page)] == [
        "left column begins and does not end before the right one. It ends here.",
        "New column, new paragraph.",
    ]


def test_hyphens_of_line_ends_are_undone_but_not_those_of_words():
    page = lines(
        f"The hyphen{HYPHEN}",
        "ation of well-known things and of well-",
        f"known words like cross{HYPHEN}",
        "examine, an inter-",
        "national A-",
        "Z.",
    )
    assert read(page)[0][0] == (
        "The hyphenation of well-known things and of well-known words like cross-examine, "
        "an international A- Z."
    )


def test_larger_type_is_a_heading():
    page = (
        *lines("A Report", top=800, size=20),
        *lines("of the Board", top=776, size=20),
        *lines("Scope", top=740, size=14),
        *lines("Some text of the report that is longer than its headings.", top=720),
        *lines("12", top=60, size=30),
    )
    assert read(page) == [
        ("A Report of the Board", 2, 1),
        ("Scope", 3, 1),
        ("Some text of the report that is longer than its headings.", 0, 1),
        ("12", 0, 1),
    ]


def test_bookmarks_name_the_headings():
    page = lines("2.1  SCOPE", "Scope is a word here, too.", size=10)
    other = lines("2.1 Scope")
    assert read(page, other, outline={1: [(2, "2.1 Scope")]}) == [
        ("2.1  SCOPE", 2, 1),
        ("Scope is a word here, too.", 0, 1),
        ("2.1 Scope", 0, 2),
    ]


def paged(count, header="ACME Report", footer="Page {n} of 12", body="Body of page {n}."):
    return [
        Page(n, lines(header.format(n=n), None, body.format(n=n), None, footer.format(n=n)))
        for n in range(1, count + 1)
    ]


def test_running_headers_and_page_numbers_are_left_out():
    pages, dropped = without_repeated_lines(paged(4))
    assert [[line.text for line in page.lines] for page in pages] == [
        [f"Body of page {n}."] for n in range(1, 5)
    ]
    assert dropped == ["ACME Report", "Page 1 of 12"]


def test_page_numbers_need_not_begin_at_one():
    pages = [Page(n, lines("ab" * n, "cd" * n, None, f"- {n + 6} -")) for n in range(1, 6)]
    assert without_repeated_lines(pages)[1] == ["- 7 -"]


def test_headings_that_count_with_the_pages_stay():
    pages = paged(4, header="Section {n}", footer="end {n}!")
    assert without_repeated_lines(pages) == (pages, [])


def test_two_pages_repeat_nothing():
    pages = paged(2)
    assert without_repeated_lines(pages) == (pages, [])


def test_lines_of_the_text_that_repeat_stay():
    """A form has the same first line on each page; it is not set apart from what follows."""
    pages = [Page(n, lines("Name of patient:", f"Case {n * n}", "and so on")) for n in range(1, 6)]
    assert without_repeated_lines(pages) == (pages, [])


def test_pages_that_are_all_alike_are_kept():
    pages = [Page(n, lines("The same")) for n in range(1, 6)]
    assert without_repeated_lines(pages) == (pages, [])


@pytest.mark.parametrize("end", ["-", HYPHEN])
def test_a_sign_of_what_is_not_there_is_no_hyphen(end):
    page = lines(f"No rash, fever{end}", "cough+ since May, the bur-", "den is low")
    assert read(page)[0][0] == "No rash, fever- cough+ since May, the burden is low"
