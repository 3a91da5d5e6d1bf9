"""A hundred general questions that have nothing to do with most corpora. Questions and answers are ours.

Each group of four shares a subject, so that a right answer has near neighbours. They say what a model forgot of other fields, and
what a question looks like that a corpus is not about.
"""

import csv
from functools import cache
from pathlib import Path

_QUESTIONS = Path(__file__).with_name("general.tsv")


@cache
def general_questions() -> tuple[tuple[str, str], ...]:
    """Questions and their answers; the answers together are what is searched."""
    with _QUESTIONS.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return tuple((query, answer) for query, answer in rows)
