"""What columns are called: read in one way only, printed the same for the same column, refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.projects.errors import Refused
from search.projects.project import Project, check_project_name
from search.retrieval.columns import (
    SearchColumn,
    chosen_columns,
    known_columns,
    models_in,
    parse_column,
)
from training.train import train


def _could_be_a_name(text: str) -> bool:
    try:
        return check_project_name(text) not in ("bm25", "generic")
    except Refused:
        return False


NAMES = st.text(st.sampled_from("aZ9 ._-+()äक़b"), min_size=1, max_size=8).filter(_could_be_a_name)


@pytest.mark.parametrize(
    ("text", "column", "kind"),
    [
        ("generic", SearchColumn("generic"), "model"),
        ("my model (2)", SearchColumn("my model (2)"), "model"),
        ("hybrid", SearchColumn("hybrid"), "model"),
        ("bm25", SearchColumn(None), "keyword"),
        ("hybrid:generic", SearchColumn("generic", 0.5), "hybrid"),
        ("hybrid:mine@0.3", SearchColumn("mine", 0.3), "hybrid"),
        ("hybrid:mine@0", SearchColumn("mine", 0.0), "hybrid"),
        ("hybrid:mine@1", SearchColumn("mine", 1.0), "hybrid"),
        ("hybrid:mine@auto", SearchColumn("mine", 0.5, fitted=True), "hybrid"),
        ("rerank:hybrid:mine@auto@ce", SearchColumn("mine", 0.5, "ce", fitted=True), "rerank"),
        ("rerank:mine@ce", SearchColumn("mine", None, "ce"), "rerank"),
        ("rerank:bm25@ce", SearchColumn(None, None, "ce"), "rerank"),
        ("rerank:hybrid:mine@ce", SearchColumn("mine", 0.5, "ce"), "rerank"),
        ("rerank:hybrid:mine@0.3@0.5", SearchColumn("mine", 0.3, "0.5"), "rerank"),
    ],
)
def test_each_form(text, column, kind):
    assert parse_column(text) == column
    assert column.name == text
    assert column.kind == kind


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hybrid:mine@0.5", "hybrid:mine"),
        ("hybrid:mine@.30", "hybrid:mine@0.3"),
        ("hybrid:mine@-0", "hybrid:mine@0"),
        ("hybrid:mine@0.12345678", "hybrid:mine@0.123457"),
        ("rerank:hybrid:mine@0.50@ce", "rerank:hybrid:mine@ce"),
    ],
)
def test_one_name_for_one_column(text, name):
    assert parse_column(text).name == name
    assert parse_column(name) == parse_column(text)


@given(
    model=st.none() | NAMES,
    weight=st.none() | st.floats(0, 1),
    reranker=st.none() | NAMES,
)
def test_every_column_is_read_back_from_its_name(model, weight, reranker):
    if model is None:
        weight = None
    if weight is not None:
        weight = float(f"{weight:g}")
    column = SearchColumn(model, weight, reranker)
    assert parse_column(column.name) == column


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no column"),
        ("hybrid:", "names no model to join"),
        ("hybrid:@0.3", "names no model to join"),
        ("hybrid:bm25", "names no model to join"),
        ("hybrid:mine@", "a number from 0 to 1"),
        ("hybrid:mine@1.5", "a number from 0 to 1"),
        ("hybrid:mine@nan", "a number from 0 to 1"),
        ("hybrid:mine@a", "a number from 0 to 1"),
        ("hybrid:mine@Auto", "or @auto"),
        ("rerank:mine", "rerank:MODEL@RERANKER"),
        ("rerank:@ce", "rerank:MODEL@RERANKER"),
        ("rerank:mine@", "rerank:MODEL@RERANKER"),
        ("rerank:rerank:mine@a@b", "rerank:MODEL@RERANKER"),
        ("hybrid:hybrid:mine", "names no model to join"),
        ("mine@0.3", "names no column"),
        ("other:mine", "names no column"),
    ],
)
def test_what_has_no_form_is_refused(text, words):
    with pytest.raises(Refused, match=words):
        parse_column(text)


@pytest.fixture
def project(tmp_path, import_tiny):
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    train(made, "word2vec", "words", {"vector_size": 8, "min_count": 1, "epochs": 1})
    return made


def test_columns_of_a_project(project):
    assert [c.name for c in chosen_columns(project)] == ["generic", "words"]
    named = ["hybrid:words@0.5", "bm25", "hybrid:words", "words"]
    columns = chosen_columns(project, named)
    assert [c.name for c in columns] == ["hybrid:words", "bm25", "words"]
    assert [info.name for info in models_in(project, columns)] == ["words"]
    assert [c.name for c in known_columns(project)] == [
        "generic", "words", "bm25", "hybrid:generic", "hybrid:words", "hybrid:generic@auto",
        "hybrid:words@auto",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope", "no model 'nope' in 'p'. Its models are: generic, words"),
        ("hybrid:nope", "no model 'nope' in 'p'. Its models are: generic, words"),
        (
            "rerank:words@nope",
            "no reranker 'nope' in 'p'. Its rerankers are: none. Add one: python",
        ),
    ],
)
def test_what_the_project_does_not_have_is_refused_with_what_it_has(project, name, words):
    with pytest.raises(Refused, match=words):
        chosen_columns(project, ["words", name])


def test_words_for_people():
    told = {c: (parse_column(c).title, parse_column(c).explanation) for c in (
        "generic", "bm25", "hybrid:generic", "hybrid:mine@0.3", "rerank:bm25@ce"
    )}  # fmt: skip
    assert [title for title, _ in told.values()] == [
        "Generic", "Keyword search", "Keywords + Generic", "Keywords + mine, words 30 %",
        "Keyword search, reranked by ce",
    ]  # fmt: skip
    assert told["hybrid:mine@0.3"][1] == (
        "Joins the ranks that keyword search and the model 'mine' give; the words count 30 %."
    )
    assert all(sentence.endswith(".") and sentence.count(".") == 1 for _, sentence in told.values())
