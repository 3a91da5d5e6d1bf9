"""BEIR imports: what becomes corpus, pairs and query set, and what is refused."""

import json
import shutil

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.labels import Pair
from search.evaluation.query_sets.query_set import current_query_set
from search.projects.errors import Refused
from training.data.intake import add_pairs, import_beir
from training.data.pair_sets import current_pairs


def test_import(home, tiny_beir):
    made = import_beir(home, tiny_beir)
    assert (made.documents, made.pairs, made.dev_queries, made.test_queries) == (40, 60, 8, 20)
    assert made.notes == []
    manifest, corpus = current_corpus(home)
    assert corpus.ids() == [f"d{n}" for n in range(40)]
    pairs_manifest, pairs = current_pairs(home)
    assert pairs.pairs[0] == Pair(
        "what helps against velkorin in the hand", corpus.document("d0").embedded, "d0"
    )
    assert pairs.dev.judgments["dev-3"] == {"d27": 1}
    queries_manifest, queries = current_query_set(home)
    assert list(queries.queries) == [f"test-{n}" for n in range(20)]
    assert queries.judgments["test-12"] == {"d28": 1}
    for made_of in (pairs_manifest, queries_manifest):
        assert made_of.made_from == {"corpus": manifest.id}
    assert home.info.source == "tiny-beir"


def test_the_best_grade_makes_the_pairs(home, tiny_beir):
    (tiny_beir / "qrels" / "train.tsv").write_text(
        "query-id\tcorpus-id\tscore\n"
        "train-0\td0\t2\ntrain-0\td1\t1\ntrain-0\td2\t2\ntrain-1\td3\t0\ntrain-2\tgone\t3\n"
        "train-2\td4\t1\nunknown\td5\t1\n"
    )
    made = import_beir(home, tiny_beir)
    assert [p.document for p in current_pairs(home)[1].pairs] == ["d0", "d2", "d4"]
    assert made.pairs == 3


@pytest.mark.parametrize(
    ("missing", "counts"),
    [
        (["dev"], (54, 6, 20)),
        (["test"], (42, 6, 12)),
        (["dev", "test"], (42, 6, 12)),
        (["train"], (0, 0, 20)),
    ],
)
@pytest.mark.parametrize("question", ["new_questions", "new_documents"])
def test_missing_splits_are_held_out_of_train(home, tiny_beir, missing, counts, question):
    for split in missing:
        (tiny_beir / "qrels" / f"{split}.tsv").unlink()
    made = import_beir(home, tiny_beir, question=question)
    pairs, dev, test = counts
    # Whole documents are held out (two or three queries each), so shares are kept only nearly.
    assert test - 2 <= made.test_queries <= test
    if missing == ["train"]:
        assert made.pairs == 0
        assert home.newest("pairs") is None
        return
    stored = current_pairs(home)[1]
    trained = {p.document for p in stored.pairs}
    held = {d for judged in stored.dev.judgments.values() for d in judged}
    if "test" in missing:
        held |= {d for judged in current_query_set(home)[1].judgments.values() for d in judged}
    assert trained.isdisjoint(held) == (question == "new_documents")
    assert abs(made.pairs - pairs) <= 6
    assert dev - 4 <= made.dev_queries <= dev + 2


def _lesser_answers(folder) -> None:
    """Each train query also gets two documents of a lesser grade: the next one, and one that the test asks for."""
    path = folder / "qrels" / "train.tsv"
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    with path.open("w") as stream:
        stream.write("query-id\tcorpus-id\tscore\n")
        for query, document, _ in rows:
            number = int(document[1:])
            stream.write(f"{query}\t{document}\t3\n")
            stream.write(f"{query}\td{(number + 1) % 40}\t2\n{query}\td28\t1\n")


@pytest.mark.parametrize("question", ["new_questions", "new_documents"])
def test_dev_queries_that_are_held_out_keep_their_grades(home, tiny_beir, question):
    """The test knows grades: who steers by the best answers alone may well make the test worse."""
    _lesser_answers(tiny_beir)
    (tiny_beir / "qrels" / "dev.tsv").unlink()
    made = import_beir(home, tiny_beir, question=question)
    pairs = current_pairs(home)[1]
    asked = {d for judged in current_query_set(home)[1].judgments.values() for d in judged}
    assert "d28" in asked
    assert made.dev_queries >= 2
    graded = 0
    for judged in pairs.dev.judgments.values():
        best = max(judged, key=lambda document: judged[document])
        lesser = f"d{(int(best[1:]) + 1) % 40}"
        if question == "new_questions":  # No document is kept apart.
            assert judged == {best: 3, lesser: 2, "d28": 1}
            graded += 1
        elif lesser in asked:
            assert judged == {best: 1}
        else:
            assert judged == {best: 3, lesser: 2}
            graded += 1
    assert graded
    assert {p.query for p in pairs.pairs} >= pairs.grades.keys() != set()
    for pair in pairs.pairs:
        assert pairs.grades.get(pair.query, {pair.document: 3})[pair.document] == 3


def test_grades_are_kept_for_queries_that_may_be_held_out_later(home, tiny_beir, tmp_path):
    import_beir(home, tiny_beir)
    assert current_pairs(home)[1].grades == {}, "pairs say all that is known"
    _lesser_answers(tiny_beir)
    import_beir(home, tiny_beir, question="new_documents")
    pairs = current_pairs(home)[1]
    assert pairs.dev.judgments["dev-3"] == {"d27": 1}, "as it came"
    asked = pairs.grades["what helps against velkorin in the hand"]
    assert asked == {"d0": 3, "d1": 2}
    more = tmp_path / "more.json"
    more.write_text(json.dumps([{"query": "a new one", "response": "an answer"}]))
    add_pairs(home, more, add_responses=True)
    assert current_pairs(home)[1].grades == pairs.grades, "and when pairs are added"


def test_without_a_test_the_dev_queries_are_like_the_test(home, tiny_beir):
    _lesser_answers(tiny_beir)
    for split in ("dev", "test"):
        (tiny_beir / "qrels" / f"{split}.tsv").unlink()
    import_beir(home, tiny_beir)
    pairs = current_pairs(home)[1]
    sets = (pairs.dev, current_query_set(home)[1])
    assert {g for s in sets for judged in s.judgments.values() for g in judged.values()} == {1}
    assert pairs.grades == {}


def test_what_cannot_be_judged_is_noted(home, tiny_beir):
    with (tiny_beir / "qrels" / "test.tsv").open("a") as stream:
        stream.write("ghost\td1\t1\ntrain-0\tgone\t1\n")
    with (tiny_beir / "corpus.jsonl").open("a") as stream:
        stream.write('{"_id": "d1", "text": "twice"}\nbroken\n')
    made = import_beir(home, tiny_beir)
    assert made.notes[0] == (
        "test: 2 queries left out (no text, or no relevant document in the corpus)"
    )
    assert made.notes[1].startswith("corpus.jsonl: 2 rows left out (line 4")
    assert made.documents == 40


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "corpus.jsonl").unlink(), "corpus.jsonl is missing"),
        (lambda f: (f / "corpus.jsonl").write_text(""), r"corpus\.jsonl is empty \(0 bytes\)"),
        (lambda f: (f / "corpus.jsonl").write_text("x\n"), r"no usable documents: all 1 rows were"),
        (lambda f: (f / "corpus.jsonl").write_text('{"_id": "a", "x": "y"}\n'), "no text column"),
        (
            lambda f: (f / "corpus.jsonl").write_text('{"_id": "a", "text": "one"}\n'),
            r"tiny-beir: a corpus needs at least 2 documents to be searched, this one would have 1",
        ),
        (
            lambda f: (f / "queries.jsonl").write_bytes(b"\xff"),
            r"queries\.jsonl holds no usable queries: all 1 rows were refused \(line 1: not JSON",
        ),
        (lambda f: (f / "qrels" / "test.tsv").write_text("nonsense\n"), r"test\.tsv holds no "),
        (lambda f: shutil.rmtree(f / "qrels"), r"qrels/train\.tsv or qrels/test\.tsv needed"),
    ],
)
def test_bad_data_sets_change_nothing(home, tiny_beir, workspace, tree, damage, message):
    damage(tiny_beir)
    with pytest.raises(Refused, match=message):
        import_beir(home, tiny_beir)
    assert tree(workspace) == {}


def test_too_few_pairs_for_a_held_out_part(home, tiny_beir, workspace, tree):
    (tiny_beir / "qrels" / "dev.tsv").unlink()
    (tiny_beir / "qrels" / "train.tsv").write_text(
        "train-0\td0\t1\ntrain-1\td1\t1\ntrain-2\td2\t1\n"
    )
    with pytest.raises(Refused, match=r"^tiny-beir: 3 pairs are too few to train on"):
        import_beir(home, tiny_beir)
    assert tree(workspace) == {}


@pytest.mark.parametrize(
    ("name", "documents", "test"),
    [("ask_cfpb", 1057, None), ("tos_plain_english", 436, None)],
)
def test_shared_data_sets(home, shared_data, name, documents, test):
    made = import_beir(home, shared_data / name)
    lines = (shared_data / name / "qrels" / "test.tsv").read_text().splitlines()[1:]
    assert made.documents == documents
    assert made.test_queries == len({line.split("\t")[0] for line in lines})
    assert made.notes == []
