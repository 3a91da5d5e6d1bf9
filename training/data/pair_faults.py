"""What can be wrong with pairs: repeated, copied, contradictory, or all answered by the same text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from search.corpus.labels import Pair
from search.text.near_duplicates import THRESHOLD, NearDuplicates, shingles
from search.text.words import folded_words

# One word or two stand in their answer as a matter of course.
_COPIED_WORDS = 3


class Said(dict[str, tuple[str, ...]]):
    """What a text says: its words, case folded; a text without words says itself."""

    def __missing__(self, text: str) -> tuple[str, ...]:
        """Read a text that is met for the first time."""
        self[text] = tuple(folded_words(text)) or (text,)
        return self[text]


@dataclass(frozen=True)
class Answers:
    """How queries and answers share each other; an answer is a document, or the words of a response.

    `shared` answers serve several queries, `queries_with_several` queries have several answers. `largest` is
    a response of the answer that most queries have, `largest_queries` how many those are, `largest_share`
    their share (0 to 1) of all queries.
    """

    distinct: int
    shared: int
    queries_with_several: int
    largest: str
    largest_queries: int
    largest_share: float


def repeated(pairs: Sequence[Pair], said: Said) -> int:
    """How many pairs say what an earlier one says (of a pair without a response, its document counts)."""
    different = {
        (said[pair.query], said[pair.response] if pair.response else pair.document)
        for pair in pairs
    }
    return len(pairs) - len(different)


def near_queries(pairs: Sequence[Pair], said: Said) -> list[tuple[str, str]]:
    """Each query that nearly equals another one of different words, with the first such."""
    first: dict[tuple[str, ...], str] = {}
    for pair in pairs:
        first.setdefault(said[pair.query], pair.query)
    queries = list(first.values())
    known = NearDuplicates(queries)
    found = []
    for position, query in enumerate(queries):
        others = [other for other in known.of(query) if other != position]
        if others:
            found.append((query, queries[others[0]]))
    return found


def copied(pairs: Sequence[Pair], said: Said) -> list[Pair]:
    """The pairs of which nine tenths or more of the query's words and word pairs stand in the response.

    Queries of one or two words are passed over.
    """
    by_response: dict[str, list[int]] = {}
    for position, pair in enumerate(pairs):
        by_response.setdefault(pair.response, []).append(position)
    positions: list[int] = []
    for response, its_places in by_response.items():
        known = shingles(response)
        for position in its_places:
            query = pairs[position].query
            if len(said[query]) >= _COPIED_WORDS:
                wanted = shingles(query)
                if len(wanted & known) >= THRESHOLD * len(wanted):
                    positions.append(position)
    return [pairs[position] for position in sorted(positions)]


def contradictory(pairs: Sequence[Pair], said: Said) -> list[Pair]:
    """The pairs whose response is given, there or in another pair, as a negative for the same query."""
    wrong = {(said[pair.query], said[negative]) for pair in pairs for negative in pair.negatives}
    return [pair for pair in pairs if (said[pair.query], said[pair.response]) in wrong]


def answers(pairs: Sequence[Pair], said: Said) -> Answers:
    """How queries and answers share each other."""
    served: dict[object, set[tuple[str, ...]]] = {}
    given: Counter[tuple[str, ...]] = Counter()
    shown: dict[object, str] = {}
    for pair in pairs:
        query, answer = said[pair.query], pair.document or said[pair.response]
        if query not in served.setdefault(answer, set()):
            served[answer].add(query)
            given[query] += 1
        shown.setdefault(answer, pair.response or str(pair.document))
    if not served:
        return Answers(0, 0, 0, "", 0, 0.0)
    largest = max(served, key=lambda answer: len(served[answer]))
    return Answers(
        distinct=len(served),
        shared=sum(len(queries) > 1 for queries in served.values()),
        queries_with_several=sum(number > 1 for number in given.values()),
        largest=shown[largest],
        largest_queries=len(served[largest]),
        largest_share=len(served[largest]) / len(given),
    )
