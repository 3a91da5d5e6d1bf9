"""A workspace with every kind of file, made once: two corpora, models of several kinds, all that is derived, votes."""

import json
from pathlib import Path

from search.corpus.ingest import add_documents
from search.evaluation.evaluate import evaluate
from search.insight import vector_cache
from search.insight.map import draw_map
from search.insight.vocabulary import vocabulary_of
from search.judging.store import JudgmentStore, Question
from search.judging.votes import Judgment
from search.models.cross_encoders import add_reranker
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.registry import find_model
from search.projects.artifacts import Manifest
from search.projects.progress import silent
from search.projects.project import Project, project_to_be
from search.projects.run_recorder import recorded
from search.retrieval.history import remember
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.train import train

NAME, OTHER = "lab", "other"
QUERY = "what helps against velkorin in the hand"


def make(beir: Path, tiny_model: Path, cross_encoder: Path, documents: Path) -> None:
    """Fill the workspace."""
    project = project_to_be(NAME)
    import_beir(project, beir)
    documents.write_text(json.dumps({"_id": "late", "text": "Frost and velkorin, again."}) + "\n")
    with recorded(project, ["add", NAME, str(documents)], silent) as run:
        add_documents(project, [documents], progress=run)
        run(1, 2, "half", {"loss": 0.5})
    train(project, "word2vec", "words", {"epochs": 2})
    add_model(project, str(tiny_model), Choices(name="small"))
    for model in ("words", "small"):
        index_model(project, model)
    evaluate(project, ["words", "bm25"])
    add_reranker(project, str(cross_encoder), "reader")
    vocabulary_of(project, _newest(project))
    draw_map(project, ["words", "small"])
    with project.publish("reports", {"corpus": _newest(project).id}, report="of a test", score=0.5):
        pass
    _vectors(project)
    _votes(project)
    remember(project, QUERY)
    import_beir(project_to_be(OTHER), beir)


def _newest(project: Project) -> Manifest:
    newest = project.newest("corpora")
    assert newest is not None
    return newest


def _vectors(project: Project) -> None:
    info = find_model(project, "words")
    texts = [f"frost {n}" for n in range(vector_cache.SOON + 1)]
    encoder = load_encoder(project, info)
    vector_cache.cached_vectors(project, info, "words", texts, encoder, "query")


def _votes(project: Project) -> None:
    store = JudgmentStore.of(project)
    store.join("Anna")
    store.ask([Question("q1", QUERY, "typed")])
    for n in range(5):
        store.add([Judgment("Anna", f"q{n}", "vote", "words|bm25", "first")])
