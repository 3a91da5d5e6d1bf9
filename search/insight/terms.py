"""What each word of a query adds to a keyword score, by the keyword index itself."""

from collections import Counter
from collections.abc import Callable, Sequence

from search.projects.settings import LIMITS
from search.retrieval.bm25.index import TermIndex
from search.retrieval.bm25.tokenizer import Analysis
from search.text.words import WORD, folded_words


def term_contributions(
    index: TermIndex, query: str, passages: Sequence[int]
) -> tuple[int, list[tuple[str, float]]]:
    """The best of some passages by BM25, and what each word of the query adds to its score.

    BM25 is a sum over the words of the query (Robertson and Zaragoza 2009, "The Probabilistic Relevance
    Framework", section 3), so the parts are exact.

    :param passages: positions of passages, at least one.
    :returns: the position of the passage, and each different word of the query with its part, in order.
    """
    terms = index.analysis.terms(query)
    wanted = index.weights(terms, LIMITS.query_terms)
    scores = index.parts(wanted, passages)
    best = max(range(len(passages)), key=lambda place: (scores[place], -passages[place]))
    asked = Counter(folded_words(query))
    parts = []
    for word, count in asked.items():
        mine = index.weights([*index.analysis.terms_of(word)] * count, LIMITS.query_terms)
        mine = {number: weight for number, weight in mine.items() if number in wanted}
        parts.append((word, float(index.parts(mine, [passages[best]])[0])))
    return passages[best], parts


def matcher(analysis: Analysis, passage: str) -> Callable[[str], list[bool]]:
    """Tells which words of a passage (in order) a word matches: those that share a term with it."""
    words = [match.group() for match in WORD.finditer(passage)]
    terms = [{t for w in folded_words(word) for t in analysis.terms_of(w)} for word in words]

    def matches(word: str) -> list[bool]:
        wanted = {t for w in folded_words(word) for t in analysis.terms_of(w)}
        return [not wanted.isdisjoint(found) for found in terms]

    return matches
