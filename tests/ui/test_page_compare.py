import json
import re
import shutil

import pytest
from app_help import (  # fmt: skip
    TINY,
    Column,
    columns,
    gone,
    labels,
    markup,
    open_page,
    plain,
    press,
    run,
    shown,
    turn_to,
    unescaped,
    write_run,
)
from streamlit.testing.v1 import AppTest

from search.corpus.corpus import current_corpus
from search.corpus.document import Document
from search.evaluation.query_sets.query_set import QuerySet
from search.models.registry import find_model
from search.projects.project import Project
from search.projects.runs import Run
from search.retrieval.indexing.build import index_model
from search.retrieval.results import SearchResult
from search.retrieval.search import compare
from training.data.intake import publish_ready_made
from training.data.pair_sets import Split

BOTH = ["words", "words-2"]
FREE = "tirmathal velkorin shoulder"


def _ask(query: str, models: list[str] = BOTH, **more: object) -> AppTest:
    return open_page("compare", TINY, q=query, model=models, **more)


def _expected(project: Project, query: str, models: list[str] = BOTH) -> list[SearchResult]:
    return compare(project, query, models, 10).results


def _ids(column: Column, project: Project) -> list[str]:
    _, corpus = current_corpus(project)
    by_title = {d.title: d.id for d in corpus.sample(1_000)}
    return [by_title[card.title] for card in column.cards]


def test_without_a_question_the_page_invites_one(trained: Project) -> None:
    at = open_page("compare", TINY, model=BOTH)
    assert "Ask something the way your users would" in shown(at)
    assert not columns(at)
    assert at.text_input[0].value == ""


@pytest.mark.parametrize("query", ["", "   ", "\t"])
def test_an_empty_query(trained: Project, query: str) -> None:
    at = open_page("compare", TINY, model=BOTH)
    at.text_input[0].set_value(query)
    run(at)
    assert "Ask something the way your users would" in shown(at)


def test_each_column_shows_what_its_model_found(trained: Project) -> None:
    at = _ask(FREE)
    left, right = columns(at)
    assert (left.title, left.subtitle) == ("words", "custom · word2vec")
    assert right.title == "words-2"
    for column, result in zip((left, right), _expected(trained, FREE), strict=True):
        assert [card.rank for card in column.cards] == list(range(1, 11))
        assert _ids(column, trained) == [hit.id for hit in result.hits]
        assert [f"score {hit.score:.3f}" in markup(at) for hit in result.hits] == [True] * 10


def test_movement_is_told_against_the_first_column(trained: Project) -> None:
    first, second = _expected(trained, FREE)
    ranks = {hit.id: hit.rank for hit in first.hits}
    expected = []
    for hit in second.hits:
        change = ranks.get(hit.id, 0) - hit.rank
        moved = f"▲ {change}" if change > 0 else f"▼ {-change}" if change < 0 else "same rank"
        expected.append(moved if hit.id in ranks else "new")
    left, right = columns(_ask(FREE))
    assert [card.move for card in right.cards] == expected
    assert any(move.startswith("▲") for move in expected), "the test needs something that moved"
    also = {hit.id for hit in second.hits}
    assert [card.move for card in left.cards] == [
        "" if hit.id in also else "only here" for hit in first.hits
    ]
    assert [card.only for card in left.cards] == [hit.id not in also for hit in first.hits]


def test_the_other_way_round_movement_is_against_the_other_model(trained: Project) -> None:
    left, right = columns(_ask(FREE, ["words-2", "words"]))
    assert (left.title, right.title) == ("words-2", "words")
    assert not [card.move for card in left.cards if card.move not in ("", "only here")]


def test_the_figures(trained: Project) -> None:
    first, second = _expected(trained, FREE)
    common = {hit.id for hit in first.hits} & {hit.id for hit in second.hits}
    at = _ask(FREE)
    assert f"{len(common)} of 10 in common" in plain(markup(at))
    assert " ms per search" not in plain(markup(at)), "each column's head says how long it took"


def test_a_judged_query_gets_the_right_sentence_and_badges(trained: Project) -> None:
    queries = QuerySet.load(trained, trained.newest("queries"))  # type: ignore[arg-type]
    query = queries.queries["test-1"]
    (answer,) = queries.relevant("test-1")
    ranks = [
        next((hit.rank for hit in result.hits if hit.id == answer), None)
        for result in _expected(trained, query)
    ]
    at = _ask(f"  {query.upper()} ")
    text = plain(markup(at))
    if ranks == [1, 1]:
        assert "Every side puts the judged answer first." in text
    else:
        assert re.search("judged answer (first|at rank)", text)
    for column, rank in zip(columns(at), ranks, strict=True):
        assert [card.rank for card in column.cards if card.judged] == ([rank] if rank else [])


def test_words_of_the_query_are_marked_in_titles_and_texts(trained: Project) -> None:
    for column in columns(_ask("Tirmathal?")):
        card = next(card for card in column.cards if card.title == "Tirmathal")
        assert [mark.casefold() for mark in card.marks] == ["tirmathal"] * 3
        others = [card for card in column.cards if card.title != "Tirmathal"]
        assert not any(card.marks for card in others)


def test_a_query_without_known_words_finds_nothing_and_says_so(trained: Project) -> None:
    at = _ask("xyzzy plugh")
    assert "No side found anything for this question." in plain(markup(at))
    assert plain(markup(at)).count("Nothing found No known words in this query.") == 2


@pytest.mark.parametrize("query", ["🤕 🦶", "मेरे पैर में दर्द है", "؟ ? !", "\u202e\u0000 \ud7ff", "'; DROP TABLE documents; --"])  # fmt: skip
def test_strange_queries_find_nothing_quietly(trained: Project, query: str) -> None:
    at = _ask(query, [*BOTH, "bm25"])
    assert len(columns(at)) == 3
    assert not at.error
    assert not any(column.cards for column in columns(at))


def test_a_query_at_the_limit_is_searched_and_one_over_it_is_not(trained: Project) -> None:
    at = _ask(("tirmathal " * 1_000).strip() + "x")
    assert len(columns(at)[0].cards) == 10
    at = _ask("x" * 10_001)
    assert [w.value for w in at.warning] == [
        "The query has 10,001 characters; the limit is 10,000."
    ]
    assert not columns(at)


def test_keyword_search_can_be_a_column(trained: Project) -> None:
    at = _ask("tirmathal", ["words", "bm25"])
    assert [c.title for c in columns(at)] == ["words", "Keyword search"]
    assert [card.title for card in columns(at)[1].cards] == ["Tirmathal"]
    assert plain(markup(at)).count("counts words, knows no meaning") == 1


def test_the_address_keeps_the_question_and_the_models(trained: Project) -> None:
    at = open_page("compare", TINY, model=BOTH)
    at.text_input[0].set_value("tirmathal")
    run(at)
    assert at.query_params == {"project": TINY, "model": BOTH}
    assert at.session_state["q"] == "tirmathal", "bound to the address; a browser test looks there"
    assert len(columns(at)) == 2
    at.multiselect[0].set_value(["words-2"])
    run(at)
    assert at.query_params["model"] == "words-2"
    assert len(columns(at)) == 1
    assert "10 results." in plain(markup(at))


def test_without_a_model_the_page_asks_for_one(trained: Project) -> None:
    at = _ask("x")
    at.multiselect[0].set_value([])
    run(at)
    assert [i.value for i in at.info] == ["Choose at least one column to search with."]


def test_the_number_of_results_can_be_chosen(trained: Project) -> None:
    at = _ask(FREE)
    at.slider[0].set_value(3)
    run(at)
    assert [len(column.cards) for column in columns(at)] == [3, 3]


def test_unknown_models_in_the_address_are_ignored(trained: Project) -> None:
    at = _ask(FREE, ["words", "nowhere", "<b>"])
    assert [column.title for column in columns(at)] == ["words"]


def test_an_example_is_searched_when_it_is_chosen(trained: Project) -> None:
    at = open_page("compare", TINY, model=BOTH)
    pills = at.get("button_group")[0]
    first = pills.options[0]
    pills.set_value(first)
    run(at)
    assert at.text_input[0].value == first
    assert len(columns(at)) == 2


def test_without_a_custom_model_keyword_search_is_the_other_side_and_training_the_next_step(
    evaluated: Project,
) -> None:
    shutil.rmtree(evaluated.folder / "models")
    at = open_page("compare", TINY, q=FREE)
    column, words = columns(at)
    assert (column.title, column.subtitle) == ("Generic", "all-MiniLM-L6-v2 · ready-made")
    assert words.title == "Keyword search", "the other side until there is a custom model"
    expected = compare(evaluated, FREE, ["generic"], 10).results[0]
    assert _ids(column, evaluated) == [hit.id for hit in expected.hits]
    press(at, "to-train")
    assert at.title[0].value == "Which model should you make?"


def test_generic_and_the_newest_custom_model_are_the_default(evaluated: Project) -> None:
    at = open_page("compare", TINY, q=FREE)
    assert [column.title for column in columns(at)] == ["Generic", "words-2"]
    assert "model" not in at.query_params
    details = evaluated.newest("evaluations").details  # type: ignore[union-attr]
    test = next(t for t in details["comparisons"] if t["candidate"] == "words-2")
    assert f"{test['delta']:+.3f} nDCG@10 on 20 held-out queries" in plain(markup(at))


def test_a_query_that_only_generic_can_read(evaluated: Project) -> None:
    at = open_page("compare", TINY, q="unintelligible gibberish")
    left, right = columns(at)
    assert len(left.cards) == 10
    assert not right.cards
    assert "Only the generic model found anything." in plain(markup(at))
    assert "disagree" not in plain(markup(at))


def test_a_missing_index_is_built_in_a_run(trained: Project, started: list[list[str]]) -> None:
    shutil.rmtree(trained.folder / "indexes")
    at = _ask(FREE, ["words"])
    assert started == [["index", TINY, "--model", "words"]]
    assert "**Building the index** · starting" in shown(at)
    run(at)
    assert len(started) == 1, "it is not started twice"


def test_an_index_that_fails_is_not_tried_for_ever(
    trained: Project, started: list[list[str]]
) -> None:
    shutil.rmtree(trained.folder / "indexes")
    at = _ask(FREE, ["words"])
    (folder,) = (trained.folder / "runs").iterdir()
    made = Run(trained, folder.name)
    made.write(made.read().ended("failed", error="No."))
    run(at)
    run(at)
    assert len(started) == 1
    assert [e.value for e in at.error] == ["Building the index did not finish: No."]
    next(button for button in at.button if button.label == "Try again").click()
    run(at)
    assert len(started) == 2


def test_an_index_run_that_was_interrupted_earlier_is_started_again(
    trained: Project, started: list[list[str]]
) -> None:
    shutil.rmtree(trained.folder / "indexes")
    write_run(trained, ["index", TINY, "--model", "words"], state="running", **gone())
    _ask(FREE, ["words"])
    assert len(started) == 1


@pytest.mark.parametrize("pattern", ["corpora/*/corpus.sqlite", "models/*/word_vectors.safetensors", "indexes/*/*.npy"])  # fmt: skip
def test_a_damaged_artifact_is_a_message(trained: Project, pattern: str) -> None:
    paths = list(trained.folder.glob(pattern))
    assert paths
    for path in paths:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    at = _ask(FREE)
    assert len(at.error) == 1
    assert "is damaged" in at.error[0].value
    # What can be made again is, by a button; of the rest the person is told what to delete.
    again = pattern.startswith("indexes")
    said = "Bring the folder" if pattern.startswith("corpora") else "Delete the folder"
    assert (said in at.error[0].value) == (not again)
    assert ("Build it again" in labels(at)) == again
    assert not columns(at)


EVIL = "<script>alert(1)</script>"


def test_documents_queries_and_metadata_are_never_markup(empty: Project) -> None:
    documents = [
        Document("e1", EVIL, f"{EVIL} tirmathal", {"source": '"><img src=x onerror=alert(1)>'}),
        Document("e2", "Plain", "tirmathal & <b>bold</b>"),
    ]
    none = QuerySet({}, {})
    publish_ready_made(empty, documents, Split([], none, none), "evil.json")
    at = open_page("compare", TINY, q=f"{EVIL} tirmathal", model="bm25")
    html = markup(at)
    assert len(columns(at)[0].cards) == 2
    for bad in ("<script", "<img", "<b>bold"):
        assert bad not in html
    titles = {card.title.replace(" ", "") for card in columns(at)[0].cards}
    assert titles == {EVIL, "Plain"}


def test_a_model_name_with_markup_and_quotes_is_text(trained: Project) -> None:
    """Such a name cannot be given here, but a workspace may come from elsewhere."""
    name = '"><img src=x onerror="alert(1)">'
    source = trained.folder / "models" / find_model(trained, "words").id
    with trained.publish("models") as draft:
        details = json.loads((source / "manifest.json").read_text())["details"]
        draft.details.update(details | {"name": name})
        for path in source.iterdir():
            if path.name != "manifest.json":
                shutil.copy(path, draft.folder)
    index_model(trained, name)
    at = _ask(FREE, ["words", name])
    assert [column.title for column in columns(at)] == ["words", name]
    assert "<img" not in markup(at)
    assert "&lt;img" in markup(at)
    for page in ("models", "train", "projects", "evaluate"):
        if page != "evaluate":
            assert "<img" not in markup(open_page(page, TINY))


def test_an_example_with_markdown_in_it_is_shown_as_it_is(trained: Project) -> None:
    """Dollars would become a formula, stars would vanish."""
    trained.change(lambda _: {"examples": ["is $5 *more* than $4?"]})
    at = open_page("compare", TINY, model=BOTH)
    shown_as = at.get("button_group")[0].proto.options[0].content
    assert unescaped(shown_as) == "is $5 *more* than $4?"


def test_the_question_is_still_there_after_a_visit_to_another_page(
    trained: Project, started: list[list[str]]
) -> None:
    at = open_page("compare", TINY)
    at.text_input[0].set_value("what helps the kidney")
    run(at)
    turn_to(at, "train")
    at.query_params.pop("q", None)  # As the navigation of a browser does.
    turn_to(at, "compare")
    assert at.text_input[0].value == "what helps the kidney"
