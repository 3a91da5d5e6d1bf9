"""Indexes of a corpus as models see it: encoded once, what is known already is not encoded again.

An index is an artifact and never changes. Where a new version of a corpus has much in common with the last, its index is
made out of that one's, in a fraction of the time: what went is taken out, what came is put in.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.opening import build, open_index
from indexes.vector_index import (
    AUTO,
    ENOUGH_QUESTIONS,
    FAISS,
    FLAT_BYTES,
    BadVectors,
    BrokenIndex,
    IndexFacts,
    IndexPlan,
    Positions,
    Vectors,
)
from search.corpus.corpus import Corpus, current_corpus
from search.models.encoder import Encoder
from search.models.encoding.corpus import corpus_vectors
from search.models.load import load_encoder
from search.models.registry import ModelInfo, documents_model, find_model
from search.models.window import TRUNCATION, truncation_of
from search.projects.artifacts import Manifest
from search.projects.errors import Failed
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.indexing.servers import built_for, nothing_left, published, reachable

if TYPE_CHECKING:
    from search.models.encoding.ray import RayEncoding

_WORN = 0.2
_MOST_QUESTIONS = 1_000


def find_index(project: Project, info: ModelInfo, corpus: Manifest) -> Manifest | None:
    """The newest index of a corpus as a model sees it, or None; a model that turns queries only has its start's."""
    identity, fingerprint = info.indexed_as
    made_so = {"fingerprint": fingerprint}
    return project.newest_where("indexes", made_so, corpus=corpus.id, model=identity)


def index_model(
    project: Project,
    name: str,
    rebuild: bool = True,
    progress: Progress = silent,
    plan: IndexPlan = IndexPlan(),
    max_tokens: int | None = None,
    with_ray: bool = False,
    questions: Sequence[str] = (),
) -> Manifest:
    """Build the index of a model over the newest corpus; of one that turns queries only, the index of its start.

    :param rebuild: build it even when there is one.
    :param plan: what kind of index is wanted.
    :param max_tokens: the most tokens to send, where a server embeds; None for the model's own cap.
    :param with_ray: encode on a Ray cluster.
    :param questions: that people ask of the documents; an approximate index is tuned by them.
    :raises Refused: for an unknown model, or a project without documents.
    """
    manifest, corpus = current_corpus(project)
    info = documents_model(project, find_model(project, name))
    existing = None if rebuild else find_index(project, info, manifest)
    if existing is not None:
        return existing
    encoder = load_encoder(project, info, max_tokens)
    if not with_ray:
        return build_index(
            project, info, encoder, manifest, corpus, progress, plan, questions=questions
        )
    from search.models.encoding.ray import ray_encoding

    plan = reachable(project, plan, corpus.passages, info.dimension)
    progress(0, 0, "connecting to Ray")
    with ray_encoding(encoder) as cluster:
        return build_index(
            project, info, encoder, manifest, corpus, progress, plan, cluster, questions
        )


def build_index(
    project: Project,
    info: ModelInfo,
    encoder: Encoder,
    manifest: Manifest,
    corpus: Corpus,
    progress: Progress = silent,
    plan: IndexPlan = IndexPlan(),
    elsewhere: "RayEncoding | None" = None,
    questions: Sequence[str] = (),
) -> Manifest:
    """Encode every passage of a corpus and publish an index of the vectors.

    A passage that stood, word for word, in an earlier version of the corpus is not encoded again, and where the
    type of the index allows it, the index of that version is changed instead of a new one built.

    :param plan: what kind of index is wanted.
    :param elsewhere: a cluster that encodes instead of this machine.
    :param questions: that people ask of the documents; an approximate index is tuned by them.
    """
    started = time.monotonic()
    if info.documents_as is not None:
        info = documents_model(project, info)
        encoder = load_encoder(project, info)
    plan = reachable(project, plan, corpus.passages, info.dimension)
    encoding, building = Stage(progress, 0.0, 0.9), Stage(progress, 0.9, 1.0)
    encoded = corpus_vectors(project, info, encoder, manifest, corpus, encoding, elsewhere)
    vectors, how = encoded.vectors, _with_truncation(encoded.facts, info, encoder, corpus)
    if len(questions) >= ENOUGH_QUESTIONS and vectors.nbytes > FLAT_BYTES:
        plan = replace(plan, questions=encoder.encode_query(questions[:_MOST_QUESTIONS]))
    made_from = {"corpus": manifest.id, "model": info.id}
    built: dict[str, Any] = {}
    with nothing_left(project, built), project.publish("indexes", made_from) as draft:
        try:
            with built_for(project, plan, draft) as wanted:
                facts = from_earlier(
                    project, info, manifest, corpus, plan, vectors, draft.folder, building
                ) or build(vectors, wanted, draft.folder, building)
        except BadVectors as error:
            raise Failed(f"The model {info.name!r} cannot index this corpus: {error}.") from error
        except OSError as error:
            raise Failed(
                f"The index of {info.name!r} could not be written: {error.strerror or error}. Nothing was "
                "changed. Free some space on the disk of the workspace and build it again."
            ) from error
        built.update(facts.details())
        draft.details.update(
            model=info.name,
            fingerprint=info.fingerprint,
            reused=encoded.reused,
            bytes=_size(draft.folder),
            seconds=round(time.monotonic() - started, 2),
            **how,
            **facts.details(),
        )
    made = project.artifact("indexes", draft.id)
    published(project, made)
    progress(1, 1, f"{len(vectors):,} passages indexed for {info.name}")
    return made


def _with_truncation(
    facts: dict[str, Any], info: ModelInfo, encoder: Encoder, corpus: Corpus
) -> dict[str, Any]:
    """What is told of an encoding, with what the model does not read of the passages."""
    cut = truncation_of(encoder, corpus)
    if cut is None:
        return facts
    encoding = dict(facts.get("encoding", {}))
    if cut.is_short:
        encoding["notes"] = [*encoding.get("notes", []), cut.sentence(info.name)]
    return {**facts, "encoding": encoding, TRUNCATION: cut.as_json()}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def from_earlier(
    project: Project,
    info: ModelInfo,
    manifest: Manifest,
    corpus: Corpus,
    plan: IndexPlan,
    vectors: Vectors,
    folder: Path,
    progress: Progress,
) -> IndexFacts | None:
    """Write the index of a corpus into a folder, out of that of an earlier version as the same model sees it.

    :param vectors: of all passages, by position.
    :returns: None where nothing is written: there is no such index, it is of another type than the plan
        asks for, or it is better built anew.
    """
    if plan.engine != FAISS:
        return None  # A server's index is filled anew, so that one swap replaces the other.
    for index in project.all_where("indexes", {"fingerprint": info.fingerprint}, model=info.id):
        details, made = index.details, index.made_from
        if made["corpus"] == manifest.id or not _as_planned(details, plan):
            return None  # It was asked for anew, or otherwise.
        try:
            old = Corpus.of(project, project.artifact("corpora", made["corpus"]))
            opened = open_index(project.checked(index), details)
        except (Failed, BrokenIndex):
            continue  # A version that was deleted or damaged; it would only have saved time.
        origins = origins_of(list(old.embedded_keys()), list(corpus.embedded_keys()))
        return opened.write_changed(vectors, origins, folder, progress, plan.questions)
    return None


def origins_of(old: Sequence[bytes], new: Sequence[bytes]) -> Positions:
    """For each new key the position of the same old key, no position twice, or -1: shape (new,)."""
    places: dict[bytes, list[int]] = {}
    for position in range(len(old) - 1, -1, -1):
        places.setdefault(old[position], []).append(position)
    found = (places[key].pop() if places.get(key) else -1 for key in new)
    return np.fromiter(found, dtype=np.int64, count=len(new))


def worn(details: dict[str, Any]) -> bool:
    """Whether so much of what an index was built of has changed that it is worth building anew."""
    figures = details.get("figures", {})
    return bool(max(figures.get("removed", 0.0), figures.get("changed", 0.0)) > _WORN)


def _as_planned(details: dict[str, Any], plan: IndexPlan) -> bool:
    same = plan.type in (AUTO, details["type"]) and details["engine"] == plan.engine
    return bool(same and details["figures"].get("target") == plan.target_recall)
