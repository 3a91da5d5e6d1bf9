"""More like this: documents like one that was found, as each column sees it."""

from collections.abc import Sequence

from search.corpus.corpus import Corpus
from search.corpus.filters import Scope
from search.projects.errors import Refused
from search.retrieval.results import SearchResult
from search.retrieval.retriever import Retriever, SupportsMoreLikeThis
from search.retrieval.search import similar_to
from ui.comparing.sides import Board, Side
from ui.rendering import render

_CANNOT = "this column cannot look for documents like one"


def board(
    corpus: Corpus,
    identity: str,
    retrievers: Sequence[Retriever],
    sides: Sequence[Side],
    scope: Scope,
    k: int,
) -> Board:
    """What each column finds like one document, itself left out.

    :raises Refused: when the corpus does not have it (any more).
    """
    position = corpus.position(identity)
    if position is None:
        raise Refused(
            "The document that others were looked for like is not in the corpus any more."
        )
    results = [
        similar_to(retriever, corpus, position, k, scope)
        if isinstance(retriever, SupportsMoreLikeThis)
        else SearchResult(retriever.name, [], 0.0, _CANNOT)
        for retriever in retrievers
    ]
    (document,) = corpus.documents_at([position])
    name = " ".join((document.title or document.text).split())[:90]
    return Board(name, k, sides, results, like=identity)


def head(made: Board) -> str:
    """What is looked for, with the way back to the question; empty for a board that answers a question."""
    if not made.like:
        return ""
    return render("like.html", name=made.query)
