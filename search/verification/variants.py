"""What a model would give if it were served in some wrong way: other prompts, another cut, pooling, no Dense layer.

Pooling and Dense come behind the transformer, so one pass gives all of them; prompts, special tokens and cuts are before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoder import Encoder
from search.models.encoding.texts import transformer_of
from search.models.linear_adapter import LinearAdapter
from search.models.prompts import Role, prompt_of
from search.models.window import reading, token_counter

OWN = "own"
NONE, TWICE, OTHER, BOTH = "none", "twice", "other", "both"
PROMPTS = (OWN, NONE, TWICE, OTHER, BOTH)
"""The prompt of a text's own side, none, its own twice, that of the other side, or that one before its own."""
SPECIALS = (OWN, NONE, "no last", TWICE)
POOLINGS = ("mean", "cls", "lasttoken", "max")
MISSING, OTHER_SIDE = "missing", "other side"
_BATCH = 16


class Body(NamedTuple):
    """What goes into the transformer: which prompt, which special tokens, and how many tokens at most (None: as it should)."""

    prompt: str = OWN
    special: str = OWN
    length: int | None = None


class Head(NamedTuple):
    """What is done behind it: which pooling ("own": the model's), and with the Dense layers."""

    pooling: str = OWN
    dense: str = OWN


RIGHT = Head()


@dataclass(frozen=True)
class LocalModel:
    """The model as it is here, and as it might be served.

    >>> from search.models.word_vectors import WordVectors
    >>> words = WordVectors(["rent"], [1], np.eye(1, dtype=np.float32), "mean")
    >>> local = LocalModel(words)
    >>> local.heads, local.vectors(["rent"], "query", Body())[RIGHT].tolist()
    ([Head(pooling='own', dense='own')], [[1.0]])
    """

    encoder: Encoder

    @property
    def model(self) -> Any:
        """The SentenceTransformer that it is; None for another kind."""
        return transformer_of(self.encoder)

    @property
    def prompts(self) -> Mapping[Role, str]:
        """What goes before a text of each side."""
        if self.model is None:
            return {"query": "", "document": ""}
        return {role: prompt_of(self.model, role) or "" for role in _ROLES}

    @property
    def window(self) -> int | None:
        """How many tokens it reads; None where it has no window."""
        counter = token_counter(self.encoder)
        return None if counter is None else counter[0]

    @property
    def positions(self) -> int:
        """How many tokens its transformer could read."""
        first = None if self.model is None else reading(self.model, "document")
        config = getattr(getattr(first, "model", None), "config", None)
        known = getattr(config, "max_position_embeddings", None) or self.window or 0
        return max(int(known), self.window or 0)

    @property
    def is_transformer(self) -> bool:
        """Whether its tokens and pooling can be varied."""
        return self.model is not None and type(self.model[0]).__name__ == "Transformer"

    @property
    def pooling(self) -> str:
        """What it makes one vector of many by."""
        modes = [str(m.pooling_mode) for m in self.model if type(m).__name__ == "Pooling"]
        return modes[0] if modes else ""

    @property
    def heads(self) -> list[Head]:
        """What might be done behind the transformer, the right one first."""
        poolings = [OWN]
        if self.is_transformer and self.pooling:
            poolings += [mode for mode in POOLINGS if mode != self.pooling]
        return [Head(*one) for one in product(poolings, self._denses())]

    def _denses(self) -> list[str]:
        if isinstance(self.encoder, LinearAdapter):
            return [OWN, MISSING]
        kinds = [type(m).__name__ for m in _flat(self.model)] if self.model is not None else []
        routed = self.model is not None and type(self.model[-1]).__name__ == "Router"
        return [OWN, *([MISSING] if "Dense" in kinds else []), *([OTHER_SIDE] if routed else [])]

    def bodies(self) -> list[tuple[str, str]]:
        """The prompts and special tokens that a text might be read with, the right ones first."""
        prompts = PROMPTS if self.model is not None and any(self.prompts.values()) else (OWN,)
        return list(product(prompts, SPECIALS if self.is_transformer else (OWN,)))

    def vectors(
        self, texts: Sequence[str], role: Role, body: Body, heads: Sequence[Head] | None = None
    ) -> dict[Head, Vectors]:
        """The vectors of texts, shape (texts, dimension), for each head (None: all)."""
        wanted = list(heads or self.heads)
        if self.model is None:
            return {head: self._plain(texts, role, head) for head in wanted}
        import torch

        rows: dict[Head, list[Vectors]] = {head: [] for head in wanted}
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        self.model.eval()
        for start in range(0, len(order), _BATCH):
            part = [texts[i] for i in order[start : start + _BATCH]]
            with torch.inference_mode():
                for head, vectors in self._computed(part, role, body, wanted):
                    rows[head].append(vectors)
        back = np.argsort(order)
        return {head: np.concatenate(parts)[back] for head, parts in rows.items()}

    def _plain(self, texts: Sequence[str], role: Role, head: Head) -> Vectors:
        encoder = self.encoder
        if head.dense == MISSING and isinstance(encoder, LinearAdapter):
            encoder = encoder.base
        run = encoder.encode_query if role == "query" else encoder.encode_document
        return np.asarray(run(list(texts)), dtype=np.float32)

    def _computed(
        self, texts: Sequence[str], role: Role, body: Body, heads: Sequence[Head]
    ) -> Iterator[tuple[Head, Vectors]]:
        from sentence_transformers.util import batch_to_device

        features = batch_to_device(self._features(texts, role, body), self.model.device)
        modules = list(self.model)
        if self.is_transformer:
            features = modules.pop(0)(features)
        for head in heads:
            last = dict(features)
            for module in modules:
                last = _through(module, last, role, head)
            made = last["sentence_embedding"]
            if self.model.truncate_dim is not None:
                made = made[..., : self.model.truncate_dim]
            yield head, made.float().cpu().numpy().astype(np.float32)

    def _features(self, texts: Sequence[str], role: Role, body: Body) -> dict[str, Any]:
        own, other = self.prompts[role], self.prompts[_other(role)]
        prompts = {OWN: own, NONE: "", TWICE: own + own, OTHER: other, BOTH: other + own}
        prompt = prompts[body.prompt]
        if body.special != OWN:
            return self._with_specials([prompt + text for text in texts], role, body)
        more: dict[str, Any] = {}
        if body.length is not None:
            more["processing_kwargs"] = {"text": {"max_length": body.length}}
        features: dict[str, Any] = self.model.preprocess(
            list(texts), prompt=prompt or None, task=role, **more
        )
        return features

    def _with_specials(self, texts: Sequence[str], role: Role, body: Body) -> dict[str, Any]:
        """Tokens with other special tokens around them than the tokenizer puts there."""
        first = reading(self.model, role)
        tokenizer, window = first.tokenizer, body.length or first.max_seq_length
        whole = tokenizer(list(texts), truncation=True, max_length=window)["input_ids"]
        bare = tokenizer(list(texts), add_special_tokens=False, truncation=True, max_length=window)
        rows = []
        for ids, inner in zip(whole, bare["input_ids"], strict=True):
            before, after = _around(ids, inner)
            rows.append(
                {
                    NONE: inner or ids,
                    "no last": before + inner[: window - len(before)],
                    TWICE: (before + ids)[: window - len(after)] + after,
                }[body.special]
            )
        padded = tokenizer.pad({"input_ids": rows}, return_tensors="pt")
        return {**padded, "modality": "text"}


_ROLES: tuple[Role, Role] = ("query", "document")


def _other(role: Role) -> Role:
    return "document" if role == "query" else "query"


def _around(ids: list[int], inner: list[int]) -> tuple[list[int], list[int]]:
    """The special tokens before and after those of a text."""
    start = next((i for i in range(len(ids)) if inner and ids[i] == inner[0]), len(ids))
    return ids[:start], ids[start + len(inner) :] if start + len(inner) <= len(ids) else ids[-1:]


def _flat(model: Any) -> Iterator[Any]:
    for module in model:
        if type(module).__name__ == "Router":
            for way in module.sub_modules.values():
                yield from way
        else:
            yield module


def _through(module: Any, features: dict[str, Any], role: Role, head: Head) -> dict[str, Any]:
    """What a module makes of features, where something is done otherwise."""
    kind = type(module).__name__
    if kind == "Router":
        ways = module.sub_modules
        way = _other(role) if head.dense == OTHER_SIDE else role
        for inner in ways[way if way in ways else next(iter(ways))]:
            features = _through(inner, features, role, head)
        return features
    if kind == "Dense" and head.dense == MISSING:
        return features
    if kind == "Pooling" and head.pooling != OWN:
        from sentence_transformers.sentence_transformer.modules import Pooling

        pooled: Any = Pooling
        result: dict[str, Any] = pooled(module.embedding_dimension, head.pooling)(features)
        return result
    changed: dict[str, Any] = module(features)
    return changed
