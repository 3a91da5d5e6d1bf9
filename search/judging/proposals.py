"""Questions proposed from the documents, each with the document that answers it: accepted, edited or thrown away by a person.

Which are proposed is training.synthetic.propose's. One that is accepted becomes a question of the project, its document
graded as its answer by whoever accepted it, and stays marked as proposed: nobody asked it, so a verdict on such
questions is never called clean.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Literal

from search.corpus.labels import query_id
from search.judging.store import JudgmentStore, Question
from search.judging.votes import Judgment, grade
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.search import check_query

ORIGIN = "proposed"
"""The origin of a question that a person accepted."""
ANSWER = 3
"""The grade of a document that somebody calls the right answer."""
_PREFIX = "proposal:"
ProposalState = Literal["open", "accepted", "discarded"]


@dataclass(frozen=True)
class Proposal:
    """A question, the document that answers it, by what it was found (a kind of mined pair), and what a person said of it.

    :param text: as it was proposed, or as a person edited it.
    :param asked: the id of the question that it became; empty while it is none.

    >>> Proposal.of("What is rent?", "d1", "question", 0).state
    'open'
    """

    id: str
    text: str
    document: str
    kind: str
    number: int
    state: ProposalState = "open"
    asked: str = ""
    judge: str = ""

    @classmethod
    def of(cls, text: str, document: str, kind: str, number: int) -> "Proposal":
        """A new one, at its position among all."""
        tidy = " ".join(text.split())
        return cls(query_id(f"{tidy}\n{document}"), tidy, document, kind, number)


def proposals(project: Project) -> list[Proposal]:
    """All that were ever proposed, in their order."""
    rows = JudgmentStore.of(project).settings_of(_PREFIX).values()
    return sorted((Proposal(**json.loads(row)) for row in rows), key=lambda one: one.number)


def add_proposals(project: Project, drawn: Iterable[tuple[str, str, str]], most: int) -> int:
    """Propose questions: text, document and kind of each. What was proposed or asked before is not proposed again.

    :param most: how many at most.
    :returns: how many are new.
    """
    known = proposals(project)
    store = JudgmentStore.of(project)
    texts = {one.text.casefold() for one in known} | {
        question.text.casefold() for question in store.questions()
    }
    new: dict[str, Proposal] = {}
    for text, document, kind in drawn:
        if len(new) == most:
            break
        made = Proposal.of(text, document, kind, len(known) + len(new))
        if made.text.casefold() not in texts:
            texts.add(made.text.casefold())
            new[made.id] = made
    _save(store, new.values())
    return len(new)


def accept(project: Project, identity: str, judge: str, text: str | None = None) -> Proposal:
    """Ask a proposed question from now on, with its document as the answer.

    :param text: what it says instead.
    :raises Refused: for an unknown one, and a text that is no question.
    """
    store = JudgmentStore.of(project)
    known = _find(project, identity)
    asked = check_query(known.text if text is None else text)  # Before anything is taken back.
    known = _take_back(store, known)
    question = store.ask_typed(asked, ORIGIN)
    name = store.join(judge)
    store.add([grade(name, question.id, known.document, ANSWER)])
    made = replace(known, text=question.text, state="accepted", asked=question.id, judge=name)
    _save(store, [made])
    return made


def discard(project: Project, identity: str) -> Proposal:
    """Throw a proposed question away; it is not proposed again.

    :raises Refused: for an unknown one.
    """
    return _becomes(project, identity, "discarded")


def reopen(project: Project, identity: str) -> Proposal:
    """Take back what was said of a proposed question.

    :raises Refused: for an unknown one.
    """
    return _becomes(project, identity, "open")


def proposed_questions(questions: Iterable[Question]) -> set[str]:
    """The ids of those that were proposed from the documents."""
    return {question.id for question in questions if question.origin == ORIGIN}


def _becomes(project: Project, identity: str, state: ProposalState) -> Proposal:
    store = JudgmentStore.of(project)
    made = replace(_take_back(store, _find(project, identity)), state=state)
    _save(store, [made])
    return made


def _take_back(store: JudgmentStore, known: Proposal) -> Proposal:
    """The same one, unanswered: its grade is taken back, and where nobody judged the question it is asked no more."""
    if known.asked:
        store.add([Judgment(known.judge, known.asked, "grade", known.document, None)])
        store.withdraw(known.asked)
    return replace(known, state="open", asked="", judge="")


def _find(project: Project, identity: str) -> Proposal:
    for one in proposals(project):
        if one.id == identity:
            return one
    raise Refused(f"There is no proposed question {identity!r} in {project.name!r}.")


def _save(store: JudgmentStore, changed: Iterable[Proposal]) -> None:
    rows = {_PREFIX + one.id: json.dumps(asdict(one), ensure_ascii=False) for one in changed}
    if rows:
        store.set_all(rows)
