"""Which kinds of mined pairs help: each is left out once, and the dev queries of the other kinds are asked.

Every kind helps its own queries, which says nothing: they are made like what was trained on. A kind that makes
the queries of the others harder to find teaches a habit of its own, and is left out. An adapter learns in
seconds from vectors that are computed once, so it stands for the other recipes here.
"""

from dataclasses import dataclass

import numpy as np

from search.corpus.corpus import current_corpus
from search.corpus.labels import query_id
from search.evaluation.leakage import Guarded, texts_of
from search.evaluation.significance import paired_test
from search.models.load import load_encoder
from search.models.registry import GENERIC, find_model
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from training.adapter.fit import measure_of, train_adapter
from training.adapter.settings import AdapterSettings
from training.data.pair_sets import split_pairs
from training.dev_set import DevSet
from training.embeddings import Embedded, document_vectors, embedded
from training.synthetic.draw import SyntheticPairs
from training.training_data import TrainingData
from training.weight_interpolation import SHRUNKEN, between_matrices

PAIRS = 500
"""Of a kind, for learning its weight."""
_LEAST = 20
_SETTINGS = AdapterSettings(epochs=5, negatives="corpus")


@dataclass(frozen=True)
class LearnedWeights:
    """The weight of each kind (0 or 1), and in words what was left out and why."""

    weights: dict[str, float]
    notes: list[str]


def learned_weights(
    project: Project, synthetic: SyntheticPairs, progress: Progress = silent
) -> LearnedWeights:
    """Weights of the kinds of mined pairs, learned on a part of their pairs with the generic model.

    :raises Refused: where the kinds give too few pairs to hold some out.
    """
    manifest, corpus = current_corpus(project)
    pairs = [pair for found in synthetic.kinds for pair in found.pairs[:PAIRS]]
    documents = {p.document for p in pairs if p.document is not None}
    split = split_pairs(pairs, hold_test=False, texts=texts_of(corpus, documents))
    dev = DevSet.of(corpus, split.dev)
    material = TrainingData(manifest, corpus, Guarded(split.train, 0, 0), dev, {}, True)
    info = find_model(project, GENERIC)
    base = load_encoder(project, info)
    vectors, _ = document_vectors(project, GENERIC, base, material, Stage(progress, 0.0, 0.3))
    data = embedded(base, info, material, vectors, Stage(progress, 0.3, 0.7))
    kind_of = {query_id(pair.query): pair.mined for pair in pairs}
    asked = [kind_of[query] for query in sorted(dev.query_set.queries)]
    kinds = sorted({pair.mined for pair in split.train})
    everything = _scores(data, dev)
    weights, notes = dict.fromkeys(kinds, 1.0), []
    for number, kind in enumerate(kinds):
        progress(0.7 + 0.3 * number / len(kinds), 1, f"training without {kind}")
        positions = [n for n, pair in enumerate(split.train) if pair.mined != kind]
        others = [n for n, of in enumerate(asked) if of != kind]
        if len(positions) < _LEAST or len(others) < _LEAST:
            continue
        without = _scores(data.only(positions), dev)
        test = paired_test(kind, "without", everything[others].tolist(), without[others].tolist())
        if test.verdict == "better":
            weights[kind] = 0.0
            notes.append(
                f"{kind}: left out. Without it, {len(others):,} dev queries of the other kinds are found better "
                f"({test.delta:+.3f} nDCG@10, p = {test.p_value:.3f})."
            )
    if not notes:
        notes.append("No kind of mined pair makes the others harder to find: all are used.")
    return LearnedWeights(weights, notes)


def _scores(data: Embedded, dev: DevSet) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """nDCG@10 of each dev query after a short training, as far as mined pairs are followed."""
    found = train_adapter(data, dev, _SETTINGS, silent)
    matrix = between_matrices(found.matrix, SHRUNKEN / max(found.blend, SHRUNKEN))
    return np.asarray(measure_of(data, dev, _SETTINGS.side)(matrix))
