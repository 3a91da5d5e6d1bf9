"""Indexes of a corpus as models see it: encoded once, what is known already is not encoded again."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from indexes.faiss_index import FaissFlatIndex
from indexes.vector_index import BadVectors, BrokenIndex, Vectors
from search.adapters import derived_vectors
from search.corpus import Corpus, current_corpus
from search.encoders import Encoder, load_encoder
from search.errors import Failed
from search.models import ModelInfo, find_model
from search.progress import Progress, silent
from search.workspace import Manifest, Project

_WINDOW = 4096
_CHUNK = 64


def find_index(project: Project, info: ModelInfo, corpus: Manifest) -> Manifest | None:
    """The newest index of a corpus as a model sees it, or None."""
    wanted = {"corpus": corpus.id, "model": info.id}
    for manifest in reversed(project.manifests("indexes")):
        if manifest.made_from == wanted and manifest.details["fingerprint"] == info.fingerprint:
            return manifest
    return None


def index_model(
    project: Project, name: str, rebuild: bool = True, progress: Progress = silent
) -> Manifest:
    """Build the index of a model over the newest corpus.

    :param rebuild: build it even when there is one.
    :raises Refused: for an unknown model, or a project without documents.
    """
    manifest, corpus = current_corpus(project)
    info = find_model(project, name)
    existing = None if rebuild else find_index(project, info, manifest)
    if existing is not None:
        return existing
    return build_index(project, info, load_encoder(project, info), manifest, corpus, progress)


def build_index(
    project: Project,
    info: ModelInfo,
    encoder: Encoder,
    manifest: Manifest,
    corpus: Corpus,
    progress: Progress = silent,
) -> Manifest:
    """Encode every passage of a corpus and publish an exact FAISS index of the vectors.

    A passage that stood, word for word, in an earlier version of the corpus is not encoded again.
    """
    started = time.monotonic()
    vectors = derived_vectors(project, info, encoder, manifest)
    reused = 0
    if vectors is None:
        earlier = _earlier_vectors(project, info, manifest, corpus)
        reused = len(earlier)
        vectors = encode_corpus(encoder, corpus, info, progress, earlier)
    made_from = {"corpus": manifest.id, "model": info.id}
    with project.publish("indexes", made_from) as draft:
        try:
            FaissFlatIndex.from_vectors(vectors).save(draft.folder)
        except BadVectors as error:
            raise Failed(f"The model {info.name!r} cannot index this corpus: {error}.") from error
        draft.details.update(
            model=info.name,
            fingerprint=info.fingerprint,
            engine="faiss",
            type="flat",
            vectors=len(vectors),
            reused=reused,
            dimension=info.dimension,
            bytes=_size(draft.folder),
            seconds=round(time.monotonic() - started, 2),
            without_words=int((~vectors.any(axis=1)).sum()),
        )
    progress(1, 1, f"{len(vectors):,} passages indexed for {info.name}")
    return project.artifact("indexes", draft.id)


def encode_corpus(
    encoder: Encoder,
    corpus: Corpus,
    info: ModelInfo,
    progress: Progress = silent,
    known: Mapping[int, Vectors] = MappingProxyType({}),
) -> Vectors:
    """Vectors of all passages, by position: shape (passages, dimension).

    :param known: vectors that need no encoding, by position.
    """
    vectors = np.zeros((corpus.passages, info.dimension), dtype=np.float32)
    for position, vector in known.items():
        vectors[position] = vector
    total, done = corpus.passages - len(known), 0
    message = f"indexing {total:,} passages with {info.name}"
    if known:
        message += f" ({len(known):,} are known from an earlier version)"
    progress(0, max(total, 1), message)
    for start in range(0, corpus.passages, _WINDOW):
        window = range(start, min(start + _WINDOW, corpus.passages))
        places = [position for position in window if position not in known]
        if not places:
            continue
        texts = corpus.embedded_texts(window.start, window.stop)
        # Texts of like length together: a batch is padded to its longest, and padding is work for nothing.
        places.sort(key=lambda position: -len(texts[position - start]))
        for chunk in (places[at : at + _CHUNK] for at in range(0, len(places), _CHUNK)):
            encoded = encoder.encode_document([texts[position - start] for position in chunk])
            array = np.asarray(encoded, dtype=np.float32)
            if array.shape != (len(chunk), info.dimension):
                raise Failed(
                    f"The model {info.name!r} gave vectors of shape {array.shape} instead of "
                    f"({len(chunk)}, {info.dimension})."
                )
            vectors[chunk] = array
            done += len(chunk)
            progress(done, total, message)
    return vectors


def _earlier_vectors(
    project: Project, info: ModelInfo, manifest: Manifest, corpus: Corpus
) -> dict[int, Vectors]:
    """Vectors of passages that an index of an earlier version of the corpus holds, by position now."""
    for index in reversed(project.manifests("indexes")):
        made = index.made_from
        if index.details["fingerprint"] != info.fingerprint or made["model"] != info.id:
            continue
        if made["corpus"] == manifest.id:
            continue
        try:
            old = Corpus.of(project, project.artifact("corpora", made["corpus"]))
            vectors = FaissFlatIndex.load(project.checked(index)).vectors
        except (Failed, BrokenIndex):
            continue  # A version that was deleted or damaged; it would only have saved time.
        places = {key: position for position, key in enumerate(old.embedded_keys())}
        now = enumerate(corpus.embedded_keys())
        return {position: vectors[places[key]] for position, key in now if key in places}
    return {}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
