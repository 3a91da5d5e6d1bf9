"""What is noted of proofs goes with a project wherever it goes, and never passes for nothing."""

import pytest

from search.judging.safekeeping import problem_in_file
from search.projects.backup import back_up
from search.projects.check import check_project
from search.projects.errors import Failed, Refused
from search.projects.ledger import files, note, noted, notes
from search.projects.project import project_to_be
from search.projects.renaming import rename_project
from search.projects.restore import restore


@pytest.fixture
def lab():
    project = project_to_be("lab").create()
    note(project, "seals", {"seals": ["one"]})
    note(project, "looks-q-1", {"looks": []})
    return project


def test_nothing_is_noted_of_a_new_project(plain):
    assert noted(plain, "seals") is None
    assert notes(plain, "looks-") == []


def test_what_is_noted_replaces_what_was(lab):
    note(lab, "seals", {"seals": ["two"]})
    assert noted(lab, "seals") == {"seals": ["two"]}
    assert notes(lab, "looks-") == ["looks-q-1"]


@pytest.mark.parametrize("leave_out", [(), ("votes", "history")])
def test_a_copy_knows_what_the_first_one_knew_whatever_is_left_out(lab, tmp_path, leave_out):
    back_up(lab, tmp_path / "lab.backup", leave_out)
    again = restore(tmp_path / "lab.backup", "again")
    assert noted(again, "seals") == {"seals": ["one"]}
    assert [path.name for path in files(again.folder)] == ["looks-q-1.json", "seals.json"]


def test_another_name_changes_nothing(lab):
    assert noted(rename_project(lab, "school"), "seals") == {"seals": ["one"]}


def test_what_was_changed_is_refused_named_and_not_copied(lab, tmp_path):
    path = lab.folder / "proof" / "seals.json"
    path.write_text(path.read_text().replace("one", "two"))
    with pytest.raises(Failed, match="nothing is measured without it"):
        noted(lab, "seals")
    found = [finding.where for finding in check_project(lab, problem_in_file)]
    assert found == [path]
    back_up(lab, tmp_path / "lab.backup")
    with pytest.raises(Refused, match=r"proof/seals\.json: it is not as it was written"):
        restore(tmp_path / "lab.backup", "again")
