"""Which passages of a long document a query is about, told by the words they have in common.

Good enough where a model's vectors are not at hand yet: to show fine-tuning the passage that answers instead of
the beginning of a book, and to keep the dev pool small.
"""

from collections.abc import Sequence
from dataclasses import replace

from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.text.words import folded_words


def nearest(queries: Sequence[str], passages: Sequence[str], count: int = 1) -> list[int]:
    """The places of the passages with the most words of the queries in common, in order of their place.

    Words that stand in many of the passages count less, as in BM25's inverse document frequency.
    """
    wanted = {word for query in queries for word in folded_words(query)}
    held = [wanted.intersection(folded_words(passage)) for passage in passages]
    holders = {word: sum(word in words for words in held) for word in wanted}
    scores = [sum(1 / holders[word] for word in words) for words in held]
    best = sorted(range(len(passages)), key=lambda position: -scores[position])[:count]
    return sorted(best)


def answering_passages(pairs: Sequence[Pair], corpus: Corpus) -> list[Pair]:
    """Pairs whose response is a whole document of several passages get the nearest passage as response."""
    if corpus.passages == len(corpus):
        return list(pairs)
    positions = {identity: position for position, identity in enumerate(corpus.ids())}
    made = []
    for pair in pairs:
        position = positions.get(pair.document or "", -1)
        passages = corpus.passages_of(position) if position >= 0 else []
        if len(passages) > 1:
            (document,) = corpus.documents_at([position])
            if pair.response in (document.text, document.embedded):
                texts = corpus.embedded_at(passages)
                pair = replace(pair, response=texts[nearest([pair.query], texts)[0]])
        made.append(pair)
    return made
