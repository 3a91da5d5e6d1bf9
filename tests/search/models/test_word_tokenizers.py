"""Ways to read texts for word vectors: against gensim, against the tokenizers of other programs, on disk."""

import json

import gensim.models.phrases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_corpus import corpus_of

from search.models.word_tokenizers import Phrases, SubwordTokenizer, Words, read_as, words_of
from search.models.word_vectors import WordVectors
from search.projects.errors import Failed, Refused
from search.projects.progress import silent
from training.corpus_subwords import train_subword_tokenizer
from training.recipes import recipe_info, validated
from training.word_vectors.settings import FastTextSettings, Word2VecSettings
from training.word_vectors.training import train_word_vectors

PAIRS = ["blood pressure", "pressure cooker", "घर का", "a a"]
GERMAN = ["Krankenhausaufenthalt", "Krankenhauskosten", "Aufenthaltskosten", "Kostenerstattung"]


@pytest.fixture(scope="module")
def texts(shared_data):
    with (shared_data / "ask_cfpb" / "corpus.jsonl").open(encoding="utf-8") as stream:
        rows = [json.loads(line) for _, line in zip(range(300), stream, strict=False)]
    return [f"{row.get('title', '')} {row['text']}".strip() for row in rows]


@pytest.fixture(scope="module")
def corpus(texts, tmp_path_factory):
    return corpus_of(tmp_path_factory.mktemp("corpus"), texts)


COMMON = {"vector_size": 20, "min_count": 3, "epochs": 2, "seed": 5}


@pytest.fixture(scope="module", params=["phrases", "pieces"])
def vectors(request, corpus):
    changes = (
        {"phrases": True} if request.param == "phrases" else {"tokens": "pieces", "pieces": 600}
    )
    return train_word_vectors(corpus, Word2VecSettings(**COMMON, **changes), silent)[0]


# --- phrases ---


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Blood pressure cooker", ["blood pressure", "cooker"]),
        ("The blood, pressure? Cooker!", ["the", "blood pressure", "cooker"]),
        ("my pressure-cooker", ["my", "pressure cooker"]),
        ("bloody pressures", ["bloody", "pressures"]),
        ("xblood pressure cooker", ["xblood", "pressure cooker"]),
        ("घर का रास्ता", ["घर का", "रास्ता"]),
        ("a a a a a", ["a a", "a a", "a"]),
        ("", []),
    ],
)
def test_pairs_are_read_as_one(text, read):
    assert Phrases(PAIRS).of(text) == read


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["blood", "pressure", "cooker", "a", "the", "घर", "का", "x²"]), max_size=12
    )
)
def test_another_program_reads_the_same_phrases(words):
    text = ", ".join(words)
    reading = Phrases(PAIRS)
    known = [*PAIRS, "blood", "pressure", "cooker", "a", "घर", "का", "x²"]
    tokenizer, ids = reading.tokenizer(known)
    place = dict(zip(known, ids, strict=True))
    wanted = [place.get(word, 0) for word in reading.of(text)]
    assert tokenizer.encode(text, add_special_tokens=False).ids == wanted


def test_a_tokenizer_of_phrases_needs_them_among_the_words():
    with pytest.raises(ValueError, match="a phrase is not among the words"):
        Phrases(PAIRS).tokenizer(["blood", "pressure"])


def test_phrases_of_a_corpus_are_gensims(corpus, texts):
    vectors = train_word_vectors(corpus, Word2VecSettings(**COMMON, phrases=True), silent)[0]
    sentences = [words_of(text) for text in texts]
    found = gensim.models.phrases.Phrases(sentences, min_count=5, delimiter=" ").freeze()
    pairs = vectors.reading.pairs
    assert pairs <= set(found.phrasegrams)
    assert len(pairs) > 0.5 * len(found.phrasegrams) > 50
    assert "credit card" in pairs or "credit report" in pairs
    assert pairs == {word for word in vectors.words if " " in word}
    found.phrasegrams = {pair: score for pair, score in found.phrasegrams.items() if pair in pairs}
    for words, text in zip(sentences[:100], texts[:100], strict=True):
        assert vectors.reading.of(text) == found[words]


def test_a_phrase_has_neighbours_of_its_own(corpus):
    vectors = train_word_vectors(corpus, Word2VecSettings(**COMMON, phrases=True), silent)[0]
    phrase = next(word for word in vectors.words if " " in word)
    near = vectors.nearest(phrase.title(), 5)
    assert len(near) == 5
    assert phrase not in dict(near)
    assert vectors.knows(phrase)


# --- pieces ---


def test_pieces_part_compounds_into_what_they_share():
    pieces = SubwordTokenizer(train_subword_tokenizer([" ".join(GERMAN)] * 20, 60))
    read = pieces.of("Krankenhauserstattung")
    assert "".join(read).replace("▁", "") == "krankenhauserstattung"
    assert 1 < len(read) < 12


def test_pieces_know_words_that_the_corpus_does_not_have(corpus):
    whole = train_word_vectors(corpus, Word2VecSettings(**COMMON), silent)[0]
    parts = train_word_vectors(
        corpus, Word2VecSettings(**COMMON, tokens="pieces", pieces=600), silent
    )[0]
    assert not whole.encode_query(["mortgagewise"]).any()
    assert parts.encode_query(["mortgagewise"]).any()
    assert len(parts.words) < 900


# --- both ---


def test_vectors_of_texts_are_the_weighted_mean_of_what_is_read(vectors, texts):
    for text in texts[:20]:
        read = [word for word in vectors.reading.of(text) if vectors.knows(word)]
        places = [vectors.words.index(word) for word in read]
        mean = (vectors.vectors[places] * vectors.weights[places, None]).mean(axis=0)
        mean -= (mean @ vectors.common) * vectors.common
        np.testing.assert_allclose(vectors.encode_query([text])[0], mean, atol=1e-6)


def test_the_common_component_is_the_first_singular_vector(vectors, texts):
    plain = WordVectors(
        vectors.words, vectors._counts, vectors.vectors, "sif", reading=vectors.reading
    )
    first = np.linalg.svd(plain.encode_document(texts), full_matrices=False)[2][0]
    assert abs(float(vectors.common @ first)) == pytest.approx(1, abs=1e-5)


def test_read_back_is_equal(vectors, texts, tmp_path):
    vectors.save(tmp_path)
    back = WordVectors.load(tmp_path)
    assert back.reading.kind == vectors.reading.kind
    assert back.encode_query(texts[:50]).tobytes() == vectors.encode_query(texts[:50]).tobytes()


def test_another_program_makes_the_same_vectors(vectors, texts, tmp_path):
    from sentence_transformers import SentenceTransformer

    vectors.as_sentence_transformer().save_pretrained(str(tmp_path / "out"))
    model = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    asked = [*texts[:80], "zzqx credit card घर", "", "🙂"]
    mine = vectors.encode_document(asked)
    lengths = np.linalg.norm(mine, axis=1, keepdims=True)
    unit = np.divide(mine, lengths, out=np.zeros_like(mine), where=lengths > 0)
    np.testing.assert_allclose(model.encode_document(asked), unit, atol=1e-5)


def test_the_same_seed_gives_the_same(vectors, corpus):
    changes = (
        {"phrases": True}
        if vectors.reading.kind == "phrases"
        else {"tokens": "pieces", "pieces": 600}
    )
    again = train_word_vectors(corpus, Word2VecSettings(**COMMON, **changes), silent)[0]
    assert again.words == vectors.words
    assert again.vectors.tobytes() == vectors.vectors.tobytes()
    assert again.reading.written() == vectors.reading.written()


def test_fasttext_reads_so_too(corpus):
    made = train_word_vectors(
        corpus, FastTextSettings(**COMMON, buckets=1_500, phrases=True), silent
    )[0]
    assert any(" " in word for word in made.words)
    assert made.encode_query(["morgage"]).any()


@pytest.mark.parametrize("kind", ["words", "phrases", "pieces"])
def test_what_is_written_is_read_again(kind):
    one = {
        "words": Words(),
        "phrases": Phrases(PAIRS),
        "pieces": SubwordTokenizer(train_subword_tokenizer(GERMAN * 3, 40)),
    }[kind]
    back = read_as(one.kind, one.written())
    for text in ("blood pressure", "Krankenhaus", "घर का"):
        assert back.of(text) == one.of(text)
    assert Phrases(()).of("blood pressure") == read_as("phrases", "").of("blood pressure")


@pytest.mark.parametrize(
    ("text", "words", "before"),
    [
        ("न्\u200dयायालय", ["न्यायालय"], ["न्", "यायालय"]),
        ("می\u200cتواند", ["میتواند"], ["می", "تواند"]),
        ("Co\u00adurt \ufeffrose", ["court", "rose"], ["co", "urt", "rose"]),
        ("ភាសា\u200bខ្មែរ", ["ភាសា", "ខ្មែរ"], ["ភាសា", "ខ្មែរ"]),
    ],
)
def test_format_signs_part_words_only_in_models_that_learned_so(text, words, before):
    assert read_as("words", Words().written()).of(text) == words
    assert read_as("words", "").of(text) == before
    pair = f"{words[0]} rent"
    assert read_as("phrases", Phrases([pair]).written()).of(f"{text} rent")[: len(words)] == (
        words if len(words) > 1 else [pair]
    )
    assert read_as("phrases", "blood pressure").of(text) == before
    made, ids = Words().tokenizer(words)
    assert made.encode(text).ids == ids


@pytest.mark.parametrize("change", [{"reads": "tea leaves"}, {"reads": "pieces", "reading": "{}"}])
def test_a_way_to_read_that_is_damaged(tmp_path, change):
    WordVectors(["a"], [1], np.ones((1, 2), dtype=np.float32), "mean").save(tmp_path)
    path = tmp_path / "word_vectors.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(Failed, match="cannot be read"):
        WordVectors.load(tmp_path)


@pytest.mark.parametrize("recipe", ["word2vec", "fasttext"])
def test_phrases_of_pieces_are_refused(recipe):
    with pytest.raises(Refused, match="phrases are of whole words"):
        validated(recipe_info(recipe), {"tokens": "pieces", "phrases": "true"})
