"""What an evaluation comes to: against whom, beside what was measured before, beside keyword search, in plain words."""

import numpy as np
import pytest

from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import load_evaluation, verdict_on
from search.evaluation.ledger.looks import Look, Looks
from search.evaluation.ledger.protocol import Protocol, choose_protocol, protocol_of
from search.evaluation.ledger.sealing import Manner
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import paired_test
from search.evaluation.verdict.decision import Decision
from search.evaluation.verdict.verdicts import Contest, headline, promise, with_families
from search.projects.errors import Refused


def scores(*names):
    rng = np.random.default_rng(1)
    return {name: {"ndcg@10": rng.uniform(0, 1, 40).tolist()} for name in names}


def compared(contest, *names):
    return contest.tests(scores(*names), QueryGroups.single(40))


def pairs(tests):
    return [(test.baseline, test.candidate) for test in tests]


def test_all_are_tested_against_the_first_and_what_comes_after_the_second_against_that():
    tests = compared(Contest(baselines=2), "generic", "best", "mine", "bm25")
    assert pairs(tests) == [
        ("generic", "best"), ("generic", "mine"), ("generic", "bm25"), ("best", "mine"), ("best", "bm25"),
    ]  # fmt: skip


def test_the_headline_is_the_candidate_against_the_best_baseline():
    tests = compared(Contest(baselines=2), "generic", "best", "mine", "hybrid:mine", "bm25")
    counted = [t.within_family(0.5, 2) if "mine" in t.candidate else t for t in tests]
    main = headline(counted)
    assert (main.baseline, main.candidate) == ("best", "mine")


def test_without_a_candidate_the_headline_is_a_reference_and_keyword_search_last():
    assert headline(compared(Contest(), "generic", "other", "bm25")).candidate == "other"
    assert headline(compared(Contest(), "generic", "bm25")).candidate == "bm25"
    assert headline([]) is None


def test_another_metric_and_margin_decide_when_the_project_says_so():
    one = {"ndcg@10": [0.1] * 40, "mrr@10": [0.1] * 40}
    other = {"ndcg@10": [0.5] * 40, "mrr@10": [0.11] * 40}
    contest = Contest(protocol=Protocol("mrr@10", 0.05))
    (test,) = contest.tests({"a": one, "b": other}, QueryGroups.single(40))
    assert (test.metric, round(test.delta, 2), test.practical) == (
        "mrr@10",
        0.01,
        "too small to matter",
    )


def test_a_candidate_is_judged_with_all_that_were_measured_against_its_baseline(thirty):
    tests = [paired_test("generic", "hybrid:generic", [0.0] * 40, [0.1] * 20 + [-0.02] * 20)]
    looks = [
        Look(time="1", baseline=base, candidate=name, names=("x", "y"), p_value=1.0)
        for base, name in (("g", "one"), ("g", "two"), ("g", "h"), ("other", "three"))
    ]
    identities = {"generic": "g", "hybrid:generic": "h"}
    (test,) = with_families(thirty, tests, Looks(tuple(looks), "q", ()), identities)
    assert test.family == 3, (
        "itself and two others; itself before and another baseline do not count"
    )
    assert test.p_adjusted == pytest.approx(min(1, 3 * test.p_value))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (0.5, "Keyword search, free of training, does as well (+0.000 nDCG@10)."),
        (0.9, "Keyword search, free of training, is ahead of it (+0.400 nDCG@10)."),
        (0.1, ""),
    ],
)
def test_keyword_search_stands_in_the_sentence_where_it_is_not_clearly_below(words, said):
    columns = {"generic": 0.2, "mine": 0.5, "bm25": words}
    figures = {name: {"ndcg@10": [value] * 40} for name, value in columns.items()}
    groups = QueryGroups.single(40)
    tests = Contest(candidates=["mine"]).tests(figures, groups)
    firsts = {name: [1] * 40 for name in figures}
    decision = Decision.of(tests, figures, firsts, groups, Protocol())
    assert decision.main.candidate == "mine"
    assert decision.about_keywords == said
    assert (said in decision.sentences(40)) == bool(said)


def test_an_evaluation_comes_back_with_what_it_came_to(thirty):
    choose_protocol(thirty, margin=0.03)
    assert promise(thirty, ["generic", "bm25", "hybrid:generic"]) == (
        "nDCG@10 decides; less than ±0.030 is too small to matter; 1 candidate is tested; question: new "
        "questions; seed 20240501."
    )
    made = evaluate(thirty, ["generic", "bm25", "hybrid:generic"])
    again = load_evaluation(thirty, thirty.newest("evaluations"))
    assert again.decision == made.decision
    assert made.decision.protocol == protocol_of(thirty)
    assert made.decision.keywords.baseline == "bm25"
    assert made.as_json()["headline"] == {"baseline": "generic", "candidate": "hybrid:generic"}
    with pytest.raises(Refused, match="were fixed on"):
        choose_protocol(thirty, margin=0.02)


def test_cards_say_the_verdict_against_the_strongest_baseline(thirty):
    evaluate(thirty, ["generic", "bm25", "hybrid:generic"], how=Manner(baselines=2))
    test, queries = verdict_on(thirty, "hybrid:generic")
    assert (test.baseline, queries) == ("bm25", 30)


def test_each_new_candidate_is_a_look_the_same_again_is_none_and_watching_is_none(thirty):
    def looked():
        return [look.names[1] for look in Looks.open(thirty, thirty.newest("queries")).all]

    evaluate(thirty, ["generic", "bm25", "hybrid:generic@0.3"])
    assert looked() == ["hybrid:generic@0.3"], "keyword search is a reference"
    again = evaluate(thirty, ["generic", "hybrid:generic@0.3"])
    assert (looked(), again.comparisons[0].family) == (["hybrid:generic@0.3"], 1)
    watched = evaluate(thirty, ["generic", "hybrid:generic"], how=Manner(watching=True))
    assert looked() == ["hybrid:generic@0.3"]
    assert watched.comparisons[0].family == 2, "what was measured before counts all the same"
    second = evaluate(thirty, ["generic", "hybrid:generic"])
    assert (looked(), second.decision.looks) == (["hybrid:generic@0.3", "hybrid:generic"], 2)
