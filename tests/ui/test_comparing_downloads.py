"""A comparison to take away: Markdown, CSV, JSON."""

import csv
import io
import json

import pytest
from app_help import hit
from board_help import board, found, of_hits

from ui.comparing.downloads import FIELDS, as_csv, as_json, as_markdown, file_name


def test_markdown_has_a_row_for_each_rank() -> None:
    made = board(found("g", "a", "b"), found("x", "b"), query="flat feet", judged={"b": 1})
    assert as_markdown(made, "Said.", "http://localhost/compare?q=flat").splitlines() == [
        "**flat feet**",
        "",
        "Said.",
        "",
        "| | G | X |",
        "|---:|---|---|",
        "| 1 | Title a (only here) | Title b (▲ 1) ✓ judged relevant |",
        "| 2 | Title b ✓ judged relevant |  |",
        "",
        "http://localhost/compare?q=flat",
    ]


def test_nothing_in_markdown_works_as_markup() -> None:
    made = board(of_hits("x|y", hit(1, "a", 1.0, "a|b\n<b> *c* [d](e)", "t")), query="`q` $5")
    lines = as_markdown(made, "", "").splitlines()
    assert lines[0] == "**\\`q\\` \\$5**"
    assert lines[4] == "| | X\\|Y |"
    assert lines[6] == "| 1 | a\\|b \\<b\\> \\*c\\* \\[d\\](e) |"


def test_csv_holds_every_hit_and_runs_no_formula() -> None:
    evil = hit(2, "=cmd|x", 0.25, "+evil", "@text", tier="case")
    made = board(of_hits("g", hit(1, "a", 0.5, "T, with comma", "t"), evil), found("x", "a"), query="मेरे")  # fmt: skip
    raw = as_csv(made)
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert tuple(rows[0]) == FIELDS
    assert rows[1] == ["मेरे", "G", "1", "a", "T, with comma", "t", "0.500000", "", "", "", "G"]
    assert rows[2][3:6] == ["'=cmd|x", "'+evil", "'@text"]
    assert rows[2][9] == "case"
    assert rows[3][:4] == ["मेरे", "X", "1", "a"]
    assert rows[3][7] == "same rank"


def test_a_negative_score_stays_a_number() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(board(of_hits("g", hit(1, "a", -0.5, "T", "t")))).decode("utf-8-sig"))))  # fmt: skip
    assert float(rows[0]["score"]) == -0.5


def test_json_has_the_shape_of_the_terminal_and_the_judgments() -> None:
    told = json.loads(as_json(board(found("g", "a"), found("x"), query="q", judged={"a": 2}, k=7)))
    assert (told["query"], told["k"], told["judged"]) == ("q", 7, {"a": 2})
    assert [hit["id"] for hit in told["results"]["g"]["hits"]] == ["a"]
    assert told["results"]["x"]["hits"] == []
    assert "judged" not in json.loads(as_json(board(found("g", "a"))))


@pytest.mark.parametrize(
    ("project", "query", "expected"),
    [
        ("Legal", "Can I vote?", "Legal-Can-I-vote.csv"),
        ("../x", "a/b\\c:*?", "x-a-b-c.csv"),
        ("P", "w " * 100, "P" + "-w" * 29 + ".csv"),
        ("🦶", "?", "comparison.csv"),
    ],
)
def test_file_names_are_safe(project: str, query: str, expected: str) -> None:
    assert file_name(project, query, "csv") == expected
