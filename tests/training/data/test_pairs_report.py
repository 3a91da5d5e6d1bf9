"""The pairs report: what is counted, how often a batch would teach wrongly, and what to fix first."""

import json
from math import comb

import pytest

from search.corpus.labels import Pair
from training.data.false_negatives import Kinship, false_negatives
from training.data.pairs_report import Example, build_pairs_report

WORDS = [f"clause{n}" for n in range(60)]
LONG = " ".join(WORDS)
NEARLY = " ".join(["other", *WORDS[1:]])


def many(count):
    return [
        Pair(f"what about topic{n} and its case{n}", f"answer{n} says text{n}", f"d{n}")
        for n in range(count)
    ]


def advised(portrait, *parts):
    """The places in the advice of the sentences with these parts, each exactly one."""
    places = []
    for part in parts:
        [place] = [n for n, sentence in enumerate(portrait.advice) if part in sentence]
        places.append(place)
    return places


def test_good_pairs_need_nothing():
    found = build_pairs_report(many(1_000), 2_000)
    assert (found.pairs, found.distinct_queries, found.distinct_responses) == (1_000, 1_000, 1_000)
    assert (found.duplicates, found.near_queries, found.copied, found.contradictory) == (0, 0, 0, 0)
    assert (found.answers.distinct, found.answers.shared) == (1_000, 0)
    assert (found.documents, found.answered_documents) == (2_000, 1_000)
    assert found.false_negatives.share == found.false_negatives.guarded == 0
    assert found.false_negatives.batch_size == 64
    assert (found.query_lengths.p5, found.query_lengths.median, found.query_lengths.p95) == (
        6,
        6,
        6,
    )
    assert found.response_lengths.median == 3
    assert found.advice == ("Nothing needs to be fixed first in these 1,000 pairs.",)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (99, "Only 99 different pairs: too few to learn much from"),
        (100, "100 different pairs are few"),
        (299, "299 different pairs are few"),
        (300, "300 different pairs are enough to begin with"),
        (999, "999 different pairs are enough to begin with"),
    ],
)
def test_number_of_pairs(count, words):
    assert build_pairs_report(many(count), None).advice[0].startswith(words)


def test_case_and_punctuation_make_no_new_pair():
    found = build_pairs_report(
        [
            Pair("What is a tort?", "A wrong.", "a"),
            Pair("what is a TORT", "a wrong", "a"),
            Pair("What is a tort?", "Something else", "a"),
            Pair("?!", "a wrong", "a"),
            Pair("...", "a wrong", "a"),
        ],
        None,
    )
    assert (found.pairs, found.duplicates) == (5, 1)
    assert (found.distinct_queries, found.distinct_responses) == (3, 2)
    advised(found, "Pairs that repeat an earlier one: 1 (20%).")


def test_near_queries():
    found = build_pairs_report(
        [*many(4), Pair(LONG, "one answer"), Pair(NEARLY, "another one")], None
    )
    assert found.near_queries == 2
    assert found.near_query_examples[0].query.startswith("clause0 clause1")
    assert found.near_query_examples[0].other.startswith("other clause1")
    assert len(found.near_query_examples[0].query) == 200
    advised(found, "Nearly equal queries: 2 of 6")


def test_copied_queries():
    found = build_pairs_report(
        [
            Pair("the lease ends early", "Sometimes THE LEASE ends, early or late."),
            Pair("the lease ends early", "The early lease never ends."),
            Pair("early", "Early is a word."),
            Pair(LONG, NEARLY),
            Pair("who pays the rent", "the tenant does"),
        ],
        None,
    )
    assert found.copied == 2
    assert found.copied_examples[0] == Example(
        "the lease ends early", "Sometimes THE LEASE ends, early or late."
    )
    assert found.copied_examples[1].query.startswith("clause0")
    advised(found, "40% of the queries stand nearly word for word in their response")


def test_contradictions_are_found_across_pairs():
    found = build_pairs_report(
        [
            Pair("who pays", "The tenant.", "a", ("The landlord.",)),
            Pair("Who pays?", "the landlord", "b"),
            Pair("who sues", "The landlord.", "c", ("The tenant.",)),
        ],
        3,
    )
    assert (found.contradictory, found.with_negatives) == (1, 2)
    assert found.contradictory_examples == (Example("Who pays?", "the landlord"),)
    places = advised(
        found, "Only 3 different pairs", "Pairs that contradict themselves or another: 1."
    )
    assert places == [0, 1]


def test_many_to_one_and_one_to_many():
    pairs = [Pair(f"question{n} about rent", "See the website.", None) for n in range(6)]
    pairs += [Pair("question0 about rent", "another answer"), Pair("last one here", "third")]
    found = build_pairs_report(pairs, None)
    assert found.answers.distinct == 3
    assert (found.answers.shared, found.answers.queries_with_several) == (1, 1)
    assert (found.answers.largest, found.answers.largest_queries) == ("See the website.", 6)
    assert found.answers.largest_share == 6 / 7
    advised(found, "One answer serves 6 queries (86% of all): “See the website.”.")


def test_a_document_is_one_answer_whatever_its_text():
    found = build_pairs_report(
        [Pair("first question", "its beginning", "d"), Pair("second question", "its end", "d")], 40
    )
    assert (found.answers.distinct, found.answers.shared) == (1, 1)
    assert found.distinct_responses == 2
    assert found.answered_documents == 1
    advised(found, "The pairs answer from 1 of 40 documents (2%)")


def test_responses_that_are_not_given_are_told_by_their_document():
    found = build_pairs_report(
        [Pair("first question", "", "a"), Pair("second question", "", "b")], 2
    )
    assert (found.answers.distinct, found.distinct_responses, found.duplicates) == (2, 0, 0)
    assert found.false_negatives.share == 0


def chance(pairs, size):
    """The share of batches of `size` in which two certain ones of `pairs` meet, all batches being full."""
    return comb(pairs - 2, size - 2) / comb(pairs, size)


@pytest.mark.parametrize(
    ("one", "other", "seen_by_guard"),
    [
        (Pair("same question", "one answer"), Pair("same question", "two"), True),
        (Pair("first", "same answer"), Pair("second", "same answer"), True),
        (Pair("Same question!", "one answer"), Pair("same question", "two"), False),
        (Pair("first", LONG), Pair("second", NEARLY), False),
        (Pair(LONG, "first"), Pair(NEARLY, "second"), False),
        (Pair("first", "its beginning", "d"), Pair("second", "its end", "d"), False),
    ],
    ids=["query", "response", "query's words", "near response", "near query", "document"],
)
def test_two_of_twenty_meet_as_often_as_chance_has_it(one, other, seen_by_guard):
    found = false_negatives(Kinship.of([*many(18), one, other]), 5)
    assert (found.batch_size, found.drawn) == (5, 2_000)
    expected = chance(20, 5)
    assert found.share == pytest.approx(expected, abs=0.02)
    assert found.guarded == (0 if seen_by_guard else found.share)
    assert 0.04 < expected < 0.06


def test_every_batch_when_all_have_one_answer():
    same = [Pair(f"question{n}", "the same") for n in range(30)]
    found = false_negatives(Kinship.of(same), 10)
    assert (found.share, found.guarded) == (1, 0)


def test_a_batch_is_never_larger_than_the_set():
    found = false_negatives(Kinship.of([*many(4), many(1)[0]]), 64)
    assert (found.batch_size, found.share) == (5, 1)
    assert false_negatives(Kinship.of(many(1)), 64).drawn == 0


def test_larger_batches_are_worse_and_the_same_seed_gives_the_same():
    pairs = [
        *many(100),
        *(Pair(f"another question{n}", f"answer{n} says text{n}") for n in range(9)),
    ]
    kinship = Kinship.of(pairs)
    shares = [false_negatives(kinship, size).share for size in (4, 16, 64)]
    assert shares == sorted(shares)
    assert shares[0] < 0.1 < shares[1] < shares[2]
    assert false_negatives(kinship, 16) == false_negatives(kinship, 16)
    assert build_pairs_report(pairs, None, batch_size=16).false_negatives.share == shares[1]


def test_false_negatives_are_advised_on():
    near = [f"{LONG} number{n}" for n in range(20)]
    found = build_pairs_report(
        [*many(300), *(Pair(f"question{n}", t) for n, t in enumerate(near))], None
    )
    assert found.false_negatives.guarded == found.false_negatives.share > 0.5
    advised(found, "of the batches of 64, a right answer would be taught as a wrong one")
    equal = [Pair(f"question{n} about rent", "the same answer") for n in range(20)]
    found = build_pairs_report([*many(300), *equal], None)
    advised(found, "Fine-tune here keeps equal texts apart (0% remain)")


def test_short_queries_long_responses_and_languages():
    german = (
        "Die Kündigung der Wohnung muss dem Vermieter schriftlich und rechtzeitig zugehen, Nummer"
    )
    found = build_pairs_report([Pair(f"topic{n}", f"{german} {n} " * 30) for n in range(8)], None)
    assert (found.unread.reads, found.unread.texts) == (256, 8)
    assert [item.code for item in found.response_languages] == ["de"]
    assert found.query_lengths.median == 1
    assert found.response_lengths.median == 13 * 30
    advised(
        found, "Half of the queries have at most 1 word:", "100% of the responses are longer than"
    )


def test_languages_that_differ():
    found = build_pairs_report(
        [
            Pair(
                f"When does the landlord have to give back the deposit after the end of lease number {n}?",
                f"Der Vermieter muss die Kaution nach dem Ende des Mietvertrags Nummer {n} zurückzahlen.",
            )
            for n in range(5)
        ],
        None,
    )
    advised(found, "The queries are mostly in English, the responses in German.")


def test_no_pairs():
    found = build_pairs_report([], None)
    assert (found.pairs, found.answers.distinct, found.false_negatives.drawn) == (0, 0, 0)
    assert found.advice == ("There are no pairs.",)
    assert json.loads(json.dumps(found.as_json())) == found.as_json()


def test_json_is_plain_and_whole():
    found = build_pairs_report([*many(3), many(1)[0]], 3)
    shape = found.as_json()
    assert json.loads(json.dumps(shape)) == shape
    assert shape["advice"] == list(found.advice)
    assert (shape["duplicates"], shape["documents"], shape["answered_documents"]) == (1, 3, 3)
    assert shape["false_negatives"] == {
        "batch_size": 4,
        "share": 1.0,
        "guarded": 0.0,
        "drawn": 2_000,
    }
    assert shape["query_lengths"]["median"] == 6
