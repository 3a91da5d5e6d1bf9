"""What ships with a sample, so that it opens side by side at once: a trained adapter, and vectors in eight bits.

The vectors are the generic model's, of all documents and test queries. Of eight bits a row (the largest number of a row is
127 steps) keep a cosine above .9999 to what they were made from, which is what the embedding store asks of any backend, and
what is made is held against when it is written. Where the generic model is another version, or a text is not among them,
nothing of this is used, and the sample is encoded as any other corpus.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.opening import build
from indexes.vector_index import IndexPlan, Vectors, normalised
from search.corpus.corpus import Corpus, current_corpus, embedded_key
from search.corpus.labels import Pair
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.models.encoder import Encoder
from search.models.encoding.backends.probe import LOWEST_COSINE
from search.models.encoding.cache import EmbeddingStore, store_key
from search.models.encoding.texts import seen_by
from search.models.linear_adapter import ADAPTER_BASE, read_matrix, write_matrix
from search.models.prompts import Role
from search.models.registry import ModelInfo, find_model
from search.models.window import TRUNCATION
from search.projects.artifacts import Kind, Manifest
from search.projects.errors import Failed
from search.projects.files import write_atomically
from search.projects.project import Project
from search.retrieval.indexing.servers import reachable
from training.data.pair_sets import write_pairs

FOLDER = Path(__file__).parent
"""Where the files are: a folder for each sample, by its key."""
_VECTORS = "vectors.safetensors"
_MODEL = "model.json"
_STEPS = 127
_ROLES: tuple[Role, ...] = ("document", "query")


@dataclass(frozen=True)
class Shipped:
    """What ships with a sample.

    `texts` are the hashes of texts (`corpus.embedded_key`), `vectors` theirs, shape (texts, dimension), of length 1. `details`
    is what the manifest of the model says, `truncation` what the generic model does not read of the documents,
    `picture` a question with the first titles that either side has for it and the rank of the right one.
    """

    folder: Path
    texts: list[bytes]
    vectors: Vectors
    details: dict[str, Any]
    truncation: dict[str, Any]
    picture: dict[str, Any]

    @classmethod
    def of(cls, key: str, folder: Path = FOLDER) -> "Shipped":
        """What ships with a sample of this key."""
        from safetensors.numpy import load_file

        own = folder / key
        read = load_file(own / _VECTORS)
        vectors = read["vectors"].astype(np.float32) * read["scales"][:, None]
        said = json.loads((own / _MODEL).read_text(encoding="utf-8"))
        texts = [row.tobytes() for row in read["texts"]]
        return cls(
            own, texts, normalised(vectors), said["model"], said[TRUNCATION], said["picture"]
        )

    def fits(self, info: ModelInfo, corpus: Corpus) -> bool:
        """Whether the vectors are those of a model, and all of a corpus are there."""
        is_model = info.fingerprint == self.details[ADAPTER_BASE]["fingerprint"]
        return is_model and set(corpus.embedded_keys()) <= set(self.texts)

    def publish(self, project: Project, generic: ModelInfo, pairs: Sequence[Pair]) -> str:
        """Publish the model, and the indexes of both models; returns the model's name. No model is loaded for it.

        :param pairs: what it was trained on.
        """
        kinds: dict[str, Kind] = {"corpus": "corpora", "pairs": "pairs", "queries": "queries"}
        newest = {part: project.newest(kind) for part, kind in kinds.items()}
        made_from = {part: manifest.id for part, manifest in newest.items() if manifest is not None}
        matrix, name = read_matrix(self.folder), str(self.details["name"])
        with project.publish("models", made_from, **self.details) as draft:
            fingerprint = self.details[ADAPTER_BASE]["fingerprint"]
            write_matrix(draft.folder, matrix, {"fingerprint": fingerprint, "side": "both"})
            write_pairs(draft.folder / TRAINED_ON, pairs)
        manifest, corpus = current_corpus(project)
        row = {text: number for number, text in enumerate(self.texts)}
        vectors = self.vectors[[row[text] for text in corpus.embedded_keys()]]
        _publish_index(project, generic, manifest, vectors, self.truncation)
        turned = normalised(vectors @ matrix.T)
        _publish_index(project, find_model(project, name), manifest, turned, self.truncation)
        return name

    def into_store(self, info: ModelInfo, encoder: Encoder) -> None:
        """Let the embedding store know the vectors, as of documents and of queries."""
        with EmbeddingStore.of(info.fingerprint, info.dimension) as store:
            for salt in {seen_by(encoder, role) for role in _ROLES}:
                store.note_view(salt)
                keys = [store_key(text, salt) for text in self.texts]
                missing = np.flatnonzero(~store.fill(keys, np.empty_like(self.vectors)))
                store.add([keys[row] for row in missing], self.vectors[missing])


def _publish_index(
    project: Project,
    info: ModelInfo,
    corpus: Manifest,
    vectors: Vectors,
    truncation: Mapping[str, Any],
) -> None:
    plan = reachable(project, IndexPlan(), *vectors.shape)
    with project.publish("indexes", {"corpus": corpus.id, "model": info.id}) as draft:
        facts = build(vectors, plan, draft.folder)
        draft.details.update(
            model=info.name,
            fingerprint=info.fingerprint,
            reused=len(vectors),
            encoding={},
            bytes=sum(path.stat().st_size for path in draft.folder.iterdir()),
            **{TRUNCATION: dict(truncation)},
            **facts.details(),
        )


def write(
    folder: Path, texts: Sequence[str], vectors: Vectors, matrix: Vectors, said: Mapping[str, Any]
) -> None:
    """Write what ships with a sample into a folder.

    :param texts: documents and test queries; `vectors` are the generic model's of them, `matrix` the adapter's.
    :param said: what the manifest of the adapter says, what is not read of the documents, and a picture.
    :raises Failed: where eight bits are too few for a text.
    """
    from safetensors.numpy import save_file

    scales = (np.abs(vectors).max(axis=1) / _STEPS).astype(np.float32)
    rows = np.rint(vectors / scales[:, None]).astype(np.int8)
    cosines = np.einsum("nd,nd->n", normalised(rows.astype(np.float32)), normalised(vectors))
    if cosines.min() < LOWEST_COSINE:
        raise Failed(f"Eight bits keep a cosine of {cosines.min():.6f} only.")
    folder.mkdir(parents=True, exist_ok=True)
    keys = np.frombuffer(b"".join(map(embedded_key, texts)), dtype=np.uint8)
    save_file(
        {"texts": keys.reshape(len(texts), -1), "vectors": rows, "scales": scales},
        folder / _VECTORS,
    )
    write_matrix(folder, matrix)
    write_atomically(folder / _MODEL, json.dumps(said, indent=1) + "\n")
