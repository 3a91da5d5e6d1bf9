"""Passages: everything is in one, none is too long, borders are headings and ends of sentences."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.corpus.document import Document, Heading
from search.corpus.passages import WHOLE, Chunker, Chunking, Passage, chunking_of, embedded_passage
from search.corpus.tokenizer import generic_subwords
from search.projects.errors import Refused

SMALL = Chunking(tokens=40, overlap=10)


def _sentences(count, start=0):
    return " ".join(
        f"The tenant number {n} pays the rent in month {n % 12}."
        for n in range(start, start + count)
    )


def _bodies(document, passages):
    return [document.text[p.start : p.stop] for p in passages]


def test_a_short_document_is_one_passage():
    document = Document("a", "Rent", "The tenant pays the rent.")
    assert Chunker(SMALL).cut(document) == [Passage(0, 25)]


def test_a_long_document_is_cut_at_the_ends_of_sentences():
    document = Document("a", "Rent", _sentences(20))
    passages = Chunker(SMALL).cut(document)
    assert len(passages) > 5
    for body in _bodies(document, passages):
        assert body.startswith("The tenant")
        assert body.endswith(".")


def test_abbreviations_and_citations_do_not_end_a_sentence():
    text = "See Smith v. Jones, 410 U.S. 113 (1973), cited by Dr. Brown for notice. " * 6
    document = Document("a", "", text.strip())
    for body in _bodies(document, Chunker(SMALL).cut(document)):
        assert body.startswith("See Smith v. Jones")
        assert body.endswith("for notice.")


def test_the_danda_and_the_ideographic_stop_end_sentences():
    text = "रोगी को बुखार है और उसे दवा दी जाती है। " * 10 + "患者发烧了，医生给他开了药。" * 10
    document = Document("a", "", text)
    bodies = _bodies(document, Chunker(SMALL).cut(document))
    assert len(bodies) > 4
    assert all(body.rstrip()[-1] in "।。" for body in bodies)


def test_no_passage_has_more_word_pieces_than_asked_for_title_and_heading_included():
    marks = (Heading(0, "Duties"), Heading(400, "Duties > Payment"))
    document = Document("a", "A lease of rooms", _sentences(30), marks=marks)
    pieces = generic_subwords()
    passages = Chunker(SMALL).cut(document)
    counts = [pieces.of(embedded_passage(document.title, document.text, p)) for p in passages]
    assert max(counts) <= 40
    assert min(counts) > 15


def test_the_overlap_repeats_whole_sentences():
    document = Document("a", "", _sentences(20))
    without = Chunker(Chunking(40, 0)).cut(document)
    assert all(a.stop <= b.start for a, b in pairwise(without))
    passages = Chunker(Chunking(40, 20)).cut(document)
    repeated = [document.text[b.start : a.stop] for a, b in pairwise(passages)]
    assert all(text.startswith("The tenant") and text.endswith(".") for text in repeated)
    assert len(passages) > len(without)


def test_a_new_heading_begins_a_new_passage():
    first, second = _sentences(3), "Ends\n\n" + _sentences(3, 50)
    text = f"{first}\n\n{second}"
    start = len(first) + 2
    document = Document("a", "", text, marks=(Heading(0, "Rent"), Heading(start, "Ends")))
    passages = Chunker(Chunking(48, 10)).cut(document)
    assert [(p.start, p.heading) for p in passages] == [(0, "Rent"), (start, "Ends")]


def test_small_sections_go_together():
    lines = [f"{n}. Point\n\nPay on day {n}." for n in range(30)]
    text = "\n\n".join(lines)
    starts = [text.index(line) for line in lines]
    marks = tuple(Heading(s, f"{n}. Point") for n, s in enumerate(starts))
    passages = Chunker(SMALL).cut(Document("a", "", text, marks=marks))
    assert 4 < len(passages) < 30
    assert all(p.start in starts for p in passages)


def test_pages_and_headings_are_those_of_the_first_line():
    one, two = _sentences(6), _sentences(6, 40)
    text = f"{one}\n\n{two}"
    marks = (Heading(0, "", 1), Heading(len(one) + 2, "", 2))
    passages = Chunker(Chunking(60, 0)).cut(Document("a", "", text, marks=marks))
    assert {p.page for p in passages} == {1, 2}
    assert all((p.page == 2) == (p.start >= len(one)) for p in passages)


def test_a_sentence_without_an_end_is_cut_between_words():
    text = "word " * 500
    document = Document("a", "", text.strip())
    bodies = _bodies(document, Chunker(SMALL).cut(document))
    assert all(set(body.split()) == {"word"} for body in bodies)


def test_a_run_without_a_space_is_cut_too():
    document = Document("a", "", "漢" * 500)
    passages = Chunker(Chunking(40, 0)).cut(document)
    assert "".join(_bodies(document, passages)) == "漢" * 500
    assert max(p.stop - p.start for p in passages) <= 40


def test_no_scrap_is_left_at_the_end():
    pieces = generic_subwords()
    for count in range(7, 30):
        document = Document("a", "", _sentences(count))
        last = _bodies(document, Chunker(SMALL).cut(document))[-1]
        assert pieces.of(last) >= 10


def test_whole_documents_keep_their_first_page():
    document = Document("a", "", _sentences(50), marks=(Heading(0, "Rent", 3),))
    assert Chunker(WHOLE).cut(document) == [Passage(0, len(document.text), page=3)]


def test_what_a_model_sees():
    text = "Rent\n\nPay it. Then pay more."
    assert embedded_passage("Lease", text, Passage(0, len(text), "Rent")) == f"Lease {text}"
    later = Passage(14, len(text), "Duties > Rent", prefix="Lease Duties > Rent")
    assert embedded_passage("Lease", text, later) == "Lease Duties > Rent Then pay more."


def test_a_passage_under_its_heading_does_not_repeat_it():
    text = "Rent\n\n" + _sentences(12)
    document = Document("a", "Lease", text, marks=(Heading(0, "Duties > Rent"),))
    first, *others = Chunker(SMALL).cut(document)
    assert first.prefix == "Lease"
    assert {passage.prefix for passage in others} == {"Lease Duties > Rent"}


@pytest.mark.parametrize("words", [10, 60, 200])
def test_a_long_title_never_makes_a_passage_too_long(words):
    title = " ".join(f"word{n}" for n in range(words))
    document = Document("a", title, _sentences(60) + " " + "long sentence " * 300)
    pieces = generic_subwords()
    passages = Chunker(Chunking(100, 10)).cut(document)
    counts = [pieces.of(embedded_passage(title, document.text, p)) for p in passages]
    assert max(counts) <= 100
    assert all(embedded_passage(title, document.text, p).startswith("word0") for p in passages)


def test_letters_of_several_word_pieces_are_counted():
    korean = "임차인은 매월 임대료를 지급한다. " * 12
    assert len(korean) < 250 < generic_subwords().of(korean)
    assert len(Chunker(Chunking(250, 30)).cut(Document("a", "", korean))) > 1


def test_without_overlap_nothing_is_repeated():
    for count in range(5, 40):
        passages = Chunker(Chunking(64, 0)).cut(Document("a", "", _sentences(count)))
        assert all(a.stop <= b.start for a, b in pairwise(passages))


@pytest.mark.parametrize(("tokens", "overlap"), [(5, 0), (9_000, 0), (100, 51), (100, -1), (-3, 0)])
def test_settings_out_of_range_are_refused(tokens, overlap):
    with pytest.raises(Refused, match="tokens: give"):
        Chunking(tokens, overlap)


def test_settings_may_be_left_open():
    base = Chunking(500, 60)
    assert chunking_of(base, None, None) == base
    assert chunking_of(base, 0, None) == WHOLE
    assert chunking_of(base, None, 12) == Chunking(500, 12)
    assert chunking_of(base, 80, None) == Chunking(80, 20)
    assert chunking_of(WHOLE, None, None) == WHOLE
    assert chunking_of(WHOLE, None, 12) == Chunking(250, 12)
    assert chunking_of(WHOLE, 400, None) == Chunking(400, 30)


_WORDS = st.text(alphabet="aeiklmnorst .,!?\n()§漢हि।", min_size=0, max_size=400)


@settings(max_examples=150, deadline=None)
@given(title=st.text(max_size=60), text=_WORDS, tokens=st.integers(16, 40), data=st.data())
def test_every_letter_is_in_a_passage(title, text, tokens, data):
    places = sorted(data.draw(st.sets(st.integers(0, max(len(text) - 1, 0)), max_size=4)))
    marks = tuple(Heading(place, f"h{place}") for place in places)
    document = Document("a", title, text, marks=marks)
    passages = Chunker(Chunking(tokens, data.draw(st.integers(0, 8)))).cut(document)
    assert passages
    covered = [False] * len(text)
    for passage in passages:
        assert 0 <= passage.start <= passage.stop <= len(text)
        covered[passage.start : passage.stop] = [True] * (passage.stop - passage.start)
    assert not "".join(c for c, inside in zip(text, covered, strict=True) if not inside).strip()
    assert [p.start for p in passages] == sorted(p.start for p in passages)


def test_an_endless_run_of_signs_is_cut_in_bounded_steps():
    text = "." * 300_000
    passages = Chunker(Chunking(100, 0)).cut(Document("a", "", text))
    assert "".join(text[p.start : p.stop] for p in passages) == text
    assert max(p.stop - p.start for p in passages) <= 100


def test_no_passage_ends_inside_a_citation_or_a_prescription():
    law = "He moved to dismiss count {} under Fed. R. Civ. P. 12(b)(6) as in Ex. A. to it, see Def.'s Br. at 5. "
    chart = "Day {}: given Tab. Paracetamol 500 mg and Inj. Ceftriaxone 1 g i.v. with Temp. 38.5 C by Dr. Rao. "
    for line, ends in ((law, "at 5."), (chart, "Dr. Rao.")):
        text = "".join(line.format(n) for n in range(30)).strip()
        document = Document("a", "", text)
        passages = Chunker(Chunking(100, 20)).cut(document)
        assert len(passages) > 10
        assert {body[-len(ends) :] for body in _bodies(document, passages)} == {ends}
        assert {body[:3] for body in _bodies(document, passages)} <= {"He ", "Day"}
