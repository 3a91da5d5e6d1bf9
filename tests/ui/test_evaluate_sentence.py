"""The sentence of Evaluate: every verdict in its words, with what is too small, too few, or worse in parts."""

from dataclasses import replace

import pytest

from search.evaluation.evaluation import Evaluation
from search.evaluation.slices.tested import SliceTest
from search.evaluation.statistics.significance import paired_test
from ui.evaluating.picture import shown_slices
from ui.evaluating.sentence import said, within_sentence

TEST = paired_test("generic", "mine", [0.1, 0.2, 0.3] * 20, [0.5, 0.4, 0.6] * 20)
LOST = SliceTest(
    "negation", "questions with a negation", "generic", "mine", 40, 35, -0.2, (-0.3, -0.1), 0.001, 0.01,
    5, 10, 25, "worse", as_low=0.001,
)  # fmt: skip


def evaluation(slices):
    return Evaluation([], [], {}, {}, [], slices=slices)


@pytest.mark.parametrize(
    ("changes", "slices", "words"),
    [
        ({}, [], "Yes. “mine” is better than generic."),
        ({"verdict": "worse", "practical": "worse"}, [], "No. “mine” is worse than generic."),
        ({"verdict": "no clear difference", "practical": "cannot tell"}, [], "No clear difference between “mine” and generic."),
        (
            {"verdict": "no clear difference", "practical": "too small to matter"}, [],
            "“mine” and generic answer alike: what differs is too small to matter.",
        ),
        ({"practical": "too small to matter"}, [], "“mine” is better than generic, by too little to matter."),
        ({"groups": 5}, [], "Cannot tell whether “mine” is better than generic: only 5 independent groups of questions."),
        ({}, [LOST], "Yes. “mine” is better than generic overall, but worse on questions with a negation."),
        (
            {"verdict": "worse", "practical": "worse"}, [LOST],
            "No. “mine” is worse than generic, most of all on questions with a negation.",
        ),
        ({"baseline": "bm25"}, [], "Yes. “mine” is better than keyword search."),
        ({"baseline": "Best"}, [], "Yes. “mine” is better than “Best”."),
    ],
)  # fmt: skip
def test_every_verdict_has_its_words(changes, slices, words):
    assert said(evaluation(slices), replace(TEST, **changes)) == words


def test_a_models_own_name_stays_as_it_is():
    assert [within_sentence(name) for name in ("generic", "bm25", "Ada")] == [
        "generic", "keyword search", "“Ada”",
    ]  # fmt: skip


def test_what_is_certain_is_in_the_picture_before_what_is_large():
    large = [replace(LOST, key=str(n), delta=0.5, verdict="no clear difference") for n in range(12)]
    other = replace(LOST, candidate="other")
    shown = shown_slices(evaluation([*large, LOST, other]), TEST)
    assert len(shown) == 10
    assert shown[-1] == LOST, "the largest loss is last"
