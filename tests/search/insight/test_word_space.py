"""Neighbours, analogies and moved words, against numpy over all words."""

import numpy as np
import pytest

from indexes.vector_index import normalised
from search.insight.vocabulary import vocabulary_of
from search.insight.word_space import WordSpace, are_ready, moved_words, nearest_words, word_rows
from search.models.load import load_encoder
from search.models.registry import find_model
from search.models.word_vectors import WordVectors
from search.projects.errors import Refused
from search.projects.project import Project


def vectors(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


KINGS = ("king", "man", "woman", "queen", "stone", "unheard")
ROWS = vectors((1, 1, 0), (1, 0, 0), (0, 0, 1), (0.1, 1, 1), (-1, 0.1, -1), (0, 0, 0))


@pytest.fixture
def kings() -> WordSpace:
    encoder = WordVectors(KINGS[:5], [9, 8, 7, 6, 5], ROWS[:5], "mean")
    return WordSpace(KINGS, normalised(ROWS), encoder)


def test_an_analogy(kings: WordSpace) -> None:
    near = kings.analogy("man", "king", "woman", 2)
    unit = normalised(ROWS)
    target = unit[0] - unit[1] + unit[2]
    assert near[0][0] == "queen"
    assert near[0][1] == pytest.approx(float(unit[3] @ target / np.linalg.norm(target)), abs=1e-6)
    assert [word for word, _ in near] == ["queen", "stone"]
    with pytest.raises(Refused, match="does not know 'emperor'"):
        kings.analogy("man", "emperor", "woman")


def test_unknown_words_are_nobodys_neighbours(kings: WordSpace) -> None:
    near = kings.nearest("king", 10)
    assert [word for word, _ in near] == ["man", "queen", "woman", "stone"]
    with pytest.raises(Refused, match="does not know 'unheard'"):
        kings.nearest("unheard")


def test_neighbours_against_brute_force() -> None:
    rng = np.random.default_rng(4)
    rows = normalised(rng.normal(size=(1_200, 16)).astype(np.float32))
    words = [f"w{n}" for n in range(1_200)]
    space = WordSpace(words, rows, WordVectors(words, [1] * 1_200, rows, "mean"))
    places = list(range(100, 1_200))
    found = space.neighbours(places, 10)
    cosines = rows[places] @ rows[places].T
    np.fill_diagonal(cosines, -2)
    assert (found == np.argsort(-cosines, axis=1, kind="stable")[:, :10]).all()
    near = space.nearest("w7", 5)
    order = [n for n in np.argsort(-(rows @ rows[7]), kind="stable") if n != 7][:5]
    assert [word for word, _ in near] == [f"w{n}" for n in order]


def test_the_word_that_moved_is_found() -> None:
    rng = np.random.default_rng(5)
    rows = normalised(rng.normal(size=(300, 8)).astype(np.float32))
    words = [f"w{n}" for n in range(300)]
    turned = rows @ np.linalg.qr(rng.normal(size=(8, 8)))[0].astype(np.float32)
    moved = turned.copy()
    moved[42] = -moved[42]
    encoder = WordVectors(words, [1] * 300, rows, "mean")
    before, after = WordSpace(words, rows, encoder), WordSpace(words, moved, encoder)
    top = moved_words(before, after, count=3, top=5)
    assert top[0].word == "w42"
    assert top[0].common == 0.0
    assert top[1].common > 0.0
    assert set(top[0].before) == {w for w, _ in before.nearest("w42", 5)}
    # A rotation moves nobody.
    still = moved_words(before, WordSpace(words, turned, encoder), count=300, top=5)
    assert {word.common for word in still} == {1.0}
    with pytest.raises(ValueError, match="different words"):
        moved_words(before, WordSpace(words[:9], rows[:9], encoder))


def test_too_few_common_words_is_no_error(kings: WordSpace) -> None:
    encoder = WordVectors(["king"], [1], ROWS[:1], "mean")
    rows = word_rows(encoder, KINGS)
    assert moved_words(kings, WordSpace(KINGS, rows, encoder)) == []


def test_a_phrase_under_word_vectors_is_the_mean_of_its_words(kings: WordSpace) -> None:
    encoder = WordVectors(KINGS[:5], [9, 8, 7, 6, 5], ROWS[:5], "mean")
    rows = word_rows(encoder, ["king", "man woman", "man nobody"])
    assert rows[1] == pytest.approx(normalised((ROWS[1] + ROWS[2])[None, :] / 2)[0])
    assert not rows[2].any()


def test_a_transformer_is_asked_about_the_words_of_the_corpus(
    tiny: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = find_model(tiny, "tuned")
    encoder = load_encoder(tiny, info)
    manifest = tiny.newest("corpora")
    assert manifest is not None
    words = vocabulary_of(tiny, manifest).words
    found = nearest_words(tiny, "tuned", "Registrar", 5)
    rows = normalised(encoder.encode_query(list(words)))
    cosines = rows @ normalised(encoder.encode_query(["Registrar"]))[0]
    order = [n for n in np.argsort(-cosines, kind="stable") if words[n].lower() != "registrar"][:5]
    assert [cosine for _, cosine in found.words] == pytest.approx(
        [float(cosines[n]) for n in order], abs=1e-5
    )
    assert found.note is None
    assert are_ready(tiny, info, words)
    monkeypatch.setattr("search.insight.vector_cache.SOON", 5)
    assert not are_ready(tiny, info, words)
    WordSpace.load(tiny, info, encoder, words)
    assert are_ready(tiny, info, words)
    assert are_ready(tiny, find_model(tiny, "words"), words)


@pytest.mark.slow
def test_the_command_works_for_any_model(tiny: Project, call_cli) -> None:
    done = call_cli("words", "tiny", "tuned", "registrar", "--json")
    assert done.status == 0, done.err
    import json

    told = [row["word"] for row in json.loads(done.out)]
    assert told == [word for word, _ in nearest_words(tiny, "tuned", "registrar").words]
