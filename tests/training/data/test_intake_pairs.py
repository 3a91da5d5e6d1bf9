"""Pairs brought to a project: matched, split, added to what is there, refused whole."""

import pytest
from pair_rows import rows, texts

from search.corpus.corpus import current_corpus
from search.corpus.readers.pairs import PairColumns
from search.evaluation.query_sets.query_set import current_query_set
from search.projects.errors import Refused
from training.data.intake import add_pairs, import_beir
from training.data.pair_sets import current_pairs


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
            [{"query": f"q{n % 2}", "response": f"answer {n}"} for n in range(9)],
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
