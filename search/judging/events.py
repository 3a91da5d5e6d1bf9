"""What the board in the browser says, checked and kept. Nothing in it is trusted but the judge's own words."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, get_args

from search.judging.aggregation import Grades
from search.judging.blinding import BlindedView, Side
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.judging.votes import Choice, Judgment, grade, vote
from search.projects.errors import Refused

_TOKEN = 64


@dataclass
class EventOutcome:
    """What came of a message: the tokens that are dealt with, and what the page does next."""

    tokens: list[str] = field(default_factory=list)
    voted: str | None = None
    choice: Choice | None = None
    later: str | None = None
    undone: Judgment | None = None


def handle_events(
    store: JudgmentStore,
    study: Study,
    judge: str,
    events: Sequence[Any],
    known: Collection[str] = (),
    final: bool = False,
) -> EventOutcome:
    """Keep what a judge said, in the order in which it was said.

    A judgment that came before (its token is known) counts once. What makes no sense is dropped, and dealt with.

    :param events: as the board sends them: kind, token, question, and a side, or a document and a grade.
    :param known: tokens that this session has dealt with.
    :param final: whether the judge settles a disagreement.
    """
    heard = EventOutcome()
    for event in events:
        if not isinstance(event, dict) or not isinstance(event.get("token"), str):
            continue
        token = event["token"][:_TOKEN]
        if token not in known:
            # Not a vote or grade that there is: no judge can have meant it.
            with suppress(Refused):
                _one(store, study, judge, {**event, "token": token}, final, heard)
        heard.tokens.append(token)
    return heard


def _one(
    store: JudgmentStore,
    study: Study,
    judge: str,
    event: dict[str, Any],
    final: bool,
    heard: EventOutcome,
) -> None:
    question, kind = event.get("question"), event.get("kind")
    if kind == "undo":
        heard.undone = store.undo(judge)
    elif not isinstance(question, str) or question not in study.questions:
        return
    elif kind == "later":
        heard.later = question
    else:
        sheet, pair = study.blinded_view(judge, question), study.setup.pair
        more = {"final": final, "token": event["token"]}
        details = {"columns": [pair.first, pair.second]}
        document, value = event.get("document"), event.get("grade")
        if kind == "grade" and document in sheet.documents and isinstance(value, int):
            store.add([grade(judge, question, str(document), value, details=details, **more)])
        elif kind == "vote" and (
            choice := _choice(store, sheet, judge, question, event.get("side"), final)
        ):
            details |= sheet.details()
            store.add([vote(judge, question, pair, choice, details=details, **more)])
            heard.voted, heard.choice = question, choice


def _choice(
    store: JudgmentStore, sheet: BlindedView, judge: str, question: str, side: Any, final: bool
) -> Choice | None:
    """The vote for a column that a vote for a side is; of a mixed list, what the grades amount to."""
    if sheet.mixed is not None:
        said = Grades.of(m for m in store.standing() if m.judge == judge and m.final == final)
        values = said.settled if final else {k: v[judge] for k, v in said.by_document.items()}
        return sheet.credited({d: v for (q, d), v in values.items() if q == question})
    known: tuple[Side, ...] = get_args(Side)
    return next((sheet.choice(one) for one in known if one == side), None)
