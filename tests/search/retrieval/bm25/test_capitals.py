"""Letters and abbreviations that look like function words."""

import pytest

from search.retrieval.bm25.capitals import capitals
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.tokenizer import Analysis

ENGLISH = Analysis(("en",), ("en",))


def _sure(text, asked=False):
    return [one.letters for one in capitals(text, asked) if one.sure]


def _unsure(text, asked=False):
    return [f"{one.before} {one.letters}" for one in capitals(text, asked) if not one.sure]


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Hepatitis A spreads by water.", ["A"]),
        ("It is missing in haemophilia A.", ["A"]),
        ("Vitamins A, D and K", ["A", "D"]),
        ("hepatitis a in children", ["A"]),
        ("A patient with AS had fever.", ["AS"]),
        ("He was well. A week later he was not.", []),
        ("the A allele", ["A"]),
        ("What Is A Mortgage And How To Get A Loan", []),
        ("WHO guidelines on ALL", ["WHO", "ALL"]),
        ("IT staff said it is so", ["IT"]),
        ("Who is it? All of us.", []),
        ("YOU MUST NOT SIGN THIS", []),
        ("DO NOT pay", []),
        ("ALL RIGHTS RESERVED", []),
        ("Schedule I substances", ["I"]),
        ("type i diabetes", ["I"]),
        ("Phases I and II", ["I"]),
        ("Form I-9", ["I"]),
        ("The bank I use and I like", []),
        ("Can I pay? I can't, and I'm sorry.", []),
        ("T cell lymphoma, the Y chromosome", ["T", "Y"]),
        ("vitamin d, t cells", ["D", "T"]),
        ("don't, don t, i m, it s, O'Brien, WE'LL, DON'T", []),
        ("in the U.S. at 6 a.m. and 8 AM", []),
        ("S. aureus", ["S"]),
        ("", []),
    ],
)
def test_what_is_surely_a_word(text, letters):
    assert _sure(text) == letters


def test_what_only_the_word_before_tells():
    assert _unsure("HEPATITIS A VACCINE", asked=True) == ["HEPATITIS A"]
    assert _unsure("HEPATITIS A VACCINE") == ["HEPATITIS A"]
    assert _unsure("hepatitis a vaccine", asked=True) == ["hepatitis A"]
    assert _unsure("hepatitis a vaccine") == []
    assert _unsure("Buy a house in Rome", asked=True) == []
    assert _unsure("bank i use", asked=True) == ["bank I"]


def test_operators_of_other_engines_are_no_words_of_a_query():
    assert _sure("hepatitis OR jaundice AND fever NOT cough", asked=True) == []
    assert _sure("OR nurse", asked=True) == ["OR"]


DOCUMENTS = {
    "hepb": "Hepatitis B spreads by blood. A hepatitis may be hepatitis for long. Hepatitis heals.",
    "hepa": "Hepatitis A spreads by contaminated food and water.",
    "vitc": "Vitamin C deficiency. A vitamin, a vitamin, vitamin and vitamin.",
    "vitd": "Vitamin D deficiency causes rickets in children who see little sun.",
    "all": "ALL in children is treated with vincristine.",
    "aml": "All children with AML are treated with all there is.",
    "who": "The WHO guidelines on malaria.",
    "eu": "Guidelines for those who travel, guidelines on malaria.",
    "sch2": "Schedule II substances, I think, and I know schedule rules.",
    "sch1": "Schedule I substances have no accepted medical use.",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("capitals")
    build(DOCUMENTS.values(), ENGLISH, folder)
    return TermIndex.load(folder, ENGLISH, len(DOCUMENTS))


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("hepatitis A", "hepa"),
        ("What is hepatitis a?", "hepa"),
        ("hepatitis a symptoms", "hepa"),
        ("HEPATITIS A SYMPTOMS", "hepa"),
        ("hepatitis B", "hepb"),
        ("vitamin D", "vitd"),
        ("vitamin d", "vitd"),
        ("ALL", "all"),
        ("children with ALL", "all"),
        ("WHO guidelines malaria", "who"),
        ("Schedule I", "sch1"),
        ("schedule i substances", "sch1"),
    ],
)
def test_questions_are_answered_by_their_letters(index, query, first):
    scores = index.score(index.weights(ENGLISH.terms(query), 256))
    assert list(DOCUMENTS)[int(scores.argmax())] == first


def test_capitals_make_no_text_longer(tmp_path):
    weights = []
    for number, text in enumerate(["vitamin K", "vitamin K WHO"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        build([text, "rent and frost in gold"], ENGLISH, folder)
        made = TermIndex.load(folder, ENGLISH, 2)
        weights.append(made.score(made.weights(["vitamin"], 9))[0])
    assert weights[0] == weights[1]
