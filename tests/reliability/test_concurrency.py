"""Twenty workers do everything to one project at once, by threads, processes and command lines: nothing is lost.

Each acknowledged document, pair, vote and setting is there afterwards, each model that nobody deleted, in one order
of versions; nothing was refused but what somebody else had deleted; and `check` finds nothing.
"""

import itertools
import tempfile

import pytest
from crowd import Worker, counted, crowd

from search.corpus.corpus import Corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.judging.safekeeping import problem_in_file
from search.judging.store import JudgmentStore
from search.models.registry import models
from search.projects.check import check_project, check_workspace
from search.projects.project import project_to_be
from training.data.intake import import_beir
from training.data.pair_sets import PairSet

pytestmark = pytest.mark.slow

KINDS = {"add", "pairs", "train", "search", "delete", "vote", "settings"}


def test_twenty_workers_at_once_lose_nothing_and_leave_nothing(
    tmp_path, workspace, tiny_beir, whole, monkeypatch
):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    lab = project_to_be("lab")
    import_beir(lab, tiny_beir)
    logs = tmp_path / "logs"
    logs.mkdir()
    first = Worker(lab, "first", logs)
    first.add()  # So that there are versions to delete from the beginning.
    ended = crowd(lab, logs, 120 if whole else 5)
    print(counted(ended))
    assert ended["error"] == []

    done = {kind: {what for k, what in ended["done"] if k == kind} for kind in KINDS}
    assert set(done) == {kind for kind in KINDS if done[kind]}, "each kind of work was done"
    newest = lab.newest("corpora")
    assert done["add"] <= set(Corpus.of(lab, newest).ids())
    assert done["pairs"] <= {*_queries_of_pairs(lab), *_queries(lab)}
    assert done["settings"] <= set(lab.info.examples)
    votes = JudgmentStore.of(lab).standing()
    assert done["vote"] == {one.question for one in votes} and len(votes) == len(done["vote"])
    assert done["train"] - done["delete"] == {info.name for info in models(lab)} - {"generic"}
    _one_order(lab)
    assert [*check_project(lab, problem_in_file), *check_workspace(workspace)] == []
    assert not list(lab.folder.rglob(".*"))
    assert not list(workspace.glob(".locks/*.owner"))


def _queries_of_pairs(lab) -> set[str]:
    pairs = PairSet.load(lab, lab.newest("pairs"))
    return {pair.query for pair in pairs.pairs} | set(pairs.dev.queries.values())


def _queries(lab) -> set[str]:
    return set(QuerySet.load(lab, lab.newest("queries")).queries.values())


def _one_order(lab) -> None:
    """Each version of the corpus that is there was made from the one before it, or from one that was deleted."""
    made = lab.manifests("corpora")
    there = {manifest.id for manifest in made}
    counts = [manifest.details["documents"] for manifest in made]
    assert counts == sorted(counts)
    for before, after in itertools.pairwise(made):
        earlier = after.made_from["corpus"]
        assert earlier == before.id or earlier not in there
