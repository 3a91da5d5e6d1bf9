"""The recipes "word2vec" and "fasttext", from a request to a published model."""

import time
from typing import Any

from search.corpus.corpus import current_corpus
from search.models.registry import generic_info
from search.models.word_vectors import WordVectors
from search.projects.artifacts import Manifest
from search.projects.progress import silent
from search.projects.project import Project
from search.retrieval.indexing.build import find_index
from training.data.pair_sets import PairSet
from training.dev_set import DevSet, generic_dev
from training.publish import describe
from training.result import GENERIC_DEV, Request, Trained
from training.word_vectors.settings import WordVectorSettings
from training.word_vectors.training import train_word_vectors

_SCORE = "dev ndcg@10"


def make_word_vectors(request: Request) -> Trained:
    """Train word vectors on the documents alone and publish them.

    :raises Refused: when there is no corpus, or nothing in it to learn.
    """
    project, settings = request.project, request.settings
    assert isinstance(settings, WordVectorSettings)
    epochs = settings.epochs
    corpus_manifest, corpus = current_corpus(project)
    pairs = project.newest("pairs")
    dev = None if pairs is None else _dev_set(project, pairs)
    asked = {"pairs": pairs.id} if dev is not None and pairs is not None else {}
    kept = request.resumable({"corpus": corpus_manifest.id, **asked})

    def after_epoch(epoch: int, vectors: WordVectors) -> dict[str, float]:
        if dev is None or (epoch % max(1, epochs // 5) and epoch != epochs):
            return {}
        return {"epoch": epoch, _SCORE: dev.ndcg(vectors)}

    vectors, ended = train_word_vectors(corpus, settings, request.progress, after_epoch, kept)
    scores = [one.metrics[_SCORE] for one in ended if one.metrics]
    generic = None if dev is None else _generic_dev(project, corpus_manifest, dev)
    notes = [_against(scores[-1], generic)] if generic is not None else []
    with project.publish("models", {"corpus": corpus_manifest.id}) as draft:
        vectors.save(draft.folder)
        describe(draft, request, vectors.dimension, "word-vectors")
        draft.details.update(
            origin="from scratch, on the documents alone",
            words=len(vectors.words),
            dev=_record(dev, scores, generic) if dev else None,
            device="cpu",
            seconds=round(time.monotonic() - request.started, 1),
            notes=notes,
        )
    request.checkpointer.clear()
    return Trained(request.name, draft.id, notes)


def _dev_set(project: Project, pairs: Manifest) -> DevSet | None:
    """The dev queries of a project, if it has any with an answer in the corpus."""
    _, corpus = current_corpus(project)
    dev = DevSet.of(corpus, PairSet.load(project, pairs).dev)
    return dev if dev.query_set.queries else None


def _generic_dev(project: Project, corpus: Manifest, dev: DevSet) -> float | None:
    """The generic model's dev score, where the documents are encoded already; elsewhere that takes longer than this."""
    if find_index(project, generic_info(project), corpus) is None:
        return None
    return generic_dev(project, dev, silent)


def _record(dev: DevSet, scores: list[float], generic: float | None) -> dict[str, Any]:
    stands = {} if generic is None else {GENERIC_DEV: generic}
    return {"queries": len(dev.query_set.queries), "ndcg@10": scores, **stands}


def _against(own: float, generic: float) -> str:
    """There is no start to be better than: the generic model is what it is held against."""
    said = "" if own > generic else " Keep to that one for searching."
    return f"On the dev queries it scores {own:.3f} nDCG@10, the generic model {generic:.3f}.{said}"
