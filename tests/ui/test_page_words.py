"""The Words page: neighbours side by side, where to start, what moved, analogies, and every empty state."""

import re

import pytest
from app_help import (
    TINY,
    alive,
    labels,
    markup,
    open_page,
    plain,
    press,
    run,
    shown,
    unescaped,
    write_run,
)
from streamlit.testing.v1 import AppTest

from search.insight import vector_cache
from search.insight.vocabulary import vocabulary_of
from search.insight.word_space import WordSpace, moved_words
from search.models.load import load_encoder
from search.models.registry import GENERIC, find_model
from search.projects.project import Project
from ui.words import sentence

BOTH = ["words", "words-2"]


def columns(at: AppTest) -> dict[str, list[str]]:
    """Each column's neighbours, by the model's title."""
    found = {}
    for element in at.get("html"):
        title = re.search(r'b-dot"></span><b>(.*?)</b>', element.value)
        if title and "b-near" in element.value:
            found[title[1]] = [plain(row) for row in re.findall(r"<li.*?</li>", element.value)]
    return found


def space(project: Project, model: str) -> WordSpace:
    manifest = project.newest("corpora")
    assert manifest is not None
    info = find_model(project, model)
    words = vocabulary_of(project, manifest).words
    return WordSpace.load(project, info, load_encoder(project, info), words)


def test_neighbours_stand_side_by_side(trained: Project) -> None:
    at = open_page("words", TINY, word="registrar", model=BOTH)
    told = columns(at)
    for model in BOTH:
        assert told[model] == [word for word, _ in space(trained, model).nearest("registrar")]
    common = len(set(told["words"]) & set(told["words-2"]))
    assert f"{common} of 10 neighbours of “registrar”" in shown(at) or common in (0, 10)


def test_a_word_of_the_start_is_looked_around(trained: Project) -> None:
    at = open_page("words", TINY, model=BOTH)
    assert "Type a word your field uses" in shown(at)
    pills = at.get("button_group")[1]
    chosen = unescaped(pills.options[0])
    pills.set_value(pills.options[0])
    run(at)
    assert at.text_input[0].value == chosen
    assert columns(at).keys() == set(BOTH)
    assert at.query_params["word"] == chosen


def test_what_moved(trained: Project) -> None:
    at = open_page("words", TINY, model=BOTH)
    found = moved_words(space(trained, "words"), space(trained, "words-2"))
    changed = [word.word for word in found if word.common < 1]
    assert "What moved" in [s.value for s in at.header]
    options = [o.replace("\\", "") for group in at.get("button_group") for o in group.options]
    assert changed[0] in options


def test_an_analogy(trained: Project) -> None:
    at = open_page("words", TINY, model=BOTH)
    for box, word in zip(at.text_input[1:4], ("registrar", "kidney", "hand"), strict=True):
        box.set_value(word)
    run(at)
    expected = [w for w, _ in space(trained, "words").analogy("kidney", "registrar", "hand")]
    assert columns(at)["words"] == expected
    at.text_input[2].set_value("xylophone")
    run(at)
    assert "does not know" in plain(markup(at))


@pytest.mark.parametrize("word", ["?!", "word " * 80])
def test_no_word(trained: Project, word: str) -> None:
    at = open_page("words", TINY, word=word, model=BOTH)
    assert at.warning
    assert not columns(at)


@pytest.mark.parametrize("word", ["रक्तचाप", "ضغط", "🫀 heart", "<b>bold</b>"])
def test_unknown_words_of_any_script(trained: Project, word: str) -> None:
    at = open_page("words", TINY, word=word, model=BOTH)
    assert (
        f"No model knows “{word}”" in plain(markup(at)).replace("“ ", "“")
        or columns(at)
        or ("does not know" in plain(markup(at)))
    )
    assert "<b>bold</b>" not in markup(at)


def test_words_are_read_by_a_run_where_they_are_many(
    trained: Project, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_cache, "SOON", 5)
    at = open_page("words", TINY, model=[GENERIC, "words"])
    assert "Generic has to read the words of your documents once" in shown(at)
    press(at, "read-words")
    assert started == [["prepare", TINY, "--model", GENERIC]]
    assert not columns(at)


def test_a_run_that_goes_on_is_watched(trained: Project) -> None:
    arguments = ["prepare", TINY, "--model", GENERIC]
    write_run(trained, arguments, state="running", message="reading", **alive())
    at = open_page("words", TINY, word="registrar")
    assert "Reading words and training questions" in shown(at)
    assert "Read the words" not in labels(at)


def test_without_documents_and_without_a_custom_model(empty: Project) -> None:
    at = open_page("words", TINY)
    assert "No words yet" in shown(at)
    assert "Add documents" in labels(at)


def test_without_a_custom_model_the_generic_one_answers(data: Project) -> None:
    at = open_page("words", TINY, word="registrar")
    assert list(columns(at)) == ["Generic"]
    assert "Train a custom model to compare with" in labels(at)


def test_a_deleted_model_in_the_address_is_passed_over(trained: Project) -> None:
    at = open_page("words", TINY, word="registrar", model=["gone", "words"])
    assert list(columns(at)) == ["words"]


def test_the_sentence(trained: Project) -> None:
    generic, custom = find_model(trained, GENERIC), find_model(trained, "words")
    a, b = [("x", 0.9), ("y", 0.5)], [("y", 0.8), ("z", 0.1)]
    assert sentence("frost", [generic, custom], [a, b]) == (
        "1 of 2 neighbours of “frost” are the same."
    )
    assert sentence("frost", [custom, custom], [a, a]) == (
        "The models agree on all neighbours of “frost”."
    )
    assert sentence("frost", [custom, custom], [a, [("q", 1.0)]]).startswith(
        "The models have no neighbour of “frost” in common"
    )
    assert sentence("frost", [generic, custom], [a, "unknown"]) == (
        "Only Generic can place “frost”."
    )
    assert "reads it in pieces: ve · lk" in sentence("velkorin", [generic], [a])
