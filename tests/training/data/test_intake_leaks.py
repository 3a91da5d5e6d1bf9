"""What the intake records and tells of the split: clean, or shared by training and test."""

import pytest
from pair_rows import rows

from search.evaluation.query_sets.query_set import current_query_set
from search.projects.errors import Refused
from training.data.intake import add_pairs, import_beir
from training.data.pair_sets import current_pairs


def shared_by(home, kind):
    stored = home.newest(kind).details["leaks"]
    other = home.newest("pairs" if kind == "queries" else "queries")
    assert stored["against"] == other.id
    return stored["queries"], stored["documents"]


def test_a_split_made_here_is_recorded_as_clean_with_seed_and_hash(home, write):
    made = add_pairs(home, write(rows(0, 50)))
    assert shared_by(home, "queries") == (0, 0)
    pairs, queries = home.newest("pairs").details, home.newest("queries").details
    assert (pairs["seed"], queries["seed"]) == (42, 42)
    assert pairs["split"] == queries["split"]
    assert len(pairs["split"]) == 16
    assert made.test_queries == 10


def test_a_clean_upload_is_recorded_as_clean(home, tiny_beir):
    assert import_beir(home, tiny_beir).notes == []
    assert shared_by(home, "queries") == (0, 0)
    assert home.newest("pairs").details["dev_leaks"]["documents"] == 0
    assert (home.newest("pairs").details["seed"], home.newest("queries").details["seed"]) == (
        None,
        None,
    )


def test_what_an_uploaded_split_has_on_both_sides_is_reported(home, tiny_beir):
    with (tiny_beir / "qrels" / "train.tsv").open("a") as stream:
        stream.write("test-0\td1\t1\ntrain-1\td30\t1\ndev-0\td25\t1\n")
    made = import_beir(home, tiny_beir, question="new_documents")
    stored = home.newest("queries").details["leaks"]
    assert shared_by(home, "queries") == (1, 1)
    assert [row[0] for row in stored["query_examples"]] == ["test-0"]
    assert stored["document_examples"] == [["d30", 1]]
    assert made.notes == [
        "dev and train share 1 query (for example 'dev-0') and 1 relevant document (for example 'd25'): "
        "those pairs are kept out of training",
        "this split is not clean: training and test share 1 query (for example 'test-0') and 1 relevant "
        "document (for example 'd30'), near-duplicates included. Pairs that share them are kept out of "
        "training here, so models trained here are measured fairly; figures of a model that was trained "
        "elsewhere on this split would be too good",
    ]
    assert made.pairs == 63, "they are there; training leaves them out"


def test_dev_queries_are_on_the_training_side(home, tiny_beir):
    with (tiny_beir / "qrels" / "dev.tsv").open("a") as stream:
        stream.write("dev-0\td31\t1\n")
    import_beir(home, tiny_beir)
    assert home.newest("queries").details["leaks"]["document_examples"] == [["d31", 1]]


def test_without_dev_none_of_what_is_in_a_test_of_new_documents_steers(home, tiny_beir):
    (tiny_beir / "qrels" / "dev.tsv").unlink()
    with (tiny_beir / "qrels" / "train.tsv").open("a") as stream:
        for number in range(20):
            stream.write(f"train-{number}\td{28 + number % 12}\t1\n")
    import_beir(home, tiny_beir, question="new_documents")
    _, pairs = current_pairs(home)
    assert pairs.dev.queries
    steering = {d for judged in pairs.dev.judgments.values() for d in judged}
    assert steering.isdisjoint({f"d{n}" for n in range(28, 40)})
    assert shared_by(home, "queries") == (0, 12)


def test_pairs_beside_an_uploaded_query_set(home, tiny_beir, tiny_pairs):
    (tiny_beir / "qrels" / "train.tsv").unlink()
    import_beir(home, tiny_beir)
    made = add_pairs(home, tiny_pairs)
    queries, documents = shared_by(home, "pairs")
    assert (queries, documents) == (12, 12), "shape 0 of each test document is in both files"
    assert made.notes[-1].startswith("this split is not clean: training and test share 12 queries")
    _, pairs = current_pairs(home)
    steering = {d for judged in pairs.dev.judgments.values() for d in judged}
    assert steering.isdisjoint({f"d{n}" for n in range(28, 40)})


def test_more_pairs_beside_an_uploaded_query_set_are_not_dropped_in_silence(home, tiny_beir, write):
    import_beir(home, tiny_beir)
    _, test = current_query_set(home)
    leaking = {"query": test.queries["test-0"], "doc_id": "d28"}
    made = add_pairs(home, write([leaking, {"query": "entirely new", "doc_id": "d3"}]))
    assert made.notes[0] == "2 new pairs added to 60 earlier ones"
    assert shared_by(home, "pairs") == (1, 1)


def test_more_pairs_like_the_held_out_ones_are_told(home, write):
    add_pairs(home, write(rows(0, 50)))
    _, test = current_query_set(home)
    number = next(iter(test.queries.values())).split()[1]
    again = [
        *rows(0, 50),
        {
            "query": "same answer again",
            "response": rows(int(number), int(number) + 1)[0]["response"],
        },
    ]
    made = add_pairs(home, write(again, "more.json"))
    assert made.notes[0] == "1 new pairs added to 35 earlier ones"
    assert shared_by(home, "pairs") == (0, 1)


def test_an_unused_dev_part_is_noted(home, tiny_beir):
    (tiny_beir / "qrels" / "test.tsv").unlink()
    assert import_beir(home, tiny_beir).notes == [
        "qrels/dev.tsv is not used: without qrels/test.tsv, both are held out of train",
        "this query set asks new questions: 12 of its 12 queries ask for documents that are answers in training, "
        "too, so it does not tell of new documents",
    ]
    assert shared_by(home, "queries")[0] == 0


def test_the_question_of_a_split_stands_in_all_its_manifests(home, tiny_beir):
    with (tiny_beir / "qrels" / "train.tsv").open("a") as stream:
        stream.write("train-1\td30\t1\n")
    made = import_beir(home, tiny_beir)
    assert made.notes == [
        "this query set asks new questions: 2 of its 20 queries ask for documents that are answers in training, too; "
        "the other 18 tell of new documents as well"
    ]
    asked = {home.newest(kind).details["question"] for kind in ("pairs", "queries")}
    assert asked == {"new_questions"}
    import_beir(home, tiny_beir, question="new_documents")
    asked = {home.newest(kind).details["question"] for kind in ("pairs", "queries")}
    assert asked == {"new_documents"}


def test_new_pairs_ask_what_the_query_set_asks(home, tiny_beir, tiny_pairs):
    """Dev steers by the question of the test; who wants another one splits the pairs anew."""
    (tiny_beir / "qrels" / "train.tsv").unlink()
    import_beir(home, tiny_beir, question="new_documents")
    add_pairs(home, tiny_pairs)
    assert home.newest("pairs").details["question"] == "new_documents"
    with pytest.raises(Refused, match=r"were split for new documents, .*stay as they are split"):
        add_pairs(home, tiny_pairs, question="new_questions")


def test_a_test_of_which_many_queries_train_asks_for_new_documents(home, tiny_beir):
    with (tiny_beir / "qrels" / "train.tsv").open("a") as stream:
        stream.write("test-0\td1\t1\n")
    import_beir(home, tiny_beir)
    assert home.newest("queries").details["question"] == "new_questions", "one of twenty"
    with (tiny_beir / "qrels" / "train.tsv").open("a") as stream:
        stream.write("test-1\td1\t1\n")
    import_beir(home, tiny_beir)
    assert home.newest("queries").details["question"] == "new_documents", "two of twenty"
