"""The recipes "word2vec" and "fasttext", from a request to a published model."""

import time

from search.corpus import current_corpus
from search.word_vectors import WordVectors
from search.workspace import Project
from training.dev import DevSet
from training.making.publishing import describe
from training.making.request import Request, Trained
from training.pairs import PairSet
from training.recipes.word_vectors import WordVectorRecipe
from training.word_vectors import train_word_vectors


def make_word_vectors(request: Request) -> Trained:
    """Train word vectors on the documents alone and publish them.

    :raises Refused: when there is no corpus, or nothing in it to learn.
    """
    project, settings = request.project, request.settings
    assert isinstance(settings, WordVectorRecipe)
    epochs = settings.epochs
    corpus_manifest, corpus = current_corpus(project)
    dev = _dev_set(project)
    scores: list[float] = []

    def after_epoch(epoch: int, vectors: WordVectors) -> dict[str, float]:
        if dev is None or (epoch % max(1, epochs // 5) and epoch != epochs):
            return {}
        scores.append(dev.ndcg(vectors))
        return {"epoch": epoch, "dev ndcg@10": scores[-1]}

    vectors = train_word_vectors(corpus, settings, request.progress, after_epoch)
    with project.publish("models", {"corpus": corpus_manifest.id}) as draft:
        vectors.save(draft.folder)
        describe(draft, request, vectors.dimension, "word-vectors")
        draft.details.update(
            origin="from scratch, on the documents alone",
            words=len(vectors.words),
            dev={"queries": len(dev.query_set.queries), "ndcg@10": scores} if dev else None,
            device="cpu",
            seconds=round(time.monotonic() - request.started, 1),
            notes=[],
        )
    return Trained(request.name, draft.id, [])


def _dev_set(project: Project) -> DevSet | None:
    """The dev queries of a project, if it has any with an answer in the corpus."""
    manifest = project.newest("pairs")
    if manifest is None:
        return None
    _, corpus = current_corpus(project)
    dev = DevSet.of(corpus, PairSet.load(project, manifest).dev)
    return dev if dev.query_set.queries else None
