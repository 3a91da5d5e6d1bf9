"""The recipe "adapter", from a request to what it learned."""

from dataclasses import replace

import numpy as np

from search.adapted import ADAPTER_OF
from search.encoders import best_device
from search.models import named
from search.progress import Stage
from training.adapter import Adapted, Embedded, Vectors, train_adapter, with_adapter
from training.dev import DevSet
from training.embedding import document_vectors, embedded
from training.forgetting import general_ndcg
from training.making.request import Request
from training.making.starts import start_of
from training.making.taught import DevRecord, Taught
from training.material import Material
from training.mining.caution import cautious
from training.recipes.adapter import Adapter


def learn_adapter(request: Request, material: Material) -> Taught:
    """Train an adapter.

    :raises Refused: when the base cannot be adapted.
    """
    project, settings, progress = request.project, request.settings, request.progress
    assert isinstance(settings, Adapter)
    progress(0, 0, f"loading {settings.base} on {best_device()}")
    base = start_of(project, settings.base)
    # Shares of the time as measured; where the base has no index yet, its building comes first.
    known, encoded = Stage(progress, 0.0, 0.1), Stage(progress, 0.1, 0.4)
    documents, index = document_vectors(project, settings.base, base, material, known)
    data = embedded(base, named(project, settings.base), material, documents, encoded)
    adapted = train_adapter(data, material.dev, settings, Stage(progress, 0.4, 1.0))
    if material.mined:
        adapted = _careful(adapted, data, material.dev)
    model = with_adapter(base, adapted.matrix)
    dev = DevRecord([adapted.start, adapted.best], adapted.kept)
    facts = {ADAPTER_OF: index.made_from["model"]} if index else {}
    return Taught(settings.base, model, dev, general_ndcg(base), facts)


def _careful(adapted: Adapted, data: Embedded, dev: DevSet) -> Adapted:
    """What was learned from mined pairs, as far as it can be trusted."""
    pool = data.documents[dev.positions]

    def measure(matrix: Vectors) -> list[float]:
        return dev.scores_of_vectors(data.dev_queries @ matrix.T, pool @ matrix.T)

    if adapted.epoch == 0:
        return adapted
    found = cautious(adapted.matrix, adapted.blend, measure)
    if found is None:
        identity = np.eye(len(adapted.matrix), dtype=np.float32)
        return replace(adapted, matrix=identity, best=adapted.start, epoch=0, blend=0.0)
    matrix, blend, score = found
    return replace(adapted, matrix=matrix, best=score, blend=blend)
