"""Make what ships with the samples anew.

    BESPOKE_HOME=$(mktemp -d) python -m training.samples.shipped.make

Each sample is brought in, encoded and trained on by the recipe "adapter", as anybody would. That takes some minutes a sample.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.models.encoding.index_vectors import vectors_of
from search.models.encoding.texts import encode_texts
from search.models.linear_adapter import read_matrix
from search.models.load import load_encoder
from search.models.registry import GENERIC, find_model
from search.models.window import TRUNCATION
from search.projects.project import Project, project_to_be
from search.retrieval.indexing.build import index_model
from training.samples import SAMPLES, bring_in
from training.samples.shipped import FOLDER, write
from training.train import train

_SHOWN = 3


def make(project: Project, key: str, folder: Path) -> None:
    """Train on a sample in a project that does not exist yet, and write what ships with it."""
    bring_in(project, SAMPLES[key])
    index_model(project, GENERIC)
    train(project, "adapter", SAMPLES[key].model)
    write_from(project, key, folder)


def write_from(project: Project, key: str, folder: Path) -> None:
    """Write what ships with a sample out of a project that has it, the index of its generic model and its trained model."""
    _, corpus = current_corpus(project)
    queries = project.newest("queries")
    assert queries is not None
    generic = find_model(project, GENERIC)
    encoder = load_encoder(project, generic)
    query_set = QuerySet.load(project, queries)
    asked = list(query_set.queries.values())
    index = index_model(project, GENERIC, rebuild=False)
    texts = [*corpus.embedded_texts(0, corpus.passages), *asked]
    vectors = np.vstack(
        [vectors_of(project, index), encode_texts(encoder, generic, asked, "query")]
    )
    each = {text: row for row, text in enumerate(texts)}
    (trained,) = project.manifests("models")
    details = {**trained.details, "name": SAMPLES[key].model}
    matrix = read_matrix(project.folder_of(trained))
    sides = {"generic": vectors, "custom": normalised(vectors @ matrix.T)}
    said = {
        "model": details,
        TRUNCATION: index.details[TRUNCATION],
        "picture": _picture(corpus, query_set, sides, SAMPLES[key].examples),
    }
    write(folder, list(each), vectors[list(each.values())], matrix, said)


def _picture(
    corpus: Corpus, asked: QuerySet, sides: dict[str, Vectors], examples: Sequence[str]
) -> dict[str, Any]:
    """The example whose answer only the custom model has first, with the first titles of either side.

    :param sides: vectors of the documents (each one passage) and then of the test queries.
    """
    place = {document: position for position, document in enumerate(corpus.ids())}
    best: dict[str, Any] = {}
    for row, (identity, text) in enumerate(asked.queries.items()):
        if text not in examples:
            continue
        answers = [place[document] for document in asked.relevant(identity)]
        made: dict[str, Any] = {"question": text}
        for side, vectors in sides.items():
            scores = vectors[: len(place)] @ vectors[len(place) + row]
            order = np.argsort(-scores, kind="stable").tolist()
            titles = [document.title for document in corpus.documents_at(order[:_SHOWN])]
            rank = 1 + min(order.index(answer) for answer in answers)
            made[side] = {"titles": titles, "rank": rank}
        far = made["generic"]["rank"] if made["custom"]["rank"] == 1 else 0
        if not best or far > best["generic"]["rank"]:
            best = made
    return best


if __name__ == "__main__":
    for one in SAMPLES:
        make(project_to_be(f"{one} to ship"), one, FOLDER / one)
