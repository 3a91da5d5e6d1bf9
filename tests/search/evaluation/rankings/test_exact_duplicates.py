"""Documents that are the same text are one answer, and only those; near-copies are counted, never taken for one another."""

import random
import unicodedata

import pytest

from search.corpus.corpus import CORPUS_FILE, Corpus, ScoredDocument
from search.corpus.document import Document
from search.corpus.filters import EVERYTHING
from search.corpus.writer import CorpusWriter
from search.evaluation.evaluate import measure
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.exact_duplicates import ExactDuplicates, exact_duplicates_of
from search.evaluation.rankings.rankings import RankingRules

LONG = "Take {} of aspirin twice a day with water after a meal, and see a doctor when the fever does not go down in three days or a rash comes up on your arms, as told on the paper in the box"


def corpus_with(folder, *documents):
    folder.mkdir()
    writer = CorpusWriter(folder)
    writer.add([Document(*fields) for fields in documents])
    writer.close()
    return Corpus(folder / CORPUS_FILE)


class Fixed:
    """A retriever with known rankings of positions, by query text."""

    def __init__(self, name, rankings):
        self.name = name
        self.rankings = rankings
        self.asked = []

    def rank(self, queries, k, scope=EVERYTHING):
        self.asked.append((len(queries), k))
        return [[ScoredDocument(n, 1.0, n) for n in self.rankings[query][:k]] for query in queries]


def test_the_same_text_is_a_copy_and_nothing_else_is(tmp_path):
    composed = unicodedata.normalize("NFC", "Kündigung der Miete")
    corpus = corpus_with(
        tmp_path / "c",
        ("a", "", "rent is due"),
        ("case", "", "Rent is due"),
        ("b", "", composed),
        ("a2", "", " rent  is\ndue "),
        ("title", "rent", "is due"),  # What is read of it is the same.
        ("b2", "", unicodedata.normalize("NFD", composed)),
        ("dose", "", "10² mg"),
        ("dose2", "", "102 mg"),
        ("point", "", "rent is due."),
        ("none", "", ""),
        ("none2", "", " "),
    )
    same = {"a": "a", "a2": "a", "title": "a", "b": "b", "b2": "b"}
    assert exact_duplicates_of(corpus) == same
    assert exact_duplicates_of(corpus, ["a2", "dose"]) == {"a": "a", "a2": "a", "title": "a"}
    assert (
        exact_duplicates_of(corpus_with(tmp_path / "d", ("a", "", "one"), ("b", "", "two"))) == {}
    )


def test_a_hit_on_any_copy_counts_once_and_where_the_first_stands(tmp_path):
    corpus = corpus_with(
        tmp_path / "c", ("x", "", "no"), ("a", "", "yes"), ("a2", "", "yes"), ("b", "", "and so"),
    )  # fmt: skip
    query_set = QuerySet({"q": "one"}, {"q": {"a": 1, "b": 1}})
    found = Fixed("found", {"one": [0, 2, 1, 3]})  # x, a2, a, b
    before = measure([found], corpus, query_set)
    copies = ExactDuplicates(exact_duplicates_of(corpus))
    after = measure([found], corpus, query_set, rules=RankingRules(copies=copies))
    single = measure([Fixed("found", {"one": [0, 1, 3]})], corpus, query_set)
    assert after.scores == single.scores
    assert (before.first_relevant, after.first_relevant) == ({"found": [3]}, {"found": [2]})
    figures = after.copies
    assert (figures.documents, figures.skipped) == (1, {"found": 1})
    assert figures.before == {"found": before.means("found")}
    assert (before.copies.documents, before.copies.before) == (0, {})


def test_judgments_of_copies_are_one_judgment_and_recall_is_never_above_one(tmp_path):
    corpus = corpus_with(tmp_path / "c", ("a", "", "yes"), ("a2", "", "yes"), ("b", "", "no"))
    copies = ExactDuplicates(exact_duplicates_of(corpus))
    query_set = QuerySet({"q": "one"}, {"q": {"a": 0, "a2": 2, "b": 0}})
    assert copies.of(query_set).judgments == {"q": {"a": 2, "b": 0}}
    result = measure(
        [Fixed("found", {"one": [0, 1, 2]})], corpus, query_set, rules=RankingRules(copies=copies)
    )
    assert result.means("found")["recall@10"] == result.means("found")["ndcg@10"] == 1
    assert result.relevant_documents == 1


def test_rankings_are_read_on_until_there_are_enough_different_documents(tmp_path):
    texts = ["the same"] * 300 + [f"text {n}" for n in range(120)]
    corpus = corpus_with(tmp_path / "c", *((f"d{n}", "", text) for n, text in enumerate(texts)))
    query_set = QuerySet({"q": "one", "r": "two"}, {"q": {"d398": 1}, "r": {"d299": 1}})
    found = Fixed("found", {"one": list(range(420)), "two": list(reversed(range(420)))})
    rules = RankingRules(copies=ExactDuplicates(exact_duplicates_of(corpus)))
    result = measure([found], corpus, query_set, rules=rules)
    # The hundredth of the different documents that `one` finds is d398; `two` had enough at once.
    assert result.first_relevant["found"] == [100, None]
    assert found.asked == [(2, 100), (1, 200), (1, 400)]


def test_what_is_a_query_itself_is_left_out_with_its_copies_but_never_an_answer():
    copies = ExactDuplicates({"q": "q", "q2": "q", "a": "a", "a2": "a"})
    assert copies.distinct(["q2", "q", "a2", "b"], {"q"}) == ["a", "b"]
    assert copies.distinct(["a2", "q", "a"], {"a"}, {"a2"}) == ["a", "q"]


def test_near_copies_of_answers_are_counted_and_stay_wrong(tmp_path):
    corpus = corpus_with(
        tmp_path / "c",
        ("a", "", LONG.format("100 mg")),
        ("dose", "", LONG.format("500 mg")),
        ("graded", "", LONG.format("900 mg")),
        ("far", "", "Rent is due in gold"),
    )
    query_set = QuerySet({"q": "one"}, {"q": {"a": 1, "graded": 0}})
    result = measure([Fixed("found", {"one": [1, 2, 3, 0]})], corpus, query_set)
    near = result.copies.near
    assert (near.documents, near.queries, near.examples[0].document) == (1, 1, "dose")
    assert result.means("found")["mrr@10"] == 0.25
    assert result.copies.sentences[0].startswith(
        "1 of the documents in the first ten nearly repeats an answer and is not judged (for example 'dose', near 'a')"
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_half_a_corpus_copied_under_new_ids_changes_nothing(tmp_path, seed):
    draw = random.Random(seed)
    texts = [f"text {n}" for n in range(400)]
    alone = corpus_with(tmp_path / "alone", *((f"d{n}", "", t) for n, t in enumerate(texts)))
    copied = draw.sample(range(400), 200)
    both = corpus_with(
        tmp_path / "both",
        *((f"d{n}", "", t) for n, t in enumerate(texts)),
        *((f"copy-{n}", "", texts[n]) for n in copied),
    )
    places = {n: 400 + i for i, n in enumerate(copied)}
    names = [f"q{n}" for n in range(30)]
    orders = {name: draw.sample(range(400), 400) for name in names}
    query_set = QuerySet(
        {name: name for name in names},
        {name: {f"d{n}": draw.randint(1, 3) for n in draw.sample(order[:40], 3)} for name, order in orders.items()},
    )  # fmt: skip
    twice = {
        name: [p for n in order for p in ([n, places[n]] if n in places else [n])]
        for name, order in orders.items()
    }
    before = measure([Fixed("f", orders)], alone, query_set)
    after = measure(
        [Fixed("f", twice)],
        both,
        query_set,
        rules=RankingRules(copies=ExactDuplicates(exact_duplicates_of(both))),
    )
    assert after.scores["f"].pop("judged@10") == before.scores["f"].pop("judged@10")
    assert after.scores == before.scores
    assert after.copies.before["f"]["ndcg@10"] < before.means("f")["ndcg@10"] - 0.01
