"""Queries that are documents: what is left out of their rankings, what is asked, and what a test asks for."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from search.corpus.corpus import ScoredDocument, current_corpus
from search.corpus.ingest import add_documents
from search.evaluation.evaluate import evaluate, measure
from search.evaluation.evaluation import load_evaluation, newest_evaluation
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.rank_similarity import measured
from search.evaluation.rankings.rankings import RankingRules
from search.evaluation.rankings.self_matches import SelfMatches, answers_note, own_documents
from search.projects.project import Project
from search.retrieval.search import compare
from training.dev_set import DevSet

TOPICS = ["rent", "frost", "deed", "dust", "gold", "lease", "mould", "noise", "water", "heat"]


@pytest.fixture
def project(tmp_path):
    """Ten claims with an answer each; a claim shares more words with itself than with its answer."""
    made = Project(tmp_path / "workspace" / "p")
    rows = []
    for topic in TOPICS:
        rows += [f"{topic}-a,We should have more {topic} for all."]
        rows += [f"{topic}-b,Against that: more {topic} for all costs."]
    (tmp_path / "table.csv").write_text("\n".join(["id,text", *rows]), encoding="utf-8")
    add_documents(made, [tmp_path / "table.csv"])
    return made


def claims(**ids):
    """Each claim as a query, judged by its answer; a topic's query id may be another."""
    names = {topic: ids.get(topic, f"{topic}-a") for topic in TOPICS}
    return QuerySet(
        {names[topic]: f"We should have more {topic} for all." for topic in TOPICS},
        {names[topic]: {f"{topic}-b": 1} for topic in TOPICS},
    )


def publish(project, query_set):
    with project.publish("queries", {"corpus": project.newest("corpora").id}) as draft:
        query_set.save(draft)


def found_in(project, query_set):
    return SelfMatches.of(current_corpus(project)[1], query_set)


def test_each_query_that_is_a_document_leaves_itself_out_everywhere(project):
    publish(project, claims())
    result = evaluate(project, ["bm25"])
    assert result.means("bm25")["ndcg@10"] == 1.0
    assert result.notes == [
        "10 queries are documents of the corpus (10 by id): a query's own document is left out of its ranking, in "
        "every column, where it is not judged relevant to it"
    ]
    assert result.as_json()["left_out"] == {"own_id": 10, "own_text": 0}
    assert load_evaluation(project, newest_evaluation(project)) == result
    own = own_documents(project, "we should have more  rent for all.")
    assert own == {"rent-a"}
    (found,) = compare(
        project, "We should have more rent for all.", ["bm25"], 1, left_out=own
    ).results
    assert [hit.id for hit in found.hits] == ["rent-b"], "one hit stays one"
    assert own_documents(project, "another question") == frozenset()


def test_by_its_text_alone_where_ids_differ(project):
    matches = found_in(project, claims(**{topic: f"q{n}" for n, topic in enumerate(TOPICS)}))
    assert matches.left_out["q0"] == {"rent-a"}
    assert (matches.by_id, matches.by_text, matches.ambiguous) == (0, 10, ())


def test_a_document_that_is_judged_relevant_stays(project):
    judged = claims()
    judged.judgments["rent-a"]["rent-a"] = 2
    judged.judgments["frost-a"]["frost-a"] = 0
    matches = found_in(project, judged)
    assert "rent-a" not in matches.left_out
    assert matches.left_out["frost-a"] == {"frost-a"}, "judged, and not relevant"
    publish(project, judged)
    assert (
        evaluate(project, ["bm25"]).scores["bm25"]["ndcg@10"][judged_place(judged, "rent-a")] == 1.0
    )


def judged_place(query_set, query):
    return sorted(query_set.queries).index(query)


def test_ids_count_where_nine_in_ten_name_the_same_text(project):
    """One query in ten is worded another way: its id is believed; with two of ten, a note asks."""
    nine = claims()
    nine.queries["rent-a"] = "Rents ought to rise."
    matches = found_in(project, nine)
    assert matches.left_out["rent-a"] == {"rent-a"}
    assert (matches.by_id, matches.ambiguous) == (10, ())
    nine.queries["frost-a"] = "Frost ought to go."
    eight = found_in(project, nine)
    assert (eight.by_id, eight.by_text) == (0, 8)
    assert eight.ambiguous == ("rent-a", "frost-a")
    assert (
        "2 query ids are also the id of a document with another text (for example 'rent-a')"
        in (eight.notes[1])
    )
    assert (
        found_in(project, nine)
        .only({"rent-a", "deed-a"})
        .notes[0]
        .startswith("1 query is a document of the corpus (1 by exact text)")
    )


def test_tables_that_number_both_sides_from_one_leave_nothing_out_and_are_asked(tmp_path):
    made = Project(tmp_path / "workspace" / "p")
    rows = [f"{n},The clause about {topic}." for n, topic in enumerate(TOPICS, start=1)]
    (tmp_path / "table.csv").write_text("\n".join(["id,text", *rows]), encoding="utf-8")
    add_documents(made, [tmp_path / "table.csv"])
    publish(
        made,
        QuerySet({"1": "clause about frost", "2": "about deed"}, {"1": {"2": 1}, "2": {"2": 1}}),
    )
    result = evaluate(made, ["bm25"])
    assert result.left_out == {"own_id": 0, "own_text": 0}
    assert [note[:56] for note in result.notes] == [
        "1 query id is also the id of a document with another tex",
        "the 2 queries ask for one and the same document: they ar",
    ]


def test_a_hundred_hits_stay_a_hundred():
    """The hit that is left out makes room for the next one."""
    ids = [f"d{n}" for n in range(150)]
    corpus = SimpleNamespace(ids=lambda: ids, texts=lambda start, _: [f"text {start}"])
    asked = []

    def rank(texts, k):
        asked.append(k)
        return [[ScoredDocument(n, 1.0, n) for n in range(k)] for _ in texts]

    query_set = QuerySet({"d0": "x"}, {"d0": {"d100": 1}})
    retriever = SimpleNamespace(name="one", rank=rank)
    result = measure([retriever], corpus, query_set, rules=RankingRules(left_out={"d0": {"d0"}}))
    assert (asked, result.first_relevant["one"]) == ([101], [100])
    assert measure([retriever], corpus, query_set).first_relevant["one"] == [None]


def test_dev_scores_leave_it_out_too(project):
    _, corpus = current_corpus(project)
    dev = DevSet.of(corpus, claims())
    assert dev.left_out["rent-a"] == {"rent-a"}
    # Each claim lies exactly on itself and near its answer.
    places = {identity: n for n, identity in enumerate(dev.ids)}
    documents = np.eye(len(dev.ids), dtype=np.float32)
    for topic in TOPICS:
        documents[places[f"{topic}-b"], places[f"{topic}-a"]] = 1.0
    queries = documents[[places[query] for query in sorted(dev.query_set.queries)]]
    assert dev.ndcg_of_vectors(queries, documents) == 1.0


def test_disagreements_are_measured_without_it():
    corpus = SimpleNamespace(ids=lambda: ["q", "a", "b"])

    def side(*ranking):
        return SimpleNamespace(
            rank=lambda texts, k: [[ScoredDocument(n, 1.0, n) for n in ranking] for _ in texts]
        )

    sides = [side(0, 1), side(1)]
    (one,) = measured(sides, corpus, [("q", "?")])
    assert one.distance > 0
    (one,) = measured(sides, corpus, [("q", "?")], left_out={"q": {"q"}})
    assert one.distance == 0


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([{"a"}] * 50, "the 50 queries ask for one and the same document"),
        ([{"a"}, {"b"}] * 3, "the 6 queries ask for 2 different documents in all"),
        ([{"a", "b", "c", "d"}] * 3, "the 3 queries ask for one and the same set of documents"),
        ([{"a"}, {"b"}, {"a"}], None),
        ([{"a"}], None),
    ],
)
def test_queries_with_few_answers_are_not_called_independent(answers, said):
    names = [str(n) for n in range(len(answers))]
    query_set = QuerySet(
        dict.fromkeys(names, "?"),
        {name: dict.fromkeys(sorted(found), 1) for name, found in zip(names, answers, strict=True)},
    )
    note = answers_note(query_set)
    assert (note[: len(said)] if note and said else note) == said


def test_copies_of_a_querys_text_are_all_left_out_and_near_ones_stay(tmp_path):
    made = Project(tmp_path / "workspace" / "p")
    rows = [
        {"id": "one", "text": "Rent is due."},
        {"id": "two", "text": "Rent  is\ndue."},
        {"id": "titled", "title": "Rent is", "text": "due."},
        {"id": "near", "text": "Rent is due"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    add_documents(made, [path])
    matches = found_in(made, QuerySet({"q": "Rent is due."}, {"q": {"two": 1}}))
    assert matches.left_out == {"q": {"one", "titled"}}
