"""Each kind of mined pair on documents written by hand, in several languages and scripts."""

import pytest

from search.corpus.document import Document, Heading
from search.projects.errors import Refused
from search.text.words import folded_words
from training.synthetic import sentences, structure
from training.synthetic.kinds import KINDS, chosen_kinds
from training.synthetic.source import DocumentText
from training.synthetic.structure import explanation


def source(text, title="", passages=None, marks=(), identity="d1", weigh=lambda word: 1.0):
    return DocumentText(
        Document(identity, title, text, marks=tuple(marks)),
        [text] if passages is None else passages,
        weigh,
    )


def test_a_title_goes_with_the_beginning_of_the_text_alone():
    assert list(structure.titles(source("Pain of the head.", "Headache"))) == [
        ("Headache", "Pain of the head.")
    ]
    cut = source("One part. Another part.", "Parts", ["One part.", "Another part."])
    assert list(structure.titles(cut)) == [("Parts", "One part.")]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("", "Some text here."),
        ("12-34", "Some text here."),
        ("Same words", "same words"),
        ("T", ""),
    ],
)
def test_titles_that_say_nothing_make_no_pair(title, text):
    assert list(structure.titles(source(text, title))) == []


def test_headings_go_with_the_text_under_them():
    text = "Rent\n\nThe rent is due on the first.\n\nNotice\n\nThree months before you leave it."
    marks = [Heading(0, "Rent"), Heading(21, "Rent", 2), Heading(text.index("Notice"), "Notice")]
    assert list(structure.headings(source(text, marks=marks))) == [
        ("Rent", "The rent is due on the first."),
        ("Notice", "Three months before you leave it."),
    ]
    assert list(structure.headings(source("No headings in here at all."))) == []


def test_a_heading_in_a_path_is_asked_by_its_own_name_under_the_others():
    text = "Rent\n\nWhat it costs to live here.\n\nDeposit\n\nTwo months of rent are usual."
    marks = [Heading(0, "Rent"), Heading(text.index("Deposit"), "Rent > Deposit")]
    assert list(structure.headings(source(text, marks=marks))) == [
        ("Rent", "What it costs to live here."),
        ("Rent Deposit", "Two months of rent are usual."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "How is it treated? Rest helps most people. Surgery is rare.",
            [("How is it treated?", "Rest helps most people. Surgery is rare.")],
        ),
        (
            "Wie wird es behandelt? Ruhe hilft den meisten Menschen. Was noch? Nichts.",
            [("Wie wird es behandelt?", "Ruhe hilft den meisten Menschen.")],
        ),
        (
            "इसका इलाज कैसे होता है? आराम से ज़्यादातर लोग ठीक होते हैं।",
            [("इसका इलाज कैसे होता है?", "आराम से ज़्यादातर लोग ठीक होते हैं।")],
        ),
        ("Why? Because of the rain and the wind.", []),
        ("What is this all about?", []),
    ],
)
def test_questions_go_with_the_sentences_after_them(text, expected):
    assert list(structure.questions(source(text))) == expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "A mortgage is a loan that is secured by a house.",
            ("mortgage", "a loan that is secured by a house."),
        ),
        (
            "Escrow means money that somebody holds for you.",
            ("Escrow", "money that somebody holds for you."),
        ),
        (
            "Eine Hypothek ist ein Pfandrecht an einem Grundstück.",
            ("Hypothek", "ein Pfandrecht an einem Grundstück."),
        ),
        (
            "Verjährung bezeichnet den Verlust eines Anspruchs durch Zeit.",
            ("Verjährung", "den Verlust eines Anspruchs durch Zeit."),
        ),
        (
            "L'hypothèque est une garantie sur un immeuble.",
            ("hypothèque", "une garantie sur un immeuble."),
        ),
        (
            "La hipoteca es un préstamo con garantía inmobiliaria.",
            ("hipoteca", "un préstamo con garantía inmobiliaria."),
        ),
        (
            "मधुमेह एक ऐसी बीमारी है जिसमें शर्करा बढ़ती है।",
            ("मधुमेह", "एक ऐसी बीमारी है जिसमें शर्करा बढ़ती है।"),
        ),
        ("It is a loan that is secured by a house.", None),
        ("Das ist ein Pfandrecht an einem Grundstück.", None),
        ("The house is ready for the new owners.", None),
        ("A mortgage is a loan.", None),
    ],
)
def test_a_sentence_that_explains_a_term(sentence, expected):
    assert explanation(sentence) == expected


def test_the_lines_of_a_glossary():
    text = "Lien: a right to keep a thing until a debt is paid\nTort – a wrong that the law gives damages for\nTime: 10 am"
    assert list(structure.explained_terms(source(text))) == [
        ("Lien", "a right to keep a thing until a debt is paid"),
        ("Tort", "a wrong that the law gives damages for"),
    ]


def test_abbreviations_go_with_what_they_stand_for():
    text = "Patients with high blood pressure (BP) were asked. The BP was taken twice."
    assert list(structure.abbreviated(source(text))) == [("BP", "blood pressure")]


NINE = " ".join(f"Sentence number {n} speaks of {word}." for n, word in enumerate(
    ["frost", "dust", "noise", "mould", "rain", "wind", "snow", "hail", "fog"]
))  # fmt: skip


def test_a_sentence_is_taken_out_of_its_passage_in_nine_of_ten_cases():
    kept = 0
    for number in range(300):
        ((query, rest),) = sentences.around_sentences(source(NINE, identity=f"d{number}"))
        assert query in NINE
        kept += query in rest
        without = [s for s in NINE.replace(". ", ".|").split("|") if s != query]
        assert rest in (NINE, " ".join(without))
    assert 12 <= kept <= 50  # Ten in a hundred of 300: 30, and three deviations to each side.


def test_the_same_sentence_each_time_and_none_of_a_single_one():
    assert list(sentences.around_sentences(source(NINE))) == list(
        sentences.around_sentences(source(NINE))
    )
    assert list(sentences.around_sentences(source("Only one sentence stands here."))) == []


def test_telling_words_stand_in_their_order_and_the_rare_ones_are_likelier():
    text = "the mortgage of the house is due when the escrow of the bank is paid"
    rare = {"mortgage", "escrow"}
    met = 0
    for number in range(200):
        made = source(text, identity=f"d{number}", weigh=lambda w: 9.0 if w in rare else 0.3)
        ((query, response),) = sentences.telling_words(made)
        found = query.split()
        assert response == text
        assert 2 <= len(found) <= 6
        assert len({word.casefold() for word in found}) == len(found)
        rest = iter(text.split())
        assert all(word in rest for word in found)  # In order.
        met += len(rare & set(found))
    assert met > 320  # Of 400; by chance alone it would be some 130.


def test_gaps_leave_about_half_of_the_words_in_order():
    text = " ".join(f"word{n}" for n in range(40))
    ((query, response),) = sentences.with_gaps(source(text))
    assert response == text
    assert 10 <= len(query.split()) <= 30
    rest = iter(text.split())
    assert all(word in rest for word in query.split())
    assert list(sentences.with_gaps(source("Two words"))) == []


def test_neighbours_are_passages_else_paragraphs():
    one, two = (
        "The first part ends with this sentence.",
        "The second part goes on from there, on and on.",
    )
    cut = source(one + " " + two, passages=[one, two])
    assert list(sentences.neighbours(cut)) == [(one, two)]
    assert list(sentences.neighbours(source(f"{one}\n\n{two}"))) == [(one, two)]
    assert list(sentences.neighbours(source(f"{one} {two}"))) == []


def test_the_same_text_is_mined_only_when_asked_for():
    assert list(sentences.same(source("A text of five words."))) == [
        ("A text of five words.", "A text of five words.")
    ]
    assert "simcse" not in [kind.name for kind in chosen_kinds(())]
    assert [kind.name for kind in chosen_kinds(("simcse", "title"))] == ["title", "simcse"]
    with pytest.raises(Refused, match=r"no kind of mined pair 'titles'. The kinds: title, heading"):
        chosen_kinds(("titles",))


@pytest.mark.parametrize("name", list(KINDS))
@pytest.mark.parametrize(
    "text", ["", " ", "?", "(", "1 2 3", "।", "\n\n\n", "a" * 5_000, "。？" * 50]
)
def test_odd_texts_break_nothing(name, text):
    for query, response in KINDS[name].pairs(source(text, text[:300])):
        assert folded_words(query)
        assert folded_words(response)
