"""Fine-tuning once more, from all pairs, as far as a first training was found to go: nothing is measured, nothing chosen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.corpus.labels import Pair
from search.projects.progress import Progress
from training.checkpoints import Checkpointer
from training.dev_set import DevSet
from training.fine_tune.batches import Batches, rows_of
from training.fine_tune.engines import engine_of
from training.fine_tune.loop import take_steps
from training.fine_tune.schedule import ALL, EarlyStopping, Meter, Schedule, Work
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.weights import TrainableWeights, weights_of
from training.refit_plan import PlannedStep
from training.weight_interpolation import between

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def refit_weights(
    model: "SentenceTransformer",
    pairs: Sequence[Pair],
    settings: FineTuneSettings,
    step: PlannedStep,
    unread: DevSet,
    progress: Progress,
    checkpointer: Checkpointer,
) -> None:
    """Train `model` in place, so many steps, and go the share of the way that the first training went.

    :param unread: the dev set of the first training: its size is what a schedule begins with, and nothing is asked of it.
    """
    if not step.updates:  # Of several members most had kept their start.
        return
    rows = rows_of(pairs, max(settings.hard_negatives, 1))
    batches = Batches(rows, settings.batch_size, settings.seed, 1)
    plan = Schedule(unread, rows, settings, len(batches.epoch(0)))
    plan.until(step.updates, step.planned)
    work = Work(plan, 0, progress)
    start, length = weights_of(model), Meter(model, unread, settings, work)
    learned = TrainableWeights(model, settings)
    engine = engine_of(model, settings, checkpointer.folder)
    learned.freeze(engine.frozen)
    last = EarlyStopping(learned, lambda what, epoch: {ALL: 0.0}, plan)
    length.read(min(settings.sequence_length, length.length) if length.length else None)
    try:
        take_steps(
            learned, engine, batches, plan, settings, last, work, checkpointer, lambda: False
        )
    finally:
        length.read(length.length)
    learned.put(last.best)
    learned.plain()
    if step.share < 1:
        model.load_state_dict(between(start, weights_of(model), step.share))
