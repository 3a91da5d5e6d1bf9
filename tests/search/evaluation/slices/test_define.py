"""Which queries are in which slice: against what stands in the questions and answers, and the same each time."""

import numpy as np
import pytest

from search.corpus.corpus import CORPUS_FILE, Corpus
from search.corpus.document import Document
from search.corpus.filters import parse_tiers
from search.corpus.writer import CorpusWriter
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.slices.define import slices_of
from search.evaluation.slices.signs import has_dose, has_negation, has_number
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.tokenizer import Analysis

DOCUMENTS = [
    ("case-1", "The court denied the motion for rent.", {"kind": "case", "year": "2019"}),
    ("case-2", "An appeal about unpaid rent and a fee.", {"kind": "case", "year": "2020"}),
    ("blog-1", "How to write a letter to the landlord." * 9, {"kind": "blog", "year": "2020"}),
    ("blog-2", "What a tenant may paint.", {"kind": "blog", "year": "2021"}),
]
QUERIES = {
    "a": ("rent", {"case-1": 1, "blog-1": 2}),
    "b": ("is an appeal about rent that was not paid", {"case-2": 1}),
    "c": ("may a tenant paint without asking the xylographer", {"blog-2": 1, "gone": 1}),
    "d": ("letter about $35 and a fee", {"case-2": 1, "case-1": 0}),
    "e": ("how do I write a letter to the landlord of my house", {"blog-1": 1}),
    "f": ("motion of 3 May denied", {"case-1": 1}),
    "g": ("wer schreibt meinem Vermieter einen Brief über die Miete", {"blog-1": 1}),
}
TAGS = {"a": ("short",), "b": ("money", "time"), "d": ("money",)}


@pytest.fixture
def sliced(tmp_path):
    writer = CorpusWriter(tmp_path, tiers=parse_tiers("kind=case,blog"))
    writer.add([Document(name, "", text, facts) for name, text, facts in DOCUMENTS])
    writer.close()
    corpus = Corpus(tmp_path / CORPUS_FILE)
    build(corpus.embedded_texts(0, 9), Analysis(stop_words=("en",)), tmp_path)
    index = TermIndex.load(tmp_path, Analysis(stop_words=("en",)), corpus.passages)
    queries = {query: text for query, (text, _) in QUERIES.items()}
    query_set = QuerySet(queries, {query: judged for query, (_, judged) in QUERIES.items()}, TAGS)
    made = slices_of(corpus, query_set, index)
    return {one.key: ("".join(np.array(list("abcdefg"))[one.members]), one) for one in made}


def test_each_slice_holds_the_questions_that_its_title_says(sliced):
    members = {key: who for key, (who, _) in sliced.items()}
    assert members == {
        "tag:money": "bd",
        "tag:short": "a",
        "tag:time": "b",
        "length:short": "adf",
        "length:middle": "bcg",
        "length:long": "e",
        "shared:few": "ag",  # The best answer to a has no rent, the one to g no German.
        "shared:some": "cdf",
        "shared:most": "be",
        "words:rare": "abcdef",  # In at most three of the four passages.
        "words:unseen": "bceg",  # paid, asking, house, Vermieter
        "language:de": "g",
        "language:en": "bcde",
        "language:unknown": "af",
        "negation": "bc",
        "number": "df",
        "dose": "d",
        "answer length:short": "bcdf",
        "answer length:middle": "aeg",
        "tier:0": "bdf",
        "tier:1": "aceg",
        "metadata:year=2020": "abdeg",
        "metadata:year=2019": "f",
        "metadata:year=2021": "c",
    }
    # Each value of "kind" is a tier as well: its queries are one slice, not two.
    assert not {key for key in members if key.startswith("metadata:kind")}


def test_titles_name_their_bounds_and_say_where_they_quote_the_corpus(sliced):
    titles = {key: (one.title, one.of_corpus) for key, (_, one) in sliced.items()}
    assert titles["length:short"] == ("questions of up to 6 words", False)
    assert titles["length:middle"] == ("questions of 7 to 9 words", False)
    assert titles["length:long"] == ("questions of 10 words and more", False)
    assert titles["words:rare"][0] == "questions with a rare word (in at most 3 of 4 passages)"
    assert titles["language:de"] == ("questions in German", False)
    assert titles["tag:money"] == ("questions tagged “money”", False)
    assert titles["metadata:year=2020"] == ("questions answered by year “2020”", True)
    assert titles["tier:0"] == ("questions answered by the source tier “case”", True)


@pytest.mark.parametrize(
    ("text", "language", "denies", "number", "dose"),
    [
        ("Can I not pay?", "en", True, False, False),
        ("I can't pay 2 bills", "en", True, True, False),
        ("I can’t pay", "en", True, False, False),
        ("notary of nobility, knots", "en", False, False, False),
        ("Das ist nicht alles ohne 5 kg", "de", True, True, True),
        ("mujhe dawa nahi leni", "unknown", True, False, False),
        ("क्या यह नहीं चाहिए २ दिन", "hi", True, True, False),
        ("我不知道", "zh", True, False, False),
        ("no problem", "de", False, False, False),
        ("section 12 of the act", "en", False, True, False),
        ("at 3.5% interest", "en", False, True, True),
        ("€ 40 or 500 mg/day", "en", False, True, True),
    ],
)
def test_signs_in_a_question(text, language, denies, number, dose):
    assert (has_negation(text, language), has_number(text), has_dose(text)) == (
        denies,
        number,
        dose,
    )


def test_words_of_scripts_without_spaces_are_counted_by_their_letters(tmp_path):
    writer = CorpusWriter(tmp_path)
    writer.add([Document("a", "", "東京都の家賃"), Document("b", "", "大阪の家賃は高いですか")])
    writer.close()
    corpus = Corpus(tmp_path / CORPUS_FILE)
    build(corpus.embedded_texts(0, 9), Analysis(), tmp_path)
    index = TermIndex.load(tmp_path, Analysis(), 2)
    queries = {
        "q1": "東京",
        "q2": "家賃の安い町",
        "q3": "東京都の家賃は高いのか",
        "q4": "大阪 rent",
    }
    judged = {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"a": 1}, "q4": {"b": 1}}
    titles = {one.key: one.title for one in slices_of(corpus, QuerySet(queries, judged), index)}
    assert titles["length:short"] == "questions of up to 2 words"
    assert titles["length:long"] == "questions of 4 words and more"


def test_passages_with_a_term_and_terms_in_a_run_of_passages(tmp_path, rng):
    words = ["rent", "frost", "court", "fee"]
    texts = [" ".join(rng.choices(words, k=2)) for _ in range(30)]
    build(texts, Analysis(), tmp_path)
    index = TermIndex.load(tmp_path, Analysis(), len(texts))
    wanted = [*words, "unknown"]
    assert index.frequencies(wanted).tolist() == [
        sum(w in t.split() for t in texts) for w in wanted
    ]
    for start in range(0, 30, 7):
        run = texts[start : start + 3]
        held = [any(word in text.split() for text in run) for word in wanted]
        assert index.holds(wanted, range(start, start + 3)).tolist() == held
    assert index.frequencies([]).tolist() == []
