"""Check finds whatever is wrong, says what repair does, and repair deletes nobody's only copy."""

import os
import tempfile

import pytest

from search.judging.safekeeping import problem_in_file
from search.projects import graves
from search.projects.check import ASIDE, check_project, check_workspace, repair
from search.projects.locks import Owner
from search.projects.project import project_to_be
from search.projects.runs import new_run
from search.projects.scratch import left_in_scratch, scratch_folder, sweep_scratch


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder of its own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


@pytest.fixture
def lab():
    project = project_to_be("lab").create()
    corpus = _made(project, "corpora", {})
    _made(project, "indexes", {"corpus": corpus, "model": "generic"})
    _made(project, "evaluations", {"corpus": corpus})
    return project


def _made(project, kind, made_from):
    with project.publish(kind, made_from) as draft:
        (draft.folder / "content").write_text("of a patient")
    return project.newest(kind).id


def found(project):
    return [*check_project(project, problem_in_file), *check_workspace(project.folder.parent)]


def test_what_is_as_it_was_written_has_no_findings(lab):
    assert found(lab) == []


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("corpora", "changed"),
        ("indexes", "missing"),
        ("evaluations", "manifest"),
        ("corpora", "more"),
    ],
)
def test_a_damaged_artifact_is_set_aside_and_nothing_is_lost(lab, kind, damage):
    folder = lab.folder_of(lab.newest(kind))
    content = folder / "content"
    if damage == "changed":
        before = content.stat()
        content.write_text("of a partner")
        os.utime(content, ns=(before.st_atime_ns, before.st_mtime_ns))  # Nothing known counts.
    elif damage == "missing":
        content.unlink()
    elif damage == "manifest":
        (folder / "manifest.json").write_text("{}")
    else:
        (folder / "more").write_text("x")
    [finding] = found(lab)
    assert finding.where == folder
    assert "is set aside" in finding.repair
    assert [line.split(": ")[1] for line in repair([finding])] == ["repaired"]
    [aside] = (lab.folder / ASIDE).iterdir()
    assert aside.name.endswith(f"{kind}-{folder.name}")
    left = [one.problem for one in found(lab)]
    assert any("1 damaged parts were set aside" in problem for problem in left)
    assert len(left) == 1, "an index whose corpus may be brought back is left alone"


def test_a_lost_project_file_is_written_anew_and_the_damaged_one_stays(lab):
    (lab.folder / "project.json").write_text("{")
    repair([one for one in found(lab) if one.where.name == "project.json"])
    assert lab.info.name == "lab"
    assert [p.read_text() for p in lab.folder.glob(".project.json.*.damaged")] == ["{"]


def test_damaged_votes_are_named_and_stay_as_they_are(lab):
    path = lab.folder / "judgments" / "judgments.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"SQLite format 3\x00" + bytes(4_000))
    [finding] = found(lab)
    assert (finding.where, finding.act) == (path, None)
    assert repair([finding]) == []
    assert path.stat().st_size == 4_016


def test_an_index_of_a_corpus_that_is_gone_goes(lab):
    graves.bury(lab, [f"corpora/{lab.newest('corpora').id}"])
    [finding] = found(lab)
    assert "It was made from what is gone: corpus" in finding.problem
    repair([finding])
    assert lab.newest("indexes") is None
    assert lab.newest("evaluations") is not None


def test_leftovers_of_killed_processes_go_and_what_is_owned_stays(lab, temporary):
    parent = lab.folder / "corpora"
    (parent / ".20260101-000000-000000-dead.0123.tmp").mkdir()
    owned = Owner.take(lab.folder.parent / ".locks" / "alive.owner")
    (parent / ".20260101-000000-000000-beef.alive.tmp").mkdir()
    (lab.folder.parent / ".1.deleted").mkdir()
    (lab.folder.parent / "ghost").mkdir()
    findings = found(lab)
    assert sorted(one.where.name for one in findings) == [
        ".1.deleted", ".20260101-000000-000000-dead.0123.tmp", "ghost",
    ]  # fmt: skip
    assert all("repaired" in line for line in repair(findings))
    assert found(lab) == []
    assert [p.name for p in parent.glob(".*")] == [".20260101-000000-000000-beef.alive.tmp"]
    owned.release()


def test_a_damaged_record_of_a_run_is_set_aside(lab):
    run = new_run(lab, ["train", "lab"])
    (run.folder / "command.json").write_text("{")
    [finding] = found(lab)
    repair([finding])
    assert not run.folder.exists()
    assert len(list((lab.folder / ASIDE).iterdir())) == 1


def test_unpacked_files_of_a_killed_process_are_swept_and_those_of_a_living_one_are_not(temporary):
    with scratch_folder("sources") as living:
        (living / "patients.csv").write_text("of a patient")
        dead = temporary / "bespoke-sources-dead"
        (dead / "files").mkdir(parents=True)
        (dead / ".owner").touch()
        (temporary / "bespoke-young").mkdir()
        (temporary / "somebody-elses").mkdir()
        (temporary / "bespoke-link").symlink_to(temporary / "somebody-elses")
        assert left_in_scratch() == [dead]
        assert sweep_scratch() == 1
        assert (living / "patients.csv").exists()
    assert sorted(p.name for p in temporary.iterdir()) == ["bespoke-link", "bespoke-young", "somebody-elses"]  # fmt: skip
