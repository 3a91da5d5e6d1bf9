"""What an evaluation says to new questions and to new documents: which queries tell of either, and who may be believed."""

import json

import numpy as np
import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import load_evaluation, newest_evaluation
from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.query_sets.questions import NEW_DOCUMENTS, NEW_QUESTIONS
from search.evaluation.query_sets.trained_on import TRAINED_ON, asking_for_new_documents
from search.evaluation.statistics.family import within_family
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import compare
from search.evaluation.verdict.both_questions import (
    ENOUGH_GROUPS,
    ENOUGH_QUERIES,
    MeasuredQueries,
    QuestionResult,
    question_sentences,
)
from search.models.registry import find_model
from search.projects.project import project_to_be
from training.data.intake import import_beir
from training.data.pair_sets import current_pairs
from training.train import train


@pytest.fixture
def project(workspace, tiny_beir):
    """Train and test share d28 and d29: of 20 test queries 4 ask for them."""
    with (tiny_beir / "qrels" / "train.tsv").open("a") as stream:
        stream.write("train-0\td28\t1\ntrain-1\td29\t1\n")
    home = project_to_be("lab")
    import_beir(home, tiny_beir)
    return home


def publish_trained(project, name, question):
    """A model that learned from all pairs of the project, kept apart for a question."""
    made = train(
        project, "word2vec", f"{name}-source", {"vector_size": 16, "min_count": 1, "epochs": 1}
    )
    source = project.artifact("models", made.id)
    made_from = {
        **source.made_from,
        "pairs": project.newest("pairs").id,
        "queries": project.newest("queries").id,
    }
    pairs = current_pairs(project)[1].pairs
    with project.publish("models", made_from) as draft:
        for path in project.folder_of(source).glob("word_vectors.*"):
            (draft.folder / path.name).write_bytes(path.read_bytes())
        rows = [{"query": p.query, "response": p.response, "document": p.document} for p in pairs]
        (draft.folder / TRAINED_ON).write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
        draft.details.update(
            {**source.details, "name": name, "question": question, "seconds": 12.0}
        )
        draft.details["recipe"] = "adapter"
    return find_model(project, name)


def test_a_query_whose_answer_was_learned_is_a_new_question_but_asks_for_no_new_document(project):
    publish_trained(project, "mine", NEW_QUESTIONS)
    result = evaluate(project, ["bm25", "mine"])
    assert (result.question, result.clean, len(result.queries)) == (NEW_QUESTIONS, True, 20)
    own, documents = (result.questions[q] for q in (NEW_QUESTIONS, NEW_DOCUMENTS))
    assert (own.queries, own.clean, own.comparisons) == (20, True, result.comparisons)
    assert own.groups == result.groups.count
    assert (documents.queries, documents.clean, documents.comparisons) == (16, True, [])
    assert result.notes == [
        "of new documents this says nothing yet: only 16 of the 20 queries, in 10 groups, ask for documents that no "
        "training pair answers with (50 in 30 groups would do). A second, strict training would tell; it learns from 60 "
        "of the 62 pairs, in about the 12 s that this one took: python cli.py train lab --recipe adapter --strict"
    ]
    assert load_evaluation(project, newest_evaluation(project)) == result
    shown = result.as_json()
    assert (shown["question"], list(shown["questions"])) == (
        "new_questions",
        ["new_questions", "new_documents"],
    )
    assert shown["questions"]["new_questions"]["comparisons"] == shown["comparisons"]
    assert shown["questions"]["new_documents"]["queries"] == 16


def test_a_model_that_was_trained_strictly_is_asked_for_new_documents_by_all(project):
    """It says which of its pairs it was kept apart from; that these were left out is for `train` to prove."""
    publish_trained(project, "strict", NEW_DOCUMENTS)
    result = evaluate(project, ["bm25", "strict"])
    assert result.questions[NEW_DOCUMENTS] == result.questions[NEW_QUESTIONS]
    assert result.notes == []


def test_what_a_model_was_steered_by_is_no_new_document(workspace, tiny_beir):
    with (tiny_beir / "qrels" / "dev.tsv").open("a") as stream:
        stream.write("dev-0\td31\t1\n")
    home = project_to_be("lab")
    import_beir(home, tiny_beir)
    info = publish_trained(home, "mine", NEW_QUESTIONS)
    manifest, query_set = current_query_set(home)
    corpus = current_corpus(home)[1]
    told = asking_for_new_documents(home, [info], query_set, manifest, corpus)
    assert {d for q in set(query_set.queries) - told for d in query_set.relevant(q)} == {"d31"}
    home.remove(home.newest("pairs"))
    assert asking_for_new_documents(home, [info], query_set, manifest, corpus) == set(
        query_set.queries
    )


def test_a_query_set_that_asks_for_new_documents_asks_new_questions_too(workspace, tiny_beir):
    with (tiny_beir / "qrels" / "train.tsv").open("a") as stream:
        stream.write("train-0\td28\t1\n")
    home = project_to_be("lab")
    import_beir(home, tiny_beir, question="new_documents")
    result = evaluate(home, ["generic", "bm25"])
    own, questions = (result.questions[q] for q in (NEW_DOCUMENTS, NEW_QUESTIONS))
    assert (result.question, own.clean, questions.clean) == (NEW_DOCUMENTS, False, True)
    assert own.comparisons == questions.comparisons == result.comparisons
    assert result.notes[-1].startswith("this split is not clean: ")


def measured(queries, groups, seed=3):
    rng = np.random.default_rng(seed)
    ours, theirs = rng.random(queries), rng.random(queries)
    scores = {"generic": {"ndcg@10": ours.tolist()}, "mine": {"ndcg@10": theirs.tolist()}}
    labels = QueryGroups(np.arange(queries, dtype=np.int32) % groups)
    return MeasuredQueries(scores, labels, compared(scores, labels), compared)


def compared(scores, groups):
    return within_family(compare(scores, groups, ["mine"]), ["mine"])


def test_a_part_of_the_queries_is_tested_as_if_there_were_no_others():
    whole = measured(120, 60)
    chosen = [n % 2 == 0 for n in range(120)]
    part = whole.part(chosen)
    (test,) = part.comparisons
    values = np.array(whole.scores["mine"]["ndcg@10"]) - np.array(
        whole.scores["generic"]["ndcg@10"]
    )
    assert test.delta == pytest.approx(values[::2].mean())
    assert (test.groups, test.family, part.result(True).queries) == (30, 1, 60)
    assert whole.part([True] * 120) is whole


@pytest.mark.parametrize(("queries", "groups", "tested"), [(50, 30, 1), (49, 30, 0), (50, 29, 0)])
def test_too_few_queries_or_groups_are_not_tested(queries, groups, tested):
    assert (ENOUGH_QUERIES, ENOUGH_GROUPS) == (50, 30)
    whole = measured(200, 200)
    labels = np.array([*(np.arange(queries) % groups), *range(groups, groups + 200 - queries)])
    whole = MeasuredQueries(
        whole.scores, QueryGroups(labels.astype(np.int32)), whole.comparisons, compared
    )
    part = whole.part([n < queries for n in range(200)])
    assert len(part.comparisons) == tested
    assert part.result(True).groups == groups


def test_the_other_question_is_told_in_words_where_other_queries_answer_it():
    whole = measured(120, 60)
    part = whole.part([n % 2 == 0 for n in range(120)])
    results = {NEW_QUESTIONS: whole.result(True), NEW_DOCUMENTS: part.result(True)}
    first, second = question_sentences(NEW_QUESTIONS, results)
    assert first == "These figures are about new questions on the documents that are here."
    assert second.startswith("New documents, which 60 of the queries in 30 groups ask for: ")
    assert second.endswith(part.comparisons[0].sentence(60))
    assert question_sentences(NEW_DOCUMENTS, {}) == [
        "These figures are about new documents, which no training pair answers with."
    ]
    again = QuestionResult.from_json(json.loads(json.dumps(part.result(True).as_json())))
    assert again == part.result(True)
