"""What may be trained on, and which test queries a model may have seen."""

import pytest

from search.corpus.corpus import CORPUS_FILE, Corpus, current_corpus
from search.corpus.document import Document
from search.corpus.ingest import IngestChoices, add_documents
from search.corpus.labels import Pair
from search.corpus.passages import Chunking
from search.corpus.writer import CorpusWriter
from search.evaluation.query_sets.leakage import (
    LeakCheck,
    answered,
    check_leaks,
    keep_apart,
    leaks_of,
    seen_in_training,
    texts_of,
)
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS, NEW_QUESTIONS
from search.projects.project import project_to_be
from training.data.pair_sets import PairSet

LONG = " ".join(f"clause{n}" for n in range(60))
NEARLY_LONG = LONG.replace("clause7 ", "clauseX ")


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "docs.csv"
    path.write_text(
        "id,title,text\n"
        "d1,,A tort is a civil wrong\n"
        "d2,Courts,They hear appeals\n"
        f"d3,,{LONG}\n"
        "d4,,Free to train on\n"
    )
    home = project_to_be("lab")
    add_documents(home, [path])
    return current_corpus(home)[1]


TEST = QuerySet(
    {"q1": "what is a tort", "q2": "who hears", "q3": "that long one"},
    {"q1": {"d1": 1, "d4": 0}, "q2": {"d2": 2}, "q3": {"d3": 1}},
)
DEV = QuerySet({"v1": "a dev question"}, {"v1": {"d2": 1}})


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        (Pair("What is a TORT?", "unrelated answer"), "query"),
        (Pair("a dev question!", "unrelated answer"), "query"),
        (Pair("new question", "unrelated answer", "d1"), "document"),
        (Pair("new question", "a TORT is a civil wrong."), "document"),
        (Pair("new question", "they hear appeals"), "document"),
        (Pair("new question", "Courts They hear appeals"), "document"),
        (Pair("new question", NEARLY_LONG), "document"),
        (Pair("what is a to\u00adrt", "unrelated answer"), "query"),
        (Pair("new question", "They he\u200bar app\u2060eals"), "document"),
        (Pair("what is a tort", "A tort is a civil wrong", "d1"), "query"),
        (Pair("new question", "Free to train on", "d4"), None),
        (Pair("what is a wrong", "another answer"), None),
    ],
)
def test_each_way_to_leak(corpus, pair, why):
    guarded = keep_apart([pair], [TEST, DEV], corpus)
    assert guarded.pairs == ([] if why else [pair])
    assert (guarded.same_query, guarded.same_document) == (why == "query", why == "document")


def test_kept_pairs_keep_their_order_and_the_note_counts(corpus):
    pairs = [
        Pair("one", "answer one"),
        Pair("who hears?", "x"),
        Pair("two", "Free to train on", "d4"),
        Pair("three", "y", "d2"),
        Pair("four", "they hear appeals"),
    ]
    guarded = keep_apart(pairs, [TEST], corpus)
    assert guarded.pairs == [pairs[0], pairs[2]]
    assert guarded.note == (
        "3 pairs left out of training, so that nothing leaks into the test: 1 for a shared query, "
        "2 for a shared answer (near-duplicates included)"
    )


def test_nothing_to_guard(corpus):
    pairs = [Pair("what is a tort", "A tort is a civil wrong", "d1")]
    guarded = keep_apart(pairs, [], corpus)
    assert (guarded.pairs, guarded.note) == (pairs, None)


@pytest.mark.parametrize(
    ("trained", "seen"),
    [
        ([], set()),
        ([Pair("unrelated", "nothing alike")], set()),
        ([Pair("WHAT is a tort", "x")], {"q1"}),
        ([Pair("x", "y", "d2")], {"q2"}),
        ([Pair("x", "courts: they hear appeals")], {"q2"}),
        ([Pair("x", "They hear appeals")], {"q2"}),
        ([Pair("x", NEARLY_LONG)], {"q3"}),
        ([Pair("x", "Free to train on", "d4")], set()),
        ([Pair("who hears", "A tort is a civil wrong")], {"q1", "q2"}),
    ],
)
def test_seen_in_training(corpus, trained, seen):
    assert seen_in_training(trained, TEST, corpus) == seen


def test_what_is_kept_apart_was_not_seen(corpus, rng):
    """The two guards agree: what the first lets through, the second finds nothing in."""
    words = f"{LONG[:70]} what is a tort who hears they appeals civil wrong courts".split()
    pairs = [
        Pair(" ".join(rng.choices(words, k=3)), " ".join(rng.choices(words, k=4)))
        for _ in range(300)
    ] + [Pair("what is a tort", "x"), Pair("y", NEARLY_LONG)]
    guarded = keep_apart(pairs, [TEST], corpus)
    assert len(guarded.pairs) < len(pairs)
    assert seen_in_training(guarded.pairs, TEST, corpus) == set()


# --- what a pair's document and passages add --------------------------------------------------------------


@pytest.fixture
def written(tmp_path):
    """Writes a corpus of its own."""

    def write(documents, chunking=None):
        writer = CorpusWriter(tmp_path, chunking=chunking)
        writer.add([Document(*fields) for fields in documents])
        writer.close()
        return Corpus(tmp_path / CORPUS_FILE)

    return write


def test_the_document_of_a_pair_counts_whatever_its_response_says(written):
    corpus = written(
        [("d1", "", LONG), ("twin", "A title", NEARLY_LONG), ("d3", "", "other words")]
    )
    test = QuerySet({"q1": "that long one"}, {"q1": {"d1": 1}})
    pairs = [Pair("x", "a snippet", "twin"), Pair("y", "a snippet", "d3"), Pair("z", "a snippet")]
    assert keep_apart(pairs, [test], corpus).pairs == pairs[1:]
    assert check_leaks(pairs, test, corpus).document_examples == (("d1", 1),)
    assert seen_in_training(pairs[:1], test, corpus) == {"q1"}


def test_passages_of_a_relevant_document_are_answers_too(written):
    one = " ".join(f"alpha{n}" for n in range(40)) + "."
    two = " ".join(f"beta{n}" for n in range(40)) + "."
    corpus = written(
        [("d1", "Law", f"{one}\n\n{two}"), ("d2", "", "nothing alike")], Chunking(64, 0)
    )
    assert corpus.passages > 2, "the long one was cut"
    texts = texts_of(corpus, {"d1", "d2", "gone"})
    assert set(texts) == {"d1", "d2"}
    assert texts["d2"] == (("nothing alike",), ())
    assert texts["d1"].whole == (f"{one}\n\n{two}", f"Law {one}\n\n{two}")
    assert len(texts["d1"].passages) == corpus.passages - 1
    test = QuerySet({"q1": "about beta"}, {"q1": {"d1": 1}})
    passage = max(texts["d1"].passages, key=len)
    near = passage.replace(passage.split()[3], "gamma", 1)
    pairs = [Pair("x", near), Pair("y", passage.upper()), Pair("z", "unlike")]
    assert keep_apart(pairs, [test], corpus).pairs == pairs[2:]


def test_a_hard_negative_is_no_leak(corpus):
    """It is pushed away from another query: nothing is learned about the test query that it answers."""
    pair = Pair("new question", "Free to train on", "d4", ("A tort is a civil wrong",))
    assert keep_apart([pair], [TEST], corpus).pairs == [pair]
    assert check_leaks([pair], TEST, corpus).is_clean()
    assert seen_in_training([pair], TEST, corpus) == set()


def test_a_document_that_is_not_in_the_corpus_leaks_by_its_id(corpus):
    test = QuerySet({"q1": "one"}, {"q1": {"gone": 1, "d1": 1}})
    assert keep_apart([Pair("x", "y", "gone")], [test], corpus).same_document == 1
    assert seen_in_training([Pair("x", "y", "gone")], test, corpus) == {"q1"}


# --- the check --------------------------------------------------------------------------------------------


def test_the_check_counts_and_names_what_is_on_both_sides(corpus):
    trained = [
        Pair("What is a TORT?", "unrelated"),
        Pair("what is a tort!", "courts: they hear appeals"),
        Pair("another", "elsewhere", "d2"),
        Pair("one more", NEARLY_LONG),
        Pair("free", "Free to train on", "d4"),
    ]
    check = check_leaks(trained, TEST, corpus)
    assert check == LeakCheck(
        1, 2, (("q1", "what is a tort", "What is a TORT?"),), (("d2", 2), ("d3", 1)), 3
    )
    assert not check.is_clean()
    assert not check.is_clean(NEW_QUESTIONS), "a query is shared"
    assert check.shared(NEW_QUESTIONS) == "1 query (for example 'q1')"
    assert (
        check.shared() == "1 query (for example 'q1') and 2 relevant documents (for example 'd2')"
    )
    assert check.note() == (
        "this split is not clean: training and test share 1 query (for example 'q1') and 2 relevant "
        "documents (for example 'd2'), near-duplicates included. Pairs that share them are kept out of "
        "training here, so models trained here are measured fairly; figures of a model that was trained "
        "elsewhere on this split would be too good"
    )
    assert LeakCheck.from_json(check.as_json("x")) == check
    assert check.as_json("20261124")["against"] == "20261124"


def test_a_clean_split_has_nothing_to_say(corpus):
    check = check_leaks([Pair("free", "Free to train on", "d4")], TEST, corpus)
    assert check == LeakCheck()
    assert (check.is_clean(), check.note(), check.shared()) == (True, None, "nothing")
    assert check.crossing(NEW_QUESTIONS, 3) is None


def test_for_new_questions_documents_may_stand_on_both_sides(corpus):
    trained = [Pair("another", "elsewhere", "d2"), Pair("one more", NEARLY_LONG)]
    check = check_leaks(trained, TEST, corpus)
    assert (check.queries, check.documents, check.seen) == (0, 2, 2)
    assert (check.is_clean(NEW_QUESTIONS), check.is_clean()) == (True, False)
    assert check.note(NEW_QUESTIONS) is None
    assert check.crossing(NEW_QUESTIONS, 3) == (
        "this query set asks new questions: 2 of its 3 queries ask for documents that are answers in training, "
        "too; the other 1 tells of new documents as well"
    )
    assert check.crossing(NEW_QUESTIONS, 2).endswith(
        "in training, too, so it does not tell of new documents"
    )
    guarded = keep_apart([*trained, Pair("who HEARS", "x")], [TEST], corpus, NEW_QUESTIONS)
    assert guarded.pairs == trained
    assert guarded.note == (
        "1 pair left out of training, so that nothing leaks into the test: 1 for a shared query (near-duplicates included)"
    )
    assert seen_in_training(trained, TEST, corpus, NEW_QUESTIONS) == set()
    assert seen_in_training([Pair("who HEARS", "x", "d1")], TEST, corpus, NEW_QUESTIONS) == {"q2"}


def test_examples_are_few_and_short(corpus):
    queries = {f"q{n}": f"question number{n} " + "long " * 100 for n in range(60)}
    test = QuerySet(queries, {q: {"d1": 1} for q in queries})
    check = check_leaks([Pair(text, "x") for text in queries.values()], test, corpus)
    assert check.queries == 60
    assert len(check.query_examples) == 50
    assert {len(text) for _, *texts in check.query_examples for text in texts} == {200}


def test_the_check_agrees_with_what_training_leaves_out(corpus, rng):
    words = f"{LONG[:70]} what is a tort who hears they appeals civil wrong courts".split()
    pairs = [
        Pair(" ".join(rng.choices(words, k=3)), " ".join(rng.choices(words, k=4)))
        for _ in range(200)
    ] + [Pair("what is a tort", "x"), Pair("y", NEARLY_LONG), Pair("z", "w", "d2")]
    assert not check_leaks(pairs, TEST, corpus).is_clean()
    for question in (NEW_QUESTIONS, NEW_DOCUMENTS):
        kept = keep_apart(pairs, [TEST], corpus, question).pairs
        assert check_leaks(kept, TEST, corpus).is_clean(question)


def test_queries_as_pairs(corpus):
    queries = {"a": "one", "b": "two"}
    judgments = {"a": {"d2": 2, "d1": 0, "gone": 1}, "b": {"d1": 1}}
    assert answered(queries, judgments, corpus) == [
        Pair("one", "Courts They hear appeals", "d2"),
        Pair("two", "A tort is a civil wrong", "d1"),
    ]


@pytest.fixture
def project(corpus):
    """A project with pairs (one leaks) and then a query set; nothing is recorded with either."""
    home = project_to_be("lab")
    publish_pairs(home, [Pair("who hears", "x"), Pair("free", "Free to train on", "d4")])
    with home.publish("queries") as draft:
        TEST.save(draft)
    return home


def publish_pairs(home, pairs, **details):
    with home.publish("pairs", **details) as draft:
        PairSet(pairs, DEV).save(draft)


def test_what_was_not_recorded_is_checked_again(project, corpus):
    manifest = project.newest("queries")
    check = leaks_of(project, manifest, TEST, corpus)
    assert (check.queries, check.documents) == (1, 1), "the dev query's answer d2 counts too"
    assert check.query_examples == (("q2", "who hears", "who hears"),)
    assert check.document_examples == (("d2", 1),)


def test_what_was_recorded_is_taken_from_the_younger_side(project, corpus):
    manifest = project.newest("queries")
    stored = LeakCheck(0, 7, (), (("d1", 3),))
    publish_pairs(project, [Pair("a", "b")], leaks=stored.as_json(manifest.id))
    assert leaks_of(project, manifest, TEST, corpus) == stored
    with project.publish("queries") as draft:
        TEST.save(draft)
        draft.details["leaks"] = LeakCheck().as_json(project.newest("pairs").id)
    assert leaks_of(project, project.newest("queries"), TEST, corpus).is_clean()
    publish_pairs(project, [Pair("who hears", "b")])
    assert not leaks_of(project, project.newest("queries"), TEST, corpus).is_clean(), (
        "other pairs now"
    )


def test_without_pairs_there_is_nothing_to_share(corpus):
    home = project_to_be("lab")
    with home.publish("queries") as draft:
        TEST.save(draft)
    assert leaks_of(home, home.newest("queries"), TEST, corpus).is_clean()


def test_a_long_document_that_says_a_held_out_one_in_a_passage_leaks(tmp_path):
    home = project_to_be("lab")
    clause = "The landlord returns the deposit within thirty days after the keys were handed over."
    others = " ".join(
        f"Clause {n} speaks of matter {n} and of nothing else at all." for n in range(60)
    )
    path = tmp_path / "a.csv"
    path.write_text(f"id,text\nlong,{others} {clause}\nshort,{clause}\nnote,Another thing.\n")
    add_documents(home, [path], IngestChoices(tokens=24, overlap=0))
    _, corpus = current_corpus(home)
    assert clause in corpus.passage_texts("long")
    for trained, tested in (("long", "short"), ("short", "long")):
        pairs = [Pair("when is it returned", corpus.document(trained).text, trained)]
        test = QuerySet({"q": "how long may it take"}, {"q": {tested: 1}})
        assert not check_leaks(pairs, test, corpus).is_clean(), trained
        assert keep_apart(pairs, [test], corpus).pairs == []
