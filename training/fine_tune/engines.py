"""How a step reads its texts: packed, on frozen layers, where the model is built like BERT; else as sentence-transformers does."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from search.models.encoder import Encoder
from search.models.prompts import prompt_of
from search.projects.errors import Refused
from search.projects.room import memory_bytes
from training.fine_tune.batches import TrainingRow
from training.fine_tune.hidden_states import IN_MEMORY, HiddenStates
from training.fine_tune.losses import loss_of_vectors, mini_batch, ranking_loss
from training.fine_tune.packed import PackedEncoder, computes_halves, layers_of, makes_equal_vectors
from training.fine_tune.schedule import FORWARD_AND_BACKWARD
from training.fine_tune.settings import FineTuneSettings

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer


class Engine(Protocol):
    """Reads the texts of a step, forward and backward.

    :param encoder: encodes the dev queries and their pool with the weights as they stand.
    :param frozen: the modules whose weights stay as they are.
    :param cost: what a text costs in a step, where reading it to measure costs 1.
    """

    encoder: Encoder
    cost: float
    frozen: "Sequence[torch.nn.Module]"

    def learn(self, rows: Sequence[TrainingRow]) -> float:
        """Leave the gradients of the loss over some rows at the weights; returns the loss."""


def engine_of(
    model: "SentenceTransformer", settings: FineTuneSettings, folder: Path | None = None
) -> Engine:
    """The engine for a model.

    :param folder: on the disk that takes what the memory does not.
    :raises Refused: where layers are to be frozen of a model that has none, or has fewer.
    """
    layers = layers_of(model)
    frozen = settings.frozen_layers
    most = max(len(layers) - 2, 0)  # The last one must learn.
    if frozen > most:
        raise Refused(
            f"At most {most} layers of {settings.base!r} can be frozen; frozen_layers={frozen} is too many. Leave it at 0."
        )
    if layers and makes_equal_vectors(model):
        return _Packed(model, settings, layers[: frozen + 1 if frozen else 0], folder)
    if frozen:
        raise Refused(
            f"No layer of {settings.base!r} can be frozen: it is read in a way of its own. Leave frozen_layers at 0."
        )
    return _Plain(model, settings)


class _Plain:
    """Any model, as sentence-transformers trains it: padded, with dropout, every weight learning."""

    def __init__(self, model: "SentenceTransformer", settings: FineTuneSettings) -> None:
        self.encoder: Encoder = model
        self.frozen: Sequence[torch.nn.Module] = ()
        self.cost = FORWARD_AND_BACKWARD
        self._model = model
        self._loss = ranking_loss(model, settings)
        self._half = settings.bf16 and model.device.type == "cuda" and computes_halves(model.device)

    def learn(self, rows: Sequence[TrainingRow]) -> float:
        """Leave the gradients of the loss over some rows at the weights; returns the loss."""
        self._model.train()
        features = self._features(rows)
        with self._precision():
            loss = self._loss(features, None)
            loss.backward()
        return float(loss.detach())

    def _features(self, rows: Sequence[TrainingRow]) -> list[dict[str, Any]]:
        """Queries, answers, and negatives as the model takes them, column by column."""
        from sentence_transformers.util import batch_to_device

        query, document = prompt_of(self._model, "query"), prompt_of(self._model, "document")
        queries, *columns = columns_of(rows)
        tokens = [self._model.preprocess(queries, prompt=query, task="query")]
        tokens += [
            self._model.preprocess(column, prompt=document, task="document") for column in columns
        ]
        tokens[0]["task"] = "query"  # A start that turns queries only has a way for each.
        for features in tokens[1:]:
            features["task"] = "document"
        return [batch_to_device(features, self._model.device) for features in tokens]

    def _precision(self) -> AbstractContextManager[Any]:
        """bfloat16 for what may be computed in it; the weights stay in 32 bits."""
        import torch

        return torch.autocast("cuda", dtype=torch.bfloat16) if self._half else nullcontext()


class _Packed:
    """A transformer built like BERT: no padding, no dropout, and what is frozen read once."""

    def __init__(
        self,
        model: "SentenceTransformer",
        settings: FineTuneSettings,
        frozen: "Sequence[torch.nn.Module]",
        folder: Path | None,
    ) -> None:
        self.frozen = frozen
        self.packed = PackedEncoder(
            model,
            max(len(frozen) - 1, 0),
            # Of what is free now, others need the most.
            HiddenStates(folder, min(IN_MEMORY, memory_bytes() // 4)),
            settings.gradient_checkpointing,
        )
        self.encoder: Encoder = self.packed
        self._loss = loss_of_vectors(model, settings)
        self._mini = mini_batch(settings)
        self._half = settings.bf16 and computes_halves(model.device)
        # It is measured in 32 bits.
        self.cost = FORWARD_AND_BACKWARD / 2 if self._half else FORWARD_AND_BACKWARD

    def learn(self, rows: Sequence[TrainingRow]) -> float:
        """Leave the gradients of the loss over some rows at the weights; returns the loss."""
        import torch

        queries, *columns = columns_of(rows)
        tokens = self.packed.tokens(queries, "query")
        tokens += [text for column in columns for text in self.packed.tokens(column, "document")]
        with self.packed.reading():
            if self._mini is None:
                return self._backward(self.packed.vectors(tokens, self._half), len(rows))
            # The vectors first, then the gradients at them, then each part again with its own (GradCache).
            parts = [tokens[n : n + self._mini] for n in range(0, len(tokens), self._mini)]
            with torch.no_grad():
                whole: Any = torch.cat([self.packed.vectors(part, self._half) for part in parts])
            loss = self._backward(whole.requires_grad_(), len(rows))
            for part, gradient in zip(parts, whole.grad.split(self._mini), strict=True):
                torch.autograd.backward(self.packed.vectors(part, self._half), gradient)
            return loss

    def _backward(self, vectors: Any, rows: int) -> float:
        loss: Any = self._loss(vectors.split(rows))
        loss.backward()
        return float(loss.detach())


def columns_of(rows: Sequence[TrainingRow]) -> list[list[str]]:
    """Queries, answers, and negatives, column by column."""
    columns = [[row.query for row in rows], [row.answer for row in rows]]
    return columns + [list(column) for column in zip(*(r.negatives for r in rows), strict=True)]
