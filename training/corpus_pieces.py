"""Word pieces of a corpus: a tokenizer trained on its texts, for any language and any script.

Byte-pair encoding (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units") inside the words
that `search.word_reading` knows: frequent words stay whole; compounds, spellings and endings fall into parts that
they have in common. A character that the corpus does not have is passed over.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from search.word_reading import word_splitter

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BEGINS = "▁"
"""What a piece begins with that begins a word. (Marking the others, as BERT does, would make tokenizers number letters
in an order that differs from process to process, and train other pieces.)"""
_LEAST = 2
_LETTERS = 1_000


def train_pieces(texts: Iterable[str], size: int) -> "Tokenizer":
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
