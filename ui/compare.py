"""Compare: which side understood my question?"""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search.corpus.corpus import Corpus
from search.corpus.filters import Scope
from search.evaluation.rankings.self_matches import left_out_note
from search.judging.own_questions import marked_answers
from search.judging.proposals import ANSWER
from search.judging.to_query_set import grown_elsewhere
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError, Refused
from search.projects.project import Project
from search.retrieval.columns import SearchColumn
from search.retrieval.retriever import Retriever
from search.retrieval.search import check_query, search, similar_to
from search.retrieval.shares_read import truncations, unequal_note
from ui import cache, failures, filters, widgets
from ui.comparing import (
    actions,
    asking,
    changed,
    columns,
    fair_queue,
    grid,
    relevance,
    sentences,
    summary,
    tools,
)
from ui.comparing.sides import Board, Side
from ui.hits import shortened
from ui.rendering import literal, render


@widgets.over_documents(
    "Which side understood the question?",
    "Nothing to search yet",
    "Add documents first; then come back and search.",
)
@st.fragment  # What is typed draws this part anew, and nothing else.
@failures.guarded
def page(project: Project, manifest: Manifest) -> None:
    """Draw the page."""
    columns.make_room(asking.is_asked())
    corpus = Corpus.of(project, manifest)
    row = st.container(key="compare-bar", horizontal=True)
    with row:
        query = asking.box(project)
    asked = asking.like() or query.strip()
    if asked:
        with fair_queue.turn(manifest.id, query):
            drawn = _answer(project, manifest, corpus, query, row)
    else:
        drawn = _answer(project, manifest, corpus, query, row)
    chosen, board, share = drawn
    if board is not None and not board.like:
        asking.remember(project, board.query)
        asking.look_for(project, [column.name for column in chosen])
    with share:
        copied = tools.share(project, board)
    with st.container(key="compare-foot"):
        tools.foot(chosen, columns.training(project), answered=board is not None)
    actions.listen(project, query, board, copied)
    if board is not None and not board.like:
        sentences.underline(project, manifest, board)
        relevance.prepare(project, chosen, manifest, board)


def _answer(
    project: Project, manifest: Manifest, corpus: Corpus, query: str, row: DeltaGenerator
) -> tuple[Sequence[SearchColumn], Board | None, DeltaGenerator]:
    """Draw what is between the box and the foot; returns the columns, the answer, and where it is shared from."""
    offers = asking.offers()
    with row:
        bar = tools.bar()
    with bar.columns:
        chosen, lost = columns.choose(project)
        k = tools.depth()
        st.caption("More models, and rerankers, are added on the page Models.")
    with bar.filters:
        scope = filters.scope(
            f"{project.name}-{manifest.id}", corpus, cache.columns(project, manifest)
        )
    with bar.judge:
        tools.judge_blind([column.name for column in chosen])
    with bar.changed:
        changed.draw(project, [column.name for column in chosen])
    with bar.history:
        asking.past(project)
    known, caption = asking.stable_examples(project, [c.name for c in chosen], query)
    asking.offer(offers, project, known, caption, query)
    board = None
    with st.container(key="compare-board"):
        columns.missed(lost)
        if chosen:
            board = _searched(project, manifest, corpus, query, chosen, scope, k)
        else:
            st.info("Choose at least one column to search with.")
    return chosen, board, bar.share


def _searched(
    project: Project,
    manifest: Manifest,
    corpus: Corpus,
    query: str,
    chosen: Sequence[SearchColumn],
    scope: Scope,
    k: int,
) -> Board | None:
    """Search and draw what was found, or what stands in its place."""
    slot = grid.Slot()
    cuts = truncations(project, chosen, manifest)
    sides = columns.sides(project, chosen, cuts)
    text = ""
    try:
        text = check_query(query) if query.strip() else ""
    except BespokeError as refusal:
        st.warning(literal(refusal))
        return None
    try:
        retrievers = columns.ready(
            project, chosen, manifest, lambda: slot.wait(grid.skeleton(len(chosen)))
        )
        if retrievers is None:
            return None
        like = asking.like()
        if like is not None:
            board = _alike(corpus, like, retrievers, sides, scope, k)
        elif text:
            judged, own = _judged(project, manifest, text)
            ahead = fair_queue.QUEUE.next_queries(manifest.id)
            for retriever in retrievers:
                retriever.expect([text, *ahead])
            judges = relevance.judges(project, chosen, manifest)
            results = [
                search(retriever, corpus, text, k, scope, own, judge)
                for retriever, judge in zip(retrievers, judges, strict=True)
            ]
            board = Board(text, k, sides, results, judged, left_out=own)
        else:
            slot.draw(
                render(
                    "empty.html",
                    title="Ask something the way your users would",
                    text="Type a question above or choose an example; each side answers in its own column.",
                )
            )
            return None
    except BespokeError as error:
        slot.clear()
        failures.say(error)
        return None
    said = summary.sentence(board.results, sides, board.judged)
    if nothing := relevance.sentence(board):
        said = f"{nothing} {said}"
    if board.left_out:
        said += " " + left_out_note(board.left_out)
    figures = summary.measured_gain(project, [side.name for side in sides])
    slot.draw(
        (render("like.html", name=board.query) if board.like else "")
        + render("scope.html", conditions=filters.describe_scope(scope, corpus))
        + summary.html(board, said, figures, tools.to_proof(project, chosen, bool(figures)))
        + (render("soft.html", text=unequal) if (unequal := unequal_note(chosen, cuts)) else "")
        + grid.table(board, summary.likenesses(board), explains=not board.like)
    )
    return board


def _alike(
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
    results = [similar_to(retriever, corpus, position, k, scope) for retriever in retrievers]
    (document,) = corpus.documents_at([position])
    name = shortened(document.title or document.text, 90)
    return Board(name, k, sides, results, like=identity)


def _judged(
    project: Project, over: Manifest, query: str
) -> tuple[Mapping[str, int], frozenset[str]]:
    """The documents that somebody judged relevant, here or in the query set, and those that are the query itself."""
    marked = dict.fromkeys(marked_answers(project, query), ANSWER)
    manifest = project.newest("queries")
    if manifest is None:
        return marked, frozenset()
    query_set = cache.query_set(project, manifest)
    identity = query_set.named(query)
    if identity is None:
        return marked, frozenset()
    own = cache.self_matches(project, manifest, over).left_out
    # A set that grows from marks knows none that was taken back since.
    known = query_set.relevant(identity) if grown_elsewhere(manifest) else {}
    return marked | known, own.get(identity, frozenset())
