"""The study: what it lines up, what it asks next, what the votes say, how it goes on."""

import pytest

from search.corpus.corpus import current_corpus
from search.judging.next_question import distance
from search.judging.prepare import prepare_questions
from search.judging.sequential_test import FEWEST_TO_SETTLE, settled
from search.judging.setup import Setup
from search.judging.store import JudgmentStore
from search.judging.study import Study, Tally
from search.judging.summary import summary
from search.judging.votes import grade, vote


def study(lab, setup):
    return Study.of(lab, setup, current_corpus(lab)[0])


def test_the_goal_takes_the_questions_that_differ_most(lab, setup):
    prepare_questions(lab, setup)
    everything = study(lab, setup)
    apart = {q: distance(*everything.lists(q)) for q in everything.questions}
    few = study(lab, Setup("bm25", "words", goal=5))
    chosen = {c.question for c in few.candidates}
    assert len(chosen) == 5
    assert min(apart[q] for q in chosen) >= max(v for q, v in apart.items() if q not in chosen)
    assert few.queue("Anna").questions == sorted(chosen, key=lambda q: (-apart[q], q))


def test_what_was_typed_or_voted_stays_in_beyond_the_goal(lab, setup):
    prepare_questions(lab, setup, ["frost and dust?"])
    one = Setup("bm25", "words", goal=1)
    last = study(lab, setup).queue("Anna").questions[-1]
    JudgmentStore.of(lab).add([vote("Ben", last, setup.pair, "first")])
    kept = {c.question for c in study(lab, one).candidates}
    typed = JudgmentStore.of(lab).questions()[-1].id
    assert len(kept) == 3 and {last, typed} <= kept


def test_a_vote_takes_its_question_off_the_list_for_that_judge_only(lab, setup):
    prepare_questions(lab, setup)
    first = study(lab, setup).queue("Anna").questions[0]
    JudgmentStore.of(lab).add([vote("Anna", first, setup.pair, "first")])
    after = study(lab, setup)
    assert first not in after.queue("Anna").questions
    assert first in after.queue("Ben").questions
    assert first not in after.queue("Ben").fresh
    assert after.answered("Anna") == [first] and after.answered("Ben") == []


def test_the_tally_speaks_of_the_set_ups_columns_whichever_comes_first_by_name(lab, setup):
    prepare_questions(lab, setup)
    asked = study(lab, setup).queue("Anna").questions
    store = JudgmentStore.of(lab)
    said = ["first", "first", "second", "both", "neither"]
    store.add([vote("Anna", q, setup.pair, c) for q, c in zip(asked, said, strict=False)])
    store.add([vote("Ben", asked[0], setup.pair, "second")])
    tally = study(lab, setup).tally
    assert (tally.wins, tally.losses, tally.both, tally.neither, tally.split) == (1, 1, 1, 1, 1)
    other_way = study(lab, Setup("words", "bm25")).tally
    store.add([vote("Ben", asked[0], setup.pair, "first")])
    tally = study(lab, setup).tally
    assert (tally.wins, tally.losses) == (2, 1)
    other_way = study(lab, Setup("words", "bm25")).tally
    assert (other_way.one, other_way.wins, other_way.losses) == ("words", 1, 2)


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (Tally("generic", "w", 0, 0, 0, 0, 0), "Nobody has voted yet."),
        (Tally("generic", "w", 0, 0, 2, 1, 0), "No side was preferred on any of the 3 questions."),
        (Tally("generic", "w", 4, 4, 0, 0, 0), "Each side was preferred as often as the other: 4 times, on 8 questions."),
        (
            Tally("generic", "w", 4, 18, 3, 0, 0),
            "w is preferred. Preferred on 18 of the 22 questions with a preference (82%; 95% interval 62% to 94%).",
        ),
        (
            Tally("generic", "w", 4, 1, 0, 0, 0),
            "Generic is ahead, which may still be chance. Preferred on 4 of the 5 questions with a preference (80%; 95% "
            "interval 37% to 98%).",
        ),
        (Tally("generic", "w", 1, 0, 0, 0, 0), "Generic leads 1 to 0: too few votes to say more."),
        (Tally("generic", "w", 1, 3, 2, 0, 0), "w leads 3 to 1: too few votes to say more."),
    ],
)  # fmt: skip
def test_the_verdict_in_a_sentence(tally, said):
    assert tally.sentence == said


def test_the_outlook(lab, setup):
    prepare_questions(lab, setup)
    store = JudgmentStore.of(lab)
    asked = study(lab, setup).queue("Anna").questions
    assert study(lab, setup).outlook("Anna").startswith(("About ", "The "))
    count = 0
    for question in asked:
        store.add([vote("Anna", question, setup.pair, "second")])
        count += 1
        now = study(lab, setup)
        if settled(0, count):
            break
        if count >= 5:
            assert now.outlook("Anna").startswith(("About ", "One more")), now.outlook("Anna")
    assert study(lab, setup).outlook("Anna") == "Settled: more votes would only sharpen the figure."
    assert count == 8, "eight of eight: 2^8 / 9 = 28 times"


def test_too_few_questions_to_settle_anything_are_said_before_the_first_vote(lab, setup):
    prepare_questions(lab, Setup("bm25", "words"), [])
    asked = study(lab, setup).queue("Anna").questions
    few = Setup("bm25", "words", goal=3)
    assert study(lab, few).outlook("Anna") == (
        "At least 8 questions with a preference are needed to settle it: ask 5 more that the two answer differently."
    )
    JudgmentStore.of(lab).add([vote("Anna", asked[0], setup.pair, "first")])
    assert study(lab, few).outlook("Anna").startswith("At least 8")
    assert settled(FEWEST_TO_SETTLE, 0) and not settled(FEWEST_TO_SETTLE - 1, 0)


def test_the_outlook_when_it_goes_back_and_forth(lab, setup):
    prepare_questions(lab, setup)
    store = JudgmentStore.of(lab)
    asked = study(lab, setup).queue("Anna").questions
    for place, question in enumerate(asked[:-2]):
        store.add([vote("Anna", question, setup.pair, ("first", "second")[place % 2])])
    said = study(lab, setup).outlook("Anna")
    assert said.startswith("The 2 questions that are left will probably not settle it (chance 0%)")
    store.add([vote("Anna", asked[-2], setup.pair, "both")])
    said = study(lab, setup).outlook("Anna")
    assert said.startswith("The one question that is left will probably not settle it (chance 0%)")
    for question in asked[-2:]:
        store.add([vote("Anna", question, setup.pair, "both")])
    assert (
        study(lab, setup).outlook("Anna").startswith("Not settled, and every question was asked.")
    )


def test_grades_of_one_judge(lab, setup):
    prepare_questions(lab, setup)
    store = JudgmentStore.of(lab)
    store.add([grade("Anna", "test-0", "d28", 3), grade("Ben", "test-0", "d28", 1)])
    store.add([grade("Anna", "test-0", "d1", 0), grade("Anna", "test-0", "d1", 2, final=True)])
    now = study(lab, setup)
    assert now.graded("Anna", "test-0") == {"d28": 3, "d1": 0}
    assert now.graded("Anna", "test-0", final=True) == {"d1": 2}
    assert now.graded("Ben", "test-0") == {"d28": 1}


def test_the_summary_counts_this_pair_only(lab, setup):
    prepare_questions(lab, setup)
    store = JudgmentStore.of(lab)
    for name in ("Anna", "Ben"):
        store.join(name)
    other = Setup("generic", "bm25").pair
    store.add([vote("Anna", "test-0", setup.pair, "first"), vote("Anna", "test-0", other, "first")])
    store.add([grade("Anna", "test-0", "d28", 2)])
    made = summary(lab, setup)
    assert made.judges == {"Anna": {"votes": 1, "grades": 1}, "Ben": {"votes": 0, "grades": 0}}
    told = made.as_json()
    assert told["preferences"]["wins"] == {"bm25": 1, "words": 0}
    assert told["preferences"]["settled"] is False
    assert told["judgments"] == {"test-0": {"d28": 2}}
    assert "Anna: 1 vote, 1 grade." in made.lines
