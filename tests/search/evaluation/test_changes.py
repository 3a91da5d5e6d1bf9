"""What one column answers otherwise than another: the largest difference first, one slice alone, and as a table."""

import csv
import io

from search.evaluation.changes import changes, changes_csv, telling_questions
from search.evaluation.evaluation import Evaluation


def test_questions_that_differ_by_how_much_and_within_a_slice():
    scores = {"a": {"ndcg@10": [0.0, 1.0, 0.5, 0.5]}, "b": {"ndcg@10": [0.4, 0.2, 0.5, 0.9]}}
    firsts: dict[str, list[int | None]] = {"a": [None, 1, 2, 2], "b": [3, 9, 2, 1]}
    result = Evaluation(
        ["q1", "q2", "q3", "q4"], ["frost", "=rent", "dust", "fee"], scores, firsts, [],
        slice_members={"negation": [0, 2, 3]},
    )  # fmt: skip
    found = changes(result, "a", "b")
    assert [(c.query, c.is_win, c.before, c.after) for c in found] == [
        ("q2", False, 1, 9), ("q1", True, None, 3), ("q4", True, 2, 1),
    ]  # fmt: skip
    assert [c.query for c in changes(result, "a", "b", "negation")] == ["q1", "q4"]
    assert [c.difference for c in changes(result, "b", "a")] == [0.8, -0.4, -0.4]
    rows = list(csv.reader(io.StringIO(changes_csv(found, "a", "b").decode("utf-8-sig"))))
    assert rows[0] == ["query", "text", "baseline", "candidate", "difference", "rank before", "rank after"]  # fmt: skip
    assert rows[1][1] != "=rent"  # No formula for a spreadsheet.
    assert rows[2] == ["q1", "frost", "a", "b", "+0.4000", "", "3"]
    # Both answer rent and fee; only one answers frost, though rent differs more.
    assert telling_questions(result, ["a", "b"]) == ["frost", "=rent", "fee"]
    assert telling_questions(result, ["a", "b"], depth=1) == ["=rent", "fee", "frost"]
