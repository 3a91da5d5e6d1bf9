"""How word vectors read a text: as whole words, as words and phrases, or as word pieces.

Each way can be written down, and can be handed to another program as a tokenizer that reads the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

from search.text.words import FORMATS, UNSPACED

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Kind = Literal["words", "phrases", "pieces"]
UNKNOWN = "[UNK]"
# Letters, their combining marks (Hindi vowels are marks) and digits, of every script.
_SIGNS = r"\p{L}\p{M}\p{N}"
_EDGE = "▁"
# Format signs are no part of a word and part none, but for the space of no width in scripts that have no other.
_FORMATS = rf"(?!(?<=[{UNSPACED}])\u200b)[{FORMATS}]"
_JOINED = "joined"


@lru_cache(maxsize=2)
def word_splitter(parted: bool = False) -> Any:
    """How texts become words, as tokenizers has it: a normalizer, and a pre-tokenizer.

    :param parted: format signs (joiners, soft hyphens) part words, as in models of before that was mended.
    """
    from tokenizers import Regex, normalizers, pre_tokenizers

    joined = [] if parted else [normalizers.Replace(Regex(_FORMATS), "")]
    return (
        normalizers.Sequence([*joined, normalizers.NFC(), normalizers.Lowercase()]),
        pre_tokenizers.Split(Regex(f"[{_SIGNS}]+"), behavior="removed", invert=True),
    )


def words_of(text: str, parted: bool = False) -> list[str]:
    """The words of a text: lower case, NFC, runs of letters, marks and digits of any script.

    :param parted: see `word_splitter`.
    """
    normalizer, splitter = word_splitter(parted)
    return [word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))]


class Reading(Protocol):
    """A way to read.

    >>> reading: Reading = Phrases(["blood pressure"])
    >>> read_as(reading.kind, reading.written()).of("Blood pressure")
    ['blood pressure']
    """

    kind: Kind

    def of(self, text: str) -> list[str]:
        """What a text consists of, in order."""
        ...

    def written(self) -> str:
        """What `read_as` needs to read the same again; empty where the kind says all."""
        ...

    def tokenizer(self, words: Sequence[str]) -> "tuple[Tokenizer, list[int]]":
        """The same as a tokenizer, and which id each of these words (each is one of what `of` finds) has in it."""
        ...


class Words:
    """Whole words.

    :param parted: see `word_splitter`.

    >>> Words().of("The RENT is due.")
    ['the', 'rent', 'is', 'due']
    """

    kind: Kind = "words"

    def __init__(self, parted: bool = False) -> None:
        self._parted = parted

    def of(self, text: str) -> list[str]:
        """The words of a text."""
        return words_of(text, self._parted)

    def written(self) -> str:
        """Whether format signs join words."""
        return "" if self._parted else _JOINED

    def tokenizer(self, words: Sequence[str]) -> "tuple[Tokenizer, list[int]]":
        """Words by a table."""
        made = _table(words)
        made.normalizer, made.pre_tokenizer = word_splitter(self._parted)
        return made, list(range(1, len(words) + 1))


class Phrases:
    """Words, of which some pairs are read as one: "blood pressure". From left to right, a word is in one pair only.

    :param pairs: the pairs, each as two words with a space between.
    :param parted: see `word_splitter`.

    >>> Phrases(["blood pressure"]).of("High blood pressure")
    ['high', 'blood pressure']
    """

    kind: Kind = "phrases"

    def __init__(self, pairs: Iterable[str], parted: bool = False) -> None:
        self.pairs = frozenset(pairs)
        self._parted = parted

    def of(self, text: str) -> list[str]:
        """The words and phrases of a text."""
        return list(self.joined(words_of(text, self._parted)))

    def joined(self, words: Sequence[str]) -> Iterator[str]:
        """Words with the pairs among them as one."""
        place = 0
        while place < len(words):
            pair = " ".join(words[place : place + 2])
            joins = pair in self.pairs
            yield pair if joins else words[place]
            place += 1 + joins

    def written(self) -> str:
        """A pair a line, below a line that says whether format signs join words."""
        return "\n".join([*([] if self._parted else [_JOINED]), *sorted(self.pairs)])

    def tokenizer(self, words: Sequence[str]) -> "tuple[Tokenizer, list[int]]":
        """Words by a table, pairs as added tokens: the tokenizer looks for those first, between the edges of words.

        :raises ValueError: when a pair is not among the words.
        """
        from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers

        if self.pairs - set(words):
            raise ValueError("a phrase is not among the words")
        made = _table([word for word in words if word not in self.pairs])
        plain, _ = word_splitter(self._parted)
        before, after = f"(?<![{_SIGNS}])(?=[{_SIGNS}])", f"(?<=[{_SIGNS}])(?![{_SIGNS}])"
        made.normalizer = normalizers.Sequence(
            [
                plain,
                normalizers.Replace(Regex(f"[^{_SIGNS}]+"), " "),
                normalizers.Replace(Regex(f"{before}|{after}"), _EDGE),
                normalizers.Replace(" ", ""),
            ]
        )
        made.pre_tokenizer = pre_tokenizers.Split(_EDGE, behavior="removed")
        added = {word: _edged(word) for word in words if word in self.pairs}
        made.add_tokens([AddedToken(token, normalized=True) for token in added.values()])
        return made, _ids(made, [added.get(word, word) for word in words])


class SubwordTokenizer:
    """Word pieces: what a trained tokenizer parts words into.

    :param tokenizer: the trained tokenizer.

    >>> from tokenizers import Tokenizer
    >>> from tokenizers.models import BPE
    >>> letters = Tokenizer(BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    >>> SubwordTokenizer(letters).of("aab")
    ['a', 'ab']
    """

    kind: Kind = "pieces"

    def __init__(self, tokenizer: "Tokenizer") -> None:
        self._tokenizer = tokenizer

    def of(self, text: str) -> list[str]:
        """The pieces of a text."""
        found: list[str] = self._tokenizer.encode(text, add_special_tokens=False).tokens
        return found

    def written(self) -> str:
        """The tokenizer as JSON."""
        written: str = self._tokenizer.to_str()
        return written

    def tokenizer(self, words: Sequence[str]) -> "tuple[Tokenizer, list[int]]":
        """The tokenizer itself."""
        from tokenizers import Tokenizer

        copy = Tokenizer.from_str(self.written())
        return copy, _ids(copy, words)


def read_as(kind: str, written: str) -> Reading:
    """The way to read that was written down.

    :raises ValueError: when it cannot be understood.
    """
    parted = written.split("\n", 1)[0] != _JOINED
    if kind == "words":
        return Words(parted)
    if kind == "phrases":
        pairs = written.split("\n") if written else []
        return Phrases(pairs if parted else pairs[1:], parted)
    if kind != "pieces":
        raise ValueError(f"nothing is read as {kind!r}")
    from tokenizers import Tokenizer

    try:
        return SubwordTokenizer(Tokenizer.from_str(written))
    except Exception as error:  # The library has no exception of its own.
        raise ValueError(f"the tokenizer cannot be read: {error}") from error


def _table(words: Sequence[str]) -> "Tokenizer":
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    return Tokenizer(
        WordLevel({UNKNOWN: 0, **{word: i + 1 for i, word in enumerate(words)}}, UNKNOWN)
    )


def _ids(tokenizer: "Tokenizer", words: Sequence[str]) -> list[int]:
    known: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    return [known[word] for word in words]


def _edged(pair: str) -> str:
    return _EDGE + pair.replace(" ", 2 * _EDGE) + _EDGE
