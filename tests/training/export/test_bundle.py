"""An experiment as one file: measured again elsewhere, with text or without, and never what cannot be told."""

import json
import zipfile

import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import newest_evaluation
from search.projects.errors import Failed, Refused
from search.projects.project import Project, project_to_be
from training.export.bundle import BUNDLE, bring_in, bundle, is_bundle, measured_again


@pytest.fixture(scope="module")
def measured(lab):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(lab.folder.parent))
        evaluate(lab, ["bm25", "base", "both", "hybrid:both", "words"])
    return lab


@pytest.mark.slow
def test_it_is_measured_again_elsewhere_and_comes_out_the_same(
    measured, tmp_path, workspace, call_cli
):
    made = bundle(measured, "both", tmp_path / "both.bundle")
    assert is_bundle(tmp_path / "both.bundle") and made.size > 0
    assert any("must be there, too" in note for note in made.notes)
    done = call_cli("import", "again", tmp_path / "both.bundle")
    assert done.status == 0, done.err
    assert "The numbers of both came out the same: 21 figures" in done.out
    here = Project(workspace / "again")
    means = newest_evaluation(measured, "both").details["models"]
    again = newest_evaluation(here, "both").details["models"]
    assert list(again) == ["bm25", "both", "hybrid:both"]
    assert again["both"] == pytest.approx(means["both"], abs=5e-5)
    assert not (here.folder / "judgments").exists() and not list(here.folder.glob("runs/*"))
    record = json.loads((here.folder / BUNDLE).read_text())
    assert {"documents", "train", "dev", "test"} == set(record["data"])
    assert (
        record["seed"] is not None
        and record["recipe"] == "adapter"
        and "torch" in record["versions"]
    )
    record["evaluation"]["models"]["both"]["ndcg@10"] += 0.01
    record["versions"]["torch"] = "1.0"
    (here.folder / BUNDLE).write_text(json.dumps(record))
    done = call_cli("bundle", "again", "--again")
    assert done.status == 1
    value = record["evaluation"]["models"]["both"]["ndcg@10"]
    assert (
        "1 of 21 figures differ" in done.out
        and f"both ndcg@10 {value:.4f} there, {value - 0.01:.4f} here" in done.out
    )
    assert "torch 1.0 there" in done.out
    assert is_bundle(tmp_path / "both.bundle")


def test_without_text_no_text_is_in_it(measured, tmp_path, workspace, import_tiny):
    bundle(measured, "both", tmp_path / "b", with_text=False)
    content = (tmp_path / "b").read_bytes().lower()
    _, corpus = current_corpus(measured)
    assert not [d.id for d in corpus.sample(40) if d.text.lower()[:25].encode() in content]
    assert b"what helps against" not in content and b"who files the" not in content
    with zipfile.ZipFile(tmp_path / "b") as archive:
        kinds = {name.split("/")[0] for name in archive.namelist()}
        assert kinds <= {"models", "project.json", BUNDLE, "proof", "backup.json"}
    project, again = bring_in(tmp_path / "b", "bare")
    assert again is None
    with pytest.raises(Refused, match="The documents of 'bare' are missing, and were not in those"):
        measured_again(project)
    import_tiny(project)
    assert measured_again(project).differs == []


def test_other_data_are_not_compared(measured, tmp_path, workspace, tiny_beir):
    from search.corpus.ingest import add_documents

    bundle(measured, "words", tmp_path / "b")
    project, again = bring_in(tmp_path / "b", "more")
    assert again.differs == []
    (tmp_path / "more.jsonl").write_text('{"_id": "new", "text": "one more document"}\n')
    add_documents(project, [tmp_path / "more.jsonl"])
    with pytest.raises(
        Refused, match="The documents of 'more' are others than those of the bundle"
    ):
        measured_again(project)


def test_what_cannot_be_bundled(measured, lab, tmp_path, workspace, call_cli):
    for name, said in (
        ("base", "'base' was not made here"),
        ("asks", r"'asks' was not measured on what.*--model generic --model asks"),
        ("nothing", "no model 'nothing'"),
    ):
        with pytest.raises(Refused, match=said):
            bundle(measured, name, tmp_path / "b")
    (tmp_path / "b").write_text("mine")
    with pytest.raises(Refused, match=r"b exists\. Choose a new name"):
        bundle(measured, "both", tmp_path / "b")
    assert not is_bundle(tmp_path / "b") and not is_bundle(tmp_path)
    project = project_to_be("empty")
    project.create()
    with pytest.raises(Refused, match="'empty' came from no bundle"):
        measured_again(project)
    (project.folder / BUNDLE).write_text("{}")
    with pytest.raises(Failed, match="cannot be read: bring the bundle in again"):
        measured_again(project)
    done = call_cli("bundle", "empty")
    assert done.status == 2 and "Say which model, and a file to write" in done.err
