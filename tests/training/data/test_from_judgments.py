"""Judgments as training pairs: right answers, hard negatives, and never what the test asks."""

import json
import shutil

import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets.leakage import check_leaks, training_side
from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.query_sets.questions import NEW_QUESTIONS
from search.judging.prepare import prepare_questions
from search.judging.setup import Setup
from search.judging.store import JudgmentStore, Question
from search.judging.votes import grade
from search.projects.errors import Refused
from search.projects.project import project, project_to_be
from training.data.from_judgments import add_judged_pairs, divide_judgments, judged_pairs
from training.data.intake import import_beir
from training.data.pair_sets import current_pairs


@pytest.fixture
def asks(tiny_pairs):
    """24 questions, of which the one at each place is answered by the document of that number."""
    rows = json.loads(tiny_pairs.read_text())
    return [row["query"] for row in rows[::2]][:24]


@pytest.fixture
def asked(workspace, tiny_beir, asks):
    """A project whose 24 typed questions about 24 documents were graded; it has no pairs and no query set."""
    lab = project_to_be("Lab")
    import_beir(lab, tiny_beir)
    shutil.rmtree(lab.folder / "pairs")
    shutil.rmtree(lab.folder / "queries")
    store = JudgmentStore.of(lab)
    for number in range(24):
        question = store.ask_typed(asks[number])
        store.add([grade("Anna", question.id, f"d{number}", 3 if number % 2 else 2)])
        store.add([grade("Anna", question.id, f"d{(number + 8) % 40}", 0)])
        store.add([grade("Anna", question.id, f"d{(number + 16) % 40}", 1)])
    return lab


def test_pairs_and_negatives(asked, asks):
    pairs = judged_pairs(asked)
    _, corpus = current_corpus(asked)
    assert len(pairs) == 24
    for number, pair in enumerate(pairs):
        assert (pair.query, pair.document) == (asks[number], f"d{number}")
        assert pair.response == corpus.document(f"d{number}").embedded
        assert pair.negatives == (corpus.document(f"d{number + 8}").embedded,)
    assert len(judged_pairs(asked, least=1)) == 48
    assert len(judged_pairs(asked, least=3)) == 12


def test_the_hardest_negatives_are_kept(asked):
    """Of seven rejected documents the five that a column ranked best."""
    store = JudgmentStore.of(asked)
    question = store.questions()[0]
    prepare_questions(asked, Setup("bm25", "generic"))
    found = [p.id for p in _ranking(asked, "bm25", question.id)]
    rejected = [*[d for d in found if d != "d0"][:3], "d30", "d31", "d32", "d33"]
    store.add([grade("Anna", question.id, d, 0) for d in rejected])
    generic = [p.id for p in _ranking(asked, "generic", question.id)]
    ranks = {
        d: min((r.index(d) for r in (found, generic) if d in r), default=99)
        for d in [*rejected, "d8"]
    }
    expected = sorted(ranks, key=lambda d: (ranks[d], d))[:5]
    _, corpus = current_corpus(asked)
    pair = next(p for p in judged_pairs(asked) if p.document == "d0")
    assert pair.negatives == tuple(corpus.document(d).embedded for d in expected)


def _ranking(lab, column, question):
    from search.retrieval.columns import parse_column
    from search.retrieval.fingerprint import column_fingerprint

    manifest, _ = current_corpus(lab)
    return JudgmentStore.of(lab).rankings(
        column, column_fingerprint(lab, parse_column(column), manifest)
    )[question]


def test_a_copy_of_the_answer_is_no_negative(asked, tmp_path):
    from search.corpus.ingest import add_documents

    _, corpus = current_corpus(asked)
    path = tmp_path / "copy.csv"
    path.write_text(f'id,title,text\ncopy,,"{corpus.document("d0").embedded.upper()}"\n')
    add_documents(asked, [path])
    question = JudgmentStore.of(asked).questions()[0]
    JudgmentStore.of(asked).add([grade("Anna", question.id, "copy", 0)])
    pair = next(p for p in judged_pairs(asked) if p.document == "d0")
    assert len(pair.negatives) == 1 and "Velkorin".upper() not in pair.negatives[0]


def test_they_come_in_like_any_pairs(asked):
    made = add_judged_pairs(asked)
    _, held = current_query_set(asked)
    _, pairs = current_pairs(asked)
    assert (
        made.pairs == len(pairs.pairs) and made.pairs + made.dev_queries + made.test_queries == 24
    )
    assert held.queries, "a project without a query set holds a fifth out"
    assert all(pair.negatives for pair in pairs.pairs)
    with pytest.raises(Refused, match="all of these pairs already"):
        add_judged_pairs(asked)


def test_dividing_tests_on_some_and_trains_on_the_others(asked):
    made = divide_judgments(asked)
    manifest, held = current_query_set(asked)
    pairs_manifest, pairs = current_pairs(asked)
    trained = {p.query for p in pairs.pairs} | set(pairs.dev.queries.values())
    assert manifest.id == made.queries.manifest.id
    assert 8 <= len(held.queries) <= 14 and len(pairs.pairs) >= 6
    assert not trained & set(held.queries.values())
    assert (manifest.details["question"], pairs.question) == ("new_questions", "new_questions")
    _, corpus = current_corpus(asked)
    assert check_leaks(training_side(asked, pairs_manifest, corpus), held, corpus).is_clean(
        NEW_QUESTIONS
    )
    assert {g for q in held.queries for g in held.judgments[q].values()} == {0, 1, 2, 3}
    assert evaluate(asked, ["bm25"]).clean


def test_what_is_tested_on_is_not_trained_on(workspace, tiny_beir):
    """Judged test questions make no pairs; a question of one's own does."""
    lab = project_to_be("Lab")
    import_beir(lab, tiny_beir)
    store = JudgmentStore.of(lab)
    _, held = current_query_set(lab)
    store.ask(Question(q, text, "query set") for q, text in held.queries.items())
    for question in list(held.queries)[:6]:
        store.add([grade("Anna", question, next(iter(held.relevant(question))), 3)])
    before = lab.newest("pairs")
    with pytest.raises(
        Refused, match="All 6 judged pairs are about questions or answers of the query set"
    ):
        add_judged_pairs(lab)
    assert lab.newest("pairs") == before
    own = store.ask_typed("a question of my own about frostbitten hands")
    store.add([grade("Anna", own.id, "d3", 3)])
    made = add_judged_pairs(lab)
    assert made.notes[0].startswith(
        "6 pairs left out of training, so that nothing leaks into the test"
    )
    _, pairs = current_pairs(lab)
    assert pairs.pairs[-1].query == own.text and pairs.pairs[-1].document == "d3"


def test_too_little_changes_nothing(workspace, tiny_beir):
    lab = project_to_be("Lab")
    import_beir(lab, tiny_beir)
    with pytest.raises(Refused, match="No document was graded 2 or 3 yet"):
        add_judged_pairs(lab)
    question = JudgmentStore.of(lab).ask_typed("frost?")
    JudgmentStore.of(lab).add([grade("Anna", question.id, "d3", 3)])
    before = (lab.newest("pairs"), lab.newest("queries"))
    with pytest.raises(Refused, match="too few"):
        divide_judgments(lab)
    assert (lab.newest("pairs"), lab.newest("queries")) == before


def test_dividing_twice_leaves_the_first_division(asked):
    divide_judgments(asked)
    before = (asked.newest("pairs"), asked.newest("queries"))
    with pytest.raises(Refused):
        divide_judgments(asked)
    assert (asked.newest("pairs"), asked.newest("queries")) == before
    assert project("Lab").newest("queries") == before[1]
