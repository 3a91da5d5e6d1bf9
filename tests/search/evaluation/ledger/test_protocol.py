"""What decides is chosen before anything is measured, and fixed by the first evaluation."""

import pytest

from search.evaluation.ledger.protocol import Protocol, choose_protocol, fix_protocol, protocol_of
from search.projects.errors import Refused


def test_a_new_project_has_the_usual_protocol(plain):
    assert protocol_of(plain) == Protocol("ndcg@10", 0.02, "")


def test_one_is_chosen_and_the_other_stays(plain):
    choose_protocol(plain, metric="mrr@10")
    assert choose_protocol(plain, margin=0.05) == Protocol("mrr@10", 0.05)
    assert protocol_of(plain) == Protocol("mrr@10", 0.05)


@pytest.mark.parametrize("margin", [0.0, -0.1, 0.51, float("nan")])
def test_a_margin_that_is_none_is_refused(plain, margin):
    with pytest.raises(Refused, match="must lie above 0"):
        choose_protocol(plain, margin=margin)


@pytest.mark.parametrize(
    ("metric", "said"),
    [("ndgc", "'ndgc' is no metric"), ("judged@10", "judged@10 does not say which ranking")],
)
def test_what_is_no_metric_or_cannot_decide_is_refused(plain, metric, said):
    with pytest.raises(Refused, match=said):
        choose_protocol(plain, metric=metric)


def test_the_first_evaluation_fixes_it(plain):
    choose_protocol(plain, margin=0.03)
    first = fix_protocol(plain)
    assert first.fixed
    assert fix_protocol(plain) == first, "the day stays"
    with pytest.raises(Refused, match=r"a margin of 0\.03 were fixed on"):
        choose_protocol(plain, margin=0.01)
    assert choose_protocol(plain, margin=0.03) == first, "what it is already, may be said"


def test_a_project_that_was_evaluated_before_there_was_a_choice_has_none(plain):
    with plain.publish("evaluations", {}):
        pass
    (made,) = plain.manifests("evaluations")
    assert protocol_of(plain) == Protocol(fixed=made.created)
    with pytest.raises(Refused, match="were fixed on"):
        choose_protocol(plain, metric="mrr@10")


def test_deleting_the_evaluation_opens_nothing(plain):
    with plain.publish("evaluations", {}):
        pass
    fixed = fix_protocol(plain)
    plain.remove(*plain.manifests("evaluations"))
    assert protocol_of(plain) == fixed
