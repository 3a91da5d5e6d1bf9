"""The corpus as one model or two see it, on a plane: laid out alike, grouped, named, and what moved between them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors, normalised
from search.corpus.corpus import Corpus, current_corpus
from search.corpus.document import Document
from search.evaluation.query_sets.query_set import QuerySet
from search.insight.clusters import Labels, clustered, match_sentence, matches, typical_terms
from search.insight.projection import LANDMARKS, aligned, laid_out, set_among
from search.insight.vocabulary import content_words
from search.models.encoding.index_vectors import vectors_of
from search.models.load import load_encoder
from search.models.registry import GENERIC, ModelInfo, default_models, find_model
from search.projects.artifacts import Manifest
from search.projects.errors import Damaged, Refused
from search.projects.files import write_json
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.indexing.build import find_index
from search.retrieval.search import retrievers_for
from search.text.sampling import evenly_spaced

MOST_POINTS = 10_000
MOST_QUERIES = 1_000
FEWEST = 3
_VALUES = range(2, 51)
_FILE, _QUERIES = "map.npz", "queries.json"


@dataclass(frozen=True)
class View:
    """How one model sees the documents of a map.

    `coordinates` has shape (n, 2), `groups` shape (n,); `names` are the typical terms of each group. `queries` are the
    coordinates of the held-out queries, shape (q, 2).
    """

    model: str
    coordinates: NDArray[np.float32]
    groups: Labels
    names: tuple[str, ...]
    queries: NDArray[np.float32]


@dataclass(frozen=True)
class Map:
    """Documents on a plane under each model, in the order of `positions` (their positions in the corpus).

    `moved` tells how far each document went from the first model to the second: 1 - cosine after all turns of the
    whole are taken out, from 0 (not at all) to 2; empty for one model. `queries` are ids of held-out queries.
    `matches` are how well groups match metadata, best first: column, and the figure of each model.
    """

    views: tuple[View, ...]
    positions: NDArray[np.int64]
    total: int
    moved: NDArray[np.float32]
    queries: tuple[str, ...]
    matches: tuple[tuple[str, dict[str, float]], ...]

    @property
    def sampled(self) -> bool:
        """Whether only some of the documents are drawn."""
        return len(self.positions) < self.total

    def movers(self, count: int) -> list[int]:
        """The documents (indexes into `positions`) that moved most, first the one that moved most."""
        order = np.argsort(-self.moved, kind="stable")[:count].tolist()
        return [i for i in order if self.moved[i] > 1e-4]

    def sentences(self, titles: dict[str, str]) -> list[str]:
        """How well the groups match metadata, in plain sentences, the telling ones first."""
        return [match_sentence(column, figures, titles) for column, figures in self.matches]


def map_models(project: Project, names: Sequence[str] = ()) -> list[ModelInfo]:
    """The models of a map: one or two. No names: generic and the newest custom model.

    :raises Refused: for an unknown model, or more than two.
    """
    infos = [find_model(project, n) for n in dict.fromkeys(names)] or default_models(project)
    if len(infos) > 2:
        raise Refused("A map shows one model or two side by side: give at most two.")
    return infos


def find_map(project: Project, infos: Sequence[ModelInfo]) -> Manifest | None:
    """The newest map of the newest corpus under these models, with the queries as they are now; or None."""
    corpus = project.newest("corpora")
    if corpus is None:
        return None
    parts = dict.fromkeys(("queries", "model0", "model1")) | _made_from(project, corpus, infos)
    return project.newest_where("maps", **parts)


def draw_map(project: Project, names: Sequence[str] = (), progress: Progress = silent) -> Manifest:
    """Lay out the newest corpus under one model or two, and keep the map as an artifact.

    Of more than 10,000 documents so many are drawn, spread evenly over the corpus. A document is the mean of its
    passages. Indexes that are missing are built first.

    :param names: model names; none means generic and the newest custom model.
    :raises Refused: without documents, or with fewer than three.
    """
    manifest, corpus = current_corpus(project)
    infos = map_models(project, names)
    total = len(corpus)
    if total < FEWEST:
        raise Refused(f"A map needs at least {FEWEST} documents; this corpus has {total}.")
    retrievers_for(project, [info.name for info in infos], Stage(progress, 0.0, 0.3))
    positions = np.array(evenly_spaced(total, MOST_POINTS))
    landmarks = np.array(evenly_spaced(len(positions), LANDMARKS))
    documents = corpus.documents_at(positions.tolist())
    words = content_words([document.embedded for document in documents])
    texts = _queries(project)
    rows = [_documents(project, corpus, manifest, info, positions) for info in infos]
    views: list[View] = []
    for number, (info, vectors) in enumerate(zip(infos, rows, strict=True)):
        stage = Stage(
            progress, 0.3 + 0.65 * number / len(infos), 0.3 + 0.65 * (number + 1) / len(infos)
        )
        stage(0, 3, f"laying out {len(positions):,} documents as {info.name} sees them")
        first = np.asarray(views[0].coordinates, dtype=np.float64) if views else None
        coordinates = laid_out(vectors, landmarks, first)
        if first is not None:
            coordinates = aligned(coordinates, first, scaled=True)
        stage(1, 3, f"finding groups of documents that {info.name} sees as alike")
        groups = clustered(vectors)
        stage(2, 3, f"placing {len(texts):,} held-out queries as {info.name} sees them")
        asked = _asked(project, info, list(texts.values()))
        queries = set_among(asked, vectors, coordinates) if len(asked) else np.zeros((0, 2))
        names_of = tuple(", ".join(terms) or "no words" for terms in typical_terms(words, groups))
        views.append(
            View(
                info.name,
                coordinates.astype(np.float32),
                groups,
                names_of,
                queries.astype(np.float32),
            )
        )
    progress(0.97, 1, "holding the groups against the metadata")
    found = matches({v.model: v.groups for v in views}, few_values(corpus, documents))
    made = Map(
        tuple(views),
        positions.astype(np.int64),
        total,
        _moved(rows),
        tuple(texts),
        tuple(sorted(found.items(), key=lambda item: -max(item[1].values()))),
    )
    published = _publish(project, manifest, infos, made)
    progress(1, 1, "the map is ready")
    return published


def load_map(project: Project, manifest: Manifest) -> Map:
    """Read a map, checked to be whole.

    :raises Damaged: when it cannot be read.
    """
    folder = project.checked(manifest)
    details = manifest.details
    try:
        with np.load(folder / _FILE, allow_pickle=False) as stored:
            views = tuple(
                View(
                    model,
                    stored[f"coordinates{number}"],
                    stored[f"groups{number}"],
                    tuple(details["names"][number]),
                    stored[f"queries{number}"],
                )
                for number, model in enumerate(details["models"])
            )
            positions, moved = stored["positions"], stored["moved"]
    except (OSError, ValueError, KeyError) as error:
        raise Damaged(f"The map {manifest.id} cannot be read: {error}.", folder) from None
    queries = json.loads((folder / _QUERIES).read_text(encoding="utf-8"))
    told = tuple((one["column"], one["figures"]) for one in details["matches"])
    return Map(views, positions, details["total"], moved, tuple(queries), told)


def _made_from(project: Project, corpus: Manifest, infos: Sequence[ModelInfo]) -> dict[str, str]:
    queries = project.newest("queries")
    asked = {"queries": queries.id} if queries else {}
    numbered = {f"model{i}": info.id for i, info in enumerate(infos)}
    return {"corpus": corpus.id, **asked, **numbered}


def _documents(
    project: Project, corpus: Corpus, manifest: Manifest, info: ModelInfo, positions: NDArray[Any]
) -> Vectors:
    """A vector for each document: the mean of its passages, of length 1 (zero where the model knows no word)."""
    index = find_index(project, info, manifest)
    assert index is not None
    vectors = vectors_of(project, index)
    if corpus.passages == len(corpus):
        return np.asarray(vectors[positions], dtype=np.float32)
    sums = np.zeros((len(positions), vectors.shape[1]), dtype=np.float32)
    slots = np.full(len(corpus), -1)
    slots[positions] = np.arange(len(positions))
    wanted = slots[corpus.owners]
    inside = np.flatnonzero(wanted >= 0)
    np.add.at(sums, wanted[inside], np.asarray(vectors[inside], dtype=np.float32))
    return normalised(sums)


def _queries(project: Project) -> dict[str, str]:
    """The held-out queries, by id; of very many some, spread evenly."""
    manifest = project.newest("queries")
    if manifest is None:
        return {}
    texts = QuerySet.load(project, manifest).queries
    ids = sorted(texts)
    return {ids[i]: texts[ids[i]] for i in evenly_spaced(len(ids), MOST_QUERIES)}


def _asked(project: Project, info: ModelInfo, texts: list[str]) -> Vectors:
    if not texts:
        return np.zeros((0, info.dimension), dtype=np.float32)
    encoder = load_encoder(project, info)
    return normalised(np.asarray(encoder.encode_query(texts), dtype=np.float32))


def _moved(rows: Sequence[Vectors]) -> NDArray[np.float32]:
    """How far each document went: 1 - cosine of its two vectors, the second set turned onto the first."""
    if len(rows) < 2:
        return np.zeros(0, dtype=np.float32)
    before, after = (np.asarray(r, dtype=np.float64) for r in rows)
    turned = aligned(after, before)
    fixed = np.pad(before, ((0, 0), (0, turned.shape[1] - before.shape[1])))
    moved: NDArray[np.float32] = (1 - (turned * fixed).sum(axis=1)).astype(np.float32)
    return moved


def few_values(corpus: Corpus, documents: Sequence[Document]) -> dict[str, list[str | None]]:
    """Metadata of which each document may have one of a few values."""
    found: dict[str, list[str | None]] = {}
    for column in corpus.columns():
        values = [document.metadata.get(column.name) or None for document in documents]
        given = {value for value in values if value is not None}
        if len(given) in _VALUES and sum(v is not None for v in values) * 2 >= len(values):
            found[column.name] = values
    return found


def _publish(project: Project, corpus: Manifest, infos: Sequence[ModelInfo], made: Map) -> Manifest:
    arrays: dict[str, Any] = {"positions": made.positions, "moved": made.moved}
    for number, view in enumerate(made.views):
        for part in ("coordinates", "groups", "queries"):
            arrays[f"{part}{number}"] = getattr(view, part)
    with project.publish("maps", _made_from(project, corpus, infos)) as draft:
        np.savez_compressed(draft.folder / _FILE, **arrays)
        write_json(draft.folder / _QUERIES, list(made.queries))
        draft.details.update(
            models=[view.model for view in made.views],
            names=[list(view.names) for view in made.views],
            documents=len(made.positions),
            total=made.total,
            matches=[{"column": c, "figures": f} for c, f in made.matches],
        )
    return project.artifact("maps", draft.id)


def titles_of(infos: Sequence[ModelInfo]) -> dict[str, str]:
    """What people call each model."""
    return {info.name: "Generic" if info.name == GENERIC else info.name for info in infos}
