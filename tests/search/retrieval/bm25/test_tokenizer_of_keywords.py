"""Texts as terms: any script, accents, function words and stems where the corpus is English."""

import threading

import pytest

from search.corpus.corpus import CORPUS_FILE, Corpus
from search.corpus.document import Document
from search.corpus.writer import CorpusWriter
from search.retrieval.bm25.capitals import STOP_WORDS
from search.retrieval.bm25.tokenizer import Analysis, analysis_for

PLAIN, STOPS, ENGLISH = Analysis(), Analysis(("en",)), Analysis(("en",), ("en",))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("?! 😀", []),
        ("The RUNNING Courts, the court's", ["the", "running", "courts", "the", "court", "s"]),
        ("Crème brûlée naïve Ångström", ["creme", "brulee", "naive", "angstrom"]),
        ("Straße", ["strasse"]),
        ("Ｆｕｌｌ ｗｉｄｔｈ", ["full", "width"]),
        ("हिन्दी में कानून", ["हिंदि", "में", "कानुन"]),
        ("الْكِتَابُ كتـــاب", ["الكتاب", "كتاب"]),
        ("قانون العمل", ["قانون", "العمل"]),
        ("ёлка й", ["ёлка", "й"]),
        ("日本語の本", ["日本", "本語", "語の", "の本"]),
        ("法", ["法"]),
        ("Python3で書く", ["python3", "で書", "書く"]),
        ("กฎหมาย", ["กฎ", "ฎห", "หม", "มา", "าย"]),
        ("민법 제1조", ["민법", "제", "1", "조"]),
        ("snake_case 42", ["snake_case", "42"]),
        ("न्\u200dयायालय स्वा\u00adस्थ्य", ["ंयायालय", "सवासथय"]),
        ("SpO₂ mm³ CO₂e", ["spo2", "mm3", "co2e"]),
        ("10⁹ 2½ 10¹²/L", ["10", "9", "2", "1", "2", "10", "12", "l"]),
    ],
)
def test_terms_of_any_script(text, terms):
    assert PLAIN.terms(text) == terms


def test_documents_have_letters_and_pairs_queries_what_they_need():
    assert PLAIN.indexed_terms_of("肺癌の") == ["肺癌", "癌の", "肺", "癌", "の"]
    assert PLAIN.terms("肺癌の") == ["肺癌", "癌の"]
    assert PLAIN.terms("X線") == ["x", "線"]
    assert [t for t in PLAIN.indexed_terms_of("肺癌") if PLAIN.is_light(t)] == ["肺", "癌"]
    assert not PLAIN.is_light("xray")


def test_capitals_beside_stems_and_pairs():
    assert ENGLISH.terms("hepatitis A") == ["hepat", "A", "hepat A"]
    assert ENGLISH.terms("HEPATITIS A VACCINE") == ["hepat", "vaccin", "hepat A"]
    assert ENGLISH.terms("buy a house") == ["buy", "hous", "buy A"]
    assert ENGLISH.terms("vitamin D") == ["vitamin", "D"]
    assert ENGLISH.terms("ALL") == ["all", "ALL"]
    assert ENGLISH.terms("What is ALL?") == ["all", "ALL"]
    assert ENGLISH.terms("What is it?") == ["what", "is", "it"]
    assert PLAIN.terms("ALL") == ["all"]


def test_function_words_are_left_out_unless_there_is_nothing_else():
    assert STOPS.terms("What can a bank do to my house?") == ["bank", "house"]
    assert STOPS.terms("to be or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert PLAIN.terms("a bank") == ["a", "bank"]
    assert {"what", "how", "don", "t"} <= STOP_WORDS
    assert not STOP_WORDS & {"court", "us", "it's"}


def test_stems_bring_forms_of_a_word_together():
    assert ENGLISH.terms("running runs run mortgages mortgaged naïvely") == [
        "run", "run", "run", "mortgag", "mortgag", "naiv",
    ]  # fmt: skip
    assert ENGLISH.terms("कानूनी running") == ["कानुनि", "run"]
    assert ENGLISH.terms("this does having") == ["this", "does", "having"]


def test_stemming_in_many_threads():
    words = [f"{stem}{end}" for stem in ("mortgag", "lend", "borrow") for end in ("ing", "ed", "s")]
    wanted = ENGLISH.terms(" ".join(words))
    found = []

    def stem() -> None:
        for _ in range(200):
            found.append(ENGLISH.terms(" ".join(words)))

    threads = [threading.Thread(target=stem) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1200
    assert all(terms == wanted for terms in found)


GERMAN = "Der Vermieter kündigt dem Mieter die Wohnung wegen Eigenbedarfs zum Ende des Monats."
TEXT = "The landlord may end the lease when the tenant has not paid the rent for two months."
HINDI = "किरायेदार को हर महीने मकान मालिक को किराया देना होता है और मकान की मरम्मत करानी होती है।"

JAPANESE = "大家は借主が二か月家賃を払わないとき契約を終えることができます。"


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ([TEXT] * 20, ENGLISH),
        ([GERMAN] * 20, Analysis(("de",), ("de",))),
        ([HINDI] * 20, Analysis(("hi",), ("hi",))),
        ([TEXT] * 15 + [GERMAN] * 5, Analysis(("de", "en"), ("de", "en"))),
        ([TEXT] * 10 + [HINDI] * 10, Analysis(("en", "hi"), ("en", "hi"))),
        ([TEXT] * 16 + ["kya mausam hai aaj mumbai mein"] * 4, STOPS),
        ([JAPANESE] * 20, PLAIN),
        (["xq zv", "kk"], PLAIN),
    ],
)
def test_the_language_of_the_corpus_decides(tmp_path, texts, wanted):
    writer = CorpusWriter(tmp_path)
    writer.add([Document(f"d{n}", "", f"{text} {n}") for n, text in enumerate(texts)])
    writer.close()
    assert analysis_for(Corpus(tmp_path / CORPUS_FILE)) == wanted
