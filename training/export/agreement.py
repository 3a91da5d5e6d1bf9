"""An export that was loaded again, held against the model on texts of the corpus."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.corpus.corpus import Corpus
from search.evaluation.query_sets.general import general_questions
from search.models.encoder import Encoder
from search.models.encoding.backends.probe import neighbours_shared
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from training.export.formats import FULL, Precision
from training.similarity_cost import dev_of

TEXTS = 200
LOWEST_COSINE = 0.9999
"""In full precision. Below it vectors of the two may not stand in one index."""
_QUERIES = 50
_POOL = 1_000
_SAID = 80
_NOTHING = 1e-12


@dataclass(frozen=True)
class Agreement:
    """How an export agrees with the model: cosines over `texts` texts, the share of each text's ten nearest that stay its
    ten nearest, and dev nDCG@10 of both (`model` and `export`, over `queries` dev queries), where precision is lower.

    >>> Agreement(200, 0.99997, 0.99999, 1.0).sentence
    'Loaded again and held against the model on 200 texts: cosine 0.99997 at least (mean 0.99999), 100.0 % of the ten nearest stay.'
    """

    texts: int
    lowest: float
    mean: float
    overlap: float
    model: float | None = None
    export: float | None = None
    queries: int = 0
    of: str = ""

    @property
    def sentence(self) -> str:
        """What a person should know."""
        said = (
            f"Loaded again and held against the model on {self.texts} texts{self.of}: cosine {self.lowest:.5f} at least "
            f"(mean {self.mean:.5f}), {100 * self.overlap:.1f} % of the ten nearest stay."
        )
        if self.model is None or self.export is None:
            return said
        return (
            f"{said} nDCG@10 on {self.queries:,} dev queries: {self.export:.4f}, the model {self.model:.4f} "
            f"({self.export - self.model:+.4f})."
        )


def held_against(
    project: Project,
    model: Encoder,
    export: Encoder,
    precision: Precision,
    progress: Progress,
) -> Agreement:
    """Compare what an export gives with what the model gives: 200 texts as documents, every fourth as a query, too.

    :raises Refused: in full precision, naming the first text on which they differ.
    """
    names, texts, of = _texts(project)
    progress(0.1, 1, f"comparing {len(texts)} texts")
    documents = normalised(np.asarray(model.encode_document(texts), dtype=np.float32))
    given = _of_export(export.encode_document(texts))
    progress(0.5, 1, f"comparing {len(texts)} texts")
    asked = texts[:: max(1, len(texts) // _QUERIES)]
    queries = normalised(np.asarray(model.encode_query(asked), dtype=np.float32))
    given_queries = _of_export(export.encode_query(asked))
    cosines = np.concatenate([_cosines(documents, given), _cosines(queries, given_queries)])
    if precision == FULL and cosines.min() < LOWEST_COSINE:
        first = int(np.argmax(cosines < LOWEST_COSINE))
        side = "document" if first < len(texts) else "query"
        name = names[first] if first < len(texts) else "a text of the corpus"
        text = [*texts, *asked][first]
        raise Refused(
            f"The export was not written, because it is not the same model: of {name}, read as a {side}, it makes a vector with "
            f"cosine {cosines[first]:.4f} to the model's. The text begins: {_beginning(text)!r}. "
            "A sentence-transformers folder holds this model as it is."
        )
    agreed = Agreement(
        len(texts),
        float(cosines.min()),
        float(cosines.mean()),
        neighbours_shared(np.nan_to_num(given), documents),
        of=of,
    )
    if precision == FULL:
        return agreed
    return _on_dev_queries(project, model, export, agreed, Stage(progress, 0.6, 1.0))


def _on_dev_queries(
    project: Project, model: Encoder, export: Encoder, agreed: Agreement, progress: Progress
) -> Agreement:
    dev = dev_of(project) if project.newest("corpora") else None
    if dev is None:
        return agreed
    dev = dev.narrowed(_POOL)
    scores = []
    for number, encoder in enumerate((model, export)):

        def tick(share: float, start: float = number / 2) -> None:
            progress(start + share / 2, 1, "asking the dev queries")

        scores.append(dev.ndcg_of_vectors(*dev.vectors(encoder, tick)))
    asked = len(dev.query_set.queries)
    return replace(agreed, model=scores[0], export=scores[1], queries=asked)


def _texts(project: Project) -> tuple[list[str], list[str], str]:
    """Names and texts of passages spread evenly over the corpus; general answers where there is none."""
    manifest = project.newest("corpora")
    if manifest is None:
        answers = [answer for _, answer in general_questions()]
        return [f"text {number}" for number in range(len(answers))], answers, " that are not yours"
    corpus = Corpus.of(project, manifest)
    count = corpus.passages
    positions = sorted({int(p) for p in np.linspace(0, count - 1, min(TEXTS, count))})
    ids = corpus.ids()
    names = [f"the document {ids[owner]!r}" for owner in corpus.owners[positions]]
    return names, corpus.embedded_at(positions), " of the corpus"


def _of_export(vectors: Any) -> Vectors:
    """What an export gives, at length 1; what is no number agrees with nothing."""
    rows = np.asarray(vectors, dtype=np.float32)
    wrong = ~np.isfinite(rows).all(axis=1)
    unit: Vectors = normalised(np.nan_to_num(rows))
    unit[wrong] = np.nan
    return unit


def _cosines(model: Vectors, export: Vectors) -> Vectors:
    """The cosine of each pair of rows of length 1; of two texts without a vector 1."""
    if model.shape != export.shape:
        raise Refused(
            f"The export was not written, because its vectors have {export.shape[1]} dimensions instead of {model.shape[1]}."
        )
    cosines: Vectors = np.einsum("nd,nd->n", model, export)
    neither = (np.abs(model).max(axis=1) < _NOTHING) & (np.abs(export).max(axis=1) < _NOTHING)
    cosines[neither] = 1.0
    cosines[np.isnan(cosines)] = -1.0
    return cosines


def _beginning(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SAID else words[: _SAID - 1] + "…"
