"""Filters and the tier switch on Compare: applied inside the search, kept in the address."""

import re
from pathlib import Path

import pytest
from app_help import TINY, columns, open_page, run, shown
from streamlit.testing.v1 import AppTest

from search.corpus.filters import Scope, parse_tiers
from search.corpus.ingest import IngestChoices, add_documents
from search.projects.project import Project, project_to_be
from search.retrieval.indexing.build import index_model
from search.retrieval.search import compare
from training.train import train

KINDS = ("case", "statute", "blog")


@pytest.fixture
def tenancy(workspace: Path, tmp_path: Path) -> Project:
    """Thirty holdings with kind and year, searched with word vectors."""
    rows = [
        f"R{n},Notice of {n} days was too short for eviction,{KINDS[n % 3]},{1990 + n},owner {n}"
        for n in range(30)
    ]
    path = tmp_path / "cases.csv"
    path.write_text("id,text,kind,year,owner\n" + "\n".join(rows))
    made = project_to_be(TINY)
    add_documents(made, [path], IngestChoices(tiers=parse_tiers("kind=case,statute,blog")))
    train(made, "word2vec", "words", {"vector_size": 8, "min_count": 1, "epochs": 1})
    index_model(made, "words")
    return made


def _ask(**more: object) -> AppTest:
    return open_page("compare", TINY, q="notice of eviction", model=["words"], **more)


def _ids(at: AppTest) -> list[str]:
    """The documents found, by the number of days that each tells of."""
    return [
        f"R{re.search(r'of ([0-9]+) days', card.text)[1]}"
        for column in columns(at)
        for card in column.cards
    ]  # type: ignore[index]


def test_what_is_offered(tenancy: Project) -> None:
    at = _ask()
    assert [box.label for box in at.multiselect if box.key and "filter" in box.key] == ["kind"]
    assert [box.label for box in at.slider if box.key and "filter" in box.key] == ["year"]
    assert [box.label for box in at.toggle] == ["case before statute before blog"]


def test_a_value_filters_inside_the_search(tenancy: Project) -> None:
    at = _ask()
    (box,) = [box for box in at.multiselect if box.label == "kind"]
    box.set_value(["blog"])
    run(at)
    found = _ids(at)
    assert len(found) == 10, "the filter does not shorten the list"
    assert all(int(identity[1:]) % 3 == 2 for identity in found)
    assert "only kind=blog" in shown(at)
    assert at.query_params["filter"] == "kind=blog"


def test_a_range_of_years(tenancy: Project) -> None:
    at = _ask()
    (box,) = [box for box in at.slider if box.label == "year"]
    box.set_value((2000, 2004))
    run(at)
    assert sorted(int(identity[1:]) for identity in _ids(at)) == [10, 11, 12, 13, 14]
    assert at.query_params["filter"] == ["year>=2000", "year<=2004"]


def test_the_address_brings_filters_back(tenancy: Project) -> None:
    at = _ask(filter=["kind=case", "year>=2010"], tiers="first")
    assert sorted(int(identity[1:]) for identity in _ids(at)) == [21, 24, 27]
    assert at.toggle[0].value is True


def test_nonsense_in_the_address_is_ignored(tenancy: Project) -> None:
    at = _ask(filter=["colour=red", "kind", "kind=tweet", "year>=banana"])
    assert len(_ids(at)) == 10
    assert not at.error
    assert not at.exception


def test_better_tiers_come_first(tenancy: Project) -> None:
    at = _ask()
    plain = _ids(at)
    at.toggle[0].set_value(True)
    run(at)
    scope = Scope(tiers_first=True)
    (result,) = compare(tenancy, "notice of eviction", ["words"], 10, scope=scope).results
    assert _ids(at) == [hit.id for hit in result.hits] != plain
    assert at.query_params["tiers"] == "first"


def test_nothing_within_the_filters_says_so(tenancy: Project) -> None:
    at = _ask(filter=["kind=case"])
    (box,) = [box for box in at.slider if box.label == "year"]
    box.set_value((1991, 1992))
    run(at)
    assert _ids(at) == []
    assert "Nothing within these filters" in shown(at)


def test_a_corpus_without_metadata_has_no_filters(trained: Project) -> None:
    at = open_page("compare", TINY, q="velkorin", model=["words"])
    assert not at.toggle
    assert not [box for box in at.multiselect if box.key and "filter" in box.key]
