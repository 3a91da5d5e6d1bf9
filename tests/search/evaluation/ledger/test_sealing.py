"""What is sealed is read by nobody until it is opened, once; every reader of judgments goes through one door."""

import json
from pathlib import Path

import pytest

from search.evaluation.evaluate import evaluate
from search.evaluation.ledger.looks import Looks
from search.evaluation.ledger.sealing import Manner, seal_queries
from search.evaluation.query_sets.query_set import (
    QuerySet,
    current_query_set,
    export_query_sets,
    questions_of,
)
from search.evaluation.query_sets.seal import query_hash, seals
from search.evaluation.rankings.rank_similarity import disagreements
from search.evaluation.statistics.groups import group_queries
from search.judging.prepare import prepare_questions
from search.judging.setup import Setup
from search.judging.store import JudgmentStore, Question
from search.judging.to_query_set import publish_judged_queries
from search.judging.votes import grade
from search.projects.backup import back_up
from search.projects.errors import Failed, Refused
from search.projects.renaming import rename_project
from search.projects.restore import restore
from search.retrieval import history
from tests.search.evaluation.conftest import publish, questions

REPOSITORY = Path(__file__).resolve().parents[4]
PAIR = ("generic", "hybrid:generic")
OPEN = Manner(open_seal=True)


def sealed(project):
    whole = QuerySet.with_sealed(project, project.newest("queries"))
    hashes = {name for seal in seals(project) for name in seal.hashes}
    return {q for q, text in whole.queries.items() if query_hash(text) in hashes}


def opened(project):
    return set(current_query_set(project)[1].queries)


# --- sealing ---


def test_a_part_is_sealed_and_the_rest_is_read_as_before(thirty):
    made = seal_queries(thirty, 0.3, ())
    assert (made.sealed, made.groups, made.unused, made.queries) == (9, 9, 30, 30)
    assert len(sealed(thirty)) == 9
    assert opened(thirty) == set(questions(30).queries) - sealed(thirty)


def test_the_same_seed_draws_the_same_part(thirty):
    seal_queries(thirty, 0.3, (), seed=5)
    first = sealed(thirty)
    (thirty.folder / "proof" / "seals.json").unlink()
    seal_queries(thirty, 0.3, (), seed=5)
    assert sealed(thirty) == first
    (thirty.folder / "proof" / "seals.json").unlink()
    seal_queries(thirty, 0.3, (), seed=6)
    assert sealed(thirty) != first


def test_a_group_is_sealed_whole_or_not_at_all(thirty):
    plain = questions(30)
    twins = {f"{q}-twin": f"{text} now please tell" for q, text in plain.queries.items()}
    both = QuerySet(
        {**plain.queries, **twins},
        {**plain.judgments, **{f"{q}-twin": judged for q, judged in plain.judgments.items()}},
    )
    publish(thirty, both)
    assert group_queries(both).largest == 2
    seal_queries(thirty, 0.25, ())
    assert len(sealed(thirty)) == 14
    assert {q.removesuffix("-twin") for q in sealed(thirty)} == {
        q for q in sealed(thirty) if "-" not in q
    }


@pytest.mark.parametrize("share", [0, 1, -0.3, 30, float("nan")])
def test_a_share_that_is_none_is_refused(thirty, share):
    with pytest.raises(Refused, match="must lie between 0 and 1"):
        seal_queries(thirty, share, ())


def test_what_is_sealed_is_not_sealed_twice(thirty):
    seal_queries(thirty, 0.3, ())
    with pytest.raises(Refused, match="9 of the 30 test queries are sealed already"):
        seal_queries(thirty, 0.3, ())


def test_too_few_groups_are_refused(thirty):
    with pytest.raises(Refused, match="5 groups of them could be sealed: a verdict needs 6"):
        seal_queries(thirty, 5 / 30, ())


def texts(first, last):
    return list(questions(30).queries.values())[first:last]


def by_evaluation(project):
    with project.publish("evaluations", {}) as draft:
        (draft.folder / "per_query.json").write_text(json.dumps({"texts": texts(0, 20)}))


def by_dev(project):
    with project.publish("pairs", {}) as draft:
        dev = {"queries": dict(enumerate(texts(0, 20))), "judgments": {}}
        (draft.folder / "dev.json").write_text(json.dumps(dev))


def by_map(project):
    with project.publish("maps", {"queries": project.newest("queries").id}) as draft:
        (draft.folder / "queries.json").write_text(json.dumps([f"q{n}" for n in range(20)]))


def by_search(project):
    for text in texts(0, 20):
        history.remember(project, text.upper())


def by_disagreements(project):
    (project.folder / "disagreements").mkdir()
    rows = [{"query": "?", "text": text, "distance": 0.5} for text in texts(0, 20)]
    (project.folder / "disagreements" / "a.json").write_text(json.dumps(rows))


@pytest.mark.parametrize("used", [by_evaluation, by_dev, by_map, by_search, by_disagreements])
def test_what_was_used_before_is_not_sealed(thirty, used):
    used(thirty)
    made = seal_queries(thirty, 0.3, ())
    assert made.unused == 10
    assert sealed(thirty).isdisjoint(f"q{n}" for n in range(20))
    assert "20 were used by an evaluation" in made.sentence


def test_what_people_judged_is_not_sealed(thirty):
    made = seal_queries(thirty, 0.9, texts(0, 20))
    assert (made.sealed, made.unused) == (10, 10)


# --- the door ---

DOORS = {
    # Where judgments are read with what is sealed, and what for.
    "search/evaluation/query_sets/query_set.py": "the door itself",
    "search/evaluation/ledger/sealing.py": "draws and opens",
    "search/evaluation/ledger/looks.py": "names queries by hashes",
    "search/judging/to_query_set.py": "hands the set on, still sealed",
    "training/data/intake.py": "keeps pairs apart",
    "training/data/from_judgments.py": "keeps pairs apart",
    "training/training_data.py": "keeps pairs apart",
    "training/refit.py": "keeps pairs apart",
    "training/synthetic/beside.py": "keeps generated pairs apart",
    "training/synthetic/chat/written.py": "keeps examples that are shown to a server apart",
    "search/evaluation/query_sets/unlearned.py": "keeps dev queries apart that are near a test query",
    "training/export/bundle.py": "hashes them",
}


def sources():
    rooms = ("search", "training", "terminal", "ui", "indexes")
    return [path for room in rooms for path in sorted((REPOSITORY / room).rglob("*.py"))]


def test_judgments_with_what_is_sealed_are_read_where_they_are_kept_apart_and_nowhere_else():
    found = {
        path.relative_to(REPOSITORY).as_posix()
        for path in sources()
        if "with_sealed" in path.read_text(encoding="utf-8")
    }
    assert found == set(DOORS)


def test_no_other_file_opens_the_judgments_of_a_query_set():
    naming = {
        path.relative_to(REPOSITORY).as_posix()
        for path in sources()
        if '"qrels.tsv"' in path.read_text(encoding="utf-8")
    }
    assert naming <= {"search/evaluation/query_sets/query_set.py"}


def test_no_reader_sees_what_is_sealed(thirty, tmp_path):
    seal_queries(thirty, 0.3, ())
    hidden = sealed(thirty)
    said = {questions(30).queries[q] for q in hidden}
    assert said.isdisjoint(questions_of(thirty))
    assert hidden.isdisjoint(one.query for one in disagreements(thirty, PAIR))
    prepare_questions(thirty, Setup(*PAIR))
    assert said.isdisjoint(question.text for question in JudgmentStore.of(thirty).questions())
    result = evaluate(thirty, PAIR)
    assert hidden.isdisjoint(result.queries)
    assert len(result.queries) == 21
    assert "9 test queries are sealed since" in " ".join(result.notes)
    export_query_sets(thirty, tmp_path / "out")
    written = (tmp_path / "out" / "queries.jsonl").read_text()
    assert not any(f'"{q}"' in written for q in hidden)


def test_a_set_that_is_brought_again_or_merged_stays_sealed(thirty):
    seal_queries(thirty, 0.3, ())
    hidden = sealed(thirty)
    publish(thirty, questions(30))
    assert opened(thirty).isdisjoint(hidden)
    store = JudgmentStore.of(thirty)
    store.ask([Question("typed", "what is new", "typed")])
    store.add([grade("Anna", "typed", "d1", 2)])
    publish_judged_queries(thirty, merge=True)
    assert opened(thirty).isdisjoint(hidden)
    assert hidden < set(QuerySet.with_sealed(thirty, thirty.newest("queries")).queries)


def test_a_copy_and_another_name_are_sealed_as_the_first(thirty, tmp_path):
    seal_queries(thirty, 0.3, ())
    hidden = sealed(thirty)
    back_up(thirty, tmp_path / "thirty.backup", ("votes", "history"))
    copy = restore(tmp_path / "thirty.backup", "copy")
    for project in (copy, rename_project(thirty, "renamed")):
        assert opened(project) == set(questions(30).queries) - hidden


def test_nothing_is_read_where_it_is_not_known_what_is_sealed(thirty):
    seal_queries(thirty, 0.3, ())
    path = thirty.folder / "proof" / "seals.json"
    path.write_text(path.read_text().replace('"share": 0.3', '"share": 0.1'))
    with pytest.raises(Failed, match="nothing is measured without it"):
        current_query_set(thirty)


# --- opening ---


def test_a_seal_is_opened_once_for_one_candidate(thirty):
    seal_queries(thirty, 0.3, ())
    hidden = sealed(thirty)
    manifest = thirty.newest("queries")
    before = evaluate(thirty, ("generic", "hybrid:generic@0.9"))
    assert before.decision.looks == 1
    result = evaluate(thirty, PAIR, how=OPEN)
    assert set(result.queries) == hidden
    (test,) = result.comparisons
    assert test.family == 1, "what was measured elsewhere counts for nothing"
    assert result.decision.opened
    assert "are asked for the first time" in " ".join(result.notes)
    assert opened(thirty) == set(questions(30).queries), "an ordinary part from now on"
    with pytest.raises(Refused, match=r"It was opened on .*, and a seal is opened once"):
        evaluate(thirty, PAIR, how=OPEN)
    after = evaluate(thirty, PAIR)
    assert len(after.queries) == 30
    assert "9 of the queries were sealed until" in " ".join(after.notes)
    assert len(Looks.open(thirty, manifest).all) == 2


def test_without_a_seal_there_is_nothing_to_open(thirty):
    with pytest.raises(Refused, match="Seal one before anything is measured"):
        evaluate(thirty, PAIR, how=OPEN)


@pytest.mark.parametrize("names", [("generic",), ("generic", "bm25", "hybrid:generic")])
def test_more_than_one_candidate_opens_nothing(thirty, names):
    seal_queries(thirty, 0.3, ())
    with pytest.raises(Refused, match="for one candidate and one baseline"):
        evaluate(thirty, names, how=OPEN)
    assert sealed(thirty)
    assert len(opened(thirty)) == 21


def test_whoever_was_interrupted_may_open_for_the_same_two_again_and_for_no_others(
    thirty, monkeypatch
):
    seal_queries(thirty, 0.3, ())

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("search.evaluation.evaluation.write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate(thirty, PAIR, how=OPEN)
    assert len(opened(thirty)) == 21, "nobody has seen a figure"
    with pytest.raises(Refused, match="opened for another model"):
        evaluate(thirty, ("generic", "hybrid:generic@0.9"), how=OPEN)
    assert len(evaluate(thirty, PAIR, how=OPEN).queries) == 9
