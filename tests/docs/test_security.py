"""SECURITY.md: each promise names the tests that hold it, what is not promised is said, and the tests are there."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
HEAD = "| promised | not promised | tested by |"


def promises():
    """The rows of the tables of promises, each as its three cells."""
    for table in TEXT.split(HEAD)[1:]:
        for line in table.splitlines()[2:]:
            if not line.startswith("|"):
                break
            yield [cell.strip() for cell in line.strip()[1:-1].split("|")]


ROWS = list(promises())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_each_promise_names_tests_that_are_there(row):
    assert len(row) == 3, "promised, not promised, tested by"
    promised, _, tested = row
    named = re.findall(r"`(tests/[\w/]+\.py)`", tested)
    assert promised.endswith(".") and (named or tested.startswith("the same"))
    assert [path for path in named if not (REPOSITORY / path).is_file()] == []
    assert tested != "the same" or re.search(r"`tests/", ROWS[ROWS.index(row) - 1][2])


def test_the_tables_are_all_of_promises():
    assert len(ROWS) > 20 and TEXT.count(HEAD) == 4
