"""A corpus into mined pairs: counts, the split, weights, and what guards them."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.labels import Pair
from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets.add_query_set import add_query_set
from search.evaluation.query_sets.leakage import check_leaks, keep_apart, leaks_of, training_side
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import MAIN_METRIC
from search.projects.errors import Refused
from search.projects.project import Project, project_to_be
from training.data.intake import add_pairs
from training.data.pair_sets import current_pairs
from training.synthetic.draw import draw_pairs
from training.synthetic.make import SyntheticRequest, learned_weights, make_synthetic_pairs
from training.train import train
from training.training_data import MINED_DEV, load_training_data
from training.weight_interpolation import SHRUNKEN, shrunken


@pytest.fixture
def documents_only(import_tiny: Callable[[Project], None]) -> Project:
    project = project_to_be("Tiny")
    import_tiny(project)
    for kind in ("pairs", "queries"):
        for manifest in project.manifests(kind):  # type: ignore[arg-type]
            project.remove(manifest)
    return project


@pytest.fixture
def corpus(documents_only: Project) -> Corpus:
    return current_corpus(documents_only)[1]


def test_counts_examples_and_the_same_choice_each_time(corpus):
    mining = draw_pairs(corpus, ["title", "words"])
    assert (mining.documents, mining.looked_at) == (40, 40)
    assert {k.kind.name: (k.count, k.common, len(k.pairs)) for k in mining.kinds} == {
        "title": (40, 0, 40),
        "words": (40, 0, 40),
    }
    assert all(p.mined == "title" and p.document for p in mining.kinds[0].pairs)
    assert len(mining.kinds[0].examples) == 3
    assert mining.pairs() == draw_pairs(corpus, ["words", "title"]).pairs()
    few = draw_pairs(corpus, ["title"], most=7)
    assert few.kinds[0].count == 40
    assert few.kinds[0].pairs == mining.kinds[0].pairs[:7]


def test_a_smaller_weight_takes_a_part_of_what_a_larger_one_takes(corpus):
    mining = draw_pairs(corpus, ["title", "words"])
    half = mining.pairs({"title": 0.5, "words": 0.0})
    assert half == mining.kinds[0].pairs[:20]


def test_a_query_that_stands_in_many_documents_asks_for_none(tmp_path, workspace):
    rows = [{"_id": f"d{n}", "title": "Overview" if n < 5 else f"Topic {n}", "text": f"text of item{n} here"}
            for n in range(12)]  # fmt: skip
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    from search.corpus.ingest import add_documents

    project = project_to_be("Rows")
    add_documents(project, [file])
    (titles,) = draw_pairs(current_corpus(project)[1], ["title"]).kinds
    assert (titles.count, titles.common) == (7, 5)
    assert all(pair.query.startswith("Topic") for pair in titles.pairs)


def test_what_is_saved_is_marked_split_by_documents_and_steers(documents_only):
    made = make_synthetic_pairs(documents_only, SyntheticRequest(save=True, weights={"gaps": 0.5}))
    assert made.pairs is not None
    details = made.pairs.details
    assert details["origin"] == "mined"
    assert details["kinds"]["gaps"]["weight"] == 0.5
    assert details["kinds"]["gaps"]["count"] >= 2 * details["kinds"]["gaps"]["pairs"]
    _, pairs = current_pairs(documents_only)
    assert (
        details["pairs"] == len(pairs.pairs) == sum(k["pairs"] for k in details["kinds"].values())
    )
    held = {d for q in pairs.dev.queries for d in pairs.dev.relevant(q)}
    assert held
    assert held.isdisjoint({p.document for p in pairs.pairs})
    material = load_training_data(documents_only)
    assert material.synthetic
    assert MINED_DEV in material.notes
    assert len(material.guarded.pairs) == len(pairs.pairs)


def test_pairs_that_people_wrote_are_not_displaced_but_displace(
    documents_only, tiny_pairs, tiny_beir
):
    make_synthetic_pairs(documents_only, SyntheticRequest(save=True))
    add_pairs(documents_only, tiny_pairs)
    manifest, pairs = current_pairs(documents_only)
    assert "origin" not in manifest.details
    assert not any(pair.mined for pair in pairs.pairs)
    assert documents_only.newest("queries") is not None
    assert manifest.details["pairs"] + manifest.details["dev_queries"] < 80
    with pytest.raises(Refused, match=r"pairs that people wrote.*--replace"):
        make_synthetic_pairs(documents_only, SyntheticRequest(save=True))
    made = make_synthetic_pairs(documents_only, SyntheticRequest(save=True, replace=True))
    assert made.pairs == documents_only.newest("pairs")


def test_a_document_in_the_test_may_be_mined_but_a_query_may_not(documents_only):
    corpus = current_corpus(documents_only)[1]
    test = QuerySet({"q": "what helps against velkorin in the hand"}, {"q": {"d0": 1}})
    title = Pair("Velkorin", "the text", "d0", mined="title")
    written = Pair("Velkorin", "the text", "d0")
    same = Pair("What helps against velkorin in the hand?", "the text", "d9", mined="question")
    kept = keep_apart([title, written, same], [test], corpus)
    assert (kept.pairs, kept.same_query, kept.same_document) == ([title], 1, 1)
    assert check_leaks([title], test, corpus).is_clean()
    assert not check_leaks([written], test, corpus).is_clean()
    assert not check_leaks([same], test, corpus).is_clean()


def test_a_model_of_mined_pairs_is_measured_on_queries_that_come_later(
    documents_only, tiny_beir, tiny_model
):
    make_synthetic_pairs(documents_only, SyntheticRequest(save=True))
    values = {"base": str(tiny_model), "epochs": 3, "learning_rate": 1e-2}
    made = train(documents_only, "adapter", "mine", values)
    assert made is not None
    assert MINED_DEV in made.notes
    add_query_set(documents_only, tiny_beir / "queries.jsonl", tiny_beir / "qrels" / "test.tsv")
    queries = documents_only.newest("queries")
    assert queries is not None
    corpus = current_corpus(documents_only)[1]
    pairs = documents_only.newest("pairs")
    assert {pair.mined for pair in training_side(documents_only, pairs, corpus)} >= {
        "mined",
        "title",
    }
    assert leaks_of(
        documents_only, queries, QuerySet.load(documents_only, queries), corpus
    ).is_clean()
    result = evaluate(documents_only, ["bm25", "mine"])
    assert len(result.queries) == 20
    assert result.clean


def test_what_was_learned_is_followed_a_fifth_of_the_way_and_only_where_clearly_better():
    matrix = np.array([[3.0, 0.0], [0.0, 1.0]], dtype=np.float32)

    def better(given):
        return [0.1 + 0.3 * float(given[0, 0] > 1.0) * (n % 3 != 0) for n in range(30)]

    found = shrunken(matrix, 0.5, better)
    assert found is not None
    careful, share, score = found
    assert share == SHRUNKEN == 0.2
    # Half of the way is 3, so a fifth is 1 + 2 * 0.4.
    np.testing.assert_allclose(careful, [[1.8, 0.0], [0.0, 1.0]], atol=1e-6)
    assert score == pytest.approx(0.3)
    assert shrunken(matrix, 1.0, lambda given: [0.1 + 0.1 * (n == 3) for n in range(30)]) is None
    assert shrunken(matrix, 1.0, lambda given: [0.5 - 0.1 * float(given[0, 0] > 1)] * 30) is None


def test_a_kind_that_harms_the_others_gets_no_weight(documents_only, monkeypatch):
    import training.synthetic.make as room

    def scores(data, dev):
        harmed = len(data.queries) > 75  # With all kinds.
        return np.array([0.2 if harmed else 0.8] * len(dev.query_set.queries))

    monkeypatch.setattr(room, "_scores", scores)
    monkeypatch.setattr(room, "_LEAST", 3)
    mining = draw_pairs(current_corpus(documents_only)[1], ["title", "words"])
    learned = learned_weights(documents_only, mining)
    assert learned.weights == {"title": 1.0, "words": 1.0}
    assert "all are used" in learned.notes[0]
    monkeypatch.setattr(room, "_LEAST", 1)

    def only_words_harm(data, dev):
        return np.array([0.8 if len(data.queries) <= 40 else 0.2] * len(dev.query_set.queries))

    monkeypatch.setattr(room, "_scores", only_words_harm)
    learned = learned_weights(documents_only, mining)
    assert set(learned.weights) == {"title", "words"}


def test_the_terminal_shows_saves_and_refuses(documents_only, call_cli):
    done = call_cli("mine", "Tiny", "--kind", "title", "--kind", "words", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert [k["kind"] for k in told["kinds"]] == ["title", "words"]
    assert told["kinds"][0]["count"] == 40
    assert len(told["kinds"][0]["examples"]) == 3
    assert told["saved"] is None
    assert documents_only.newest("pairs") is None
    done = call_cli("mine", "Tiny", "--save", "--weight", "title=0.5", "--json")
    told = json.loads(done.out)
    assert told["saved"]["pairs"] == documents_only.newest("pairs").details["pairs"]
    assert {k["kind"]: k["weight"] for k in told["kinds"]}["title"] == 0.5
    for arguments, words in (
        (["--kind", "nope"], "no kind of mined pair 'nope'"),
        (["--weight", "title=2"], "must be from 0 to 1"),
        (["--weight", "title=x"], "is not a number"),
    ):
        done = call_cli("mine", "Tiny", *arguments)
        assert (done.status, done.out) == (2, "")
        assert words in done.err


def test_main_metric_of_single_queries_is_what_the_mean_is_made_of(documents_only, tiny_model):
    from search.models.sentence_transformer import load_sentence_transformer

    make_synthetic_pairs(documents_only, SyntheticRequest(save=True))
    dev = load_training_data(documents_only).dev
    model = load_sentence_transformer(tiny_model)
    queries, pool = model.encode_query(dev.queries), model.encode_document(dev.texts)
    scores = dev.scores_of_vectors(queries, pool)
    assert len(scores) == len(dev.queries)
    assert dev.ndcg_of_vectors(queries, pool) == pytest.approx(np.mean(scores))
    assert MAIN_METRIC == "ndcg@10"
