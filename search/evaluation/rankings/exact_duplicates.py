"""Documents that stand in a corpus more than once: one answer, whichever of them is found.

The same text after Unicode (NFC) and white-space normalisation, title included, makes two documents copies; nothing less
does. NFC leaves signs that mean something apart (10² and 102), which NFKC would not. Documents that are only nearly the same
may differ by a dose or a "not": they are counted and shown (see copy_figures.py), never taken for one another.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from search.corpus.corpus import Corpus
from search.corpus.labels import Judgments
from search.evaluation.query_sets.query_set import QuerySet
from search.projects.progress import Progress, silent

_STEP = 1_000


@dataclass(frozen=True)
class ExactDuplicates:
    """Which documents are one: the id of each that has copies, to the id that stands for all of them.

    >>> copies = ExactDuplicates({"a": "a", "a2": "a", "a3": "a"})
    >>> copies.distinct(["b", "a2", "a", "c"]), copies.repeating
    (['b', 'a', 'c'], 2)
    >>> copies.joined({"q": {"a2": 2, "a": 0, "b": 1}})
    {'q': {'a': 2, 'b': 1}}
    """

    same: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.same)

    @property
    def repeating(self) -> int:
        """How many documents repeat another."""
        return len(self.same) - len(set(self.same.values()))

    def positions(self, ids: Sequence[str]) -> dict[int, int]:
        """The same by the positions of documents, of which these are the ids."""
        at = {identity: n for n, identity in enumerate(ids)} if self.same else {}
        return {at[document]: at[one] for document, one in self.same.items()}

    def one(self, document: str) -> str:
        """The id that stands for a document."""
        return self.same.get(document, document)

    def distinct(
        self,
        ranking: Iterable[str],
        left_out: Collection[str] = (),
        relevant: Collection[str] = (),
    ) -> list[str]:
        """A ranking in which a document and its copies count once, where the first of them stands.

        :param left_out: what stays out of it, copies included, where none of them is among `relevant`.
        """
        out = set(map(self.one, left_out)) - set(map(self.one, relevant)) if left_out else ()
        return [one for one in dict.fromkeys(map(self.one, ranking)) if one not in out]

    def joined(self, judgments: Mapping[str, Mapping[str, int]]) -> Judgments:
        """Judgments in which copies are one document: of what was said of several, the best grade holds."""
        made: Judgments = {}
        for query, judged in judgments.items():
            own = made.setdefault(query, {})
            for document, grade in judged.items():
                one = self.one(document)
                own[one] = max(grade, own.get(one, grade))
        return made

    def by_query(self, query_set: QuerySet, grades: Mapping[str, Mapping[str, int]]) -> Judgments:
        """What was graded for the text of a query, for the queries of a set that have it."""
        own = {q: grades[text] for q, text in query_set.queries.items() if text in grades}
        return self.joined(own)

    def of(self, query_set: QuerySet) -> QuerySet:
        """A query set in whose judgments copies are one document."""
        return QuerySet(query_set.queries, self.joined(query_set.judgments)) if self else query_set


def exact_duplicates_of(
    corpus: Corpus, documents: Collection[str] | None = None, progress: Progress = silent
) -> dict[str, str]:
    """The documents that have copies in a corpus, each to the first of them, which stands for all.

    :param documents: only those whose text one of these has, by their ids; None for all.
    """
    count = len(corpus)
    keys = np.zeros((count, 2), dtype=np.uint64)
    for start in range(0, count, _STEP):
        progress(start, count, "looking for documents that are the same")
        for position, text in enumerate(corpus.texts(start, start + _STEP), start):
            # One without a text is like no other: nothing can be found in it.
            seen = _normalised(text) or f"\0{position}"
            digest = blake2b(seen.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            keys[position] = np.frombuffer(digest, dtype=np.uint64)
    _, first, number, often = np.unique(
        keys, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    again = np.flatnonzero(often[number] > 1)
    if not len(again):
        return {}
    ids = corpus.ids()
    same = {ids[position]: ids[first[number[position]]] for position in again.tolist()}
    if documents is None:
        return same
    wanted = {same[document] for document in documents if document in same}
    return {document: one for document, one in same.items() if one in wanted}


def _normalised(text: str) -> str:
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())
