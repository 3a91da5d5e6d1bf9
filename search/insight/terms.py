"""What each word of a query adds to a keyword score, by the full-text index itself."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

from search.corpus import Corpus
from search.corpus_writer import TOKENIZER
from search.text import WORD, folded_words


def term_contributions(
    corpus: Corpus, query: str, passages: Sequence[int]
) -> tuple[int, list[tuple[str, float]]]:
    """The best of some passages by BM25, and what each word of the query adds to its score.

    BM25 is a sum over the words of the query (Robertson and Zaragoza 2009, "The Probabilistic Relevance
    Framework", section 3), so the parts are exact.

    :param passages: positions of passages, at least one.
    :returns: the position of the passage, and each different word of the query with its part, in order.
    """
    words = list(dict.fromkeys(folded_words(query)))
    parts = [corpus.term_scores(word, passages) for word in words]
    sums = {place: sum(part.get(place, 0.0) for part in parts) for place in passages}
    best = max(passages, key=lambda place: (sums[place], -place))
    return best, [(word, part.get(best, 0.0)) for word, part in zip(words, parts, strict=True)]


def matcher(passage: str) -> Callable[[str], list[bool]]:
    """Tells which words of a passage (in order) a word matches: with the index's own stemming."""
    words = [match.group() for match in WORD.finditer(passage)]

    def matches(term: str) -> list[bool]:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(f"CREATE VIRTUAL TABLE words USING fts5 (text, {TOKENIZER})")
            connection.executemany("INSERT INTO words VALUES (?)", [(word,) for word in words])
            rows = connection.execute("SELECT rowid FROM words WHERE words MATCH ?", (f'"{term}"',))
            found = {int(row[0]) for row in rows}
        return [place in found for place in range(1, len(words) + 1)]

    return matches
