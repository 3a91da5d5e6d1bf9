"""What Python gets is what the terminal's core gives: the same figures, hits and records."""

import csv
import sys
from pathlib import Path

import pytest

from bespoke import open_project, shadowed
from bespoke.opened import OpenProject
from search.evaluation import evaluation
from search.models.pretrained.add import Choices, add_model
from search.models.registry import choose_generic
from search.projects.errors import Refused
from search.projects.runs import runs
from search.retrieval.search import compare
from tests.conftest import DOCUMENTS, tiny_text


@pytest.fixture
def project(import_tiny, tiny_model, workspace) -> OpenProject:
    """The tiny data, with the tiny model in generic's place."""
    opened = open_project("leases")
    import_tiny(opened.project)
    add_model(opened.project, str(tiny_model), Choices(name="tiny"))
    choose_generic(opened.project, "tiny")
    return opened


def test_a_project_is_made_filled_and_opened_again(workspace, tmp_path):
    table = tmp_path / "leases.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "body", "kind"])
        rows.writerows([f"d{n}", tiny_text(n), "case"] for n in range(DOCUMENTS))
    project = open_project("leases")
    made = project.add(table, text="body", passage_tokens=0)
    assert (made.added, made.documents, made.passages) == (DOCUMENTS, DOCUMENTS, DOCUMENTS)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(
        "q,r\n" + "".join(f"asks {n},{tiny_text(n)}\n" for n in range(DOCUMENTS)), encoding="utf-8"
    )
    brought = project.pairs(pairs, query="q", response="r")
    assert brought.pairs + brought.dev_queries + brought.test_queries == DOCUMENTS
    assert "40 documents" in repr(open_project("leases"))
    found = project.compare("bolfigex <i>the</i>", ["bm25"], k=2, filters=["kind=case"])
    assert [hit.rank for hit in found["bm25"]] == [1]
    html = found._repr_html_()
    assert "<td" in html and "&lt;i&gt;" in html and "<i>" not in html
    # A command line that does the same, for whoever reads the records.
    lines = [run.command for run in runs(project.project)]
    assert f"python cli.py add leases {table} --text-column body --passage-tokens 0" in lines
    with pytest.raises(Refused, match="already"):
        project.add(table, text="body", passage_tokens=0)


def test_what_is_trained_is_measured_compared_and_judged_as_by_the_terminal(project, tmp_path):
    model = project.train("adapter", name="mine", epochs=1)
    assert (model.name, f"{model}", model.dimension) == ("mine", "mine", 32)
    verdict = project.evaluate(model)
    manifest = evaluation.newest_evaluation(project.project, "mine")
    (test,) = (one for one in evaluation.tests_of(manifest) if one.candidate == "mine")
    assert (verdict.delta, verdict.ci95, verdict.p_adjusted, verdict.better) == (
        test.delta, test.interval, test.p_adjusted, test.verdict == "better",
    )  # fmt: skip
    table = verdict.table()
    assert list(table["column"]) == ["generic", "mine", "bm25"]
    means = verdict.evaluation.means("mine")
    assert table["ndcg@10"][1] == means["ndcg@10"]
    assert verdict.sentences[0] == test.sentence(20) and "ndcg@10" in repr(verdict)
    assert project.evaluate("bm25", against="mine").test.baseline == "mine"
    hits = project.compare("frost", ["generic", model], k=3)
    wanted = compare(project.project, "frost", ["generic", "mine"], 3)
    assert [hit.id for hit in hits[model]] == [hit.id for hit in wanted.results[1].hits]
    with pytest.raises(Refused, match="bm25"):
        hits["bm25"]
    board = project.judge(["generic", model], queries=5, ask=["<b>who</b> pays for the roof?"])
    assert len(board.rows()) == 6 and set(board.table()["votes"]) == {0}
    assert "Nobody has voted yet" in " ".join(board.sentences)
    assert "<b>" not in board._repr_html_()
    # A question that somebody typed is in no record of a run.
    assert all("roof" not in run.command for run in runs(project.project))
    out = project.export(model, tmp_path / "out")
    assert (out.folder / "modules.json").is_file()
    with pytest.raises(Refused):
        project.export(model, tmp_path / "out")


def test_what_cannot_be_is_refused_before_anything_is_written(project):
    before = runs(project.project)
    for wrong in (
        project.add,
        lambda: project.train("adapter", minuets=3),
        lambda: project.train("nope"),
        lambda: project.judge(["generic"]),
        lambda: project.judge(["generic", "bm25"], queries=0),
        lambda: project.compare("", ["bm25"]),
        lambda: open_project("../elsewhere"),
    ):
        with pytest.raises(Refused):
            wrong()
    assert runs(project.project) == before


def test_another_package_of_our_names_is_told(tmp_path, monkeypatch):
    """Whoever stands in a folder with a `search.py` has that imported in ours' place."""
    (tmp_path / "search.py").write_text("", encoding="utf-8")
    for name in [name for name in sys.modules if name.partition(".")[0] == "search"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ImportError, match="needs its own package 'search'"):
        shadowed.see_that_ours_are_imported()
    (tmp_path / "search.py").unlink()
    shadowed.see_that_ours_are_imported()
    with pytest.raises(ImportError):
        shadowed.see_that_ours_are_imported(Path("/elsewhere"))
