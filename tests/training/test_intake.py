"""BEIR imports and pairs: what becomes corpus, pairs and query set, and what is refused."""

import json
import shutil

import pytest

from search.adding import add_documents
from search.corpus import current_corpus
from search.errors import Refused
from search.query_sets import current_query_set
from search.readers.pairs import Pair, PairColumns
from search.workspace import project_to_be
from training.intake import add_pairs, import_beir
from training.pairs import current_pairs


@pytest.fixture
def home():
    return project_to_be("lab")


@pytest.fixture
def write(tmp_path):
    def run(rows, name="pairs.json"):
        path = tmp_path / name
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path

    return run


def rows(start, stop, word="topic"):
    return [
        {"query": f"question {n} about {word}{n}", "response": f"{word}{n} is answered by reply{n}"}
        for n in range(start, stop)
    ]


def texts(queries):
    return set(queries.queries.values())


# --- BEIR -------------------------------------------------------------------------------------------------


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
def test_missing_splits_are_held_out_of_train(home, tiny_beir, missing, counts):
    for split in missing:
        (tiny_beir / "qrels" / f"{split}.tsv").unlink()
    made = import_beir(home, tiny_beir)
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
    assert trained.isdisjoint(held)
    assert abs(made.pairs - pairs) <= 6
    assert dev - 4 <= made.dev_queries <= dev + 2


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


# --- pairs ------------------------------------------------------------------------------------------------


def test_responses_become_the_corpus(home, write):
    made = add_pairs(home, write(rows(0, 50)))
    assert (made.documents, made.pairs, made.dev_queries, made.test_queries) == (50, 35, 5, 10)
    assert made.notes == ["50 responses became documents of the corpus"]
    manifest, corpus = current_corpus(home)
    assert corpus.ids() == [f"pairs-r{n}" for n in range(1, 51)]
    assert corpus.document("pairs-r1").text == "topic0 is answered by reply0"
    _, pairs = current_pairs(home)
    for pair in pairs.pairs:
        assert corpus.document(pair.document).text == pair.response
    _, queries = current_query_set(home)
    for query, text in queries.queries.items():
        number = text.split()[1]
        assert [corpus.document(d).text for d in queries.judgments[query]] == [
            f"topic{number} is answered by reply{number}"
        ]
    asked = {p.query for p in pairs.pairs} | texts(pairs.dev) | texts(queries)
    assert asked == {row["query"] for row in rows(0, 50)}
    assert home.newest("pairs").made_from == {"corpus": manifest.id}


def test_equal_responses_are_one_document(home, write):
    data = [*rows(0, 20), {"query": "one more question", "response": rows(0, 1)[0]["response"]}]
    made = add_pairs(home, write(data))
    assert made.documents == 20


@pytest.fixture
def with_corpus(home, tmp_path):
    path = tmp_path / "docs.jsonl"
    path.write_text(
        "".join(
            json.dumps({"id": f"doc-{n}", "text": f"Topic{n} is answered, by reply{n}!"}) + "\n"
            for n in range(40)
        )
    )
    add_documents(home, [path])
    return home


def test_responses_are_matched_by_their_words(with_corpus, write):
    made = add_pairs(with_corpus, write(rows(0, 40)))
    assert (made.documents, made.test_queries, made.dev_queries, made.pairs) == (0, 8, 4, 28)
    assert made.notes == []
    for pair in current_pairs(with_corpus)[1].pairs:
        assert pair.document == "doc-" + pair.query.split()[1]
    for query, judged in current_query_set(with_corpus)[1].judgments.items():
        number = current_query_set(with_corpus)[1].queries[query].split()[1]
        assert judged == {f"doc-{number}": 1}
    assert len(with_corpus.manifests("corpora")) == 1


def test_unmatched_responses_train_but_are_not_held_out(with_corpus, write):
    made = add_pairs(with_corpus, write(rows(20, 60)))
    assert made.notes == [
        "20 responses are in no document of the corpus: these pairs train but cannot be held out "
        "(--add-responses makes documents of them)"
    ]
    _, pairs = current_pairs(with_corpus)
    loose = {p.query for p in pairs.pairs if p.document is None}
    assert loose == {row["query"] for row in rows(40, 60)}
    assert len(current_corpus(with_corpus)[1]) == 40


def test_unmatched_responses_may_be_added(with_corpus, write):
    first = with_corpus.newest("corpora")
    made = add_pairs(with_corpus, write(rows(20, 60)), add_responses=True)
    assert made.documents == 20
    assert made.notes == ["20 responses became documents of the corpus"]
    manifest, corpus = current_corpus(with_corpus)
    assert manifest.made_from == {"corpus": first.id}
    assert corpus.ids()[:41] == [*(f"doc-{n}" for n in range(40)), "pairs-r41"]
    assert all(p.document for p in current_pairs(with_corpus)[1].pairs)


def test_responses_that_match_nothing_at_all_are_refused(with_corpus, write, tree):
    before = tree(with_corpus.folder)
    with pytest.raises(Refused, match=r"^None of the 20 responses in pairs\.json is a document"):
        add_pairs(with_corpus, write(rows(100, 120)))
    assert tree(with_corpus.folder) == before


def test_more_pairs_keep_the_earlier_test_set(home, write):
    add_pairs(home, write(rows(0, 50)))
    manifest, test = current_query_set(home)
    first = current_pairs(home)[1]
    made = add_pairs(home, write(rows(0, 50) + rows(50, 70), "more.json"), add_responses=True)
    again, same = current_query_set(home)
    assert (again.id, same) == (manifest.id, test)
    _, pairs = current_pairs(home)
    assert pairs.dev == first.dev
    assert made.notes[0] == "20 new pairs added to 35 earlier ones"
    assert {p.query for p in pairs.pairs} == {p.query for p in first.pairs} | {
        row["query"] for row in rows(50, 70)
    }
    assert made.test_queries == 0


def test_the_same_pairs_again_are_refused(home, write, tree):
    path = write(rows(0, 50))
    add_pairs(home, path)
    before = tree(home.folder)
    with pytest.raises(Refused, match="the project has all of these pairs already"):
        add_pairs(home, path)
    assert tree(home.folder) == before


def test_a_query_set_that_is_there_is_kept(home, tiny_beir, tiny_pairs):
    (tiny_beir / "qrels" / "train.tsv").unlink()
    import_beir(home, tiny_beir)
    manifest, _ = current_query_set(home)
    made = add_pairs(home, tiny_pairs)
    assert current_query_set(home)[0].id == manifest.id
    assert made.test_queries == 0
    assert made.dev_queries == 8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            rows(0, 3),
            r"^pairs\.json: 3 pairs are too few to train on and to prove anything with: at least 8",
        ),
        (rows(0, 1), r"."),
        ([], r"^pairs\.json holds no pairs: it is empty\.$"),
        ([{"query": "a"}] * 9, r"^pairs\.json has no response column"),
        ([{"query": f"q{n}", "response": ""} for n in range(9)], r"no usable pairs: all 9 rows"),
        ([{"query": f"q{n}", "response": "one answer"} for n in range(9)], r"needs at least 2 doc"),
        (
            [{"query": f"q{n}", "response": f"answer {n % 2}"} for n in range(9)],
            r"form only 2 independent groups",
        ),
    ],
)
@pytest.mark.parametrize("exists", [False, True])
def test_bad_pairs_change_nothing(home, write, workspace, tree, content, message, exists):
    if exists:
        home.create()
    before = tree(workspace)
    with pytest.raises(Refused, match=message):
        add_pairs(home, write(content))
    assert tree(workspace) == before


def test_the_name_of_the_file_is_data(home, write):
    made = add_pairs(home, write(rows(0, 50), "odd\tname\nhere.json"))
    _, queries = current_query_set(home)
    assert len(queries.queries) == made.test_queries == 10
    assert all(set(judged.values()) == {1} for judged in queries.judgments.values())


def test_chosen_columns(home, tmp_path):
    path = tmp_path / "pairs.csv"
    lines = "".join(f"term{n} word{n},lay{n} talk{n}\n" for n in range(10))
    path.write_text(f"term,lay\n{lines}")
    add_pairs(home, path, PairColumns("lay", "term"))
    assert current_corpus(home)[1].document("pairs-r3").text == "term2 word2"


# --- pairs that point to documents, negatives -------------------------------------------------------------


def numbered(start, stop, **more):
    return [
        {"query": f"question {n} about topic{n}", "doc_id": f"doc-{n}", **more}
        for n in range(start, stop)
    ]


def test_pairs_by_id(with_corpus, write):
    made = add_pairs(with_corpus, write(numbered(0, 40)))
    assert (made.documents, made.test_queries, made.dev_queries, made.pairs) == (0, 8, 4, 28)
    assert made.notes == []
    _, corpus = current_corpus(with_corpus)
    for pair in current_pairs(with_corpus)[1].pairs:
        assert pair.document == "doc-" + pair.query.split()[1]
        assert pair.response == corpus.document(pair.document).embedded
    _, queries = current_query_set(with_corpus)
    for query, judged in queries.judgments.items():
        assert judged == {"doc-" + queries.queries[query].split()[1]: 1}


def test_unknown_ids_are_refused_row_by_row(with_corpus, write):
    made = add_pairs(with_corpus, write(numbered(30, 42) + numbered(0, 20)))
    assert [(row.where, row.reason) for row in made.reports[0].refused] == [
        ("item 11", "the corpus has no document 'doc-40'"),
        ("item 12", "the corpus has no document 'doc-41'"),
    ]
    assert made.pairs + made.dev_queries + made.test_queries == 30


def test_unknown_ids_with_a_text_may_be_added(with_corpus, write):
    data = [
        *numbered(0, 20),
        {"query": "a new one", "doc_id": "own-1", "response": "text of its own"},
        {"query": "another", "doc_id": "own-1", "response": "text of its own"},
        {"query": "a wrong one", "doc_id": "own-1", "response": "another text"},
        {"query": "by its words", "doc_id": "", "response": "TEXT of its own!"},
        {"query": "unmatched", "doc_id": "", "response": "of no document yet"},
    ]
    made = add_pairs(with_corpus, write(data), add_responses=True)
    assert [(row.where, row.reason) for row in made.reports[0].refused] == [
        ("item 23", "an earlier row gives the document 'own-1' another text")
    ]
    assert made.documents == 2
    _, corpus = current_corpus(with_corpus)
    assert corpus.ids()[40:] == ["own-1", "pairs-r42"]
    assert [corpus.document(name).text for name in ("own-1", "pairs-r42")] == [
        "text of its own", "of no document yet"
    ]  # fmt: skip
    _, queries = current_query_set(with_corpus)
    _, pairs = current_pairs(with_corpus)
    found = {p.query: {p.document} for p in pairs.pairs}
    for held in (queries, pairs.dev):
        found |= {text: set(held.judgments[key]) for key, text in held.queries.items()}
    assert found["a new one"] == found["another"] == found["by its words"] == {"own-1"}
    assert found["unmatched"] == {"pairs-r42"}


def test_unknown_ids_with_a_text_are_refused_where_nothing_is_to_be_added(with_corpus, write):
    data = [*numbered(0, 20), {"query": "new", "doc_id": "own-1", "response": "text of its own"}]
    made = add_pairs(with_corpus, write(data))
    assert [(row.where, row.reason) for row in made.reports[0].refused] == [
        ("item 21", "the corpus has no document 'own-1' (--add-responses would add it)")
    ]
    assert len(current_corpus(with_corpus)[1]) == 40


def test_ids_become_those_of_a_new_corpus(home, write):
    data = [{**row, "response": f"text{n} of{n}"} for n, row in enumerate(numbered(0, 20))]
    add_pairs(home, write(data))
    manifest, corpus = current_corpus(home)
    assert corpus.ids() == [f"doc-{n}" for n in range(20)]
    assert manifest.details["written"] == 20


def test_ids_alone_need_documents(home, write, workspace, tree):
    with pytest.raises(
        Refused, match=r"item 1: the project has no documents yet, so none with the id 'doc-0'"
    ):
        add_pairs(home, write(numbered(0, 20)))
    assert tree(workspace) == {}


def test_a_refused_row_leaves_no_document_behind(home, write):
    data = [{**row, "response": f"text{n} of{n}"} for n, row in enumerate(numbered(0, 20))]
    data.append({"query": "x", "doc_id": "bad", "response": "text", "negative": "Text!"})
    add_pairs(home, write(data))
    assert "bad" not in current_corpus(home)[1].ids()


def test_made_up_ids_give_way_to_those_of_the_corpus(home, write, tmp_path):
    (tmp_path / "d.jsonl").write_text(
        "".join(json.dumps({"id": f"pairs-r{n}", "text": f"word{n}"}) + "\n" for n in (1, 3, 4))
    )
    add_documents(home, [tmp_path / "d.jsonl"])
    made = add_pairs(home, write(rows(0, 20)), add_responses=True)
    assert made.documents == 20
    ids = current_corpus(home)[1].ids()
    assert len(set(ids)) == 23
    assert ids[3:5] == ["pairs-r5", "pairs-r6"]
    assert all(p.document for p in current_pairs(home)[1].pairs)


def test_negatives_are_kept_and_counted(with_corpus, write):
    data = rows(0, 40)
    data[0]["negative"], data[1]["negatives"] = "no answer", ["not this", "nor that"]
    data[2]["negative"] = data[2]["response"]
    made = add_pairs(with_corpus, write(data))
    assert made.notes == ["2 pairs bring hard negatives (3 in all)"]
    assert made.reports[0].refused_count == 1
    found = {p.query.split()[1]: p.negatives for p in current_pairs(with_corpus)[1].pairs}
    held = texts(current_query_set(with_corpus)[1]) | texts(current_pairs(with_corpus)[1].dev)
    for number, negatives in (("0", ("no answer",)), ("1", ("not this", "nor that"))):
        if f"question {number} about topic{number}" not in held:
            assert found[number] == negatives


def test_chosen_encoding_and_delimiter(home, tmp_path):
    path = tmp_path / "pairs.csv"
    lines = "".join(f"Stra\xdfe{n}, wo{n};Gr\xfc\xdfe{n} von{n}\n" for n in range(10))
    path.write_bytes(f"query;answer\n{lines}".encode("cp850"))
    made = add_pairs(home, path, encoding="cp850", delimiter=";")
    assert (made.reports[0].encoding, made.reports[0].accepted) == ("cp850", 10)
    assert current_corpus(home)[1].document("pairs-r1").text == "Gr\xfc\xdfe0 von0"


# --- leaks ------------------------------------------------------------------------------------------------


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
    made = import_beir(home, tiny_beir)
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


def test_without_dev_none_of_what_is_in_the_test_steers(home, tiny_beir):
    (tiny_beir / "qrels" / "dev.tsv").unlink()
    with (tiny_beir / "qrels" / "train.tsv").open("a") as stream:
        for number in range(20):
            stream.write(f"train-{number}\td{28 + number % 12}\t1\n")
    import_beir(home, tiny_beir)
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
        "qrels/dev.tsv is not used: without qrels/test.tsv, both are held out of train"
    ]
    assert shared_by(home, "queries") == (0, 0)
