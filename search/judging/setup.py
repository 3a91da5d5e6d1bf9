"""How a project judges: which two columns, shown how, and whether sides may be revealed."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from search.judging.store import JudgmentStore
from search.judging.votes import ColumnPair, Layout
from search.models.registry import KEYWORD, default_models
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.columns import chosen_columns, parse_column
from search.retrieval.fingerprint import column_fingerprint

Reveal = Literal["after", "never"]
DEPTHS = (3, 10)
MOST_QUESTIONS = 500
_SETUP = "setup"


@dataclass(frozen=True)
class Setup:
    """What everybody who judges this project shares.

    `depth` is how many documents a list shows, `goal` how many questions of the query set are lined up: those on
    which the two columns differ most. `reveal` says whether a judge may see, after a vote, which side was
    which; whoever leads the judging may forbid it.
    """

    one: str
    other: str
    layout: Layout = "lists"
    depth: int = 5
    goal: int = 40
    reveal: Reveal = "after"

    @property
    def pair(self) -> ColumnPair:
        """The two columns."""
        return ColumnPair.of(self.one, self.other)

    def versions(self, project: Project, corpus: Manifest) -> dict[str, str]:
        """What names the index, and all else, behind each of the two columns on a corpus."""
        return {
            name: column_fingerprint(project, parse_column(name), corpus)
            for name in (self.one, self.other)
        }

    def checked(self, project: Project) -> "Setup":
        """The set-up, with its columns by their proper names.

        :raises Refused: for one column twice, an unknown column or model, or a number out of bounds.
        """
        names = [column.name for column in chosen_columns(project, [self.one, self.other])]
        ColumnPair.of(names[0], names[-1])  # Refuses one column twice.
        low, high = DEPTHS
        if not low <= self.depth <= high:
            raise Refused(f"A list shows {low} to {high} documents, not {self.depth}.")
        if not 1 <= self.goal <= MOST_QUESTIONS:
            raise Refused(f"1 to {MOST_QUESTIONS} questions can be lined up, not {self.goal}.")
        if self.layout not in get_args(Layout) or self.reveal not in get_args(Reveal):
            raise Refused(
                "The layout is lists or mixed; sides are revealed after a vote, or never."
            )
        return replace(self, one=names[0], other=names[1])

    def as_json(self) -> dict[str, Any]:
        """The set-up as `judgments --json` prints it."""
        made = asdict(self)
        return {"columns": [made.pop("one"), made.pop("other")], **made}


def default_setup(project: Project) -> Setup:
    """Generic against the newest custom model; without one, against keyword search."""
    names = [info.name for info in default_models(project)]
    return Setup(names[0], names[1] if len(names) > 1 else KEYWORD)


def saved_setup(project: Project) -> Setup | None:
    """The set-up of a project, or None before anybody made one, and when one of its columns is gone."""
    said = JudgmentStore.of(project).setting(_SETUP, "")
    if not said:
        return None
    try:
        return Setup(**json.loads(said)).checked(project)
    except Refused:
        return None


def save_setup(project: Project, setup: Setup) -> Setup:
    """Keep a set-up for everybody.

    :raises Refused: when it cannot be used.
    """
    good = setup.checked(project)
    JudgmentStore.of(project).set(_SETUP, json.dumps(asdict(good)))
    return good
