"""What people say belongs together: pairs of a query and an answer, and judgments of documents."""

import hashlib
from dataclasses import dataclass

Judgments = dict[str, dict[str, int]]
"""Query id to document id to grade; a grade of 0 is "not relevant"."""


@dataclass(frozen=True)
class Pair:
    """A query and a text that answers it; `document` is the id of that text in the corpus, if any.

    `negatives` are texts that do not answer it, though they might look as if they did. `mined` says how a pair
    that no person wrote came about ("title", "sentence" ...).
    """

    query: str
    response: str
    document: str | None = None
    negatives: tuple[str, ...] = ()
    mined: str = ""


def query_id(text: str) -> str:
    """The id of a query that came without one: equal texts, equal ids."""
    return "q-" + hashlib.sha256(text.encode()).hexdigest()[:12]
