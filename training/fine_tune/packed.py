"""A transformer that reads texts without padding, and reads with its frozen layers each text only once.

The texts of a batch stand one after another in one row, shortest first. In BERT everything but attention is computed token
by token and need not know of it; attention is computed for the texts of one length together (packing; Krell et al. 2021,
"Efficient Sequence Packing without Cross-contamination"). What the layers below the trained ones make of a text stays the
same as long as they are frozen (Lee et al. 2019, "What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning"), so
it is computed once, of each text alone: the same bits, whatever else is in its batch.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.models.prompts import Role, prompt_of
from training.fine_tune.hidden_states import HiddenStates

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

Tokens = NDArray[np.int32]
_ATTENTION = "packed"
_REMEMBERED = 200_000  # Texts whose tokens are held in memory.
_AT_ONCE = 32  # Texts that are encoded together when the dev queries are asked.
_LOWEST_COSINE = 0.9999
_PROBES = ("a", "What is it about?", "Texts of unlike lengths show that each is read alone. " * 9)


def computes_halves(device: "torch.device") -> bool:
    """Whether a device multiplies matrices in bfloat16 faster than in 32 bits."""
    import torch

    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def layers_of(model: "SentenceTransformer") -> "list[torch.nn.Module]":
    """The layers of a transformer that is built like BERT and may be packed, the embeddings first; none of any other model."""
    from transformers import (
        BertModel,
        CamembertModel,
        ElectraModel,
        RobertaModel,
        XLMRobertaModel,
    )

    inner = getattr(model[0], "auto_model", None)
    alike = (BertModel, RobertaModel, XLMRobertaModel, CamembertModel, ElectraModel)
    if not isinstance(inner, alike) or inner.config.is_decoder:
        return []
    # ELECTRA's may be projected to the size of the layers in between.
    if hasattr(inner, "embeddings_project"):
        return []
    return [inner.embeddings, *inner.encoder.layer]


def makes_equal_vectors(model: "SentenceTransformer") -> bool:
    """Whether a model makes the same vectors of a few texts packed as it does padded, of queries and of documents.

    One that sends queries another way than documents does not: packed, all texts go one way.
    """
    import torch

    texts, packed = list(_PROBES), PackedEncoder(model)
    with torch.inference_mode():
        padded = np.concatenate([model.encode_query(texts), model.encode_document(texts)])
        made = np.concatenate([packed.encode_query(texts), packed.encode_document(texts)])
    cosines = torch.cosine_similarity(torch.from_numpy(padded), torch.from_numpy(made))
    return bool((cosines >= _LOWEST_COSINE).all())


class PackedEncoder:
    """Encodes texts without padding and without dropout.

    :param model: one that `layers_of` knows.
    :param frozen: how many of its layers stay as they are; with any, so do its embeddings.
    :param states: where what the frozen layers make of a text is kept.
    :param recompute: hold no layer's inner results for the backward pass (gradient checkpointing).

    >>> import torch
    >>> from types import SimpleNamespace as Some
    >>> from sentence_transformers.sentence_transformer.modules import Pooling
    >>> from transformers import BertConfig, BertModel
    >>> class Model(list):
    ...     device, eval = torch.device("cpu"), lambda self: None
    >>> small = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
    >>> encoder = PackedEncoder(Model([Some(auto_model=BertModel(small).eval()), Pooling(8)]), frozen=1)
    >>> with encoder.reading():
    ...     encoder.vectors([np.array([1, 5, 2]), np.array([7])]).shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        model: "SentenceTransformer",
        frozen: int = 0,
        states: HiddenStates | None = None,
        recompute: bool = False,
    ) -> None:
        from transformers import AttentionInterface

        AttentionInterface.register(_ATTENTION, _attention)
        self._model = model
        self._config: Any = model[0].auto_model.config
        self._embeddings, *layers = layers_of(model)
        self._lower, self._upper = layers[:frozen], layers[frozen:]
        self._states = states or HiddenStates()
        self._recompute = recompute
        self._tokens: dict[tuple[str, str, int], Tokens] = {}
        # Positions of RoBERTa's kin begin behind the padding's.
        padding = getattr(self._embeddings, "padding_idx", None)
        self._first_position = 0 if padding is None else padding + 1

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Forward and backward passes of packed texts happen in here; meanwhile the model reads nothing else."""
        before = self._config._attn_implementation
        self._config._attn_implementation = _ATTENTION
        self._model.eval()
        try:
            yield
        finally:
            self._config._attn_implementation = before

    def tokens(self, texts: Sequence[str], role: Role) -> list[Tokens]:
        """The subword tokens of texts as the model reads them, its prompt first."""
        length = self._model.max_seq_length or 0
        missing = [
            text for text in dict.fromkeys(texts) if (role, text, length) not in self._tokens
        ]
        made: dict[str, Tokens] = {}
        if missing:
            features = self._model.preprocess(
                missing, prompt=prompt_of(self._model, role), task=role
            )
            masks = features["attention_mask"].bool()
            for text, ids, mask in zip(missing, features["input_ids"], masks, strict=True):
                made[text] = ids[mask].numpy().astype(np.int32)
        of = [made[t] if t in made else self._tokens[role, t, length] for t in texts]
        if len(self._tokens) < _REMEMBERED:
            self._tokens |= {(role, text, length): ids for text, ids in made.items()}
        return of

    def vectors(self, texts: Sequence[Tokens], half: bool = False) -> "torch.Tensor":
        """Vectors of texts, with their gradients, of shape (texts, dimension); within `reading`.

        :param half: compute in bfloat16 what may be in the layers that learn; the weights stay in 32 bits.
        """
        import torch
        from torch.utils.checkpoint import checkpoint

        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        packed = [texts[position] for position in order]
        lengths = [len(text) for text in packed]
        states = self._known(packed) if self._lower else self._embedded(packed)
        device = self._model.device.type
        with torch.autocast(device, dtype=torch.bfloat16) if half else nullcontext():
            for layer in self._upper:
                if self._recompute:
                    states = checkpoint(layer, states, None, use_reentrant=False, lengths=lengths)
                else:
                    states = layer(states, None, lengths=lengths)
        ends = torch.tensor([0, *np.cumsum(lengths)], device=states.device)
        features: dict[str, Any] = {"token_embeddings": states.float(), "cu_seq_lens_q": ends}
        for module in list(self._model)[1:]:
            features = module(features)
        made: torch.Tensor = features["sentence_embedding"]
        return made[np.argsort(order).tolist()]

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries."""
        return self._encoded(texts, "query")

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of documents."""
        return self._encoded(texts, "document")

    def _encoded(self, texts: Sequence[str], role: Role) -> Vectors:
        import torch

        tokens = self.tokens(texts, role)
        order = sorted(range(len(tokens)), key=lambda position: len(tokens[position]))
        parts = [order[start : start + _AT_ONCE] for start in range(0, len(order), _AT_ONCE)]
        with torch.no_grad(), self.reading():
            made = [self.vectors([tokens[n] for n in part]) for part in parts]
        vectors = torch.cat(made)[np.argsort(order).tolist(), : self._model.truncate_dim]
        return vectors.cpu().numpy()

    def _known(self, texts: Sequence[Tokens]) -> "torch.Tensor":
        """What the frozen layers make of texts, read once; of shape (1, tokens, size)."""
        import torch

        rows = []
        for text in texts:
            key = text.tobytes()
            states = self._states.get(key)
            if states is None:
                with torch.no_grad():
                    made = self._embedded([text])
                    for layer in self._lower:
                        made = layer(made, None, lengths=[len(text)])
                states = made[0].half().cpu().numpy()
                self._states.put(key, states)
            rows.append(torch.from_numpy(states).float())
        return torch.cat(rows).to(self._model.device)[None]

    def _embedded(self, texts: Sequence[Tokens]) -> "torch.Tensor":
        import torch

        ids = torch.from_numpy(np.concatenate(texts)).long().to(self._model.device)[None]
        places = np.concatenate([np.arange(len(text)) for text in texts]) + self._first_position
        positions = torch.from_numpy(places).to(ids.device)[None]
        made: torch.Tensor = self._embeddings(
            input_ids=ids, token_type_ids=torch.zeros_like(ids), position_ids=positions
        )
        return made


def _attention(
    module: Any, query: Any, key: Any, value: Any, mask: Any, **options: Any
) -> tuple[Any, None]:
    """Attention within each text, as transformers calls it; `lengths` are those of the texts, in their order.

    Tensors have the shape (1, heads, tokens, size of a head). A processor computes it in 32 bits: bfloat16 is slower there.
    """
    import torch

    attend: Any = torch.nn.functional.scaled_dot_product_attention
    groups = [(length, len(list(alike))) for length, alike in groupby(options["lengths"])]
    sizes = [length * count for length, count in groups]
    with torch.autocast(query.device.type, enabled=False):
        columns = [tensor[0].transpose(0, 1) for tensor in (query, key, value)]
        if query.device.type == "cpu":
            columns = [column.float() for column in columns]
        made = []
        for group, *parts in zip(groups, *(column.split(sizes) for column in columns), strict=True):
            length, count = group
            apart = [part.unflatten(0, (count, length)).transpose(1, 2) for part in parts]
            one = attend(*apart, scale=options.get("scaling"))
            made.append(one.transpose(1, 2).flatten(0, 1))
        return torch.cat(made)[None].to(query.dtype), None
