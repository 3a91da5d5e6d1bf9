"""What Compare does beside searching: offers, history, more like this, why, columns that are gone, full screen."""

import shutil
from collections.abc import Sequence

import pytest
from app_help import TINY, columns, markup, open_page, plain, press, run, shown

from search.corpus.document import Document
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.rank_similarity import disagreements
from search.projects.project import Project
from search.retrieval import history
from search.retrieval.search import compare, similar
from training.data.intake import publish_ready_made
from training.data.pair_sets import Split
from ui.comparing.asking import suggestions
from ui.comparing.summary import order_in_words

BOTH = ["words", "words-2"]
QUERY = "tirmathal velkorin shoulder"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["Who may vote?", "Can I sue", "Votes of MPs"]),
        ("vo", ["Who may vote?", "Votes of MPs", "the vote"]),
        ("who vo", ["Who may vote?"]),
        ("vote wh", ["Who may vote?"]),
        ("VOTE", ["Who may vote?", "Votes of MPs", "the vote"]),
        ("the vote", []),
        ("xyz", []),
        ("🦶", ["Who may vote?", "Can I sue", "Votes of MPs"]),
    ],
)
def test_what_is_offered_fits_what_is_typed(typed: str, expected: Sequence[str]) -> None:
    examples = ["Who may vote?", "Can I sue", "Votes of MPs", "the vote"]
    assert suggestions(examples, typed, 3) == list(expected)


def test_questions_that_fit_are_offered_while_typing(trained: Project) -> None:
    at = open_page("compare", TINY, model=BOTH)
    at.text_input[0].set_value("what helps aga")
    run(at)
    offered = [option.content for option in at.get("button_group")[0].proto.options]
    assert offered
    assert all(text.startswith("what helps against") for text in offered)
    assert "Questions like yours" in plain(markup(at))


def test_where_columns_differ_most_is_looked_for_once_and_offered(
    trained: Project, started: list[list[str]]
) -> None:
    at = open_page("compare", TINY, q=QUERY, model=BOTH)
    run(at)
    assert started == [["disagree", TINY, "--model=words", "--model=words-2"]]
    shutil.rmtree(trained.folder / "runs")
    found = disagreements(trained, BOTH)
    at = open_page("compare", TINY, model=BOTH)
    offered = [option.content for option in at.get("button_group")[0].proto.options]
    assert "Where they differ most" in plain(markup(at))
    assert [text.replace("\\", "") for text in offered] == [one.text for one in found][:4]
    assert len(started) == 1


def test_questions_are_kept_and_can_be_asked_again_and_forgotten(trained: Project) -> None:
    open_page("compare", TINY, q="tirmathal", model=BOTH)
    open_page("compare", TINY, q="knee frost", model=BOTH)
    assert history.recent(trained) == ["knee frost", "tirmathal"]
    at = open_page("compare", TINY, model=BOTH)
    press(at, "past-1")
    assert at.text_input[0].value == "tirmathal"
    assert len(columns(at)) == 2
    press(at, "forget-history")
    assert history.recent(trained) == []


def test_a_question_that_is_refused_is_not_kept(trained: Project) -> None:
    open_page("compare", TINY, q="x" * 10_001, model=BOTH)
    assert history.recent(trained) == []


def test_a_model_of_the_address_that_is_gone_is_told(trained: Project) -> None:
    at = open_page("compare", TINY, q=QUERY, model=["words", "deleted", "rerank:words@nobody"])
    assert [column.title for column in columns(at)] == ["words"]
    (told,) = [i.value for i in at.info]
    assert "“deleted”, “rerank:words@nobody”. Choose others" in told.replace("\\", "")


def test_a_model_that_is_deleted_meanwhile_leaves_the_others(trained: Project) -> None:
    at = open_page("compare", TINY, q=QUERY, model=BOTH)
    newest = trained.manifests("models")[-1]
    trained.remove(newest)
    run(at)
    assert not at.exception
    assert [column.title for column in columns(at)] == ["words"]


def test_the_weight_of_a_hybrid_is_in_the_address(trained: Project) -> None:
    at = open_page("compare", TINY, q=QUERY, model=["words", "hybrid:words@0.3"])
    assert [c.title for c in columns(at)] == ["words", "Keywords + words, words 30 %"]
    (share,) = [slider for slider in at.slider if "how much the words count" in slider.label]
    assert share.value == 30
    share.set_value(80)
    run(at)
    assert at.query_params["model"] == ["words", "hybrid:words@0.8"]
    wanted = compare(trained, QUERY, ["hybrid:words@0.8"], 10).results[0]
    assert [card.title for card in columns(at)[1].cards] == [hit.title for hit in wanted.hits]


def test_a_hybrid_is_weighed_on_the_dev_queries_where_it_is_first_asked(trained: Project) -> None:
    auto = "hybrid:words@auto"
    at = open_page("compare", TINY, q=QUERY, model=["words", auto])
    assert [c.title for c in columns(at)] == ["words", "Keywords + words, weighed on dev"]
    assert not [slider for slider in at.slider if "how much the words count" in slider.label]
    wanted = compare(trained, QUERY, [auto], 10).results[0]
    assert [card.title for card in columns(at)[1].cards] == [hit.title for hit in wanted.hits]
    for pairs in trained.manifests("pairs"):
        trained.remove(pairs)
    at = open_page("compare", TINY, q=QUERY, model=["words", auto])
    assert "Add query/response pairs" in shown(at)
    assert not at.exception


def test_more_like_this(trained: Project) -> None:
    at = open_page("compare", TINY, q=QUERY, like="d7", model=[*BOTH, "bm25"])
    found = similar(trained, "d7", [*BOTH, "bm25"], 10)
    assert [[card.title for card in column.cards] for column in columns(at)] == [
        [hit.title for hit in result.hits] for result in found.results
    ]
    assert "Documents like Lepsorin" in plain(markup(at))
    assert history.recent(trained) == [], "no question was asked"
    at.text_input[0].set_value("tirmathal")
    run(at)
    assert "like" not in at.query_params
    assert "Documents like" not in plain(markup(at))


def test_more_like_a_document_that_is_gone(trained: Project) -> None:
    at = open_page("compare", TINY, like="nobody", model=BOTH)
    assert "is not in the corpus any more" in at.error[0].value


def test_why_opens_the_explanation(trained: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        "ui.explain.explain", lambda project, query, identity, names: asked.append((query, identity, names))
    )  # fmt: skip
    at = open_page("compare", TINY, q=QUERY, model=BOTH)
    at.session_state["compare-why"] = "d7"
    run(at)
    assert asked == [(QUERY, "d7", BOTH)]
    run(at)
    assert len(asked) == 1, "it opens once"


def test_full_screen_is_in_the_address(trained: Project) -> None:
    at = open_page("compare", TINY, q=QUERY, model=BOTH)
    assert 'class="b-full"' not in markup(at)
    press(at, "full-screen")
    assert at.query_params["view"] == "full"
    assert 'class="b-full"' in markup(at)
    press(at, "full-screen")
    assert "view" not in at.query_params


def test_agreement_is_told_in_words(trained: Project) -> None:
    from search.evaluation.rankings.rank_similarity import rank_similarities

    (told,) = rank_similarities(compare(trained, QUERY, BOTH, 10))
    text = plain(markup(open_page("compare", TINY, q=QUERY, model=BOTH)))
    assert f"{told.common} of 10 in common, {order_in_words(told)}" in text
    three = plain(markup(open_page("compare", TINY, q=QUERY, model=[*BOTH, "bm25"])))
    assert f"{told.common} of 10 in common with the first · {order_in_words(told)}" in three


def test_a_training_that_goes_on_is_told(trained: Project, started: list[list[str]]) -> None:
    from app_help import alive, write_run

    write_run(trained, ["train", TINY, "--recipe", "adapter"], state="running", done=4, total=10, **alive())  # fmt: skip
    assert "A custom model is being trained, 40% done." in shown(open_page("compare", TINY))


def test_the_document_that_is_the_question_itself_is_left_out_and_it_is_said(
    empty: Project,
) -> None:
    claim, answer = "We should have more rent control.", "More rent control costs homes."
    documents = [
        Document("claim", "Claim", claim),
        Document("answer", "Answer", answer),
        Document("other", "Other", "More frost than rent."),
    ]
    none = QuerySet({}, {})
    test = QuerySet({"claim": claim, "q2": answer}, {"claim": {"answer": 1}, "q2": {"answer": 1}})
    publish_ready_made(empty, documents, Split([], none, test), "claims.json")
    at = open_page("compare", TINY, q=claim, model="bm25")
    assert [card.title for card in columns(at)[0].cards] == ["Answer", "Other"]
    said = plain(markup(at))
    assert (
        "This is a query of the query set and a document itself (claim), which is not judged relevant to it: it is left "
        "out of every column, as it is when measured."
    ) in said
    for question in (
        answer,
        "more rent control",
    ):  # Judged relevant to itself; no query of the set.
        at = open_page("compare", TINY, q=question, model="bm25")
        assert {"Answer", "Claim"} <= {card.title for card in columns(at)[0].cards}
        assert "a document itself" not in plain(markup(at))
