"""Leave-one-out against the same thing done by hand, on encoders whose vectors are known."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from search.insight.attribution import (
    Part,
    Scorer,
    by_terms,
    left_out,
    relative,
    strongest,
    telling,
)
from search.insight.spans import grouped, sentence_spans, without, word_spans

MEANINGS = {
    "blood": (1.0, 0.0, 0.0),
    "pressure": (0.8, 0.6, 0.0),
    "oil": (0.0, 1.0, 0.0),
    "price": (0.0, 0.6, 0.8),
    "high": (0.2, 0.1, 0.3),
    "not": (-0.5, 0.0, 0.1),
}


class Bag:
    """The mean of known words' vectors; counts how many texts it was given."""

    def __init__(self) -> None:
        self.texts = 0

    def encode_document(self, inputs: Sequence[str]) -> np.ndarray:
        self.texts += len(inputs)
        rows = np.zeros((len(inputs), 3), dtype=np.float32)
        for row, text in enumerate(inputs):
            known = [MEANINGS[w] for w in re.findall(r"\w+", text.lower()) if w in MEANINGS]
            if known:
                rows[row] = np.mean(known, axis=0)
        return rows

    encode_query = encode_document


def cosine(one: str, other: str) -> float:
    a, b = (np.asarray(Bag().encode_document([text])[0], dtype=np.float64) for text in (one, other))
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / lengths) if lengths else 0.0


def test_each_words_pull_is_the_fall_in_cosine_without_it() -> None:
    query, passage = "blood pressure", "High blood price. Not oil pressure!"
    found = left_out(Scorer(Bag()), query, passage)
    full = cosine(query, passage)
    assert found.score == pytest.approx(full, abs=1e-6)
    words = {part.text: part.pull for part in found.words}
    for word, rest in {
        "High": "blood price. Not oil pressure!",
        "blood": "High price. Not oil pressure!",
        "price": "High blood . Not oil pressure!",
        "Not": "High blood price. oil pressure!",
        "oil": "High blood price. Not pressure!",
        "pressure": "High blood price. Not oil !",
    }.items():
        assert words[word] == pytest.approx(full - cosine(query, rest), abs=1e-6)
    assert words["blood"] > 0 > words["oil"]
    assert [part.text for part in found.sentences] == ["High blood price.", "Not oil pressure!"]
    assert found.sentences[0].pull == pytest.approx(
        full - cosine(query, "Not oil pressure!"), abs=1e-6
    )
    asked = {part.text: part.pull for part in found.query_words}
    assert asked == pytest.approx(
        {"blood": full - cosine("pressure", passage), "pressure": full - cosine("blood", passage)},
        abs=1e-6,
    )
    for part in (*found.words, *found.sentences):
        assert passage[part.start : part.stop] == part.text
    assert not found.phrases


def test_without_the_only_known_word_nothing_is_left_of_the_score() -> None:
    found = left_out(Scorer(Bag()), "oil", "oil")
    assert found.score == pytest.approx(1.0)
    assert [p.pull for p in (*found.words, *found.sentences, *found.query_words)] == pytest.approx(
        [1.0, 1.0, 1.0]
    )


def test_no_words_at_all() -> None:
    found = left_out(Scorer(Bag()), "?!", "…")
    assert (found.score, found.words, found.sentences, found.query_words) == (0.0, (), (), ())


def long_passage(sentences: int, words: int) -> str:
    filler = " ".join(f"w{n}" for n in range(words - 1))
    parts = [f"{filler} {'blood' if n == 3 else 'price'}." for n in range(sentences)]
    return " ".join(part.capitalize() for part in parts)


@pytest.mark.parametrize("most", [4, 12, 40])
def test_a_long_passage_costs_no_more_than_was_allowed(most: int) -> None:
    passage = long_passage(12, 20)
    bag = Bag()
    found = left_out(Scorer(bag), "blood", passage, most)
    # Besides the variants: the passage itself, the query for each of two calls, the query's variants.
    assert found.scored <= most + 2
    assert found.phrases
    covered = " ".join(passage[part.start : part.stop] for part in found.words)
    letters = re.findall(r"\w+", passage)
    assert sorted(re.findall(r"\w+", covered)) == sorted(letters), (
        "every word is in exactly one part"
    )
    assert [p.start for p in found.words] == sorted(p.start for p in found.words)


def test_of_a_long_passage_the_telling_sentence_is_taken_apart_word_by_word() -> None:
    passage = long_passage(12, 20)
    found = left_out(Scorer(Bag()), "blood", passage)
    telling = strongest(found.sentences, 1)[0]
    assert "blood" in telling.text
    inside = [p for p in found.words if telling.start <= p.start and p.stop <= telling.stop]
    assert len(inside) == 20
    best = strongest(found.words, 1)[0]
    rest = without(passage, best)
    assert best.text == "blood"
    assert best.pull == pytest.approx(cosine("blood", passage) - cosine("blood", rest), abs=1e-6)


def test_keyword_parts_are_shared_among_the_places_of_a_term_and_add_up() -> None:
    passage = "Price of oil. Oil prices."
    found = by_terms(
        "oil PRICE oil gas",
        passage,
        [("oil", 1.5), ("price", 0.8), ("gas", 0.0)],
        lambda term: [w.lower().rstrip("s") == term for w in re.findall(r"\w+", passage)],
    )
    assert found.score == pytest.approx(2.3)
    assert [(p.text, round(p.pull, 3)) for p in found.words] == [
        ("Price", 0.4), ("of", 0.0), ("oil", 0.75), ("Oil", 0.75), ("prices", 0.4),
    ]  # fmt: skip
    assert [round(p.pull, 3) for p in found.sentences] == [1.15, 1.15]
    assert [(p.text, round(p.pull, 3)) for p in found.query_words] == [
        ("oil", 0.75), ("PRICE", 0.8), ("oil", 0.75), ("gas", 0.0),
    ]  # fmt: skip
    assert sum(p.pull for p in found.words) == pytest.approx(found.score)


def test_relative_keeps_signs_and_order() -> None:
    found = left_out(Scorer(Bag()), "blood", "blood oil high")
    shades = relative(found.words)
    assert max(abs(p.pull) for p in shades) == 1.0
    for part, shade in zip(found.words, shades, strict=True):
        assert np.sign(part.pull) == np.sign(shade.pull)
    assert relative(()) == []


def test_a_phrase_is_shaded_by_the_mean_of_its_words() -> None:
    parts = [Part(0, 5, "blood", 0.2), Part(6, 30, "one two three four", 0.4)]
    assert [part.pull for part in relative(parts)] == pytest.approx([1.0, 0.5])


def test_function_words_and_sentences_are_not_told() -> None:
    parts = [
        Part(0, 3, "the", 0.9),
        Part(4, 9, "blood", 0.2),
        Part(10, 40, "a whole sentence of many words", 0.8),
        Part(41, 53, "of the nurse", 0.3),
        Part(54, 57, "oil", -0.5),
    ]
    assert [part.text for part in telling(parts)] == ["of the nurse", "blood"]


def test_words_and_sentences_of_other_scripts() -> None:
    hindi = "रक्तचाप बहुत अधिक है। दवा लें।"
    words = [hindi[s.start : s.stop] for s in word_spans(hindi)]
    assert words == ["रक्तचाप", "बहुत", "अधिक", "है", "दवा", "लें"]
    assert len(sentence_spans(hindi)) == 2
    chinese = "高血压患者应当避免吃盐。"
    parts = [chinese[s.start : s.stop] for s in word_spans(chinese)]
    assert parts == ["高血", "压患", "者应", "当避", "免吃", "盐"]
    mixed = "COVIDの症状"
    assert "".join(mixed[s.start : s.stop] for s in word_spans(mixed)) == mixed
    arabic = "ضغط الدم مرتفع؟ نعم."
    assert [arabic[s.start : s.stop] for s in word_spans(arabic)] == ["ضغط", "الدم", "مرتفع", "نعم"]


def test_grouped_spans_cover_all_and_are_even() -> None:
    text = " ".join("abcdefghijk")
    groups = grouped(word_spans(text), 4)
    assert [text[g.start : g.stop] for g in groups] == ["a b c", "d e f", "g h", "i j k"]
    assert grouped(word_spans("a b"), 4) == word_spans("a b")


def test_no_text_is_encoded_twice_for_one_explanation() -> None:
    class Counting(Bag):
        def __init__(self) -> None:
            super().__init__()
            self.queries: list[str] = []
            self.documents: list[str] = []

        def encode_query(self, inputs):
            self.queries += inputs
            return super().encode_query(inputs)

        def encode_document(self, inputs):
            self.documents += inputs
            return super().encode_document(inputs)

    counting = Counting()
    passage = "The oil is hot. The bank is closed today. Oil costs more than gas."
    found = left_out(Scorer(counting), "what does oil cost", passage)
    assert found == left_out(Scorer(Bag()), "what does oil cost", passage)
    for texts in (counting.queries, counting.documents):
        assert len(texts) == len(set(texts))
