"""The split: nothing crosses, the shares are kept, and the same pairs part the same way."""

import dataclasses
import tempfile
from functools import partial
from itertools import chain, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.corpus.corpus import CORPUS_FILE, Corpus
from search.corpus.document import Document
from search.corpus.labels import Pair
from search.corpus.passages import WHOLE, Chunking
from search.corpus.writer import CorpusWriter
from search.evaluation.query_sets.dev_queries import as_query_set
from search.evaluation.query_sets.leakage import Texts, answered, check_leaks, texts_of
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS, NEW_QUESTIONS
from search.projects.errors import Failed, Refused
from search.projects.project import project_to_be
from search.text.near_duplicates import THRESHOLD, shingles
from training.data.pair_sets import PairSet, current_pairs, split_pairs

strict_split = partial(split_pairs, question=NEW_DOCUMENTS)


def many(count: int) -> list[Pair]:
    return [
        Pair(f"question {n} about topic{n}", f"answer{n} text{n}", f"d{n}") for n in range(count)
    ]


def jaccard(a: str, b: str) -> float:
    one, two = shingles(a), shingles(b)
    return len(one & two) / len(one | two) if one | two else 0.0


def sides(split, pairs):
    """The pairs of each side: those of dev and test are found by query and document."""
    held = {
        side: [
            pair
            for pair in pairs
            if any(
                text == pair.query and pair.document in queries.judgments[key]
                for key, text in queries.queries.items()
            )
        ]
        for side, queries in (("dev", split.dev), ("test", split.test))
    }
    return {"train": split.train, **held}


def assert_nothing_crosses(split, pairs):
    parts = sides(split, pairs)
    assert sorted(map(repr, chain(*parts.values()))) == sorted(map(repr, pairs))
    for one, other in (("train", "test"), ("train", "dev"), ("dev", "test")):
        for a, b in product(parts[one], parts[other]):
            assert a.document is None or a.document != b.document
            assert jaccard(a.query, b.query) < THRESHOLD
            assert jaccard(a.response, b.response) < THRESHOLD


@pytest.mark.parametrize("count", [10, 50, 100, 1000])
def test_shares(count):
    split = split_pairs(many(count), hold_test=True)
    assert len(split.test.queries) == round(count * 0.2)
    assert len(split.dev.queries) == round(count * 0.1)
    assert len(split.train) == count - round(count * 0.2) - round(count * 0.1)
    assert {p.document for p in split.train}.isdisjoint(
        d
        for judged in (*split.test.judgments.values(), *split.dev.judgments.values())
        for d in judged
    )


def test_dev_has_at_most_300():
    assert len(split_pairs(many(3100), hold_test=True).dev.queries) == 300


def test_without_a_test_part():
    split = split_pairs(many(100), hold_test=False)
    assert split.test.queries == {}
    assert (len(split.dev.queries), len(split.train)) == (10, 90)


def test_the_same_each_time_whatever_the_seed_of_the_process():
    one, same = split_pairs(many(60), hold_test=True), split_pairs(many(60), hold_test=True)
    assert one == same
    assert one.digest == same.digest
    other = split_pairs(many(60), hold_test=True, seed=7)
    assert other.digest != one.digest
    assert set(other.test.queries.values()) != set(one.test.queries.values())
    assert one.digest == "d6a1b12bfdc29162"


def test_the_order_of_the_file_does_not_matter(rng):
    pairs = many(60)
    shuffled = rng.sample(pairs, len(pairs))
    one, other = split_pairs(pairs, hold_test=True), split_pairs(shuffled, hold_test=True)
    assert one.test.queries == other.test.queries
    assert one.dev.queries == other.dev.queries


LONG = " ".join(f"clause{n}" for n in range(60))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Pair("same question", "answer one", "a"), Pair("same question", "answer two", "b")),
        (Pair("Same question?", "answer one", "a"), Pair("same QUESTION", "answer two", "b")),
        (Pair("first", "the same answer", "a"), Pair("second", "The same answer!", "b")),
        (Pair("first", LONG, "a"), Pair("second", LONG.replace("clause9 ", "x "), "b")),
        (Pair("first", "answer one", "a"), Pair("second", "answer two", "a")),
    ],
    ids=["query", "query's words", "response's words", "near response", "document"],
)
def test_what_belongs_together_stays_together(one, other):
    """Among many seeds the two land on every side, and always on the same one."""
    landed = set()
    largest = [Pair(f"large question{n}", f"large{n}", "large") for n in range(3)]
    for seed in range(25):
        pairs = [*many(20), *largest, one, other]
        parts = sides(strict_split(pairs, hold_test=True, seed=seed), pairs)
        where = {side for side, held in parts.items() if one in held or other in held}
        assert len(where) == 1, where
        landed |= where
    assert landed >= {"train", "test"}


def test_chains_are_one_group():
    """a and b share a query, b and c a document, c and d an answer: all four go one way."""
    linked = [
        Pair("question one", "alpha", "a"),
        Pair("question one", "beta", "b"),
        Pair("question two", "gamma", "b"),
        Pair("question three", "gamma!", "c"),
    ]
    for seed in range(30):
        pairs = [*many(30), *linked]
        parts = sides(strict_split(pairs, hold_test=True, seed=seed), pairs)
        assert sum(any(p in held for p in linked) for held in parts.values()) == 1


def test_a_giant_group_trains():
    giant = [Pair(f"giant question{n}", f"giant{n}", "shared") for n in range(60)]
    for seed in range(10):
        pairs = [*many(40), *giant]
        split = strict_split(pairs, hold_test=True, seed=seed)
        assert [p for p in split.train if p.document == "shared"] == giant
        assert len(split.test.queries) == 20
        assert len(split.dev.queries) == 10


def test_a_group_too_large_for_the_test_is_passed_over():
    big = [Pair(f"big question{n}", f"big{n}", "shared") for n in range(9)]
    bigger = [Pair(f"bigger question{n}", f"bigger{n}", "other") for n in range(10)]
    for seed in range(10):
        pairs = [*many(21), *big, *bigger]
        split = strict_split(pairs, hold_test=True, seed=seed)
        assert len(split.test.queries) == 8
        assert not any(q.startswith("big") for q in split.test.queries.values())


def test_every_split_of_pairs_that_can_be_parted_has_a_dev_part():
    """Training is steered by the dev queries, so a split without any would be of no use."""
    pairs = [Pair(f"{w} question{n}", f"{w}{n}", f"d{n}") for n in range(4) for w in ("one", "two")]
    split = strict_split(pairs, hold_test=True)
    assert split.dev.queries
    assert split.test.queries
    assert len(split.train) >= 4


def test_pairs_without_a_document_are_never_held_out():
    loose = [dataclasses.replace(pair, document=None) for pair in many(30)]
    pairs = [*loose, *(Pair(f"q{n} other", f"r{n} other", f"e{n}") for n in range(30))]
    split = split_pairs(pairs, hold_test=True)
    assert [p for p in split.train if p.document is None] == loose
    assert len(split.test.queries) == 12
    nothing = split_pairs(loose, hold_test=True)
    assert (nothing.train, nothing.test.queries, nothing.dev.queries) == (loose, {}, {})


def test_too_few():
    with pytest.raises(Refused, match=r"^7 pairs are too few .* at least 8 are needed"):
        strict_split(many(7), hold_test=True)
    assert len(strict_split(many(8), hold_test=True).test.queries) == 2
    same = [Pair(f"q{n}", f"answer {n % 3}", f"d{n % 3}") for n in range(12)]
    with pytest.raises(Refused, match="The 12 pairs form only 3 independent groups"):
        strict_split(same, hold_test=True)


def shared_documents(documents: int, each: int) -> list[Pair]:
    return [
        Pair(f"what{n} about topic{d} case{n}", f"answer{d}", f"d{d}")
        for d in range(documents)
        for n in range(d * each, (d + 1) * each)
    ]


def new_documents_of(split):
    trained = {pair.document for pair in split.train}
    trained |= {d for judged in split.dev.judgments.values() for d in judged}
    return [q for q in split.test.queries if trained.isdisjoint(split.test.relevant(q))]


def test_new_questions_may_ask_for_documents_that_train():
    pairs = shared_documents(10, 12)
    split = split_pairs(pairs, hold_test=True)
    assert (split.question, len(split.test.queries), len(split.dev.queries)) == (
        "new_questions",
        24,
        12,
    )
    assert len(new_documents_of(split)) < 5
    assert len(split.train) == 84
    queries = [*split.test.queries.values(), *split.dev.queries.values()]
    assert {pair.query for pair in split.train}.isdisjoint(queries)
    strict = strict_split(pairs, hold_test=True)
    assert strict.question == "new_documents"
    assert new_documents_of(strict) == list(strict.test.queries)


def test_equal_and_near_queries_stay_on_one_side_of_new_questions():
    near = [Pair(f"{LONG} clause{n}", f"answer{n}", f"e{n}") for n in (70, 71)]
    landed = set()
    for seed in range(25):
        pairs = [*shared_documents(20, 3), *near, *[Pair("the same", f"r{n}") for n in range(3)]]
        parts = sides(split_pairs(pairs, hold_test=True, seed=seed), pairs)
        where = {side for side, held in parts.items() if set(near) & set(held)}
        assert len(where) == 1
        landed |= where
    assert landed >= {"train", "test"}


@pytest.mark.parametrize(("documents", "each", "kept"), [(300, 2, 50), (300, 1, 60), (30, 20, 0)])
def test_a_part_of_the_test_tells_of_new_documents_where_there_are_enough(documents, each, kept):
    """Fifty queries in thirty groups, of at most half of the test."""
    split = split_pairs(shared_documents(documents, each), hold_test=True)
    assert len(split.test.queries) == round(documents * each * 0.2)
    assert len(new_documents_of(split)) >= kept
    if not kept:
        assert len(new_documents_of(split)) < 50
    else:
        asked = {d for q in new_documents_of(split) for d in split.test.relevant(q)}
        assert len(asked) >= (30 if each == 1 else 25)


def test_where_each_document_has_one_question_both_splits_are_the_same():
    pairs = many(400)
    one, other = split_pairs(pairs, hold_test=True), strict_split(pairs, hold_test=True)
    assert (one.train, one.dev, one.test) == (other.train, other.dev, other.test)


WORDS = st.sampled_from(["tort", "court", "law", "appeal", "judge", "fine", "bail", "writ"])
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
PAIRS = st.lists(
    st.builds(Pair, TEXTS, TEXTS, st.none() | st.sampled_from([f"d{n}" for n in range(12)])),
    min_size=8,
    max_size=40,
    unique=True,
)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(PAIRS, st.booleans(), st.integers(0, 5))
def test_nothing_ever_crosses(pairs, hold_test, seed):
    try:
        split = strict_split(pairs, hold_test, seed)
    except Refused:
        return
    assert_nothing_crosses(split, pairs)
    assert len(split.test.queries) <= max(2, round(len(pairs) * 0.2))


# Long texts of which many are near-duplicates: twenty words, at most one of them another.
TOPICS = {topic: [f"{topic}{n}" for n in range(20)] for topic in ("tort", "court", "fine", "bail")}


def variant(topic, place, word):
    words = list(TOPICS[topic])
    words[place] = word
    return " ".join(words)


LONGER = st.builds(
    variant, st.sampled_from(sorted(TOPICS)), st.integers(0, 19), st.sampled_from(["same", "other"])
)
ANY = TEXTS | LONGER
NAMES = [f"d{n}" for n in range(14)]
CORPORA = st.lists(
    st.tuples(st.sampled_from(["", "tort", "court law"]), ANY, ANY), min_size=14, max_size=14
)
POINTING = st.lists(
    st.tuples(ANY, st.none() | ANY, st.sampled_from([*NAMES, None]), st.lists(ANY, max_size=2)),
    min_size=8,
    max_size=40,
)


def corpus_of(folder, documents, chunking):
    writer = CorpusWriter(Path(folder), chunking=chunking)
    writer.add(
        Document(name, title, f"{first}.\n\n{second}." if chunking.tokens else first)
        for name, (title, first, second) in zip(NAMES, documents, strict=True)
    )
    writer.close()
    return Corpus(Path(folder) / CORPUS_FILE)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(CORPORA, POINTING, st.sampled_from([WHOLE, Chunking(24, 0)]))
def test_a_split_made_here_passes_the_leak_check(documents, rows, chunking):
    """Pairs point to documents by id, some with a text of their own; documents have titles and passages."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = corpus_of(folder, documents, chunking)
        texts = texts_of(corpus, set(NAMES))
        pairs = [
            Pair(query, response or texts[name].whole[-1], name, tuple(negatives))
            for query, response, name, negatives in rows
            if response or name
        ]
        try:
            split = strict_split(pairs, hold_test=True, texts=texts)
        except Refused:
            return
        for held in (split.test, split.dev):
            assert check_leaks(split.train, held, corpus).is_clean()
        steering = answered(split.dev.queries, split.dev.judgments, corpus)
        assert check_leaks(steering, split.test, corpus).is_clean()
        loose = split_pairs(pairs, hold_test=True, texts=texts)
        for held in (loose.test, loose.dev):
            assert check_leaks(loose.train, held, corpus).is_clean(NEW_QUESTIONS)


def test_the_leak_check_sees_a_split_by_row(tmp_path):
    """The test above could not fail if the check saw nothing."""
    corpus = corpus_of(tmp_path, [("", f"text{n} of{n}", "") for n in range(14)], WHOLE)
    pairs = [Pair(f"query{n} of{n}", f"text{n} of{n}", f"d{n}") for n in range(14)]
    pairs += [Pair(f"other{n} query", f"text{n} of{n}", f"d{n}") for n in range(14)]
    by_row = as_query_set(pairs[10:18])
    check = check_leaks([*pairs[:10], *pairs[18:]], by_row, corpus)
    assert (check.queries, check.documents) == (0, 8)
    split = strict_split(pairs, hold_test=True, texts=texts_of(corpus, set(NAMES)))
    assert check_leaks(split.train, split.test, corpus).is_clean()
    assert split.test.queries


@pytest.mark.parametrize(
    ("one", "other", "texts"),
    [
        (
            Pair("first", "a snippet", "a"),
            Pair("second", "another piece", "b"),
            {"a": Texts((LONG,)), "b": Texts((LONG.replace("clause9 ", "x "), "y"))},
        ),
        (
            Pair("first", LONG.replace("clause9 ", "x ")),
            Pair("second", "another piece", "b"),
            {"b": Texts(("whole and all",), (LONG, "rest"))},
        ),
    ],
    ids=["near documents", "a passage"],
)
def test_texts_of_documents_bind_too(one, other, texts):
    for seed in range(25):
        pairs = [*many(20), *(Pair(f"l{n}", f"m{n}", "large") for n in range(3)), one, other]
        parts = sides(strict_split(pairs, hold_test=True, seed=seed, texts=texts), pairs)
        assert sum(one in held or other in held for held in parts.values()) == 1


def test_a_passage_that_all_documents_share_binds_none():
    pairs = many(30)
    texts = {p.document: Texts((p.response,), (p.response, "no liability")) for p in pairs}
    assert strict_split(pairs, hold_test=True, texts=texts) == strict_split(pairs, hold_test=True)


def test_negatives_bind_nothing():
    """The response of every pair is a negative of all others: each still stands alone."""
    pairs = many(30)
    tied = [
        dataclasses.replace(p, negatives=tuple(o.response for o in pairs if o is not p))
        for p in pairs
    ]
    split, same = split_pairs(tied, hold_test=True), split_pairs(pairs, hold_test=True)
    assert (split.test, split.dev, split.digest) == (same.test, same.dev, same.digest)
    assert [p.query for p in split.train] == [p.query for p in same.train]


def test_what_must_train_is_never_held_out():
    pairs = many(40)
    split = split_pairs(pairs, hold_test=True, never_held=pairs[:20])
    assert split.train[:20] == pairs[:20]
    assert len(split.test.queries) == 8
    none = split_pairs(pairs, hold_test=True, never_held=pairs)
    assert (none.train, none.test.queries, none.dev.queries) == (pairs, {}, {})


def test_as_query_set_joins_equal_queries():
    queries = as_query_set(
        [Pair("q", "a", "d1"), Pair("q", "b", "d2"), Pair("r", "c"), Pair("s", "c", "d1")]
    )
    assert sorted(queries.queries.values()) == ["q", "s"]
    key = next(k for k, text in queries.queries.items() if text == "q")
    assert queries.judgments[key] == {"d1": 1, "d2": 1}


def test_save_and_load():
    home = project_to_be("lab")
    pairs = PairSet(
        [Pair("naïve\nq", 'x "y"\t\u2028z', "d1"), Pair("r", "s", None, ("n", "m\u2028"))],
        QuerySet({"v": "dev?"}, {"v": {"d2": 2}}),
        {"naïve\nq": {"d1": 3, "d4": 1}},
        NEW_QUESTIONS,
    )
    with home.publish("pairs") as draft:
        pairs.save(draft)
    manifest, again = current_pairs(home)
    assert again == pairs
    assert manifest.details == {"question": "new_questions", "pairs": 2, "dev_queries": 1}
    (home.folder_of(manifest) / "pairs.jsonl").write_text("")
    with pytest.raises(Failed, match=r"The set of pairs .* is damaged: pairs\.jsonl has 0 bytes"):
        current_pairs(home)


def test_none_yet_says_how_to_get_some():
    with pytest.raises(Refused, match=r"no query/response pairs.*python cli\.py pairs lab FILE"):
        current_pairs(project_to_be("lab").create())
