"""What `hybrid:MODEL@auto` is weighed by: metrics against the library, choices on made-up tables, and what a project keeps."""

import json

import numpy as np
import pytest

from search.corpus.corpus import ScoredDocument, current_corpus
from search.corpus.ingest import add_documents
from search.corpus.labels import Pair
from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets import unlearned
from search.evaluation.query_sets.add_query_set import publish_query_set
from search.evaluation.query_sets.dev_queries import dev_queries
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings import fit_fusion
from search.evaluation.rankings.fit_fusion import (
    CANDIDATES,
    LEAST,
    MODEL,
    WORDS,
    chosen,
    fit_missing,
    table_of,
)
from search.evaluation.rankings.metrics import MAIN_METRIC, score
from search.judging.prepare import prepare_questions
from search.judging.setup import Setup
from search.models.registry import find_model
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.columns import parse_column
from search.retrieval.fingerprint import column_fingerprint, column_identity
from search.retrieval.fitted import what_was_fitted
from search.retrieval.search import compare
from training.data.intake import add_pairs
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs
from training.train import train

AUTO = "hybrid:words@auto"


def _ranking(rng, count, known):
    scores = np.sort(rng.normal(size=count))[::-1]
    return [
        ScoredDocument(int(d), float(s), int(d))
        for d, s in zip(rng.permutation(known)[:count], scores, strict=True)
    ]


def test_the_table_is_ndcg_of_what_is_fused():
    rng = np.random.default_rng(5)
    ids = [f"d{n}" for n in range(300)]
    rankings = [
        (_ranking(rng, n, 300), _ranking(rng, 250, 300)) for n in (250, 60, 3, 1, 0, 220, 7, 90)
    ]
    judged = [
        {f"d{d}": int(rng.integers(1, 4)) for d in rng.permutation(300)[:n]}
        for n in (1, 2, 5, 12, 40, 3, 90, 1)
    ]
    queries = QuerySet({f"q{n}": "" for n in range(8)}, {f"q{n}": g for n, g in enumerate(judged)})
    table = table_of(rankings, ids, judged)
    for row, fusion in enumerate(CANDIDATES):
        run = {
            f"q{n}": [ids[hit.document] for hit in fusion.fuse(*both)][:10]
            for n, both in enumerate(rankings)
        }
        assert table[row] == pytest.approx(score(run, queries, [MAIN_METRIC])[MAIN_METRIC])
    assert len(np.unique(table.mean(axis=1))) > 10


def _made_up(rng, queries, gain):
    """Scores of all candidates: `gain` of a weight and scale over the model alone, whose scores spread."""
    base = rng.uniform(0, 1, queries)
    rows = [base + gain(one) + rng.normal(0, 0.02, queries) for one in CANDIDATES]
    return np.array(rows)


def test_the_best_of_many_queries_and_what_it_is_worth():
    rng = np.random.default_rng(1)
    table = _made_up(
        rng, 300, lambda one: 0.2 - abs(one.weight - 0.3) + 0.1 * (one.scale == "scores")
    )
    made = chosen(table)
    assert (made.fusion.weight, made.fusion.scale) == (0.3, "scores")
    assert made.model == table[CANDIDATES.index(MODEL)].mean()
    assert made.words == table[CANDIDATES.index(WORDS)].mean()
    assert made.joined <= table.mean(axis=1).max()
    assert made.joined > max(made.model, made.words) + 0.1


@pytest.mark.parametrize("side", [WORDS, MODEL])
@pytest.mark.parametrize("queries", [12, 300])
def test_where_joining_gains_nothing_the_better_side_stands_alone(side, queries):
    rng = np.random.default_rng(2)
    made = chosen(
        _made_up(rng, queries, lambda one: -abs(one.weight - side.weight) - (one != side))
    )
    assert made.fusion == side
    assert made.fusion.is_one_side
    assert "joining gained nothing" in made.sentence


def test_of_few_queries_noise_does_not_choose():
    """All joined candidates are alike but for noise: many queries take the luckiest, few the default."""
    weights = {}
    for queries in (16, 60):
        made = [
            chosen(
                np.where(
                    [[one in (WORDS, MODEL)] for one in CANDIDATES],
                    0.0,
                    np.random.default_rng(seed).uniform(0.2, 1, (len(CANDIDATES), queries)),
                )
            )
            for seed in range(20)
        ]
        weights[queries] = [abs(one.fusion.weight - 0.5) for one in made]
    assert np.mean(weights[16]) < 0.1 < np.mean(weights[60])


@pytest.fixture
def tiny(tmp_path, import_tiny) -> Project:
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    train(made, "word2vec", "words", {"vector_size": 8, "min_count": 1, "epochs": 1})
    return made


def test_a_project_is_weighed_once_until_something_changes(tiny, tmp_path):
    found = compare_after_fit(tiny)
    (report,) = tiny.manifests("reports")
    fitted = what_was_fitted(report)
    assert fitted.queries >= LEAST
    assert report.made_from == {
        "corpus": tiny.newest("corpora").id,
        "pairs": tiny.newest("pairs").id,
        "queries": tiny.newest("queries").id,
        "model": find_model(tiny, "words").id,
    }
    fusion = fitted.fusion
    if fusion.is_one_side:
        assert found[AUTO] == found["bm25" if fusion.weight else "words"]
    assert fit_missing(tiny, [AUTO])[AUTO].id == report.id
    before = column_fingerprint(tiny, parse_column(AUTO), tiny.newest("corpora"))
    path = tmp_path / "more.csv"
    path.write_text("id,text\nnew,a new document of another matter\n", encoding="utf-8")
    add_documents(tiny, [path])
    assert column_fingerprint(tiny, parse_column(AUTO), tiny.newest("corpora")) != before
    with pytest.raises(Refused, match="not weighed yet"):
        compare(tiny, "dust", [AUTO])
    assert fit_missing(tiny, [AUTO])[AUTO].id != report.id
    assert fit_missing(tiny, ["words", "bm25", "hybrid:words"]) == {}


def compare_after_fit(project):
    names = [AUTO, "words", "bm25"]
    fit_missing(project, names)
    results = compare(project, "dust in the knee", names, 20).results
    return {one.model: [hit.id for hit in one.hits] for one in results}


def test_an_evaluation_says_what_was_joined(tiny):
    result = evaluate(tiny, ["words", "bm25", AUTO])
    manifest = tiny.newest("evaluations")
    report = tiny.artifact("reports", manifest.made_from[f"fusion:{AUTO}"])
    said = f"{AUTO}: {what_was_fitted(report).sentence}"
    assert said in result.notes
    assert said in manifest.details["notes"]
    assert {test.candidate for test in result.comparisons} == {"bm25", AUTO}
    even, auto = (column_identity(tiny, parse_column(c)) for c in ("hybrid:words", AUTO))
    assert even != auto
    assert prepare_questions(tiny, Setup(AUTO, "bm25")).searched > 0


def test_what_cannot_be_weighed_is_refused_with_what_to_do(tiny):
    for manifest in tiny.manifests("pairs"):
        tiny.remove(manifest)
    with pytest.raises(
        Refused, match=r"'p' has none\. Add query/response pairs.*take hybrid:words,"
    ):
        fit_missing(tiny, [AUTO])
    with pytest.raises(Refused, match="has none"):
        evaluate(tiny, ["bm25", AUTO])
    make_synthetic_pairs(tiny, SyntheticRequest(save=True))
    with pytest.raises(Refused, match="mined from its documents"):
        fit_missing(tiny, [AUTO])


def test_of_a_model_only_what_it_did_not_learn_from_is_asked(tiny, monkeypatch):
    pairs = tiny.newest("pairs")
    everything = fit_missing(tiny, [AUTO])[AUTO]
    dev = dev_queries(tiny, pairs)
    tiny.remove(everything)
    monkeypatch.setattr(fit_fusion, "LEAST", 1)
    learned = [Pair("an unlike question", "of another matter")]
    monkeypatch.setattr(unlearned, "trained_pairs", lambda project, info: learned)
    report = fit_missing(tiny, [AUTO])[AUTO]
    asked = what_was_fitted(report).queries
    assert 0 < asked <= len(dev.queries) < what_was_fitted(everything).queries
    tiny.remove(report)
    learned += [Pair(text.upper(), "") for text in dev.queries.values()]
    with pytest.raises(Refused, match="has 0 that 'words' did not learn from"):
        fit_missing(tiny, [AUTO])


def test_what_the_query_set_asks_weighs_nothing(tiny, monkeypatch):
    before = what_was_fitted(fit_missing(tiny, [AUTO])[AUTO]).queries
    dev = dev_queries(tiny, tiny.newest("pairs"))
    manifest, corpus = current_corpus(tiny)
    publish_query_set(tiny, dev, manifest, corpus)
    monkeypatch.setattr(fit_fusion, "LEAST", 1)
    assert what_was_fitted(fit_missing(tiny, [AUTO])[AUTO]).queries < before


def test_ten_dev_queries_are_needed(tmp_path, thirty):
    rows = [
        {
            "query": f"what of subject{n} before{n}",
            "response": f"tort number {n} of the court of {n}",
        }
        for n in range(9)
    ]
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    add_pairs(thirty, path)
    with pytest.raises(
        Refused, match="at least 10 are needed: 'thirty' has 9 that 'generic' did not learn from"
    ):
        fit_missing(thirty, ["hybrid:generic@auto"])
