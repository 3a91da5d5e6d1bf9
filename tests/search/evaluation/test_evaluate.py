"""Metrics against hand calculation, numpy and pytrec_eval; what an evaluation leaves out, keeps and says."""

import json
import math

import pytest
import pytrec_eval

from search.corpus.corpus import ScoredDocument, current_corpus
from search.corpus.filters import EVERYTHING
from search.evaluation.evaluate import evaluate, measure
from search.evaluation.evaluation import load_evaluation, newest_evaluation, verdict_on
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.evaluation.rankings.metrics import METRICS, score
from search.models.registry import find_model, rename_model
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.search import compare
from tests.search.evaluation.random_runs import random_case
from training.data.intake import import_beir
from training.data.pair_sets import current_pairs
from training.train import train

# --- metrics, one query at a time ---


def by_hand(ranking, judged):
    """trec_eval's definitions, written out in plain Python."""
    relevant = {document: grade for document, grade in judged.items() if grade > 0}
    gains = [relevant.get(document, 0) for document in ranking]
    ideal = sorted(relevant.values(), reverse=True)

    def dcg(values):
        return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(values[:10], start=1))

    first = next((rank for rank, gain in enumerate(gains[:10], start=1) if gain), None)
    precisions = [
        sum(gain > 0 for gain in gains[:rank]) / rank
        for rank, gain in enumerate(gains[:100], start=1)
        if gain
    ]
    return {
        "ndcg@10": dcg(gains) / dcg(ideal),
        "mrr@10": 1 / first if first else 0.0,
        "recall@10": sum(gain > 0 for gain in gains[:10]) / len(relevant),
        "recall@100": sum(gain > 0 for gain in gains[:100]) / len(relevant),
        "map@100": sum(precisions) / len(relevant),
    }


def scored(ranking, judged):
    found = score({"q": ranking}, QuerySet({"q": "?"}, {"q": judged}))
    assert tuple(found) == METRICS
    return {metric: values[0] for metric, values in found.items()}


@pytest.mark.parametrize(
    ("ranking", "judged", "wanted"),
    [
        (["a", "b"], {"a": 1}, [1, 1, 1, 1, 1]),
        (["b", "a"], {"a": 1}, [1 / math.log2(3), 0.5, 1, 1, 0.5]),
        ([], {"a": 1}, [0, 0, 0, 0, 0]),
        (["b", "c"], {"a": 1}, [0, 0, 0, 0, 0]),
        # Linear gains: grade 3 second and grade 1 first, where the ideal is the other way round.
        (
            ["low", "high"],
            {"low": 1, "high": 3},
            [(1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)), 1, 1, 1, 1],
        ),
        # A judgment of 0 is not relevant: "z" is no first answer, and recall does not wait for it.
        (["z", "a"], {"z": 0, "a": 2}, [1 / math.log2(3), 0.5, 1, 1, 0.5]),
        (
            ["x", "a", "y", "b"],
            {"a": 1, "b": 1, "c": 1},
            [
                (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / math.log2(4)),
                0.5,
                2 / 3,
                2 / 3,
                (1 / 2 + 2 / 4) / 3,
            ],
        ),
        # The eleventh place counts for recall@100 and MAP only.
        ([*"bcdefghijk", "a"], {"a": 1}, [0, 0, 0, 1, 1 / 11]),
        # The hundred-and-first counts for nothing.
        ([*(f"x{n}" for n in range(100)), "a"], {"a": 1}, [0, 0, 0, 0, 0]),
    ],
)
def test_small_cases_by_hand(ranking, judged, wanted):
    found = scored(ranking, judged)
    assert found == pytest.approx(dict(zip(METRICS, wanted, strict=True)), abs=1e-9)
    assert found == pytest.approx(by_hand(ranking, judged), abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_rankings_equal_hand_calculation_and_pytrec_eval(seed):
    run, query_set = random_case(seed)
    found = score(run, query_set)
    for metric in METRICS:
        assert score(run, query_set, [metric]) == {metric: found[metric]}, "one alone is the same"
    own = {
        query: {document: float(-rank) for rank, document in enumerate(ranking[:100])}
        for query, ranking in run.items()
    }
    evaluator = pytrec_eval.RelevanceEvaluator(
        {query: dict(judged) for query, judged in query_set.judgments.items()},
        {"ndcg_cut.10", "recall.10,100", "map_cut.100", "recip_rank"},
    )
    trec = evaluator.evaluate(own)
    short = evaluator.evaluate({q: dict(list(docs.items())[:10]) for q, docs in own.items()})
    for place, query in enumerate(sorted(run)):
        values = {metric: found[metric][place] for metric in METRICS}
        assert values == pytest.approx(by_hand(run[query], query_set.judgments[query]), abs=1e-9)
        theirs = trec.get(query, {})
        assert values == pytest.approx(
            {
                "ndcg@10": theirs.get("ndcg_cut_10", 0.0),
                "mrr@10": short.get(query, {}).get("recip_rank", 0.0),
                "recall@10": theirs.get("recall_10", 0.0),
                "recall@100": theirs.get("recall_100", 0.0),
                "map@100": theirs.get("map_cut_100", 0.0),
            },
            abs=1e-9,
        )


def test_a_query_for_which_nothing_was_found_counts_zero():
    query_set = QuerySet({"a": "?", "b": "?"}, {"a": {"x": 1}, "b": {"x": 1}})
    for run in ({"a": ["x"], "b": []}, {"b": [], "a": ["x"]}):
        assert score(run, query_set) == {metric: [1.0, 0.0] for metric in METRICS}
    assert score({"a": [], "b": []}, query_set) == {metric: [0.0, 0.0] for metric in METRICS}


# --- measuring retrievers ---


class Fixed:
    """A retriever with known rankings, by query text."""

    def __init__(self, name, rankings):
        self.name = name
        self.rankings = rankings

    def rank(self, queries, k, scope=EVERYTHING):
        return [
            [ScoredDocument(place, 1.0, place) for place in self.rankings[query][:k]]
            for query in queries
        ]


@pytest.fixture
def project(tmp_path, tiny_beir):
    made = Project(tmp_path / "workspace" / "p")
    import_beir(made, tiny_beir)
    return made


def test_measure_scores_each_query_and_finds_the_first_answer(project):
    _, corpus = current_corpus(project)
    query_set = QuerySet(
        {"q2": "two", "q1": "one", "q3": "three"},
        {"q1": {"d3": 1}, "q2": {"d0": 1, "d1": 2}, "q3": {"d7": 1}},
    )
    good = Fixed("good", {"one": [3, 4], "two": [5, 1, 0], "three": []})
    bad = Fixed("bad", {"one": [4, 3], "two": [5], "three": []})
    result = measure([good, bad], corpus, query_set, ["a note"])
    assert (result.queries, result.texts) == (["q1", "q2", "q3"], ["one", "two", "three"])
    assert result.first_relevant == {"good": [1, 2, None], "bad": [2, None, None]}
    q2 = by_hand(["d5", "d1", "d0"], {"d0": 1, "d1": 2})["ndcg@10"]
    assert result.scores["good"]["ndcg@10"] == pytest.approx([1, q2, 0])
    assert result.scores["bad"]["ndcg@10"] == pytest.approx([1 / math.log2(3), 0, 0])
    assert result.means("good")["ndcg@10"] == pytest.approx((1 + q2) / 3)
    assert result.differences("good", "bad") == pytest.approx([1 / math.log2(3) - 1, -q2, 0])
    (test,) = result.comparisons
    assert (test.baseline, test.candidate) == ("good", "bad")
    assert (test.wins, test.ties, test.losses) == (0, 1, 2)
    assert result.notes == ["a note"]


def test_the_same_ranking_is_a_tie_with_itself(project):
    _, corpus = current_corpus(project)
    query_set = QuerySet({"q": "one", "r": "two"}, {"q": {"d3": 1}, "r": {"d4": 1}})
    rankings = {"one": [1, 3], "two": [4]}
    result = measure([Fixed("a", rankings), Fixed("b", rankings)], corpus, query_set)
    assert (result.comparisons[0].ties, result.comparisons[0].p_value) == (2, 1.0)


# --- evaluating a project ---


def _words(project, name="words"):
    return train(project, "word2vec", name, {"vector_size": 16, "min_count": 1, "epochs": 3})


def test_evaluate_equals_searching_and_scoring_by_hand(project, tiny_beir):
    _words(project)
    result = evaluate(project, ["bm25", "words"])
    rows = [
        json.loads(line) for line in (tiny_beir / "queries.jsonl").read_text("utf-8").splitlines()
    ]
    texts = {row["_id"]: row["text"] for row in rows}
    lines = (tiny_beir / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    judged = {query: {document: int(grade)} for query, document, grade in map(str.split, lines)}
    assert result.queries == sorted(judged)
    assert result.texts == [texts[query] for query in result.queries]
    for name in ("bm25", "words"):
        for place, query in enumerate(result.queries):
            (found,) = compare(project, texts[query], [name], k=100).results
            wanted = by_hand([hit.id for hit in found.hits], judged[query])
            for metric in METRICS:
                assert result.scores[name][metric][place] == pytest.approx(wanted[metric], abs=1e-9)
    assert result.notes == []


def test_columns_that_are_one_model_are_refused(project):
    _words(project, "one")
    rename_model(project, "one", "two")
    with pytest.raises(Refused, match="'generic' and 'all-MiniLM-L6-v2' are the same model"):
        evaluate(project, ["generic", "all-MiniLM-L6-v2"])
    with pytest.raises(Refused, match="'hybrid:one' and 'hybrid:two' are the same model"):
        evaluate(project, ["bm25", "hybrid:one", "hybrid:two"])


def test_what_was_made_here_is_counted_and_what_was_there_is_not(project):
    _words(project, "one")
    result = evaluate(project, ["bm25", "one", "hybrid:one"])
    assert [(t.family, t.p_adjusted is None) for t in result.comparisons] == [(2, False)] * 2
    (reference,) = evaluate(project, ["one", "bm25"]).comparisons
    assert (reference.family, reference.p_adjusted) == (0, None)


def test_as_json_has_the_keys_of_the_contract(project):
    _words(project, "one")
    _words(project, "two")
    content = evaluate(project, ["bm25", "one", "two"]).as_json()
    assert list(content)[:3] == ["queries", "models", "comparisons"]
    assert set(content) >= {"relevant_documents", "left_out", "groups", "copies", "counted"}
    groups = content["groups"]
    assert list(groups) == ["queries", "groups", "largest", "effective"]
    assert groups["queries"] == 20
    asked = {d for judged in current_query_set(project)[1].judgments.values() for d in judged}
    assert content["relevant_documents"] == len(asked)
    assert content["left_out"] == {"own_id": 0, "own_text": 0}
    assert content["queries"] == 20
    assert list(content["models"]) == ["bm25", "one", "two"]
    for figures in content["models"].values():
        assert list(figures) == [
            "ndcg@10", "mrr@10", "recall@10", "recall@100", "map@100", "judged@10", "condensed_ndcg@10",
        ]  # fmt: skip
        assert all(type(value) is float and 0 <= value <= 1 for value in figures.values())
    assert [(c["baseline"], c["candidate"]) for c in content["comparisons"]] == [
        ("bm25", "one"),
        ("bm25", "two"),
    ]
    types = {
        "baseline": str,
        "candidate": str,
        "metric": str,
        "delta": float,
        "ci95": list,
        "p_value": float,
        "wins": int,
        "ties": int,
        "losses": int,
        "verdict": str,
    }
    for comparison in content["comparisons"]:
        assert {key: type(comparison[key]) for key in types} == types
        assert [type(bound) for bound in comparison["ci95"]] == [float, float]
        assert comparison["metric"] == "ndcg@10"
        assert comparison["wins"] + comparison["ties"] + comparison["losses"] == 20
        ours = content["models"][comparison["baseline"]]["ndcg@10"]
        theirs = content["models"][comparison["candidate"]]["ndcg@10"]
        assert comparison["delta"] == pytest.approx(theirs - ours)
    json.dumps(content, allow_nan=False)


def test_an_evaluation_is_kept_and_read_back(project):
    assert newest_evaluation(project) is None
    _words(project)
    result = evaluate(project, ["bm25", "words"])
    manifest = newest_evaluation(project)
    assert load_evaluation(project, manifest) == result
    assert manifest.made_from == {
        "corpus": project.newest("corpora").id,
        "queries": project.newest("queries").id,
        "model:words": find_model(project, "words").id,
    }
    _publish_queries(project, {"q": "velkorin"}, {"q": {"d0": 1}})
    assert newest_evaluation(project) is None, "it was of another query set"


def _publish_queries(project, queries, judgments):
    with project.publish("queries", {"corpus": project.newest("corpora").id}) as draft:
        QuerySet(queries, judgments).save(draft)
    return draft.id


def test_queries_without_a_relevant_document_are_left_out_and_counted(project):
    _publish_queries(
        project,
        {"a": "velkorin", "b": "frost", "c": "dust", "d": "deed"},
        {"a": {"d0": 1}, "b": {"gone": 1}, "c": {"d5": 0}},
    )
    result = evaluate(project, ["bm25"])
    assert result.queries == ["a"]
    assert result.notes[0] == "3 queries left out: no relevant document in the corpus"
    _publish_queries(project, {"b": "frost"}, {"b": {"gone": 1}})
    with pytest.raises(Refused, match=r"No query is left.*1 queries left out"):
        evaluate(project, ["bm25"])


def _publish_trained_model(project, name, pairs, queries=None):
    """A model with word vectors that says it was trained on these pairs."""
    trained = _words(project, name + "-source")
    source = project.artifact("models", trained.id)
    made_from = dict(source.made_from) | ({"queries": queries} if queries else {})
    with project.publish("models", made_from) as draft:
        for path in project.folder_of(source).glob("word_vectors.*"):
            (draft.folder / path.name).write_bytes(path.read_bytes())
        rows = [{"query": q, "response": r, "document": d} for q, r, d in pairs]
        (draft.folder / TRAINED_ON).write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
        draft.details.update({**source.details, "name": name})


def test_queries_that_an_older_model_was_trained_on_are_left_out_and_counted(project):
    _, corpus = current_corpus(project)
    text = corpus.document("d31").text
    _publish_trained_model(
        project,
        "older",
        [
            ("What helps against: VELKORIN in the hand??", "anything", None),  # the query of a
            ("something else", text, None),  # the answer of b, by its text
            ("and another", "unlike any text", "d20"),  # the answer of c, by its id
            ("unrelated words here", "of no document at all", None),
        ],
    )
    _publish_queries(
        project,
        {"a": "what helps against velkorin in the hand", "b": "bb", "c": "cc", "d": "dust"},
        {"a": {"d0": 1}, "b": {"d31": 1}, "c": {"d20": 1}, "d": {"d5": 1}},
    )
    result = evaluate(project, ["bm25", "older"])
    assert result.queries == ["d"]
    assert result.notes[0] == "3 queries left out: a model was trained on them or their answers"
    assert evaluate(project, ["bm25"]).queries == ["a", "b", "c", "d"], "the others saw nothing"


def test_a_model_that_was_kept_apart_from_this_query_set_leaves_nothing_out(project):
    queries = _publish_queries(
        project, {"c": "cc", "d": "dust"}, {"c": {"d30": 1}, "d": {"d35": 1}}
    )
    _publish_trained_model(project, "newer", [("zz", "yy", "d30")], queries)
    result = evaluate(project, ["bm25", "newer"])
    assert (result.queries, result.notes) == (["c", "d"], [])


def test_a_clean_split_is_called_clean(project):
    result = evaluate(project, ["bm25"])
    assert (result.clean, result.notes) == (True, [])
    manifest = newest_evaluation(project)
    assert manifest.details["clean"] is True
    assert load_evaluation(project, manifest).clean


def test_an_evaluation_on_a_split_that_leaks_is_not_called_clean(project):
    text = next(iter(current_query_set(project)[1].queries.values()))
    trained = current_pairs(project)[1].pairs[0].query
    _publish_queries(project, {"a": text, "b": trained}, {"a": {"d0": 1}, "b": {"d30": 1}})
    result = evaluate(project, ["bm25"])
    assert result.clean is False
    assert result.notes == [
        "this split is not clean: training and test share 1 query (for example 'b') and 1 relevant "
        "document (for example 'd0'), near-duplicates included. Pairs that share them are kept out of "
        "training here, so models trained here are measured fairly; figures of a model that was trained "
        "elsewhere on this split would be too good"
    ]
    manifest = newest_evaluation(project)
    assert (manifest.details["clean"], manifest.details["notes"]) == (False, result.notes)
    assert load_evaluation(project, manifest) == result


def test_what_is_refused(project, tmp_path):
    with pytest.raises(Refused, match="no model 'nothing'"):
        evaluate(project, ["bm25", "nothing"])
    assert project.manifests("evaluations") == []
    empty = Project(tmp_path / "empty").create()
    with pytest.raises(Refused, match="has no documents yet"):
        evaluate(empty)


def test_progress_only_moves_forward(project):
    told = []
    evaluate(
        project, ["bm25"], lambda done, total, message, metrics=None: told.append(done / total)
    )
    assert told == sorted(told)
    assert told[-1] == 1


def test_verdict_on_is_the_newest_test_against_generic_on_the_current_data(project, tiny_model):
    train(project, "fine-tune", "a", {"base": str(tiny_model), "epochs": 1, "batch_size": 16})
    assert verdict_on(project, "a") is None
    evaluate(project, ["bm25", "a"])
    assert verdict_on(project, "a") is None, "against keyword search is not against generic"
    manifest = newest_evaluation(project)
    test = dict(manifest.details["comparisons"][0], baseline="generic")
    with project.publish("evaluations", manifest.made_from) as draft:
        draft.details.update({**manifest.details, "comparisons": [test]})
    found, queries = verdict_on(project, "a")
    assert (found.baseline, found.candidate, queries) == ("generic", "a", 20)
    assert found.ci95 == tuple(test["ci95"])
    assert verdict_on(project, "b") is None
    with project.publish("queries", {"corpus": manifest.made_from["corpus"]}) as draft:
        QuerySet({"q": "new"}, {"q": {"d1": 1}}).save(draft)
    assert verdict_on(project, "a") is None, "another query set, another verdict"


def test_a_model_trained_anew_under_its_name_has_no_verdict_yet(project):
    _words(project)
    evaluate(project, ["generic", "words"])
    assert verdict_on(project, "words") is not None
    project.remove(project.artifact("models", find_model(project, "words").id))
    assert newest_evaluation(project) is not None, "nothing else bears its name"
    train(project, "word2vec", "words", {"vector_size": 12, "min_count": 1, "epochs": 1})
    assert (newest_evaluation(project), verdict_on(project, "words")) == (None, None)
    evaluate(project, ["generic", "words"])
    assert verdict_on(project, "words") is not None
