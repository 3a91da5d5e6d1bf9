"""Hard negatives for an adapter: places in the corpus, whose vectors are at hand."""

from dataclasses import replace

import numpy as np

from search.projects.progress import Progress
from search.projects.project import Project
from search.retrieval.bm25.store import keyword_index
from training.adapter.settings import AdapterSettings
from training.data.hard_negatives import HardNegatives, NegativeSources, mine_hard_negatives
from training.embeddings import Embedded
from training.training_data import TrainingData


def with_hard_negatives(
    project: Project,
    settings: AdapterSettings,
    data: Embedded,
    material: TrainingData,
    progress: Progress,
) -> tuple[Embedded, HardNegatives | None]:
    """The data with hard negatives, by the base's own vectors and by words, where the settings ask for them."""
    if settings.negatives != "mined":
        return data, None
    words = keyword_index(project, material.corpus_manifest, material.corpus)
    sources = NegativeSources(data.queries, data.responses, data.documents, material.corpus, words)
    # What came with the pairs stands beside what is found, and is no part of its number.
    pairs = [replace(pair, negatives=()) for pair in material.guarded.pairs]
    margin, seed = settings.negative_margin, settings.seed
    found = mine_hard_negatives(pairs, sources, settings.hard_negatives, margin, seed, progress)
    most = max(map(len, found.positions), default=0)
    rows = [positions + [-1] * (most - len(positions)) for positions in found.positions]
    return replace(data, mined=np.array(rows, dtype=np.int64).reshape(len(rows), most)), found
