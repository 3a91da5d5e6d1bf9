"""How often a query set was looked at is remembered, whatever is deleted, and goes over to what is mostly the same set."""

import pytest

from search.evaluation.ledger.looks import Look, Looks
from search.projects.errors import Failed
from search.retrieval.deletion import delete, planned
from tests.search.evaluation.conftest import publish, questions


def look(candidate, p_value, baseline="base", time="2026-11-01T10:00:00"):
    names = (baseline, candidate)
    return Look(time=time, baseline=baseline, candidate=candidate, names=names, p_value=p_value)


def opened(project):
    return Looks.open(project, project.newest("queries"))


def test_a_new_query_set_was_never_looked_at(thirty):
    looks = opened(thirty)
    assert looks.all == ()
    assert looks.earlier("base") == {}
    assert len(looks.hashes) == 30


def test_each_candidate_counts_once_with_what_it_got_first(thirty):
    opened(thirty).record(thirty, [look("mine", 0.04), look("other", 0.5)])
    opened(thirty).record(thirty, [look("mine", 0.001, time="2026-11-02T10:00:00")])
    looks = opened(thirty)
    assert looks.earlier("base") == {"mine": 0.04, "other": 0.5}
    assert looks.earlier("another baseline") == {}
    assert looks.since("2026-11-01T12:00:00") == []


def test_what_somebody_else_noted_meanwhile_stays(thirty):
    mine, theirs = opened(thirty), opened(thirty)
    theirs.record(thirty, [look("theirs", 0.2)])
    mine.record(thirty, [look("mine", 0.1), look("theirs", 0.9, time="2026-11-03T10:00:00")])
    assert opened(thirty).earlier("base") == {"theirs": 0.2, "mine": 0.1}


@pytest.mark.parametrize(("shared", "inherits"), [(15, True), (14, False)])
def test_a_set_that_shares_half_of_its_queries_was_looked_at_when_the_other_was(
    thirty, shared, inherits
):
    opened(thirty).record(thirty, [look("mine", 0.04)])
    publish(thirty, questions(30, first=30 - shared))
    assert opened(thirty).earlier("base") == ({"mine": 0.04} if inherits else {})


def test_spaces_and_capitals_make_no_new_question(thirty):
    opened(thirty).record(thirty, [look("mine", 0.04)])
    same = questions(30)
    shouted = {q: f"  {text.upper()}" for q, text in same.queries.items()}
    publish(thirty, type(same)(shouted, same.judgments))
    assert opened(thirty).earlier("base") == {"mine": 0.04}


def test_what_was_inherited_goes_on_to_the_next_set(thirty):
    opened(thirty).record(thirty, [look("mine", 0.04)])
    publish(thirty, questions(30, first=15))
    opened(thirty).record(thirty, [look("second", 0.3)])
    publish(thirty, questions(30, first=30))
    assert opened(thirty).earlier("base") == {"mine": 0.04, "second": 0.3}


def test_a_query_set_that_is_deleted_and_brought_again_was_looked_at(thirty):
    opened(thirty).record(thirty, [look("mine", 0.04)])
    delete(planned(thirty, "queries", thirty.newest("queries").id))
    publish(thirty, questions(30))
    assert opened(thirty).earlier("base") == {"mine": 0.04}


def test_what_cannot_be_read_is_not_forgotten(thirty):
    opened(thirty).record(thirty, [look("mine", 0.04)])
    (path,) = (thirty.folder / "proof").glob("looks-*.json")
    path.write_text(path.read_text().replace("0.04", "0.40"))
    with pytest.raises(Failed, match="nothing is measured without it"):
        opened(thirty)
