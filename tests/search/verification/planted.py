"""Servers of a model with faults planted, made without the code that looks for them: by other modules, settings and texts."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from search.models.api.client import Answer

PROMPTS = {"query": "query: ", "document": "passage: "}
Vectors = Any


@dataclass
class Planted:
    """A model that is served with faults; in the place of `search.models.api.client.Caller`.

    `prompted` says what goes before a text of each side, `changes` are done to a copy of the model, `after` to its vectors.
    """

    model: Any
    prompted: Callable[[str, str], str] = lambda text, side: PROMPTS[side] + text
    after: list[Callable[[Vectors], Vectors]] = field(default_factory=list)
    mixes_up: bool = False
    unordered: bool = False
    refuses_over: int | None = None
    asked: list[int] = field(default_factory=list)

    def embed(
        self, texts: Sequence[str], _dimension: int | None, side: str | None = None
    ) -> Answer:
        from search.models.api.server_client import TooMuch

        self.asked.append(len(texts))
        if self.refuses_over and max(map(len, texts)) > self.refuses_over:
            raise TooMuch("The server refused texts that are too long.")
        sent = [self.prompted(text, side) if side else text for text in texts]
        vectors = np.asarray(self.model.encode(sent, prompt=""), dtype=np.float32)
        for change in self.after:
            vectors = change(vectors)
        if self.mixes_up:
            vectors = np.roll(vectors, 1, axis=0)
        return Answer(vectors, None, not self.unordered)

    def changed(self, change: Callable[[Any], Any]) -> None:
        self.model = change(copy.deepcopy(self.model))


def _prompts(prompted: Callable[[str, str], str]) -> Callable[[Planted], None]:
    return lambda server: setattr(server, "prompted", prompted)


def _modules(change: Callable[[list[Any]], list[Any]]) -> Callable[[Planted], None]:
    def plant(server: Planted) -> None:
        from sentence_transformers import SentenceTransformer

        def changed(model: Any) -> Any:
            made = SentenceTransformer(modules=change(list(model)), device="cpu")
            made.max_seq_length = model.max_seq_length
            return made

        server.changed(changed)

    return plant


def _pooled(mode: str) -> Callable[[Planted], None]:
    from sentence_transformers.sentence_transformer.modules import Pooling

    def change(modules: list[Any]) -> list[Any]:
        return [
            Pooling(m.embedding_dimension, mode) if type(m).__name__ == "Pooling" else m
            for m in modules
        ]

    return _modules(change)


def _without(*kinds: str) -> Callable[[Planted], None]:
    return _modules(lambda modules: [m for m in modules if type(m).__name__ not in kinds])


def _cut(length: int) -> Callable[[Planted], None]:
    def change(model: Any) -> Any:
        model.max_seq_length = length
        return model

    return lambda server: server.changed(change)


def _specials(template: str | None) -> Callable[[Planted], None]:
    """Another template around a text; None for no special tokens."""

    def change(model: Any) -> Any:
        from tokenizers.processors import TemplateProcessing

        tokenizer = model.tokenizer
        marks = [("[CLS]", tokenizer.cls_token_id), ("[SEP]", tokenizer.sep_token_id)]
        made = TemplateProcessing(single=template or "$A", special_tokens=marks)
        tokenizer.backend_tokenizer.post_processor = made
        return model

    return lambda server: server.changed(change)


def _six_bits(server: Planted) -> None:
    """Weights rounded to six bits, a scale for each matrix."""

    def change(model: Any) -> Any:
        import torch

        for weights in model[0].parameters():
            if weights.ndim == 2:
                scale = weights.abs().max() / 31
                weights.data = torch.round(weights.data / scale) * scale
        return model

    server.changed(change)


def _other_weights(server: Planted) -> None:
    def change(model: Any) -> Any:
        import torch

        torch.manual_seed(5)
        for weights in model[0].parameters():
            weights.data = (
                weights.data[torch.randperm(len(weights))] if weights.ndim else weights.data
            )
        return model

    server.changed(change)


def _half(server: Planted) -> None:
    server.changed(lambda model: model.bfloat16())


def _rounded(server: Planted) -> None:
    server.after.append(lambda vectors: vectors.astype(np.float16).astype(np.float32))


def _shortened(server: Planted) -> None:
    server.after.append(lambda vectors: vectors[:, : vectors.shape[1] // 2])


Plant = Callable[[Planted], None]

FAULTS: dict[str, tuple[Plant, str]] = {
    "no prompt before queries": (
        _prompts(lambda t, side: t if side == "query" else PROMPTS[side] + t),
        "prompt missing",
    ),
    "no prompts": (_prompts(lambda t, side: t), "prompt missing"),
    "prompt before queries twice": (
        _prompts(lambda t, side: PROMPTS[side] * (2 if side == "query" else 1) + t),
        "prompt doubled",
    ),
    "prompts twice": (_prompts(lambda t, side: PROMPTS[side] * 2 + t), "prompt doubled"),
    "prompts swapped": (
        _prompts(lambda t, side: PROMPTS["document" if side == "query" else "query"] + t),
        "prompt of the other side",
    ),
    "the query prompt everywhere": (
        _prompts(lambda t, side: PROMPTS["query"] + t),
        "prompt of the other side",
    ),
    "first token": (_pooled("cls"), "pooling"),
    "last token": (_pooled("lasttoken"), "pooling"),
    "maximum": (_pooled("max"), "pooling"),
    "no adapter": (_without("Dense"), "Dense missing"),
    "not normalised": (_without("Normalize"), "not normalised"),
    "cut at 128": (_cut(128), "cut"),
    "cut at 64": (_cut(64), "cut"),
    "cut at 200": (_cut(200), "cut"),
    "reads 512": (_cut(512), "cut"),
    "half the dimensions": (_shortened, "dimension"),
    "another model": (_other_weights, "another model"),
    "no special tokens": (_specials(None), "special tokens"),
    "special tokens twice": (_specials("[CLS] [CLS] $A [SEP] [SEP]"), "special tokens"),
    "six bits": (_six_bits, "low precision"),
    "mixed up": (lambda server: setattr(server, "mixes_up", True), "order"),
    "numbered otherwise": (lambda server: setattr(server, "unordered", True), "order"),
    "long texts refused": (lambda server: setattr(server, "refuses_over", 2_000), "refuses texts"),
}
PAIRS = (
    ("no prompts", "cut at 128"),
    ("first token", "cut at 64"),
    ("no adapter", "no prompts"),
    ("not normalised", "cut at 128"),
    ("prompts twice", "first token"),
    ("no special tokens", "no prompts"),
    ("no adapter", "cut at 128"),
    ("six bits", "no prompts"),
    ("maximum", "not normalised"),
    ("mixed up", "no prompts"),
    ("half the dimensions", "cut at 64"),
    ("prompts swapped", "no adapter"),
)
RIGHT: dict[str, Plant] = {
    "as it is": lambda server: None,
    "bfloat16": _half,
    "vectors of 16 bits": _rounded,
}


def planted(model: Any, *names: str) -> Planted:
    """A server of the model with some faults."""
    server = Planted(model)
    for name in names:
        (RIGHT[name] if name in RIGHT else FAULTS[name][0])(server)
    return server


def expected(*names: str) -> set[str]:
    """What such a server is to be accused of."""
    return {FAULTS[name][1] for name in names}
