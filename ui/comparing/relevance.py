"""How probable each hit is, on the page: looked up with the answer, fitted once after the cards are there."""

from collections.abc import Sequence

import streamlit as st

from search.corpus.corpus import Corpus
from search.evaluation.rankings.parts import PartsOnce
from search.evaluation.relevance.fit_relevance import fit_missing_relevance
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Failed
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.retrieval.columns import SearchColumn
from search.retrieval.dense import DenseRetriever
from search.retrieval.relevance.judge import Judge, find_judges
from search.retrieval.sparse import BM25Retriever
from ui import cache, failures
from ui.comparing import actions
from ui.comparing.sides import Board

_AFTER = 1.5  # Seconds: whoever asks one question after another is not held up.
_WAITING, _DONE = "waiting", "done"


def judges(
    project: Project, columns: Sequence[SearchColumn], manifest: Manifest
) -> list[Judge | None]:
    """What judges each column; None where nothing was fitted yet."""
    return find_judges(project, columns, manifest, lambda: cache.bm25(project, manifest))


def sentence(board: Board) -> str:
    """What to say where a column finds nothing that answers; empty where each may have something."""
    lines: dict[str, list[str]] = {}
    for side, result in zip(board.sides, board.results, strict=True):
        if result.relevance is not None and result.relevance.line:
            lines.setdefault(result.relevance.line, []).append(side.spoken)
    said = [
        f"{line}."
        if len(sides) == len(board.sides)
        else f"{line}, {' and '.join(sides)} would say."
        for line, sides in lines.items()
    ]
    return " ".join(said)


def prepare(
    project: Project, columns: Sequence[SearchColumn], manifest: Manifest, board: Board
) -> None:
    """Fit what was not fitted yet, once in a session, when the cards stand; the page is drawn again with it.

    An element of no height. A person who asks the next question is served first.
    """
    if all(result.relevance is not None for result in board.results):
        return
    try:
        sources = [project.newest(kind) for kind in ("pairs", "queries")]
    except Failed:
        return  # What is damaged hides itself only; the page of the project says so.
    ids = [manifest.id, *(one.id for one in sources if one is not None)]
    key = f"relevance-{'-'.join(ids)}-{[column.name for column in columns]}"
    if st.session_state.get(key) != _DONE:
        with st.container(key="relevance"):
            _fit(project, [column.name for column in columns], manifest, key)


@st.fragment(run_every=_AFTER)
@failures.guarded
def _fit(project: Project, names: Sequence[str], manifest: Manifest, key: str) -> None:
    if st.session_state.get(key) is None:  # With the page itself, which is not held up.
        st.session_state[key] = _WAITING
        return
    if actions.is_explaining():  # The page is drawn again with it, which closes what is being read.
        return
    element = st.empty()

    def heard(
        done: float, total: float, message: str, metrics: dict[str, float] | None = None
    ) -> None:
        """Whoever asks meanwhile is heard where an element is touched; then this is begun again."""
        element.empty()

    try:
        opened = _Opened(project, manifest)
        fit_missing_relevance(project, names, heard, opened)
    except Exception:
        st.session_state[key] = _DONE  # It would fail again.
        raise
    st.session_state[key] = _DONE
    st.rerun()


class _Opened(PartsOnce):
    """The parts of retrievers that all sessions share."""

    def __init__(self, project: Project, manifest: Manifest) -> None:
        super().__init__(project, manifest, Corpus.of(project, manifest))
        self._shared = cache.CachedParts(project, manifest)

    def dense(self, info: ModelInfo, progress: Progress = silent) -> DenseRetriever:
        """See `RetrieverParts.dense`."""
        return self._shared.dense(info, progress)

    def bm25(self, progress: Progress = silent) -> BM25Retriever:
        """See `RetrieverParts.bm25`."""
        return self._shared.bm25(progress)
