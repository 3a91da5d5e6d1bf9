"""Columns that read different shares of the passages are marked as such, in Compare and in Evaluate."""

import re

import pytest
from app_help import TINY, markup, open_page, plain, shown

from search.models.registry import find_model
from search.models.window import TRUNCATION, Truncation
from search.projects.project import Project
from search.projects.publishing import discard
from tests.manifests import rewrite

QUERY = "tirmathal velkorin shoulder"
SAID = "These columns do not read equal shares of the documents"


def _reads(project: Project, model: str, unread: float, fits: int | None = 48) -> None:
    """Let the index of a model say that so much of the passages is never read."""
    cut = Truncation(64, 0.9, unread, 40, 40, fits)
    says = {TRUNCATION: cut.as_json()}
    for index in project.all_where("indexes", {}, model=find_model(project, model).id):
        rewrite(project.folder_of(index), lambda content: content["details"].update(says))


def _heads(html: str) -> list[tuple[str, str]]:
    """The title of each column of Compare with what it says of its reading."""
    parts = html.split('role="columnheader"')[1:]
    read = [re.search(r'b-reads"[^>]*>(.*?)</span>', part.split("</div>")[0]) for part in parts]
    titles = [re.search(r"<b>(.*?)</b>", part) for part in parts]
    return [
        (title[1], plain(found[1]) if found else "")
        for title, found in zip(titles, read, strict=True)
        if title
    ]


def test_compare_marks_the_columns_and_says_it_once(trained: Project) -> None:
    _reads(trained, "words-2", 0.29)
    _reads(trained, "words", 0.004)
    html = markup(open_page("compare", TINY, q=QUERY, model=["words", "words-2", "hybrid:words-2"]))
    assert _heads(html) == [
        ("words", ""),
        ("words-2", "reads 71 % of the passages' words"),
        ("Keywords + words-2", "its model reads 71 % of the passages' words"),
    ]
    assert plain(html).count(SAID) == 1
    assert (
        f"{SAID} (words-2 reads 71 % of the passages' words), so what sets them apart may be what one of them never reads; "
        "passages of at most 48 word pieces would be read to their ends."
    ) in plain(html)


def test_columns_that_read_as_much_are_marked_and_no_more(trained: Project) -> None:
    for model in ("words", "words-2"):
        _reads(trained, model, 0.29)
    html = markup(open_page("compare", TINY, q=QUERY, model=["words", "words-2"]))
    assert [read for _, read in _heads(html)] == ["reads 71 % of the passages' words"] * 2
    assert SAID not in plain(html)


@pytest.mark.parametrize("unread", [0.0, 0.01])
def test_a_hundredth_is_not_worth_a_word(trained: Project, unread: float) -> None:
    _reads(trained, "words-2", unread, fits=None)
    html = markup(open_page("compare", TINY, q=QUERY, model=["words", "words-2"]))
    assert [read for _, read in _heads(html)] == ["", ""] and SAID not in plain(html)


def test_evaluate_marks_the_rows_and_says_it_under_the_table(evaluated: Project) -> None:
    _reads(evaluated, "words-2", 0.5)
    at = open_page("evaluate", TINY)
    shown_first, _ = markup(at).split(
        "</table>", 1
    )  # All metrics, with the same marks, are behind.
    rows = [plain(row) for row in re.findall(r"<tr>(.*?)</tr>", shown_first)]
    marked = [row for row in rows if "of the passages" in row]
    assert len(rows) == 5 and len(marked) == 1
    assert re.match(r"words-2 reads 50 % of the passages' words \d\.\d{3} ", marked[0])
    assert f"{SAID} (words-2 reads 50 % of the passages' words)" in shown(at).replace("\\", "")


def test_evaluate_says_nothing_of_a_model_that_is_gone(evaluated: Project) -> None:
    _reads(evaluated, "words", 0.5)
    discard(evaluated.folder / "models" / find_model(evaluated, "words").id)
    at = open_page("evaluate", TINY)
    assert "of the passages" not in shown(at)
