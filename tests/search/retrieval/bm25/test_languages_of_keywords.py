"""Stems and function words by language: an inflected query finds, with and without accents, in whatever Snowball knows."""

import json
from pathlib import Path

import pytest
import Stemmer

from search.retrieval.bm25.capitals import STOP_WORDS, capitals
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.languages import function_words, has_stems, stem
from search.retrieval.bm25.letters import spellings
from search.retrieval.bm25.tokenizer import Analysis
from search.text.languages import _NAMES, language_of_each
from search.text.words import folded_words

# A language, three documents of it, and queries that ask for the first one in other forms of its words.
INFLECTED = {
    "de": (
        ["Der Vermieter kündigt die Verträge wegen Eigenbedarf.", "Das Wetter ist in den Bergen schön.", "Der Hund schläft unter einem Baum."],
        ["Vertrag", "wann kündigen die Vermieter den Vertrag", "vertrage"],
    ),
    "fr": (
        ["Les universités publiques refusent les demandes.", "Il pleut souvent dans la montagne.", "Le chien dort sous un arbre."],
        ["demande refusée par une université", "universite", "publique"],
    ),
    "es": (
        ["Las hipotecas variables y sus condiciones.", "El tiempo en la montaña es bueno.", "El perro duerme bajo un árbol."],
        ["condición de la hipoteca variable", "condicion", "hipotecas"],
    ),
    "pt": (
        ["As informações sobre as prestações atrasadas.", "O tempo na serra é bom.", "O cão dorme debaixo de uma árvore."],
        ["informação", "prestação atrasada", "informacoes"],
    ),
    "it": (
        ["Le assicurazioni coprono i danni causati dagli incendi.", "In montagna il tempo è bello.", "Il cane dorme sotto un albero."],
        ["assicurazione", "danno causato da un incendio"],
    ),
    "ru": (
        ["Договоры аренды расторгаются судами.", "В горах стоит хорошая погода.", "Собака спит под деревом."],
        ["договором аренды", "решение суда"],
    ),
    "sv": (
        ["Hyresavtalen sägs upp av värdarna.", "Vädret i bergen är vackert.", "Hunden sover under ett träd."],
        ["hyresavtal", "värden", "vardarna"],
    ),
    "hi": (
        ["किरायेदारों को मकानों का किराया देना पड़ता है।", "पहाड़ में मौसम अच्छा है।", "कुत्ता पेड़ के नीचे सोता है।"],
        ["किरायेदार", "मकान"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", INFLECTED)
def test_an_inflected_query_finds(code, tmp_path):
    texts, queries = INFLECTED[code]
    analysis = Analysis((code,), (code,))
    build(texts, analysis, tmp_path)
    index = TermIndex.load(tmp_path, analysis, len(texts))
    for query in [*queries, texts[0]]:
        scores = index.score(index.weights(analysis.terms(query), 64))
        assert scores[0] > 0, query
        assert scores[0] == scores.max() > scores[1:].max(), query


@pytest.mark.parametrize("code", INFLECTED)
def test_without_stems_some_of_them_do_not_find(code, tmp_path):
    """What the test above proves is owed to the stems."""
    texts, queries = INFLECTED[code]
    build(texts, Analysis(), tmp_path)
    index = TermIndex.load(tmp_path, Analysis(), len(texts))
    scores = [index.score(index.weights(Analysis().terms(query), 64))[0] for query in queries]
    assert min(scores) == 0


def test_stems_are_snowballs_and_every_language_of_snowball_has_them():
    names = {name.lower(): code for code, name in _NAMES.items()}
    missing = [name for name in Stemmer.algorithms() if name not in names]
    # Two are other stemmers of languages that have one, two are languages that are never told apart here.
    assert missing == ["dutch_porter", "porter", "sesotho", "yiddish"]
    for name, code in names.items():
        assert has_stems(code) == (name in Stemmer.algorithms())
    for code, word in (("de", "verträge"), ("fr", "demandes"), ("nl", "huurders"), ("ta", "மரங்கள்")):
        assert stem(code, word) == Stemmer.Stemmer(_NAMES[code].lower()).stemWord(word)


def test_function_words_are_the_frequent_ones_and_no_content():
    german, french = function_words(("de",)), function_words(("fr",))
    assert {"und", "der", "nicht", "fur", "mit", "auf"} <= german
    assert {"les", "dans", "pour", "qui", "est", "l", "d"} <= french
    assert not german & {"jahr", "deutschland", "vertrag", "gericht", "haus"}
    assert not french & {"france", "droit", "contrat", "loi"}
    assert function_words(("en",)) == STOP_WORDS
    assert function_words(("de", "en")) == german | STOP_WORDS
    assert function_words(("hy",)) == frozenset(), "no frequencies are known: none are left out"
    terms = Analysis(("fr",), ("fr",)).terms("Quelles sont les obligations de l'employeur ?")
    assert terms == [stem("fr", "quelles"), "oblig", "employeur"]


def test_a_word_of_two_languages_has_the_stems_of_both():
    both = Analysis((), ("de", "en"))
    assert set(both.terms_of("mortgages")) == {stem("de", "mortgages"), "mortgag"}
    assert both.terms_of("gold") == ["gold"]
    assert set(both.terms_of("verträge")) == {
        "vertrag",
        stem("de", "vertrage"),
        "vertrage"[:0] or stem("en", "vertrage"),
    }


@pytest.mark.parametrize("name", ["tos_plain_english", "hinglish_top"])
def test_terms_of_english_and_of_code_mixed_text_are_as_they_were(shared_data, name):
    """Written out here: words without accents, English stems where all is English, no function words."""
    folder = Path(shared_data) / name
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()[:600]
    texts = [json.loads(line)["text"] for line in lines]
    stems = name == "tos_plain_english"
    analysis = Analysis(("en",), ("en",) if stems else ())
    english = Stemmer.Stemmer("english")
    for text in texts:
        if any(True for _ in capitals(text, asked=True)):
            continue  # Their own tests say what letters in capitals become.
        words = [part for word in folded_words(text) for part in spellings(word)]
        terms = [
            english.stemWord(word) if stems and word.isascii() and word not in STOP_WORDS else word
            for word in words
        ]
        assert analysis.terms(text) == ([t for t in terms if t not in STOP_WORDS] or terms)


def test_the_documents_of_these_tests_are_in_their_languages():
    for code, (texts, _) in INFLECTED.items():
        assert language_of_each([" ".join(texts)] * 3) == [code] * 3
