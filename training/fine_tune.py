"""Fine-tuning a SentenceTransformer on pairs with MultipleNegativesRankingLoss.

The loss (Henderson et al. 2017, "Efficient Natural Language Response Suggestion for Smart Reply") takes, for
each query, the other answers of its batch as wrong ones; batches without duplicates keep right ones out of
them. A pair with hard negatives is one row for each of them, and the negatives of a batch join the wrong
answers of all its queries. The dev score is measured before training and after each epoch, and the best
state is kept, which may be the untouched start.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexes.vector_index import BadVectors
from search.encoders import best_device
from search.progress import Progress
from search.readers.pairs import Pair
from search.ready_made.checkpoints import longest
from training.dev import START, DevSet
from training.distributed import alone, helps_only, trainer_arguments, whole_batch
from training.recipes.fine_tune import FineTune

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_FORWARD_AND_BACKWARD = 3.0
# They print every logged loss to stdout, and gather facts for a model card that is not written.
_UNWANTED_CALLBACKS = (
    "PrinterCallback",
    "SentenceTransformerModelCardCallback",
    "ModelCardCallback",
)


@dataclass(frozen=True)
class Tuned:
    """What a training run ended with: dev scores by epoch (0 is the start), and the one kept."""

    dev_scores: list[float]
    kept_epoch: int
    steps: int

    @property
    def kept(self) -> str:
        """In words: "start" or "epoch 2"."""
        return START if self.kept_epoch == 0 else f"epoch {self.kept_epoch}"


def fine_tune(
    model: "SentenceTransformer",
    pairs: Sequence[Pair],
    dev: DevSet,
    settings: FineTune,
    scratch: Path,
    progress: Progress,
) -> Tuned:
    """Train `model` in place; it ends as the state with the best dev score.

    :param model: the start.
    :param pairs: what to learn from, kept apart from dev and test by the caller.
    :param dev: what to steer by.
    :param scratch: a folder for the trainer's own files.
    :param progress: told after every step.

    In a process that only helps (see `training.distributed`), nothing is measured and no state is chosen.
    """
    from sentence_transformers import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.losses import MultipleNegativesRankingLoss
    from sentence_transformers.training_args import BatchSamplers

    rows = _rows(pairs)
    batch = whole_batch(settings.batch_size, max(len(columns[0]) for columns in rows.values()))
    steps = sum(_steps(len(columns[0]), batch) for columns in rows.values()) * settings.epochs
    work = _Work(dev, rows, settings, steps, progress)
    whole_length = longest(model)
    best = _Best(model, dev, work, whole_length)
    if not helps_only():
        best.measure(0)
    if whole_length is not None:
        model.max_seq_length = min(settings.sequence_length, whole_length)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=batch,
        learning_rate=settings.learning_rate,
        warmup_steps=round(steps * settings.warmup),
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        seed=settings.seed,
        data_seed=settings.seed,
        use_cpu=best_device() == "cpu",
        save_strategy="no",
        eval_strategy="no",
        logging_strategy="steps",
        logging_steps=max(1, steps // 200),
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        prompts=_prompts(model),
        **trainer_arguments(best_device()),
    )
    # No card is written from it; a list that is not empty keeps the trainer from drawing a bar for one.
    model.model_card_data.widget = ["none"]
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=_datasets(rows),
        loss=MultipleNegativesRankingLoss(model, gather_across_devices=not alone()),
        callbacks=[_callback(best, work, settings)],
    )
    for talkative in list(trainer.callback_handler.callbacks):
        if type(talkative).__name__ in _UNWANTED_CALLBACKS:
            trainer.remove_callback(talkative)
    trainer.train()
    if whole_length is not None:
        model.max_seq_length = whole_length
    if not helps_only():
        best.restore()
    return Tuned(best.scores, best.epoch, work.steps_done)


def _prompts(model: "SentenceTransformer") -> dict[str, str] | None:
    """What the model is told before a query and a document, by the columns of the training data."""
    query = model.prompts.get("query") or ""
    document = next(filter(None, map(model.prompts.get, ("document", "passage", "corpus"))), "")
    if not query and not document:
        return None
    return {"anchor": query, "positive": document, "negative": document}


def _steps(rows: int, batch: int) -> int:
    """How many steps an epoch takes; processes that share batches leave out what does not fill one."""
    return math.ceil(rows / batch) if alone() else rows // batch


_Rows = dict[str, list[list[str]]]
"""A name to the columns anchor, positive and, for triplets, negative."""


def _rows(pairs: Sequence[Pair]) -> _Rows:
    """What to train on: pairs without negatives, and the others as one triplet for each negative."""
    plain = [(p.query, p.response) for p in pairs if not p.negatives]
    triplets = [(p.query, p.response, negative) for p in pairs for negative in p.negatives]
    named: dict[str, Sequence[tuple[str, ...]]] = {"pairs": plain, "triplets": triplets}
    return {
        name: [list(column) for column in zip(*rows, strict=True)]
        for name, rows in named.items()
        if rows
    }


def _datasets(rows: _Rows) -> Any:
    """The rows as the trainer wants them; with two kinds, each batch is of one kind, in proportion."""
    from datasets import Dataset, DatasetDict

    names = ("anchor", "positive", "negative")
    made = {
        name: Dataset.from_dict(dict(zip(names, columns, strict=False)))
        for name, columns in rows.items()
    }
    return DatasetDict(made) if len(made) > 1 else next(iter(made.values()))


class _Work:
    """Progress in units of time: characters encoded, a training step counting its backward pass."""

    def __init__(
        self, dev: DevSet, rows: _Rows, settings: FineTune, steps: int, progress: Progress
    ) -> None:
        # A word piece is about four characters; what is cut off costs nothing.
        longest = settings.sequence_length * 4
        columns = [column for columns in rows.values() for column in columns]
        characters = sum(min(len(text), longest) for column in columns for text in column)
        self._measure = float(dev.characters) + 1
        self._step = _FORWARD_AND_BACKWARD * characters * settings.epochs / steps + 1
        self._total = self._measure * (settings.epochs + 1) + self._step * steps
        self._measured = 0.0
        self._progress = progress
        self.steps = steps
        self.steps_done = 0

    def measuring(self, share: float, epoch: int) -> None:
        """A dev measurement has come this far."""
        name = "before training" if epoch == 0 else f"after epoch {epoch}"
        self._report(share, f"measuring the dev score {name}")

    def measured(self, epoch: int, ndcg: float) -> None:
        """A dev measurement is done."""
        self._measured += self._measure
        self._report(0, f"dev nDCG@10 {ndcg:.3f}", {"epoch": epoch, "dev ndcg@10": ndcg})

    def stepped(self, step: int, message: str, loss: float | None) -> None:
        """A training step is done."""
        self.steps_done = step
        metrics = None if loss is None else {"step": float(step), "loss": loss}
        self._report(0, message, metrics)

    def _report(self, share: float, message: str, metrics: dict[str, float] | None = None) -> None:
        done = self._measured + share * self._measure + self.steps_done * self._step
        self._progress(min(done, self._total), self._total, message, metrics)


class _Best:
    """Keeps a copy of the weights with the best dev score."""

    def __init__(
        self, model: "SentenceTransformer", dev: DevSet, work: _Work, length: int | None
    ) -> None:
        self._model = model
        self._dev = dev
        self._work = work
        self._length = length
        self._weights: dict[str, Any] = {}
        self.scores: list[float] = []
        self.epoch = 0

    def measure(self, epoch: int) -> None:
        """Measure the model as it stands; remember it when it is better than all before."""
        training, length = self._model.training, longest(self._model)
        self._model.eval()
        if self._length is not None:
            self._model.max_seq_length = self._length
        try:
            ndcg = self._dev.ndcg(self._model, lambda share: self._work.measuring(share, epoch))
        except BadVectors:
            ndcg = 0.0  # The training diverged: its vectors are no numbers any more.
        if length is not None:
            self._model.max_seq_length = length
        self._model.train(training)
        if not self.scores or ndcg > max(self.scores):
            self.epoch = epoch
            self._weights = {
                name: tensor.detach().clone() for name, tensor in self._model.state_dict().items()
            }
        self.scores.append(ndcg)
        self._work.measured(epoch, ndcg)

    def restore(self) -> None:
        """Put the best weights back."""
        self._model.load_state_dict(self._weights)
        self._model.eval()


def _callback(best: _Best, work: _Work, settings: FineTune) -> Any:
    """A trainer callback; made in a function because its base class is imported late."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc,unused-ignore]
        """Tells progress after each step and measures after each epoch."""

        loss: float | None = None

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                self.loss = float(logs["loss"])
                work.stepped(state.global_step, _message(state.epoch), self.loss)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            work.stepped(state.global_step, _message(state.epoch), None)

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if not helps_only():
                best.measure(round(state.epoch))

    def _message(epoch: float) -> str:
        return f"epoch {min(math.floor(epoch) + 1, settings.epochs)} of {settings.epochs}"

    return Watch()
