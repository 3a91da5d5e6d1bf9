"""Pooled word vectors against hand-written formulas, gensim's own answers and sentence-transformers."""

import json
import math
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from text_corpus import corpus_of

from search.models.word_tokenizers import words_of
from search.models.word_vectors import WordVectors
from search.projects.errors import Failed, Refused
from search.projects.progress import silent
from training.word_vectors.settings import FastTextSettings, Word2VecSettings
from training.word_vectors.training import train_word_vectors

HINDI = [
    "मुझे घर का रास्ता बताओ",
    "कल सुबह सात बजे का अलार्म लगाओ",
    "घर का मौसम कैसा है",
    "मुझे कल का मौसम बताओ",
]
UNKNOWN = ["qqqq", "zzyzx wwwww", "", "🙂", "...!?"]


@pytest.fixture(scope="module")
def texts(shared_data):
    """Real texts: 400 English and Hinglish ones, and Hindi."""
    found = list(HINDI)
    for name in ("hinglish_top", "ask_cfpb"):
        with (shared_data / name / "corpus.jsonl").open(encoding="utf-8") as stream:
            rows = [json.loads(line) for _, line in zip(range(200), stream, strict=False)]
        found += [f"{row.get('title', '')} {row['text']}".strip() for row in rows]
    return found


@pytest.fixture(scope="module")
def corpus(texts, tmp_path_factory):
    return corpus_of(tmp_path_factory.mktemp("corpus"), texts)


COMMON = {"vector_size": 30, "min_count": 2, "epochs": 3, "window": 4, "seed": 11}


def _recipe(kind, **reading):
    name, pooling = kind.split("-")
    if name == "word2vec":
        return Word2VecSettings(**COMMON, pooling=pooling, **reading)
    return FastTextSettings(**COMMON, pooling=pooling, min_n=3, max_n=5, buckets=3_000, **reading)


KINDS = ["word2vec-sif", "word2vec-mean", "fasttext-sif", "fasttext-mean"]


@pytest.fixture(scope="module")
def trained(corpus):
    return {kind: train_word_vectors(corpus, _recipe(kind), silent)[0] for kind in KINDS}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def vectors(kind, trained):
    return trained[kind]


@pytest.fixture(scope="module")
def gensim_models(texts):
    """The same trainings, spelt out with gensim's own words."""
    import gensim.models

    sentences = [words_of(text) for text in texts]
    common = {
        "sentences": sentences,
        "vector_size": 30,
        "window": 4,
        "min_count": 2,
        "workers": 1,
        "sg": 1,
        "seed": 11,
        "epochs": 3,
    }
    return {
        "word2vec": gensim.models.Word2Vec(**common),
        "fasttext": gensim.models.FastText(**common, min_n=3, max_n=5, bucket=3_000),
    }


@pytest.fixture
def reference(kind, gensim_models):
    return gensim_models[kind.split("-")[0]]


def small(pooling="sif", common=None):
    """Four words by hand: counts 6, 2, 1, 1."""
    rows = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 3], [1, 1, 1]], dtype=np.float32)
    return WordVectors(["the", "knee", "hurts", "घर"], [6, 2, 1, 1], rows, pooling, common)


# --- words ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The KNEE, it hurts!", ["the", "knee", "it", "hurts"]),
        ("हिन्दी में किताब पढ़ो।", ["हिन्दी", "में", "किताब", unicodedata.normalize("NFC", "पढ़ो")]),
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("section 12(3) १२३", ["section", "12", "3", "१२३"]),
        ("don't snake_case a-b", ["don", "t", "snake", "case", "a", "b"]),
        ("🙂 ... \n\t", []),
        ("", []),
        ("東京 Привет ÜBER", ["東京", "привет", "über"]),
    ],
)
def test_words_of(text, words):
    assert words_of(text) == words


# Scripts that every version of the Unicode tables agrees on.
SIGNS = "aZéßøЖяशकािी्ंऔ१२३٣بتさ東京한글ñe\u0301\u0308 \t\n.,!?'-_()🙂👩\u200d\u200b₹%"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=SIGNS, max_size=40))
def test_words_are_letters_marks_and_digits_and_nothing_of_them_is_lost(text):
    found = words_of(text)
    assert all(unicodedata.category(sign)[0] in "LMN" for word in found for sign in word)
    # Signs that only shape a word part none, and go before letters and their marks are put together.
    whole = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    kept = [
        sign
        for sign in unicodedata.normalize("NFC", whole).lower()
        if unicodedata.category(sign)[0] in "LMN"
    ]
    assert "".join(found) == "".join(kept)


# --- pooling ---


def by_hand(words, counts, rows, text, common=None, unseen=None):
    """SIF in float64: the mean of a / (a + p(w)) v(w) over known words, the common part removed."""
    total, known, all_counts = np.zeros(rows.shape[1]), 0, sum(counts)
    place = {word: number for number, word in enumerate(words)}
    for word in words_of(text):
        if word in place:
            share = counts[place[word]] / all_counts
            total += 1e-3 / (1e-3 + share) * rows[place[word]].astype(np.float64)
            known += 1
    if (
        not known and unseen is not None and words_of(text)
    ):  # Word parts speak only where no whole word does.
        guessed = [unseen(word) for word in words_of(text)]
        total, known = np.sum(guessed, axis=0, dtype=np.float64), len(guessed)
    mean = total / known if known else total
    return mean if common is None else mean - (mean @ common) * common


def test_sif_of_four_words_by_hand():
    model = small()
    weights = [1e-3 / (1e-3 + share) for share in (0.6, 0.2, 0.1, 0.1)]
    np.testing.assert_allclose(
        model.encode_document(["The knee hurts, the unknown knee!"])[0],
        # five known words: the twice, knee twice, hurts once
        np.array([2 * weights[0], 2 * 2 * weights[1], 3 * weights[2]]) / 5,
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        small("mean").encode_document(["the knee hurts the knee"])[0], [0.4, 0.8, 0.6], rtol=1e-6
    )


def test_the_common_component_is_removed():
    common = np.array([0.6, 0.8, 0], dtype=np.float32)
    plain = small("mean").encode_document(["the knee", "घर"])
    without = small("mean", common).encode_document(["the knee", "घर"])
    np.testing.assert_allclose(plain[0], [0.5, 1, 0])
    np.testing.assert_allclose(without[0], [0.5 - 1.1 * 0.6, 1 - 1.1 * 0.8, 0], atol=1e-6)
    np.testing.assert_allclose(without @ common, [0, 0], atol=1e-6)


@pytest.mark.parametrize("kind", ["word2vec-sif", "fasttext-sif"], indirect=True)
def test_trained_sif_equals_the_formula(vectors, reference, texts):
    words = reference.wv.index_to_key
    counts = [reference.wv.get_vecattr(word, "count") for word in words]
    unseen = reference.wv.__getitem__ if "FastText" in type(reference).__name__ else None
    common = vectors.common.astype(np.float64)
    for text in [*texts[::40], *HINDI, "unseenword and घरों misspeld acount", *UNKNOWN]:
        wanted = by_hand(words, counts, reference.wv.vectors, text, common, unseen)
        np.testing.assert_allclose(vectors.encode_query([text])[0], wanted, atol=2e-6)


@pytest.mark.parametrize("kind", ["word2vec-sif", "fasttext-sif"], indirect=True)
def test_the_common_component_is_the_first_singular_vector_of_the_corpus(vectors, reference, texts):
    words = reference.wv.index_to_key
    counts = [reference.wv.get_vecattr(word, "count") for word in words]
    unseen = reference.wv.__getitem__ if "FastText" in type(reference).__name__ else None
    pooled = [by_hand(words, counts, reference.wv.vectors, text, None, unseen) for text in texts]
    first = np.linalg.svd(np.array(pooled), full_matrices=False)[2][0]
    assert abs(float(vectors.common @ first)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", ["word2vec-mean", "fasttext-mean"], indirect=True)
def test_mean_is_the_plain_mean_of_gensims_vectors(vectors, reference, texts):
    for text in [*texts[::40], *HINDI]:
        known = [reference.wv[w] for w in words_of(text) if w in reference.wv.key_to_index]
        if not known and "FastText" in type(reference).__name__:
            known = [reference.wv[word] for word in words_of(text)]
        np.testing.assert_allclose(
            vectors.encode_document([text])[0], np.mean(known, axis=0), atol=2e-6
        )


def test_the_mean_has_no_common_component(trained):
    assert trained["word2vec-mean"].common is None
    assert trained["word2vec-sif"].common.shape == (30,)


# --- words alone ---


def test_vocabulary_and_vectors_are_gensims(vectors, reference, texts):
    assert vectors.words == reference.wv.index_to_key
    np.testing.assert_array_equal(vectors.vectors, reference.wv.vectors)
    counted = Counter(word for text in texts for word in words_of(text))
    assert set(vectors.words) == {word for word, count in counted.items() if count >= 2}
    assert "घर" in vectors.words
    total = sum(count for count in counted.values() if count >= 2)
    for word in vectors.words[::50]:
        share = counted[word] / total
        wanted = 1 if vectors.pooling == "mean" else 1e-3 / (1e-3 + share)
        assert vectors.weights[vectors.words.index(word)] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("kind", ["fasttext-sif"], indirect=True)
def test_fasttext_builds_unseen_words_as_gensim_does(vectors, reference):
    for word in ["acount", "morgage", "घरों", "zzyzx", "ж", "東京", "naïveté", "x" * 300]:
        assert not vectors.knows(word)
        np.testing.assert_allclose(vectors.vector(word), reference.wv[word], atol=1e-6)
    assert np.abs(vectors.vector("morgage")).max() > 1e-3


@pytest.mark.parametrize("kind", ["word2vec-sif", "word2vec-mean"], indirect=True)
def test_word2vec_knows_only_what_it_saw(vectors):
    assert vectors.knows("घर")
    assert not vectors.knows("zzyzx")
    assert vectors.vector("zzyzx") is None
    found = vectors.encode_query(UNKNOWN)
    assert not found.any(), "no known word: a zero vector, even with the common part removed"


def test_nearest_words_are_gensims(vectors, reference):
    for word in ("account", "credit", "घर"):
        wanted = reference.wv.most_similar(word, topn=10)
        found = vectors.nearest(word, 10)
        assert [near for near, _ in found] == [near for near, _ in wanted]
        np.testing.assert_allclose([c for _, c in found], [c for _, c in wanted], atol=1e-5)
        assert word not in dict(found)


def test_nearest_to_words_with_capitals_and_too_many(vectors):
    assert vectors.nearest(" Credit! ", 3) == vectors.nearest("credit", 3)
    assert len(vectors.nearest("credit", 1)) == 1
    assert len(vectors.nearest("credit", 10**6)) == len(vectors.words) - 1
    for word in ("two words", "", "🙂"):
        with pytest.raises(Refused, match="is not one word"):
            vectors.nearest(word)


def test_nearest_to_an_unseen_word(trained, gensim_models):
    with pytest.raises(Refused, match="does not know the word 'morgage'"):
        trained["word2vec-sif"].nearest("morgage")
    wanted = gensim_models["fasttext"].wv.most_similar("morgage", topn=5)
    found = trained["fasttext-sif"].nearest("morgage", 5)
    assert [near for near, _ in found] == [near for near, _ in wanted]


# --- on disk ---


def test_saved_and_read_back_is_equal(vectors, tmp_path, texts):
    vectors.save(tmp_path)
    assert not [p for p in tmp_path.iterdir() if p.suffix in (".bin", ".pkl", ".pickle", ".npz")]
    back = WordVectors.load(tmp_path)
    asked = [*texts[::30], *HINDI, *UNKNOWN, "morgage"]
    assert back.encode_query(asked).tobytes() == vectors.encode_query(asked).tobytes()
    assert (back.words, back.pooling, back.ngrams) == (
        vectors.words,
        vectors.pooling,
        vectors.ngrams,
    )
    assert back.nearest("credit") == vectors.nearest("credit")


def _cut(path):
    path.write_bytes(path.read_bytes()[:50])


def _drop(path):
    path.unlink()


def _lose_a_word(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    content["words"].pop()
    path.write_text(json.dumps(content), encoding="utf-8")


def _lose_a_key(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["pooling"]
    path.write_text(json.dumps(content), encoding="utf-8")


def _restore(folder, tensors=None, **settings):
    """Word vectors as somebody else may have written them, whose checksums are right all the same."""
    made = small()
    made.save(folder)
    said = json.loads((folder / "word_vectors.json").read_text(encoding="utf-8"))
    (folder / "word_vectors.json").write_text(json.dumps({**said, **settings}), encoding="utf-8")
    parts = {"vectors": made.vectors, **(tensors or {})}
    save_file(parts, folder / "word_vectors.safetensors")


@pytest.mark.parametrize(
    ("tensors", "settings"),
    [
        ({}, {"ngrams": [1, 10**9]}),
        ({}, {"ngrams": [0, 3]}),
        ({}, {"ngrams": "xy"}),
        ({"vectors": np.zeros(4, np.float32)}, {}),
        ({"vectors": np.zeros((4, 3), np.float64)}, {}),
        ({"subwords": np.zeros((5, 9), np.float32)}, {"ngrams": [3, 6]}),
        ({"subwords": np.zeros((0, 3), np.float32)}, {"ngrams": [3, 6]}),
        ({"common": np.zeros((3, 3), np.float32)}, {}),
        ({}, {"words": 4}),
    ],
)
def test_parts_that_do_not_fit_are_refused_whatever_their_checksums_say(
    tmp_path, tensors, settings
):
    _restore(tmp_path)
    assert WordVectors.load(tmp_path).dimension == small().dimension
    _restore(tmp_path, tensors, **settings)
    with pytest.raises(Failed, match="cannot be read"):
        WordVectors.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("word_vectors.json", _cut),
        ("word_vectors.json", _drop),
        ("word_vectors.json", _lose_a_word),
        ("word_vectors.json", _lose_a_key),
        ("word_vectors.safetensors", _cut),
        ("word_vectors.safetensors", _drop),
    ],
)
def test_damaged_files_are_a_failure_in_words(tmp_path, name, damage):
    small().save(tmp_path)
    assert WordVectors.load(tmp_path).words == ["the", "knee", "hurts", "घर"]
    damage(tmp_path / name)
    with pytest.raises(Failed, match="cannot be read"):
        WordVectors.load(tmp_path)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 words, 2 counts, 3 vectors"):
        WordVectors(["a", "b"], [1, 1], np.ones((3, 2), dtype=np.float32), "mean")


# --- in another program ---


def _unit(rows):
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def test_as_sentence_transformer_is_the_same_encoder(vectors, texts, kind):
    model = vectors.as_sentence_transformer()
    asked = [*texts[:120], *HINDI, *UNKNOWN]
    if kind.startswith("word2vec"):
        asked += ["credit qqqq card घर", "QQQQ Credit"]  # unknown words among known ones
    else:  # n-grams do not travel: the same only where all words are known
        asked = [t for t in asked if all(vectors.knows(word) for word in words_of(t))]
        assert len(asked) > 40
    mine, theirs = _unit(vectors.encode_document(asked)), model.encode_document(asked)
    np.testing.assert_allclose(theirs, mine, atol=1e-5)
    np.testing.assert_allclose(model.encode_query(asked), mine, atol=1e-5)
    cosines = np.asarray(model.similarity(theirs[:60], theirs[:60]))
    np.testing.assert_allclose(cosines, mine[:60] @ mine[:60].T, atol=2e-5)
    assert math.isclose(float(np.linalg.norm(theirs[0])), 1, abs_tol=1e-5)
