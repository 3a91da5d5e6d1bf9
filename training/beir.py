"""The split that a BEIR data set comes with; what it lacks is held out of its training queries."""

from search.corpus import Corpus
from search.leaks import keep_apart, texts_of
from search.query_sets import QuerySet
from search.readers.beir import Beir
from search.readers.pairs import Pair
from training.pairs import Split, split_pairs


def beir_split(data: Beir, corpus: Corpus, notes: list[str]) -> Split:
    """The pairs, dev and test queries of a BEIR data set.

    A pair is a train query with each document of its highest grade. Without dev.tsv a dev part is held out of
    the pairs, without test.tsv a test part too.

    :param corpus: the documents of the data set.
    :param notes: what was left out is added here, in words.
    :raises Refused: when there are too few pairs to hold a part of them out.
    """
    known = set(corpus.ids())
    best: list[tuple[str, str]] = []
    for query, judged in data.judgments.get("train", {}).items():
        grades = {d: g for d, g in judged.items() if g > 0 and d in known}
        highest = max(grades.values(), default=0)
        if query in data.queries:
            best.extend((data.queries[query], d) for d, g in grades.items() if g == highest)
    texts = texts_of(corpus, {document for _, document in best})
    pairs = [Pair(query, texts[document].whole[-1], document) for query, document in best]
    dev = _query_set(data, "dev", known, notes)
    test = _query_set(data, "test", known, notes)
    if not pairs or (dev.queries and test.queries):
        return Split(pairs, dev, test, uploaded=frozenset({"dev", "test"}))
    if test.queries:
        kept = set(keep_apart(pairs, [test], corpus).pairs)
        shared = [pair for pair in pairs if pair not in kept]
        made = split_pairs(pairs, hold_test=False, texts=texts, never_held=shared)
        return Split(made.train, made.dev, test, uploaded=frozenset({"test"}))
    if dev.queries:
        notes.append(
            "qrels/dev.tsv is not used: without qrels/test.tsv, both are held out of train"
        )
    return split_pairs(pairs, hold_test=True, texts=texts)


def _query_set(data: Beir, split: str, documents: set[str], notes: list[str]) -> QuerySet:
    judgments = data.judgments.get(split, {})
    whole = QuerySet({q: data.queries[q] for q in judgments if q in data.queries}, judgments)
    usable, unanswered = whole.restricted_to(documents)
    left_out = unanswered + sum(query not in data.queries for query in judgments)
    if left_out:
        notes.append(
            f"{split}: {left_out:,} queries left out (no text, or no relevant document in the corpus)"
        )
    return usable
