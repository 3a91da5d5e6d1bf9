"""Deleting at the terminal: said before, asked once, refused where nobody can be asked."""

import json
import tempfile

from search.projects import audit, members
from search.projects.graves import bury_project
from search.projects.project import project_to_be, projects
from search.retrieval.deletion import finish_deletions


def test_a_project_is_deleted_when_a_script_says_yes(call_cli, lab, workspace):
    asked = call_cli("delete", lab)
    assert asked.status == 2
    said = asked.err.splitlines()
    assert said[0] == (
        "The project 'lab' with 1 version of documents, 1 set of pairs, 1 query set will be deleted."
    )
    assert said[-1] == "Nothing was deleted: there is nobody to ask here. Say --yes."
    assert projects() != []
    done = call_cli("delete", lab, "--yes", "--vectors")
    assert (done.status, done.out.splitlines()[-1]) == (0, "The project 'lab' is deleted.")
    assert [
        path.name for path in workspace.iterdir() if path.name not in (".locks", ".audit")
    ] == []


def test_a_part_is_named_by_name_number_or_id(call_cli, lab, tmp_path):
    made = project_to_be(lab)
    assert call_cli("delete", lab, "queries").err.startswith(
        "Say which queries of 'lab' to delete."
    )
    identity = made.newest("queries").id
    done = call_cli("delete", lab, "queries", identity, "--yes")
    assert (
        done.out
        == f"The query set of {made_at(identity)} UTC (20 queries, {identity}) is deleted.\n"
    )
    assert call_cli("delete", lab, "corpus", "2", "--yes").status == 2
    assert call_cli("delete", lab, "corpus", "", "--yes").err == "There is no corpus '' in 'lab'.\n"
    asked = call_cli("versions", lab, "1", "--delete")
    assert (asked.status, asked.err.splitlines()[-1][-10:]) == (2, "Say --yes.")
    assert made.newest("corpora") is not None
    assert call_cli("delete", lab, "corpus", "1", "--yes").status == 0
    assert call_cli("delete", lab, "model", "generic", "--yes").err == (
        "'generic' comes with Bespoke and cannot be removed.\n"
    )
    assert made.newest("corpora") is None
    assert made.newest("pairs") is not None


def made_at(identity):
    day, time = identity.split("-")[:2]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}"


def test_a_damaged_project_can_be_deleted(call_cli, lab):
    (project_to_be(lab).folder / "project.json").write_text("{")
    assert call_cli("delete", lab, "--yes").status == 0
    assert not project_to_be(lab).folder.exists()


def test_any_command_finishes_a_deletion_that_was_cut_off(call_cli, lab, workspace):
    grave = bury_project(project_to_be(lab))
    assert grave.is_dir()
    assert call_cli("projects").out == ""
    assert not grave.exists()
    finish_deletions()


def test_what_leaves_and_who_comes_with_what_is_brought_back_is_said(call_cli, lab, tmp_path):
    members.add(project_to_be(lab), "anna@firm.example", "owner")
    assert call_cli("backup", lab, tmp_path / "file").status == 0
    done = call_cli("restore", tmp_path / "file", "--name", "second")
    assert "it is open to: anna@firm.example (owner)." in done.err
    noted = [(one.what, one.project, one.on) for one in audit.entries()]
    assert noted[-2:] == [("backed up", "lab", "file"), ("restored", "second", "file")]


def test_a_workspace_where_nothing_can_be_noted_can_be_backed_up(
    call_cli, lab, tmp_path, monkeypatch
):
    def full(_entry):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit, "_append", full)
    assert call_cli("backup", lab, tmp_path / "file").status == 0


def test_backup_restore_check_and_where(call_cli, lab, tmp_path, workspace, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = call_cli("backup", lab, tmp_path / "file", "--without-votes")
    assert (made.status, made.out.startswith(f"{tmp_path / 'file'} holds 'lab': ")) == (0, True)
    assert call_cli("backup", lab, tmp_path / "file").status == 2
    assert call_cli("restore", tmp_path / "file").err.startswith(
        "There is a project 'lab' already."
    )
    assert call_cli("restore", tmp_path / "file", "--name", "second").status == 0
    assert call_cli("check", "second").out == (
        "Everything is as it was written, and nothing is left over.\n"
    )
    queries = project_to_be("second").newest("queries")
    (workspace / "second" / "queries" / queries.id / "queries.jsonl").write_text("")
    found = call_cli("check", "--json")
    assert found.status == 1
    said = json.loads(found.out)
    [finding] = said["findings"]
    assert said["machine"]["device"] == "cpu" and said["machine"]["servers"] == []
    assert "hub was not asked" in said["machine"]["to_do"][-1]
    assert call_cli("check", "second", "--hub").status == 2
    assert finding["problem"] == (
        "The query set is damaged: queries.jsonl is not as it was written."
    )
    assert call_cli("check", "--repair").status == 0
    assert call_cli("check", "--vectors").status == 2
    assert project_to_be("second").newest("queries") is None
    lies = {one["what"]: one for one in json.loads(call_cli("where", lab, "--json").out)}
    assert lies["1 × corpus"]["where"] == str(workspace / lab / "corpora")
    assert lies["1 × corpus"]["size"] > 1_000
    assert "Runs" in lies
