"""What may be trained on, and which test queries a model may have seen."""

import pytest

from search.corpus import add_documents, current_corpus
from search.leaks import keep_apart, seen_in_training
from search.query_sets import QuerySet
from search.readers.pairs import Pair
from search.workspace import project_to_be

LONG = " ".join(f"clause{n}" for n in range(60))
NEARLY_LONG = LONG.replace("clause7 ", "clauseX ")


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "docs.csv"
    path.write_text(
        "id,title,text\n"
        "d1,,A tort is a civil wrong\n"
        "d2,Courts,They hear appeals\n"
        f"d3,,{LONG}\n"
        "d4,,Free to train on\n"
    )
    home = project_to_be("lab")
    add_documents(home, [path])
    return current_corpus(home)[1]


TEST = QuerySet(
    {"q1": "what is a tort", "q2": "who hears", "q3": "that long one"},
    {"q1": {"d1": 1, "d4": 0}, "q2": {"d2": 2}, "q3": {"d3": 1}},
)
DEV = QuerySet({"v1": "a dev question"}, {"v1": {"d2": 1}})


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        (Pair("What is a TORT?", "unrelated answer"), "query"),
        (Pair("a dev question!", "unrelated answer"), "query"),
        (Pair("new question", "unrelated answer", "d1"), "document"),
        (Pair("new question", "a TORT is a civil wrong."), "document"),
        (Pair("new question", "they hear appeals"), "document"),
        (Pair("new question", "Courts They hear appeals"), "document"),
        (Pair("new question", NEARLY_LONG), "document"),
        (Pair("what is a tort", "A tort is a civil wrong", "d1"), "query"),
        (Pair("new question", "Free to train on", "d4"), None),
        (Pair("what is a wrong", "another answer"), None),
    ],
)
def test_each_way_to_leak(corpus, pair, why):
    guarded = keep_apart([pair], [TEST, DEV], corpus)
    assert guarded.pairs == ([] if why else [pair])
    assert (guarded.same_query, guarded.same_document) == (why == "query", why == "document")


def test_kept_pairs_keep_their_order_and_the_note_counts(corpus):
    pairs = [
        Pair("one", "answer one"),
        Pair("who hears?", "x"),
        Pair("two", "Free to train on", "d4"),
        Pair("three", "y", "d2"),
        Pair("four", "they hear appeals"),
    ]
    guarded = keep_apart(pairs, [TEST], corpus)
    assert guarded.pairs == [pairs[0], pairs[2]]
    assert guarded.note == (
        "3 pairs left out of training, so that nothing leaks into the test: 1 for a shared query, "
        "2 for a shared answer (near-duplicates included)"
    )


def test_nothing_to_guard(corpus):
    pairs = [Pair("what is a tort", "A tort is a civil wrong", "d1")]
    guarded = keep_apart(pairs, [], corpus)
    assert (guarded.pairs, guarded.note) == (pairs, None)


@pytest.mark.parametrize(
    ("trained", "seen"),
    [
        ([], set()),
        ([Pair("unrelated", "nothing alike")], set()),
        ([Pair("WHAT is a tort", "x")], {"q1"}),
        ([Pair("x", "y", "d2")], {"q2"}),
        ([Pair("x", "courts: they hear appeals")], {"q2"}),
        ([Pair("x", "They hear appeals")], {"q2"}),
        ([Pair("x", NEARLY_LONG)], {"q3"}),
        ([Pair("x", "Free to train on", "d4")], set()),
        ([Pair("who hears", "A tort is a civil wrong")], {"q1", "q2"}),
    ],
)
def test_seen_in_training(corpus, trained, seen):
    assert seen_in_training(trained, TEST, corpus) == seen


def test_what_is_kept_apart_was_not_seen(corpus, rng):
    """The two guards agree: what the first lets through, the second finds nothing in."""
    words = f"{LONG[:70]} what is a tort who hears they appeals civil wrong courts".split()
    pairs = [
        Pair(" ".join(rng.choices(words, k=3)), " ".join(rng.choices(words, k=4)))
        for _ in range(300)
    ] + [Pair("what is a tort", "x"), Pair("y", NEARLY_LONG)]
    guarded = keep_apart(pairs, [TEST], corpus)
    assert len(guarded.pairs) < len(pairs)
    assert seen_in_training(guarded.pairs, TEST, corpus) == set()
