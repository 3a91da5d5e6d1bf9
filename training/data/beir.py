"""The split that a BEIR data set comes with; what it lacks is held out of its training queries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.corpus.readers.beir import Beir
from search.evaluation.query_sets.dev_queries import Grades
from search.evaluation.query_sets.leakage import Texts, keep_apart, seen_in_training, texts_of
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_QUESTIONS, Question, question_for
from training.data.pair_sets import Split, split_pairs


def beir_split(
    data: Beir, corpus: Corpus, notes: list[str], asked: Question | None = None
) -> Split:
    """The pairs, dev and test queries of a BEIR data set.

    A pair is a train query with each document of its highest grade. Without dev.tsv a dev part is held out of
    the pairs, without test.tsv a test part too. A dev part that was held out steers by what the test measures:
    where that was given, all grades of its queries count, but for what the test asks for too.

    :param corpus: the documents of the data set.
    :param notes: what was left out is added here, in words.
    :param asked: the question of the split; by default that of new questions, where its queries are disjoint.
    :raises Refused: when there are too few pairs to hold a part of them out.
    """
    known = set(corpus.ids())
    best: list[tuple[str, str]] = []
    judged: dict[str, dict[str, int]] = {}
    for query, found in data.judgments.get("train", {}).items():
        grades = {d: g for d, g in found.items() if g > 0 and d in known}
        highest = max(grades.values(), default=0)
        if query in data.queries:
            text = data.queries[query]
            best.extend((text, d) for d, g in grades.items() if g == highest)
            judged.setdefault(text, {}).update(grades)
    texts = texts_of(corpus, {document for _, document in best})
    pairs = _pairs(best, texts)
    dev = _query_set(data, "dev", known, notes)
    test = _query_set(data, "test", known, notes)
    question = asked or _question(pairs, test, corpus)
    uploaded = frozenset({"dev", "test"})
    if not pairs:
        return Split(pairs, dev, test, uploaded, question=question)
    grades_of = _grades(judged, best, test, corpus, question) if test.queries else {}
    if dev.queries and test.queries:
        return Split(pairs, dev, test, uploaded, grades_of, question=question)
    if test.queries:
        kept = set(keep_apart(pairs, [test], corpus, question).pairs)
        shared = [pair for pair in pairs if pair not in kept]
        made = split_pairs(pairs, False, texts=texts, never_held=shared, question=question)
        graded = made.dev.graded(grades_of)
        return Split(made.train, graded, test, frozenset({"test"}), grades_of, question=question)
    if dev.queries:
        notes.append(
            "qrels/dev.tsv is not used: without qrels/test.tsv, both are held out of train"
        )
    return split_pairs(pairs, hold_test=True, texts=texts, question=question)


@dataclass(frozen=True)
class BeirCounts:
    """What a BEIR data set brings, counted before anything of it is used: rows that are refused later are in it.

    `pairs` are answers that training queries have, of `training` queries; `test` are the queries of the test part.
    """

    documents: int
    pairs: int
    training: int
    test: int


def count_beir(data: Beir) -> BeirCounts:
    """Count what a data set holds."""
    with data.corpus.open("rb") as stream:
        documents = sum(bool(line.strip()) for line in stream)
    train, test = (data.judgments.get(split, {}) for split in ("train", "test"))
    answers = [sum(grade > 0 for grade in judged.values()) for judged in train.values()]
    return BeirCounts(documents, sum(answers), sum(map(bool, answers)), len(test))


def _question(pairs: Sequence[Pair], test: QuerySet, corpus: Corpus) -> Question:
    return question_for(
        len(test.queries), len(seen_in_training(pairs, test, corpus, NEW_QUESTIONS))
    )


def _pairs(answered: Iterable[tuple[str, str]], texts: Mapping[str, Texts]) -> list[Pair]:
    return [Pair(query, texts[document].whole[-1], document) for query, document in answered]


def _grades(
    judged: Grades,
    best: Collection[tuple[str, str]],
    test: QuerySet,
    corpus: Corpus,
    question: Question,
) -> Grades:
    """All grades of the queries that have more than their best answers, but for what the test asks for, too."""
    taught = set(best)
    more = [(q, d) for q, grades in judged.items() for d in grades if (q, d) not in taught]
    if not more:
        return {}
    lesser = _pairs(more, texts_of(corpus, {document for _, document in more}))
    apart = {(p.query, p.document) for p in keep_apart(lesser, [test], corpus, question).pairs}
    return {
        query: {
            d: grade
            for d, grade in judged[query].items()
            if (query, d) in taught or (query, d) in apart
        }
        for query in sorted({query for query, _ in apart})
    }


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
