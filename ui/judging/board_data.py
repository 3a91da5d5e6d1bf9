"""A question as the board draws it: nothing in it tells which side is which."""

from typing import Any

from search.corpus.corpus import Corpus, ScoredDocument
from search.judging.blinding import BlindedView
from search.judging.study import Study
from search.judging.votes import GRADES
from search.retrieval.results import Hit, hits_of
from ui.hits import excerpt, marked, query_words, rest_of

_FACTS = 3
_FACT = 60


def board_data(
    study: Study, corpus: Corpus, judge: str, question: str, final: bool
) -> dict[str, Any]:
    """What the browser draws of a question.

    Documents are in order of their ids, without scores (those of two models differ in scale, which would tell
    them apart), by the passage by which the first list that has them found them.
    """
    view = study.blinded_view(judge, question)
    asked = study.questions[question]
    return {
        "question": question,
        "text": asked.text,
        "layout": view.layout,
        "sides": _sides(view),
        "documents": _documents(study, corpus, view, question),
        "grades": study.graded(judge, question, final),
        "levels": list(GRADES.values()),
        "vote": _earlier_vote(study, view, judge, question),
    }


def _sides(view: BlindedView) -> list[dict[str, Any]]:
    if view.mixed is not None:
        return [{"name": "One list, mixed from both", "documents": view.mixed.documents}]
    return [{"name": "Left", "documents": view.left}, {"name": "Right", "documents": view.right}]


def _documents(study: Study, corpus: Corpus, view: BlindedView, question: str) -> dict[str, Any]:
    # Where both lists have a document, the better rank decides by which passage it is shown, then the smaller
    # position: the same on both sides, whichever side is which.
    ranked = sorted(
        (rank, entry.passage, entry)
        for ranking in study.rankings
        for rank, entry in enumerate(ranking[question])
    )
    best = {entry.id: entry for _, _, entry in reversed(ranked)}
    shown = [best[document] for document in view.documents]
    hits = hits_of(corpus, [ScoredDocument(entry.document, 0.0, entry.passage) for entry in shown])
    words = query_words(study.questions[question].text)
    return {hit.id: _document(hit, words) for hit in hits}


def _document(hit: Hit, words: frozenset[str]) -> dict[str, Any]:
    text = " ".join(hit.passage.text.split())
    short = excerpt(text, words)
    title = hit.title or short[:80]
    return {
        "name": title,
        "title": marked(hit.title, words) if hit.title else "",
        "text": marked(short, words),
        "whole": marked(rest_of(hit, short)[1], words),
        "facts": _facts(hit),
    }


def _facts(hit: Hit) -> list[str]:
    """Where the passage stands, and the first of the metadata."""
    best = hit.passage
    facts = [f"page {best.page}"] if best.page is not None else []
    facts += [best.heading] if best.heading else []
    facts += [hit.tier] if hit.tier else []
    named = [
        f"{name} {value}" for name, value in hit.metadata.items() if value and value != hit.tier
    ]
    return [
        fact if len(fact) <= _FACT else fact[: _FACT - 1] + "…"
        for fact in [*facts, *named[:_FACTS]]
    ]


def _earlier_vote(study: Study, view: BlindedView, judge: str, question: str) -> str | None:
    """The side that this judge voted for before, when a question is looked at again."""
    choice = study.votes.by_question.get(question, {}).get(judge)
    return view.side(choice) if choice and view.mixed is None else None
