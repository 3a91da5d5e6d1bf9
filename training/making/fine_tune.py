"""The recipe "fine-tune", from a request to a published model."""

from search.adapted import AdaptedEncoder
from search.encoders import best_device
from search.endpoint.encoder import EndpointEncoder
from search.errors import Refused
from training.distributed import helps_only, together
from training.fine_tune.tuning import Tuned, fine_tune
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
    :raises Refused: when data is missing, the base has no weights here, or settings do not go with it.
    """
    project, settings, progress = request.project, request.settings, request.progress
    assert isinstance(settings, FineTune)
    progress(0, 0, "keeping training and test apart")
    material = gather(project)
    device = best_device()
    progress(0, 0, f"loading {settings.base} on {device}")
    model = start_of(project, settings.base)
    if isinstance(model, AdaptedEncoder | EndpointEncoder):
        raise Refused(
            f"{settings.base!r} is computed by a server, so its weights are not here to be tuned. Train an "
            f"adapter on it: python cli.py train {project.name} --recipe adapter --set base={settings.base}."
        )
    pairs = answering_passages(material.guarded.pairs, material.corpus)
    knew = 0.0 if helps_only() else general_ndcg(model)
    kept = request.resumable(material.made_from)
    with together(device):
        tuned = fine_tune(model, pairs, material.dev, settings, progress, kept)
    if tuned is None:
        return None
    return publish_taught(request, settings.base, model, material, _record(tuned), knew)


def _record(tuned: Tuned) -> DevRecord:
    """What the dev queries said, for the manifest and for people."""
    details = {
        "epochs": tuned.epochs,
        "steps": tuned.steps,
        "stopped_early": tuned.stopped,
        "blends": {f"{share:g}": score for share, score in tuned.blends.items()},
        "dimensions": {
            str(size): {"start": start, "model": model}
            for size, (start, model) in tuned.dimensions.items()
        },
    }
    notes = []
    if tuned.stopped:
        notes.append(
            f"It stopped after {tuned.epochs[-1]:g} epochs, because the dev score did not rise any more."
        )
    if tuned.share < 1 and tuned.kept_epoch:
        notes.append(
            f"A blend is published: {tuned.share:.0%} of the way from the start to what was trained scored best "
            f"on the dev queries ({tuned.blends[tuned.share]:.3f} nDCG@10; all of the way, {tuned.blends[1.0]:.3f})."
        )
    for size, (start, model) in tuned.dimensions.items():
        notes.append(
            f"Cut to {size} numbers, its vectors score {model:.3f} nDCG@10 on the dev queries, the start's {start:.3f}."
        )
    best = tuned.blends.get(tuned.share, 0.0)
    scores = [*tuned.dev_scores, best] if best > max(tuned.dev_scores) else tuned.dev_scores
    return DevRecord(scores, tuned.kept, details, notes)
