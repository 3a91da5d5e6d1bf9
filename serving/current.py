"""What answers now, and what takes its part: a newer version of the documents, or a new winner.

A request takes what answers when it begins and goes on with that to its end, so none is dropped when something newer takes
over; and the newer one is whole (model loaded, index open) before it does.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from search.corpus.corpus import Corpus, current_corpus
from search.models.cross_encoders import Reranker, find_reranker, load_reranker
from search.models.registry import KEYWORD, ModelInfo, find_model, models
from search.projects.artifacts import Kind, Manifest
from search.projects.errors import BespokeError, Failed, Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.runs import OVER, start
from search.projects.unexpected import unexpected
from search.retrieval.bm25.store import find_keyword_index, keyword_index, open_keyword_index
from search.retrieval.dense import DenseRetriever
from search.retrieval.fitted import fitted_fusion
from search.retrieval.fusion import Fusion
from search.retrieval.indexing.build import find_index, index_model
from search.retrieval.search import open_dense
from search.retrieval.sparse import BM25Retriever
from serving.models import Models, Recent
from serving.winner import Verdict, verdicts, winner

_LOG = logging.getLogger(__name__)
_RETRIEVERS = 8
_LOOK_EVERY = 1.0
_KINDS: tuple[Kind, ...] = ("corpora", "models", "evaluations", "rerankers", "indexes")

Builder = Callable[[str, Callable[[], bool]], None]
"""Sees that there is an index of the newest documents: by the name of its model, and whether it is there."""


@dataclass(frozen=True)
class ServedParts:
    """The parts of retrievers over one version of the documents, each opened once (see `RetrieverParts`).

    Nothing is built for a request: what is not indexed yet is refused with the command that does it.
    """

    project: Project
    manifest: Manifest
    corpus: Corpus
    models: Models
    opened: Recent[DenseRetriever] = field(default_factory=lambda: Recent(_RETRIEVERS))

    def dense(self, info: ModelInfo, _progress: Progress = silent) -> DenseRetriever:
        """See `RetrieverParts.dense`.

        :raises Refused: where these documents are not indexed with this model.
        """
        index = find_index(self.project, info, self.manifest)
        if index is None:
            raise Refused(
                f"The newest documents are not indexed with {info.name!r} yet: python cli.py index {self.project.name} "
                f"--model {info.name}."
            )
        model = self.models.get(info)
        return self.opened.get(
            f"{index.id} {info.id}",
            lambda: open_dense(self.project, info, model.encoder, index, self.corpus),
        )

    def bm25(self, _progress: Progress = silent) -> BM25Retriever:
        """See `RetrieverParts.bm25`.

        :raises Refused: where the words of these documents are not indexed.
        """
        index = find_keyword_index(self.project, self.manifest)
        if index is None:
            raise Refused(
                f"The words of the newest documents are not indexed yet: python cli.py index {self.project.name} --model "
                f"{KEYWORD}."
            )
        return BM25Retriever(self.corpus, open_keyword_index(self.project, index))

    def reranker(self, name: str) -> Reranker:
        """See `RetrieverParts.reranker`."""
        return load_reranker(self.project, find_reranker(self.project, name))

    def fusion(self, info: ModelInfo) -> Fusion:
        """See `RetrieverParts.fusion`.

        :raises Refused: where they were not weighed yet.
        """
        return fitted_fusion(self.project, info, self.manifest).fusion


@dataclass(frozen=True)
class Snapshot:
    """What answers: the documents, the model where a request names none, all models by name, and what was measured.

    `parts` is None for a project without documents: its models embed, and nothing is searched.
    """

    model: ModelInfo
    models: dict[str, ModelInfo]
    verdicts: dict[str, Verdict]
    parts: ServedParts | None
    seen: tuple[Any, ...]
    since: float = field(default_factory=time.time)

    @property
    def corpus(self) -> str | None:
        """The id of the version of the documents that is searched."""
        return None if self.parts is None else self.parts.manifest.id

    def verdict_on(self, column: str) -> dict[str, Any] | None:
        """What was measured of a column last; of a model that was trained once more, of the one that it came from."""
        info = self.models.get(column)
        came_from = [m.name for m in self.models.values() if info and m.id == info.refit_of]
        found = self.verdicts.get(column) or next(
            (self.verdicts[name] for name in came_from if name in self.verdicts), None
        )
        return None if found is None else found.as_json(self.corpus)


class Current:
    """What answers now, looked after by a thread of its own.

    :param wanted: the name of the model that answers where a request names none; None for the winner.
    :param took_over: is told when something newer took over.
    :raises Refused: for a model that the project does not have.
    """

    def __init__(
        self,
        project: Project,
        loaded: Models,
        wanted: str | None = None,
        took_over: Callable[[], None] = lambda: None,
    ) -> None:
        self.project = project
        self.behind = ""
        self._models = loaded
        self._wanted = wanted
        self._took_over = took_over
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="takeover", daemon=True)
        self._snapshot: Snapshot | None = None
        self._in_vain: tuple[Any, ...] | None = None

    @property
    def snapshot(self) -> Snapshot:
        """What answers now."""
        assert self._snapshot is not None, "begin comes first"
        return self._snapshot

    def begin(self, progress: Progress = silent) -> None:
        """Make what answers first, indexes that are missing included, and look for newer from now on."""
        self._snapshot = self._made(self._seen(), self._build_here(progress))
        self._thread.start()

    def stop(self) -> None:
        """Look for nothing any more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> bool:
        """Let something newer take over, if there is any; what answers goes on where that fails.

        :returns: whether it did.
        """
        try:
            seen = self._seen()
            if seen in (self.snapshot.seen, self._in_vain):
                return False
            self._in_vain = seen
            made = self._made(seen, self._build_elsewhere)
        except BespokeError as error:
            self.behind = str(error)
        except Exception as error:
            self.behind = str(unexpected(error, what="Taking over"))
        else:
            other = (made.corpus, made.model.id) != (self.snapshot.corpus, self.snapshot.model.id)
            self._snapshot, self.behind, self._in_vain = made, "", None
            if other:
                self._took_over()
            return other
        _LOG.warning("%s", self.behind)
        return False

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_EVERY):
            self.refresh()

    def _seen(self) -> tuple[Any, ...]:
        """What tells whether anything is newer: a look that costs little."""
        newest = [self.project.newest(kind) for kind in _KINDS]
        info = self.project.info
        ids = [manifest and manifest.id for manifest in newest]
        return (*ids, info.generic, repr(info.model_names))

    def _made(self, seen: tuple[Any, ...], build: Builder) -> Snapshot:
        measured = verdicts(self.project)
        wanted = self._wanted
        model = find_model(self.project, wanted) if wanted else winner(self.project, measured)
        self._models.get(model)
        parts = self._parts(model, build)
        known = {info.name: info for info in models(self.project)}
        return Snapshot(model, {**known, model.name: model}, measured, parts, seen)

    def _parts(self, model: ModelInfo, build: Builder) -> ServedParts | None:
        if self.project.newest("corpora") is None:
            return None
        manifest, corpus = current_corpus(self.project)
        before = None if self._snapshot is None else self._snapshot.parts
        parts = ServedParts(self.project, manifest, corpus, self._models)
        if before is not None and before.manifest.id == manifest.id:
            parts = before
        build(model.name, lambda: find_index(self.project, model, manifest) is not None)
        build(KEYWORD, lambda: find_keyword_index(self.project, manifest) is not None)
        parts.dense(model)
        parts.bm25()
        return parts

    def _build_here(self, progress: Progress) -> Builder:
        """Builds an index that is missing in this process: nobody asks it anything yet."""

        def build(name: str, is_there: Callable[[], bool]) -> None:
            if is_there():
                return
            if name == KEYWORD:
                keyword_index(self.project, *current_corpus(self.project), progress)
            else:
                index_model(self.project, name, rebuild=False, progress=progress)

        return build

    def _build_elsewhere(self, name: str, is_there: Callable[[], bool]) -> None:
        """Builds an index that is missing by a command of its own: this process answers meanwhile.

        :raises Failed: where that ended without one.
        """
        if is_there():
            return
        run = start(self.project, ["index", self.project.name, "--model", name])
        while (status := run.status).state not in OVER:
            if self._stop.wait(_LOOK_EVERY / 4):
                with suppress(BespokeError):
                    run.cancel()
                raise Failed("This server is about to stop.")
        if not is_there():
            raise Failed(status.error or f"Indexing with {name!r} ended as {status.state}.")
