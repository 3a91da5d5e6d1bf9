"""What the labels of pairs mean for training and for the test: grades of held-out queries, the best answers to train on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from search.corpus.labels import Judgments, Pair
from search.corpus.readers.pairs import PairFile
from training.data.pair_sets import Split


def graded_split(
    split: Split,
    pairs: Sequence[Pair],
    rejected: Sequence[Pair],
    held: PairFile,
    notes: list[str],
) -> Split:
    """A split with what the labels of its pairs say.

    Held-out queries keep all grades, those of 0 too. Trained on are the best answers of each query (as of a BEIR data
    set): a lesser one is neither an answer nor a negative.

    :param pairs: those of `held`, in their order, pointed to documents.
    :param rejected: likewise.
    :param notes: what was left out is added here, in words.
    """
    if not held.grades:
        return split
    grades = _by_document(zip(held.pairs, pairs, strict=True), held.grades)
    zeros = _by_document(zip(held.rejected, rejected, strict=True), held.grades)
    judged = {query: zeros.get(query, {}) | known for query, known in grades.items()}
    best = {query: max(said.values()) for query, said in held.grades.items()}
    value = {
        (p.query, p.response, p.document): _grade(q, held.grades)
        for q, p in zip(held.pairs, pairs, strict=True)
    }
    train = [
        p
        for p in split.train
        if value.get((p.query, p.response, p.document), best.get(p.query, 0))
        >= best.get(p.query, 0)
    ]
    if len(train) < len(split.train):
        notes.append(
            f"{len(split.train) - len(train):,} pairs have a lesser grade than the best answer of their query: they are "
            "neither trained on nor negatives; where their query is held out, the grade counts"
        )
    several = any(len({g for g in said.values() if g > 0}) > 1 for said in held.grades.values())
    return replace(
        split,
        train=train,
        dev=split.dev.graded({q: judged[q] for q in split.dev.queries.values() if q in judged}),
        test=split.test.graded({q: judged[q] for q in split.test.queries.values() if q in judged}),
        grades={**split.grades, **(grades if several else {})},
    )


def _by_document(rows: Iterable[tuple[Pair, Pair]], grades: Judgments) -> Judgments:
    """The grades of the documents that pairs point to, by query."""
    made: Judgments = {}
    for read, pointed in rows:
        if pointed.document is not None:
            said = made.setdefault(read.query, {})
            said[pointed.document] = max(_grade(read, grades), said.get(pointed.document, 0))
    return made


def _grade(pair: Pair, grades: Judgments) -> int:
    return grades[pair.query][pair.document or pair.response]
