"""The explanation as it is drawn: words shaded, sentences ranked, what was learned, and every state it can be in."""

import re

import pytest
from app_help import TINY, alive, labels, markup, plain, shown, write_run
from streamlit.testing.v1 import AppTest

from search.corpus.corpus import current_corpus
from search.insight import vector_cache
from search.insight.attribution import Attribution, Part
from search.insight.explain import attribute
from search.insight.training_neighbours import TrainingNeighbour, TrainingNeighbours
from search.models.registry import find_model
from search.projects import runs
from search.projects.project import Project
from search.retrieval.search import retrievers_for
from training.train import train
from ui.explain import neighbours_html, shades
from ui.rendering import render

QUERY = "what helps against velkorin in the hand"


def draw(project: str, query: str, document: str, columns: tuple[str, ...]) -> None:
    from search.projects.project import project as existing
    from ui.explain import explain

    explain(existing(project), query, document, columns)


def opened(document: str, *columns: str, query: str = QUERY) -> AppTest:
    at = AppTest.from_function(draw, args=(TINY, query, document, columns), default_timeout=60)
    at.run()
    assert not at.exception, [e.message for e in at.exception]
    return at


def test_each_model_is_told_by_its_own_words(trained: Project) -> None:
    at = opened("d0", "bm25", "words")
    text = plain(markup(at))
    (keyword, words), corpus = retrievers_for(trained, ["bm25", "words"])
    for retriever, title in ((keyword, "Keyword search"), (words, "words")):
        told = attribute(retriever, corpus, QUERY, 0)
        assert f"{title} : {told.sentence}" in text
        assert told.attribution is not None
        assert render("shaded.html", parts=shades(told.attribution)) in markup(at)
    assert "words learned from the documents alone" in shown(at)


def test_a_hybrid_shows_both_sides(trained: Project) -> None:
    at = opened("d0", "hybrid:words")
    titles = re.findall(r'b-dot"></span><b>(.*?)</b>', markup(at))
    assert titles == ["Keyword search", "words"]


@pytest.mark.parametrize(
    ("document", "columns", "said"),
    [
        ("gone", ["bm25"], "no document 'gone'"),
        ("d0", ["deleted-model"], "There is no model 'deleted-model'"),
        ("d0", ["generic"], "has not read the documents yet"),
    ],
)
def test_what_cannot_be_told_is_said(
    trained: Project, document: str, columns: list[str], said: str
) -> None:
    at = opened(document, *columns)
    assert said in shown(at) + "".join(str(w.value) for w in at.warning)


def test_a_question_without_known_words(trained: Project) -> None:
    at = opened("d0", "bm25", "words", query="xylophone")
    assert "No word of the question stands in this document" in plain(markup(at))
    assert "knows no word of this question" in plain(markup(at))


def test_shades_are_html_that_cannot_be_broken_out_of() -> None:
    passage = "<b>oil</b> rises & falls"
    words = [Part(3, 6, "oil", 0.5), Part(11, 16, "rises", -0.4), Part(19, 24, "falls", 0.1)]
    told = Attribution("left out", "q", passage, 0.9, tuple(words), (), ())
    assert render("shaded.html", parts=shades(told)) == (
        '&lt;b&gt;<mark style="--b-pull:55%">oil</mark>&lt;/b&gt; <span class="b-off">rises</span> &amp; '
        '<mark style="--b-pull:11%">falls</mark>'
    )


def test_lessons_in_plain_words() -> None:
    one = TrainingNeighbour("why <so>", "because", None, "", 0.912)
    two = TrainingNeighbour("how", "a long answer", "d1", "The title", 0.5)
    text = plain(neighbours_html("mine", TrainingNeighbours(1_234, (one, two), (), (two,))))
    assert "It learned from: 1,234 pairs of question and answer" in text
    assert "Questions most like yours “why <so>” → because nearness 0.91" in text
    assert "Answers most like this document “how” → The title nearness 0.50" in text
    assert "this very document" not in text


@pytest.fixture
def tuned(stage, trained: Project, tiny_model) -> Project:
    def build() -> None:
        train(trained, "fine-tune", "tuned", {"base": str(tiny_model), "epochs": 1})
        retrievers_for(trained, ["tuned"])

    return stage("tuned", build)


def test_what_a_model_learned_from_is_shown(tuned: Project) -> None:
    at = opened("d0", "tuned")
    assert "Pairs that this very document answers" in plain(markup(at))
    assert "nearness" in plain(markup(at))


def test_many_questions_are_looked_up_by_a_run(
    tuned: Project, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_cache, "SOON", 1)
    at = opened("d0", "tuned")
    assert "It learned from" not in plain(markup(at))
    assert "Look it up" in labels(at)
    next(b for b in at.button if b.label == "Look it up").click()
    at.run()
    assert started == [["prepare", TINY, "--model", "tuned"]]
    assert not at.exception


def test_a_look_up_that_goes_on_is_watched(tuned: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_cache, "SOON", 1)
    write_run(
        tuned, ["prepare", TINY, "--model", "tuned"], state="running", message="reading", **alive()
    )
    at = opened("d0", "tuned")
    assert "Look it up" not in labels(at)
    assert any("Reading what tuned learned from" in str(e.proto) for e in at.get("progress"))


def test_prepare_makes_the_questions_ready(tuned: Project, call_cli, monkeypatch) -> None:
    from search.insight.prepare import prepare
    from search.insight.training_neighbours import is_ready

    monkeypatch.setattr(vector_cache, "SOON", 1)
    _, corpus = current_corpus(tuned)
    info = find_model(tuned, "tuned")
    assert not is_ready(tuned, corpus, info)
    (told,) = prepare(tuned, ["tuned"])
    assert re.fullmatch(r"\d+ words and \d+ training pairs are ready to be asked of 'tuned'.", told)
    assert is_ready(tuned, corpus, info)
    done = call_cli("prepare", TINY, "--model", "nope")
    assert done.status == 2
    assert runs.runs(tuned) == []
