"""Word pieces of a corpus: a tokenizer trained on its texts, for any language and any script.

Byte-pair encoding (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units") inside the words
that `search.models.word_tokenizers` knows: frequent words stay whole; compounds, spellings and endings fall into parts that
they have in common. A character that the corpus does not have is passed over.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from search.models.word_tokenizers import word_splitter

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BEGINS = "▁"
"""What a piece begins with that begins a word. (Marking the others, as BERT does, would make tokenizers number letters
in an order that differs from process to process, and train other pieces.)"""
_LEAST = 2
_LETTERS = 1_000
_SHORT = 3


def train_subword_tokenizer(texts: Iterable[str], size: int) -> "Tokenizer":
    """A tokenizer of at most about `size` pieces (single characters come on top); the same texts give the same.

    :param texts: what to learn from.
    """
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer, splitter = word_splitter()
    begin = pre_tokenizers.Metaspace(replacement=BEGINS, prepend_scheme="always", split=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([splitter, begin])
    trainer = BpeTrainer(
        vocab_size=size,
        min_frequency=_LEAST,
        limit_alphabet=_LETTERS,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def without_scraps(sentences: Sequence[list[str]]) -> list[list[str]]:
    """Sentences of pieces without one or two letters that are hardly ever a word of their own.

    Such scraps stand in words of all kinds and say nothing, but are rare enough to weigh much: nDCG@10 on the dev queries
    of hinglish_top is .084 with them and .477 without (Word2Vec of 8,000 pieces). A sign of a script that writes
    words with one or two (as Chinese does) is not a scrap.
    """
    seen: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for pieces in sentences:
        for piece, following in pairwise([*pieces, BEGINS]):
            seen[piece] += 1
            whole[piece] += piece.startswith(BEGINS) and following.startswith(BEGINS)
    scraps = {piece for piece in seen if _is_short(piece) and 2 * whole[piece] < seen[piece]}
    return [[piece for piece in pieces if piece not in scraps] for pieces in sentences]


def _is_short(piece: str) -> bool:
    letters = piece.removeprefix(BEGINS)
    return len(letters) < _SHORT and not any(
        unicodedata.east_asian_width(letter) in "WF" for letter in letters
    )
