"""Real and generated pairs side by side: what each counts, what steers, and what never becomes a test."""

import json

import pytest
from chat_server import chat_server

from search.corpus.corpus import current_corpus
from search.corpus.labels import Pair
from search.evaluation.query_sets.leakage import (
    DEV_KIND,
    GENERATED_DEV,
    MINED,
    ORIGIN,
    LeakCheck,
    dev_pairs,
    leaks_of,
)
from search.evaluation.query_sets.query_set import QuerySet
from search.projects.errors import Refused
from search.projects.project import Project
from training.data.intake import add_pairs
from training.data.pair_sets import PairSet, current_pairs
from training.data.real_and_generated import ENOUGH_DEV, pair_weights, weighted, weights_note
from training.synthetic.chat.written import ChatRequest
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs
from training.training_data import load_training_data

REAL, MADE = (
    [Pair(f"r{n}", "a") for n in range(3)],
    [Pair(f"g{n}", "b", mined="generated") for n in range(12)],
)


@pytest.fixture
def project(searched: Project) -> Project:
    return searched


@pytest.fixture
def saved(project):
    """The tiny project after a chat server wrote four questions about each document."""
    with chat_server() as server:
        wanted = ChatRequest(server.url, "tiny-chat", calls=24)
        make_synthetic_pairs(project, SyntheticRequest(chat=wanted, save=True))
        yield project, wanted


def test_few_real_pairs_are_seen_oftener_than_many_generated_ones():
    pairs = weighted([*REAL, *MADE])
    assert [pairs.count(p) for p in REAL] == [2] * 3 and [pairs.count(p) for p in MADE] == [1] * 12
    assert weighted(REAL) == REAL and weighted(MADE) == MADE
    assert pair_weights(1, 10_000) == (10, 1), "a handful is not learned by heart"
    assert weights_note([*REAL, *MADE]) == (
        "3 pairs of people, each seen 2 times, beside 12 that nobody wrote, each seen once"
    )
    assert weights_note(REAL) is None and weights_note(MADE) is None


def test_peoples_pairs_stay_and_generated_ones_stand_beside_them(project, saved):
    first, second = project.manifests("pairs")
    before, after = PairSet.load(project, first), PairSet.load(project, second)
    assert [p for p in after.pairs if not p.mined] == before.pairs
    made = [p for p in after.pairs if p.mined]
    assert len(made) > 40 and {p.mined for p in made} == {"generated"}
    assert ORIGIN not in second.details
    assert second.details["kinds"]["generated"]["count"] >= len(made)
    assert second.details["written"]["style"]["examples"] == 6
    # Eight real dev queries are too few to steer by.
    steering = second.details[GENERATED_DEV]
    assert after.dev.queries.keys() == {*before.dev.queries, *steering}
    assert 0 < len(steering) <= ENOUGH_DEV - len(before.dev.queries)
    assert second.details[DEV_KIND] == "partly generated"
    assert not {after.dev.queries[q] for q in steering} & {p.query for p in after.pairs}
    assert len(project.manifests("queries")) == 1


def test_generated_queries_enter_no_test_and_leave_it_clean(project, saved):
    corpus = current_corpus(project)[1]
    queries, pairs = project.newest("queries"), project.newest("pairs")
    test = QuerySet.load(project, queries)
    texts = set(test.queries.values())
    made = [p for p in PairSet.load(project, pairs).pairs if p.mined]
    tested = {d for q in test.queries for d in test.relevant(q)}
    assert {p.document for p in made} & tested, "they are about the test's documents, too"
    assert not texts & {p.query for p in made}
    steering = pairs.details[GENERATED_DEV]
    assert sum(bool(p.mined) for p in dev_pairs(project, pairs, corpus)) == len(steering)
    assert LeakCheck.from_json(pairs.details["leaks"]).is_clean()
    assert leaks_of(project, queries, test, corpus, afresh=True).is_clean()


def test_what_training_is_given_says_what_counts_how_much(project, saved):
    material = load_training_data(project)
    assert not material.synthetic
    real = [p for p in material.guarded.pairs if not p.mined]
    times, _ = pair_weights(len(set(real)), len(material.guarded.pairs) - len(real))
    assert len(real) == times * len(set(real))
    assert any("that nobody wrote, each seen once" in note for note in material.notes)
    assert any("dev queries are generated: nobody asked them" in note for note in material.notes)


def test_again_they_take_the_place_of_the_earlier_ones_and_people_may_add_more(
    project, saved, tmp_path
):
    wanted = saved[1]
    earlier = current_pairs(project)
    make_synthetic_pairs(project, SyntheticRequest(chat=wanted, save=True))
    manifest, again = current_pairs(project)
    assert (
        again == earlier[1] and manifest.details[GENERATED_DEV] == earlier[0].details[GENERATED_DEV]
    )
    more = tmp_path / "more.json"
    rows = [{"query": f"who was in room {n} with velkorin", "document_id": "d0"} for n in range(9)]
    more.write_text(json.dumps(rows), encoding="utf-8")
    add_pairs(project, more)
    manifest, added = current_pairs(project)
    assert len([p for p in added.pairs if not p.mined]) == 9 + len(
        [p for p in again.pairs if not p.mined]
    )
    assert manifest.details[GENERATED_DEV] == earlier[0].details[GENERATED_DEV]
    assert len(project.manifests("queries")) == 1


def test_alone_or_in_place_they_are_mined(project, saved):
    with pytest.raises(Refused, match="pairs that people wrote"):
        make_synthetic_pairs(project, SyntheticRequest(save=True))
    make_synthetic_pairs(project, SyntheticRequest(chat=saved[1], save=True, replace=True))
    details = project.newest("pairs").details
    assert (details[ORIGIN], details[DEV_KIND]) == (MINED, "generated")
