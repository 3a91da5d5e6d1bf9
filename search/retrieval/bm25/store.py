"""Keyword indexes as artifacts: built once for a corpus, found again, opened."""

import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from search.corpus.corpus import Corpus
from search.models.registry import KEYWORD
from search.projects.artifacts import Manifest
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.tokenizer import Analysis, analysis_for

MADE_SO = "bm25/4"  # Another number when texts become other terms or scores: older indexes are built again.
_WINDOW = 128


def find_keyword_index(project: Project, corpus: Manifest) -> Manifest | None:
    """The keyword index of a corpus, or None."""
    made_so = {"fingerprint": MADE_SO}
    return project.newest_where("indexes", made_so, corpus=corpus.id, model=KEYWORD)


def build_keyword_index(
    project: Project, manifest: Manifest, corpus: Corpus, progress: Progress = silent
) -> Manifest:
    """Index the words of every passage of a corpus, and publish the index."""
    started = time.monotonic()
    analysis = analysis_for(corpus)
    message = f"indexing the words of {corpus.passages:,} passages"

    def texts() -> Iterator[str]:
        for start in range(0, corpus.passages, _WINDOW):
            progress(start, corpus.passages, message)
            yield from corpus.embedded_texts(start, start + _WINDOW)

    with project.publish("indexes", {"corpus": manifest.id, "model": KEYWORD}) as draft:
        terms = build(texts(), analysis, draft.folder)
        draft.details.update(
            model=KEYWORD,
            fingerprint=MADE_SO,
            engine=KEYWORD,
            type=KEYWORD,
            passages=corpus.passages,
            terms=terms,
            stop_words=analysis.stop_words,
            stems=analysis.stems,
            bytes=sum(path.stat().st_size for path in draft.folder.iterdir()),
            seconds=round(time.monotonic() - started, 2),
        )
    progress(1, 1, f"{terms:,} words indexed")
    return project.artifact("indexes", draft.id)


def keyword_index(
    project: Project, manifest: Manifest, corpus: Corpus, progress: Progress = silent
) -> TermIndex:
    """The keyword index of a corpus, opened; built first when missing."""
    index = find_keyword_index(project, manifest)
    if index is None:
        index = build_keyword_index(project, manifest, corpus, progress)
    return open_keyword_index(project, index)


def open_keyword_index(project: Project, index: Manifest) -> TermIndex:
    """A keyword index that was built, checked to be whole.

    :raises Damaged: when it is damaged.
    """
    facts = index.details
    analysis = Analysis(tuple(facts["stop_words"]), tuple(facts["stems"]))
    return _opened(project.checked(index), analysis, facts["passages"])


@lru_cache(maxsize=8)
def _opened(folder: Path, analysis: Analysis, count: int) -> TermIndex:
    """An index never changes under its id, so it is opened once (that is, mapped into memory)."""
    return TermIndex.load(folder, analysis, count)
