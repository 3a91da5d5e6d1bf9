"""What no mean should hide is counted."""

from search.evaluation.labels.counted import Counted
from search.evaluation.query_sets.query_set import QuerySet

SCORES = {
    "one": {"ndcg@10": [1.0, 0.0, 1.0, 0.5]},
    "two": {"ndcg@10": [1.0, 0.0, 0.3, 0.0]},
}


def test_each_count_by_hand():
    whole = QuerySet(
        dict.fromkeys("abcdef", "?"),
        {
            "a": {"x": 1, "gone": 2, "gone too": 0},
            "b": {"x": 1},
            "c": {"x": 1},
            "d": {"x": 1},
            "e": {"gone": 1},
            "f": {"x": 0},
        },
    )
    counted = Counted.of(whole, {"x", "y"}, SCORES)
    assert counted == Counted(
        unanswered=2, missing=3, missing_relevant=2, all_perfect=1, all_missed=1
    )
    assert counted.sentences == [
        "3 judgments point to documents that are not in the corpus; 2 of them are relevant and count as not found.",
        "1 query is answered perfectly by every column and 1 by none: these cannot tell the columns apart.",
    ]


def test_nothing_to_tell_is_not_told():
    whole = QuerySet({"a": "?"}, {"a": {"x": 1}})
    counted = Counted.of(whole, {"x"}, {"one": {"ndcg@10": [0.5]}})
    assert (counted, counted.sentences) == (Counted(), [])
