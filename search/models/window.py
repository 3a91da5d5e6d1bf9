"""What a model does not read: the passages that are longer than its window, by its own tokenizer.

Figures of a model that reads half of each passage are figures of half the corpus. So whoever adds, indexes or measures a
model hears how much stands behind the last word piece that it reads, and which passages would fit.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from search.corpus.corpus import Corpus
from search.corpus.tokenizer import generic_subwords
from search.models.encoder import Encoder
from search.models.encoding.quantized.encoder import QuantizedEncoder
from search.models.encoding.texts import transformer_of
from search.models.linear_adapter import LinearAdapter
from search.models.prompts import Role, prompt_of

TRUNCATION = "truncation"
"""Where an index's manifest says what its model does not read."""
_SAMPLE = 2_000
_WORTH_TELLING = 0.01
_SHORT = 16  # In shorter passages, what marks their ends weighs more than their words.


@dataclass(frozen=True)
class Truncation:
    """What stands behind the last token that a model reads.

    `window` is how many tokens it reads, prompt and ends included; `passages` and `tokens` are the shares (0 to 1) of
    passages that are longer and of tokens behind the cut, over `looked_at` passages. `fits` is the length of passages, as
    an import cuts them, of which ninety-nine in a hundred fit; None where everything fits. `by` says who reads: a model, or
    a reranker, whose window is what a question of usual length leaves.

    >>> Truncation(64, 1.0, 0.6, 6, 6, fits=60).is_short
    True
    """

    window: int
    passages: float
    tokens: float
    looked_at: int
    of: int
    fits: int | None = None
    by: str = "model"

    @property
    def is_short(self) -> bool:
        """Whether anything is never read."""
        return self.tokens > 0

    def sentence(self, name: str) -> str:
        """What a person should know."""
        over = "" if self.looked_at == self.of else f" (of {self.looked_at:,} that were looked at)"
        beside = "" if self.by == "model" else " beside a question of usual length"
        said = (
            f"{name!r} reads {self.window:,} tokens of a passage{beside}: {_percent(self.passages)} of the passages are longer"
            f"{over}, and {_percent(self.tokens)} of the tokens are never read."
        )
        if max(self.passages, self.tokens) <= _WORTH_TELLING or self.fits is None:
            return said
        return (
            f"{said} Passages of {self.fits} word pieces (--passage-tokens {self.fits}) would be read to their ends; "
            "python cli.py cut PROJECT cuts them to what the models of the project read."
        )

    @property
    def read(self) -> str:
        """What a column says that ranks by such a model; nothing where at most a hundredth is never read."""
        if self.tokens <= _WORTH_TELLING:
            return ""
        return f"reads {_percent(1 - self.tokens)} of the passages' words"

    def as_json(self) -> dict[str, Any]:
        """For a manifest."""
        return asdict(self)


def truncation_of(encoder: Encoder, corpus: Corpus) -> Truncation | None:
    """How much of a corpus a model does not read, judged by at most 2,000 passages spread evenly over it.

    :returns: None for a model that reads texts of any length, or whose window is not known.
    """
    counted = token_counter(encoder)
    return None if counted is None else truncation_by(*counted, corpus)


def truncation_at_server(most: int | None, corpus: Corpus) -> Truncation | None:
    """The same of a server's model, by an estimate on the high side: its tokenizer is not here.

    :param most: the longest text in tokens that is sent; None for no bound.
    """
    from search.models.api.token_count import tokens_of

    if most is None:
        return None
    return truncation_by(most, lambda texts: [tokens_of(text) for text in texts], corpus)


def truncation_by(window: int, count: "Count", corpus: Corpus) -> Truncation | None:
    """How much of a corpus stands behind so many tokens.

    :param count: how many tokens each text has.
    """
    if not corpus.passages:
        return None
    places = list(range(0, corpus.passages, -(-corpus.passages // _SAMPLE)))
    texts = corpus.embedded_at(places)
    tokens = np.array(count(texts), dtype=np.int64)
    behind = np.maximum(tokens - window, 0)
    if not behind.any():
        return Truncation(window, 0.0, 0.0, len(texts), corpus.passages)
    share = float(behind.sum() / tokens.sum())
    fits = _fitting(texts, tokens, window, int(count([""])[0]))
    return Truncation(window, float((behind > 0).mean()), share, len(texts), corpus.passages, fits)


def _fitting(texts: Sequence[str], tokens: Any, window: int, around: int) -> int:
    """The longest passages, in the word pieces by which an import cuts, that fit into a window."""
    pieces = np.array([generic_subwords().of(text) for text in texts], dtype=np.float64)
    long = pieces >= min(_SHORT, pieces.max())
    ratio = pieces[long] / np.maximum(tokens[long] - around, 1)
    return max(1, int((window - around) * np.percentile(ratio, 1, method="lower")))


Count = Callable[[Sequence[str]], list[int]]
"""How many tokens each text has, uncut, with all that goes around it."""


def token_counter(encoder: Encoder, role: Role = "document") -> tuple[int, Count] | None:
    """The window of an encoder, and what counts the tokens of texts, its prompt for a role included.

    :returns: None for a model that reads texts of any length, or whose window is not known.
    """
    if isinstance(encoder, LinearAdapter):
        return token_counter(encoder.base, role)
    model = encoder.full if isinstance(encoder, QuantizedEncoder) else transformer_of(encoder)
    if model is not None:
        return _counter_of_transformer(model, role)
    most = getattr(getattr(encoder, "settings", None), "max_length", None)
    if most is None:
        return None
    from search.models.api.token_count import tokens_of

    return most, lambda texts: [tokens_of(text) for text in texts]


def _counter_of_transformer(model: Any, role: Role) -> tuple[int, Count] | None:
    first = reading(model, role)
    window, tokenizer = getattr(first, "max_seq_length", None), getattr(first, "tokenizer", None)
    if type(first).__name__ != "Transformer" or tokenizer is None or not window or window > 10**9:
        return None
    window = getattr(first, f"{role}_length", None) or window
    prompt = prompt_of(model, role) or ""

    def count(texts: Sequence[str]) -> list[int]:
        found = tokenizer([prompt + text for text in texts], truncation=False, padding=False)
        return [len(ids) for ids in found["input_ids"]]

    return int(window), count


def reading(model: Any, role: Role) -> Any:
    """The module of a SentenceTransformer that the text of a role goes into first."""
    first = model[0]
    if type(first).__name__ != "Router":
        return first
    ways = first.sub_modules
    way = role if role in ways else next(iter(ways))
    return ways[way][0]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 or share == 0 else "less than 1 %"
