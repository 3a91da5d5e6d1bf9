"""Questions that people bring themselves, with the answer where they know it: typed, pasted as a list, marked on a hit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.document import Document
from search.judging.proposals import ANSWER
from search.judging.store import JudgmentStore
from search.judging.votes import Judgment, grade
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.search import ProjectParts, check_query
from search.text.words import folded_words

MOST = 500
"""Questions in one list."""
_PARTS = re.compile(r"\t+|\s+\|\s+|\s+=>\s+")
_AMONG = 100
_LEAST_WORDS = 3
"""A shorter text is looked for among titles and ids alone: it would stand in many documents."""


@dataclass(frozen=True)
class OwnQuestion:
    """A question, and the document that answers it, where that is known.

    >>> OwnQuestion("When is rent due?", "d1").document
    'd1'
    """

    text: str
    document: str | None = None


def read_list(project: Project, typed: str) -> list[OwnQuestion]:
    """Read a list: one question a line; after a tab, " | " or " => " its answer, which finds its document.

    An answer is the id or the title of a document, or a sentence copied out of it.

    :raises Refused: as a whole, naming each line that cannot be used and why.
    """
    lines = [(n, line.strip()) for n, line in enumerate(typed.splitlines(), 1) if line.strip()]
    if not lines:
        raise Refused("Type at least one question, one a line.")
    if len(lines) > MOST:
        raise Refused(f"{len(lines):,} questions are too many at once: {MOST} is the most.")
    parts = [(number, *_parts(line)) for number, line in lines]
    answers = list(dict.fromkeys(answer for _, _, answer in parts if answer))
    known = dict(zip(answers, _documents_of(project, answers), strict=True))
    made, wrong = [], []
    for number, text, answer in parts:
        found = known.get(answer)
        try:
            made.append(OwnQuestion(check_query(text), found if isinstance(found, str) else None))
        except Refused as error:
            wrong.append(f"line {number}: {error}")
        if isinstance(found, Refused):
            wrong.append(f"line {number}: {found}")
    if wrong:
        more = f" And {len(wrong) - 5} more." if len(wrong) > 5 else ""
        raise Refused(f"Nothing was added. {' '.join(wrong[:5])}{more}")
    return made


def ask_own(project: Project, judge: str, asked: Sequence[OwnQuestion]) -> int:
    """Ask questions of one's own; a known answer is graded as such by whoever brings it.

    :returns: how many have an answer.
    """
    store = JudgmentStore.of(project)
    name = store.join(judge)
    grades = []
    for one in asked:
        question = store.ask_typed(one.text)
        if one.document is not None:
            grades.append(grade(name, question.id, one.document, ANSWER))
    if grades:
        store.add(grades)
    return len(grades)


def mark_answer(project: Project, judge: str, text: str, document: str, right: bool = True) -> None:
    """Call a document the right answer to a question, or take that back.

    :raises Refused: for a text that is no question, or a document that is not there.
    """
    if current_corpus(project)[1].document(document) is None:
        raise Refused(f"There is no document {document!r} in {project.name!r}.")
    store = JudgmentStore.of(project)
    name = store.join(judge)
    if right:
        question = store.ask_typed(check_query(text))
        store.add([grade(name, question.id, document, ANSWER)])
        return
    for question in store.questions():
        if question.text == " ".join(text.split()):
            _take_back(store, name, question.id, document)
            store.withdraw(question.id)


def withdraw_question(project: Project, judge: str, identity: str) -> None:
    """Ask a question no more; what this judge said of its documents is taken back.

    :raises Refused: where others judged it, too.
    """
    store = JudgmentStore.of(project)
    own = (store.join(judge), "grade")
    others = any(
        one.question == identity and (one.judge, one.kind) != own for one in store.standing()
    )
    if not others:
        _take_back(store, own[0], identity)
    if others or not store.withdraw(identity):
        raise Refused("Somebody else judged this question, or voted on it, so it stays.")


def _take_back(
    store: JudgmentStore, judge: str, question: str, document: str | None = None
) -> None:
    """Take back the grades of one judge for a question: of one document, or of all."""
    own = [
        Judgment(judge, question, "grade", one.target, None, one.final)
        for one in store.standing()
        if (one.kind, one.question, one.judge) == ("grade", question, judge)
        and document in (one.target, None)
    ]
    if own:
        store.add(own)


def marked_answers(project: Project, text: str) -> set[str]:
    """The documents that somebody called relevant to a question of this text."""
    store = JudgmentStore.of(project)
    tidy = " ".join(text.split())
    asked = {question.id for question in store.questions() if question.text == tidy}
    return {
        one.target
        for one in (store.standing() if asked else ())
        if one.kind == "grade" and one.question in asked and int(one.value or 0) > 0
    }


def _parts(line: str) -> tuple[str, str]:
    question, *answer = _PARTS.split(line, maxsplit=1)
    return question.strip(), answer[0].strip() if answer else ""


def _documents_of(project: Project, answers: Sequence[str]) -> list[str | Refused]:
    """The document of each answer, or why there is none."""
    if not answers:
        return []
    manifest, corpus = current_corpus(project)
    words = ProjectParts(project, manifest, corpus).bm25()
    rankings = words.rank(list(answers), _AMONG)
    return [
        _document_of(corpus, answer, corpus.documents_at([one.document for one in ranking]))
        for answer, ranking in zip(answers, rankings, strict=True)
    ]


def _document_of(corpus: Corpus, answer: str, near: Sequence[Document]) -> str | Refused:
    """The one document with this id or title, or that holds this text, among those that share its words."""
    if corpus.position(answer) is not None:
        return answer
    said = folded_words(answer)
    shown = answer if len(answer) <= 60 else f"{answer[:59]}…"
    found = [document.id for document in near if folded_words(document.title) == said]
    if not found and len(said) >= _LEAST_WORDS:
        wanted = f" {' '.join(said)} "
        found = [d.id for d in near if wanted in f" {' '.join(folded_words(d.text))} "]
    if len(found) == 1:
        return found[0]
    if found:
        return Refused(
            f"{len(found)} documents have “{shown}”; copy a sentence that stands in one of them alone."
        )
    nearest = next((d.title for d in near if d.title), "")
    hint = f" (the nearest title: “{nearest}”)" if nearest else ""
    return Refused(
        f"no document has the title “{shown}” or holds that sentence{hint}; copy it as it stands there, or leave it out."
    )
