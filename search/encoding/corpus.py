"""Vectors of a whole corpus as a model sees it: what is known already is not encoded again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from indexes.opening import stored_vectors
from indexes.vector_index import BrokenIndex, Vectors
from search.adapters import derived_vectors
from search.corpus import Corpus
from search.encoders import Encoder, Metered
from search.errors import Failed
from search.models import ModelInfo
from search.progress import Progress, silent
from search.workspace import Manifest, Project

_WINDOW = 4096
_CHUNK = 64


@dataclass(frozen=True)
class Encoded:
    """Vectors of all passages of a corpus, by position: shape (passages, dimension).

    `reused` of them needed no encoding. `facts` are what an index's manifest tells of the encoding.
    """

    vectors: Vectors
    reused: int
    facts: dict[str, Any] = field(default_factory=dict)


def corpus_vectors(
    project: Project,
    info: ModelInfo,
    encoder: Encoder,
    manifest: Manifest,
    corpus: Corpus,
    progress: Progress = silent,
) -> Encoded:
    """Vectors of a corpus by the shortest way: a matrix product for an adapter whose base is indexed, what is
    known already, and for the rest the encoder.

    :raises Failed: when the model gives vectors of another shape than it says.
    """
    derived = derived_vectors(project, info, encoder, manifest)
    if derived is not None:
        return Encoded(derived, 0)
    earlier = _earlier_vectors(project, info, manifest, corpus)
    if isinstance(encoder, Metered):
        encoder.admit(_unknown_texts(corpus, earlier))
    return Encoded(encode_corpus(encoder, corpus, info, progress, earlier), len(earlier))


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


def _unknown_texts(corpus: Corpus, known: Mapping[int, Vectors]) -> Iterator[str]:
    """What a model would see of all passages that have no vector yet."""
    for start in range(0, corpus.passages, _WINDOW):
        stop = min(start + _WINDOW, corpus.passages)
        for position, text in enumerate(corpus.embedded_texts(start, stop), start):
            if position not in known:
                yield text


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
            vectors = stored_vectors(project.checked(index))
        except (Failed, BrokenIndex):
            continue  # A version that was deleted or damaged; it would only have saved time.
        places = {key: position for position, key in enumerate(old.embedded_keys())}
        now = enumerate(corpus.embedded_keys())
        return {position: vectors[places[key]] for position, key in now if key in places}
    return {}
