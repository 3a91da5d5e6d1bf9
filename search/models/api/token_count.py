"""How many tokens a text has for a server whose tokenizer is not here: an estimate on the high side."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from search.corpus.corpus import Corpus
from search.corpus.tokenizer import generic_subwords

_ASCII = re.compile(r"[\x00-\x7f]+")
_SAMPLE = 2_000
_ENDS = 2  # Many models mark the beginning and the end of a text.


class Estimate(NamedTuple):
    """How many texts would be sent, and about how many tokens.

    >>> Estimate(texts=40, tokens=1_200).in_words(price=0.02)
    'about 1,200 tokens in 40 texts, less than a cent at $0.02 for a million'
    """

    texts: int
    tokens: int

    def cost(self, price: float | None) -> float | None:
        """What that costs, by the price of a million tokens; None where no price is known."""
        return None if price is None else self.tokens / 1e6 * price

    def in_words(self, price: float | None) -> str:
        """In words: about 1,200 tokens in 40 texts, less than a cent at $0.02 for a million."""
        words = f"about {self.tokens:,} tokens in {self.texts:,} texts"
        cost = self.cost(price)
        if cost is None:
            return words
        money = f"about ${cost:,.2f}" if cost >= 0.01 else "less than a cent"
        return f"{words}, {money} at ${price:g} for a million"


def tokens_of(text: str) -> int:
    """About how many tokens a text has.

    The most of three counts: the word pieces of all-MiniLM-L6-v2, a quarter of the plain letters, and half of
    the bytes of all others (scripts that a tokenizer knows little of cost it a token every two or three bytes).
    """
    plain = sum(map(len, _ASCII.findall(text)))
    other = len(text.encode("utf-8", "replace")) - plain
    return max(generic_subwords().of(text), plain // 4 + other // 2) + _ENDS


def estimate(texts: Iterable[str]) -> Estimate:
    """About how many tokens texts have; empty ones are not sent."""
    counts = [tokens_of(text) for text in texts if text.strip()]
    return Estimate(len(counts), sum(counts))


def expected(corpus: Corpus) -> Estimate:
    """About what indexing a corpus from scratch sends, judged by at most 2,000 passages spread evenly over it."""
    places = list(range(0, corpus.passages, max(corpus.passages // _SAMPLE, 1)))
    sample = estimate(corpus.embedded_at(places))
    scale = corpus.passages / max(len(places), 1)
    return Estimate(round(sample.texts * scale), round(sample.tokens * scale))


def cut_to(text: str, most: int | None) -> str:
    """A text of at most so many tokens, as far as can be told; None for no bound."""
    while most is not None and tokens_of(text) > most:
        share = most / tokens_of(text)
        text = text[: min(int(len(text) * share), len(text) - 1)]
    return text
