"""Judgments as a query set: evaluated like any other, merged on request, honest about its pool."""

import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.judging.aggregation import Combine
from search.judging.prepare import prepare_questions
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.judging.to_query_set import judged_queries, pool, publish_judged_queries
from search.judging.votes import grade, vote
from search.projects.errors import Refused


@pytest.fixture
def judged(lab, setup):
    """Anna voted on five questions, and graded what she saw: the known answer 3, the first other one 0."""
    prepare_questions(lab, setup)
    store = JudgmentStore.of(lab)
    known = current_query_set(lab)[1]
    study = Study.of(lab, setup, current_corpus(lab)[0])
    for question in study.queue("Anna").questions[:5]:
        sheet = study.blinded_view("Anna", question)
        answer = next(iter(known.relevant(question)))
        wrong = next(d for d in (*sheet.left, *sheet.right) if d != answer)
        store.add([grade("Anna", question, answer, 3), grade("Anna", question, wrong, 0)])
        store.add([vote("Anna", question, setup.pair, "first", details=sheet.details())])
    return lab


def test_it_becomes_the_newest_query_set_and_evaluate_works_on_it(judged):
    made = publish_judged_queries(judged)
    manifest, query_set = current_query_set(judged)
    assert manifest.id == made.manifest.id and made.queries == len(query_set.queries) == 5
    assert manifest.details["source"] == "blind judgments"
    assert manifest.details["combined"] == "median"
    assert "leaks" in manifest.details, "held against the project's pairs"
    for question in query_set.queries:
        assert sorted(query_set.judgments[question].values()) == [0, 3]
    result = evaluate(judged, ["bm25", "words"])
    assert len(result.queries) == 5
    assert any("nobody graded count as not relevant" in note for note in result.notes)


def test_the_pool_says_what_was_shown(judged, setup):
    found = pool(judged, judged_queries(judged).queries)
    study = Study.of(judged, setup, current_corpus(judged)[0])
    shown = {
        (q, d) for q in study.answered("Anna") for d in {*study.lists(q)[0], *study.lists(q)[1]}
    }
    graded = {(q, d) for q, ds in judged_queries(judged).judgments.items() for d in ds}
    assert found.columns == ("bm25", "words")
    assert (found.shown, found.graded) == (len(shown | graded), 10)
    assert f"10 of the {len(shown | graded)} documents shown were graded" in found.note


def test_several_judges(judged):
    question = next(iter(judged_queries(judged).queries))
    answer = next(d for d, g in judged_queries(judged).judgments[question].items() if g == 3)
    store = JudgmentStore.of(judged)
    store.add([grade("Ben", question, answer, 1), grade("Cleo", question, answer, 3)])
    for how, expected in ((Combine.MEDIAN, 3), (Combine.STRICT, 1), (Combine.MAJORITY, 3)):
        publish_judged_queries(judged, how)
        manifest, query_set = current_query_set(judged)
        assert query_set.judgments[question][answer] == expected
        assert manifest.details["combined"] == how.value


def test_merging_keeps_the_earlier_queries(judged):
    _, earlier = current_query_set(judged)
    made = publish_judged_queries(judged, merge=True)
    _, merged = current_query_set(judged)
    assert made.queries == len(earlier.queries) and merged.queries.keys() == earlier.queries.keys()
    for question in earlier.queries:
        expected = dict(earlier.judgments[question])
        expected |= judged_queries(judged).judgments.get(question, {})
        assert merged.judgments[question] == expected


def test_merging_joins_by_text_and_never_by_a_chance_id(lab):
    from search.judging.to_query_set import _merged

    earlier = QuerySet({"1": "a", "2": "b"}, {"1": {"d": 1}, "2": {"e": 1}})
    judged = QuerySet({"x": "a", "2": "another"}, {"x": {"d": 0, "f": 3}, "2": {"g": 2}})
    made = _merged(earlier, judged)
    assert made.queries == {"1": "a", "2": "b", "2-judged": "another"}
    assert made.judgments == {"1": {"d": 0, "f": 3}, "2": {"e": 1}, "2-judged": {"g": 2}}


def test_without_a_relevant_document_there_is_nothing_to_measure(lab, setup):
    prepare_questions(lab, setup)
    store = JudgmentStore.of(lab)
    store.add([vote("Anna", "test-0", setup.pair, "first"), grade("Anna", "test-0", "d1", 0)])
    before = lab.newest("queries")
    with pytest.raises(Refused, match="grade some with the keys 0 to 3"):
        publish_judged_queries(lab)
    assert lab.newest("queries") == before
    store.add([grade("Anna", "test-1", "d29", 2)])
    made = publish_judged_queries(lab)
    assert made.queries == 1
    assert made.notes[0] == "1 judged questions left out: no document was graded relevant"
