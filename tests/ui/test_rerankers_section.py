"""Rerankers on the Models page: added by a run, a column of Compare from then on, removed again."""

from app_help import TINY, columns, open_page, press, shown, write_run

from search.models.cross_encoders import add_reranker, rerankers
from search.projects.project import Project

QUERY = "tirmathal velkorin shoulder"


def test_adding_one_is_a_run(trained: Project, started: list[list[str]]) -> None:
    at = open_page("models", TINY)
    press(at, "reranker-add")
    assert "Say which reranker, and what to call it." in shown(at) and started == []
    at.text_input(key="reranker-reference").set_value(" ./some-model ")
    at.text_input(key="reranker-name").set_value("ce")
    at.number_input(key="reranker-depth").set_value(20)
    press(at, "reranker-add")
    assert started == [
        ["add-reranker", TINY, "./some-model", "--name", "ce", "--depth", "20"],
    ]
    assert "Adding the reranker" in shown(at)


def test_why_it_was_refused_is_told(trained: Project) -> None:
    write_run(trained, ["add-reranker", TINY, "x"], state="refused", error="It has no head.")
    assert "Adding the reranker did not finish: It has no head." in shown(open_page("models", TINY))


def test_one_that_is_there_is_a_column_and_can_be_removed(
    trained: Project, tiny_cross_encoder
) -> None:
    add_reranker(trained, str(tiny_cross_encoder), "ce", depth=15)
    at = open_page("compare", TINY, q=QUERY, model=["words", "rerank:words@ce"])
    assert [column.title for column in columns(at)] == ["words", "words, reranked by ce"]
    assert all(len(column.cards) == 10 for column in columns(at))
    at = open_page("models", TINY)
    assert "reads the best 15 documents again" in shown(at)
    [made] = rerankers(trained)
    press(press(at, f"delete-{made.id}"), f"sure-delete-{made.id}")
    assert rerankers(trained) == []
    at = open_page("compare", TINY, q=QUERY, model=["words", "rerank:words@ce"])
    assert "Not in this project (any more)" in shown(at).replace("\\", "")
