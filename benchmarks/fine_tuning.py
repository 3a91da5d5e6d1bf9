"""Fine-tuning beside SentenceTransformerTrainer: processor seconds an epoch, and what the dev queries gain by it.

Run it with: python -m benchmarks.fine_tuning --sets ask_cfpb --seeds 1 --frozen 3 0. Both sides learn from the same pairs with the same
loss, batch size, learning rate, warm-up, sequence length and number of epochs, no batch with two rows of one text; both are
measured on the same dev queries before training and after each epoch, and count by the best of these. What is timed is the
processor's time of this process (on a graphics card, the clock's), so that a busy machine does not decide. A row that is in
the results already is not computed again: a run that was stopped goes on, and other --frozen are added.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import empty_workspace, machine, prepared
from indexes.vector_index import Vectors
from search.corpus.labels import Pair
from search.models.encoder import Encoder
from search.models.registry import GENERIC
from search.models.sentence_transformer import best_device
from search.projects.progress import silent
from search.projects.project import project_to_be
from training.base_model import load_trainable_base
from training.data.answering_passages import answering_passages
from training.dev_set import DevSet
from training.fine_tune.loop import fine_tune
from training.fine_tune.settings import FineTuneSettings
from training.training_data import load_training_data

_SETS = ("medquad_small", "ask_cfpb", "medical")
_THEIRS = "SentenceTransformerTrainer"
_ALL = "all sets"
_POOL = 1_000


@dataclass(frozen=True)
class _Timed(DevSet):
    """A dev set that notes the seconds that encoding it took."""

    spent: list[float] = field(default_factory=list)

    def vectors(
        self, encoder: Encoder, tick: Callable[[float], None] = lambda share: None
    ) -> tuple[Vectors, Vectors]:
        started = _clock()
        made = super().vectors(encoder, tick)
        self.spent.append(_clock() - started)
        return made


@dataclass(frozen=True)
class _Row:
    """One training: `scores` on dev before it and after each epoch, seconds of its steps and of its measurements."""

    set: str
    side: str
    seed: int
    pairs: int
    epochs: int
    scores: list[float]
    steps: float
    measuring: float

    @property
    def gain(self) -> float:
        return max(self.scores) - self.scores[0]


def main() -> None:
    """Train what is missing, row by row, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=_SETS, help="data sets and samples")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--frozen", nargs="+", type=int, default=[0], help="frozen layers")
    parser.add_argument("--pairs", type=int, default=100_000, help="at most, drawn by the seed")
    parser.add_argument("--pool", type=int, default=_POOL, help="passages that dev queries search")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=FineTuneSettings().learning_rate)
    parser.add_argument("--results", type=Path, default=Path("dist/fine_tuning.jsonl"))
    chosen = parser.parse_args()
    sides = {_THEIRS: 0} | {_side(frozen): frozen for frozen in chosen.frozen}
    rows = _read(chosen.results)
    chosen.results.parent.mkdir(parents=True, exist_ok=True)
    with empty_workspace():
        for name in chosen.sets:
            for seed in chosen.seeds:
                settings = FineTuneSettings(
                    seed=seed,
                    epochs=chosen.epochs,
                    learning_rate=chosen.rate,
                    blend=False,
                    patience=0,
                )
                for side, frozen in sides.items():
                    known = [r for r in rows if (r.set, r.side, r.seed) == (name, side, seed)]
                    if not known:
                        row = _trained(name, side, settings, frozen, chosen.pairs, chosen.pool)
                        rows.append(row)
                        with chosen.results.open("a", encoding="utf-8") as file:
                            file.write(json.dumps(asdict(row)) + "\n")
    _print(chosen.sets, list(sides), chosen.seeds, rows)


def _trained(
    name: str, side: str, settings: FineTuneSettings, frozen: int, most: int, pool: int
) -> _Row:
    project = project_to_be(name)
    if not project.folder.exists():
        project = prepared(name)
    material = load_training_data(project)
    pairs = answering_passages(material.guarded.pairs, material.corpus)
    places = np.random.default_rng(settings.seed).permutation(len(pairs))[:most]
    pairs = [pairs[place] for place in sorted(places.tolist())]
    narrow = material.dev.narrowed(pool)
    dev = _Timed(**{part.name: getattr(narrow, part.name) for part in fields(narrow)})
    model = load_trainable_base(project, GENERIC)
    started = _clock()
    if side == _THEIRS:
        scores = _theirs(model, pairs, dev, settings)
    else:
        own = settings.model_copy(update={"frozen_layers": frozen})
        tuned = fine_tune(model, pairs, dev, own, silent)
        assert tuned is not None, "there is one process alone"
        curve = zip(tuned.epochs, tuned.dev_scores, strict=True)
        scores = [score for epoch, score in curve if epoch == int(epoch)]
    spent, measuring = _clock() - started, sum(dev.spent)
    return _Row(
        name, side, settings.seed, len(pairs), settings.epochs, scores, spent - measuring, measuring
    )


def _theirs(model: Any, pairs: list[Pair], dev: DevSet, settings: FineTuneSettings) -> list[float]:
    """The dev scores of the library's own trainer."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from transformers import TrainerCallback

    length = model.max_seq_length
    scores = [dev.ndcg(model)]

    def measure(*given: Any, **named: Any) -> None:
        model.max_seq_length = length
        model.eval()
        scores.append(dev.ndcg(model))
        model.train()
        model.max_seq_length = min(length, settings.sequence_length)

    model.max_seq_length = min(length, settings.sequence_length)
    columns = {"query": [p.query for p in pairs], "answer": [p.response for p in pairs]}
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder,
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup,
            batch_sampler="no_duplicates",
            seed=settings.seed,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_dict(columns),
            loss=MultipleNegativesRankingLoss(model),
            callbacks=[type("Measured", (TrainerCallback,), {"on_epoch_end": measure})()],
        ).train()
    return scores


def _clock() -> float:
    return time.process_time() if best_device() == "cpu" else time.perf_counter()


def _side(frozen: int) -> str:
    return f"ours, {frozen} layers frozen" if frozen else "ours"


def _read(path: Path) -> list[_Row]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [_Row(**json.loads(line)) for line in lines]


def _print(sets: list[str], sides: list[str], seeds: list[int], rows: list[_Row]) -> None:
    print(f"Machine: {machine()}; device: {best_device()}; seeds: {seeds}\n")
    print(
        "| set | side | pairs | start | dev gain (each seed) | share of theirs | s/epoch | faster | with measuring |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in [*sets, _ALL]:
        for side in sides:
            one, two = (
                [
                    r
                    for r in rows
                    if r.side == s
                    and r.seed in seeds
                    and r.set in (sets if name == _ALL else [name])
                ]
                for s in (side, _THEIRS)
            )
            gains = [row.gain for row in one]
            share = sum(gains) / sum(row.gain for row in two)
            epoch, theirs = (
                sum(r.steps / r.epochs for r in some) / len(some) for some in (one, two)
            )
            whole, other = (sum(r.steps + r.measuring for r in some) for some in (one, two))
            pairs, start = np.mean([r.pairs for r in one]), np.mean([r.scores[0] for r in one])
            each = "" if name == _ALL else f" ({', '.join(f'{gain:+.3f}' for gain in gains)})"
            print(
                f"| {name} | {side} | {pairs:,.0f} | {start:.3f} | {np.mean(gains):+.4f}{each} | {share:.0%} | "
                f"{epoch:.1f} | {theirs / epoch:.2f}× | {other / whole:.2f}× |"
            )


if __name__ == "__main__":
    main()
