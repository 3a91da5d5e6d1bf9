"""The recipe "fine-tune", from a request to a published model."""

import tempfile
from pathlib import Path

from search.adapted import AdaptedEncoder
from search.encoders import best_device
from search.endpoint.encoder import EndpointEncoder
from search.errors import Refused
from training.distributed import helps_only, together
from training.fine_tune import fine_tune
from training.forgetting import general_ndcg
from training.making.publishing import DevRecord, publish_taught
from training.making.request import Request, Trained
from training.making.starts import start_of
from training.material import gather
from training.nearest import answering_passages
from training.recipes.fine_tune import FineTune


def make_fine_tuned(request: Request) -> Trained | None:
    """Fine-tune a SentenceTransformer and publish it.

    :returns: None in a process that only helped (see `training.distributed`).
    :raises Refused: when data is missing, or the base has no weights here.
    """
    project, settings, progress = request.project, request.settings, request.progress
    assert isinstance(settings, FineTune)
    progress(0, 0, "keeping training and test apart")
    material = gather(project)
    progress(0, 0, f"loading {settings.base} on {best_device()}")
    model = start_of(project, settings.base)
    if isinstance(model, AdaptedEncoder | EndpointEncoder):
        raise Refused(
            f"{settings.base!r} is computed by a server, so its weights are not here to be tuned. Train an "
            f"adapter on it: python cli.py train {project.name} --recipe adapter --set base={settings.base}."
        )
    pairs = answering_passages(material.guarded.pairs, material.corpus)
    knew = 0.0 if helps_only() else general_ndcg(model)
    with tempfile.TemporaryDirectory(prefix="bespoke-trainer-") as scratch, together():
        tuned = fine_tune(model, pairs, material.dev, settings, Path(scratch), progress)
    if helps_only():
        return None
    dev = DevRecord(tuned.dev_scores, tuned.kept)
    return publish_taught(request, settings.base, model, material, dev, knew)
