"""Members of a project: who is let in as what, and what a damaged or hostile name does."""

import pytest

from search.projects import audit, members
from search.projects.errors import Refused
from search.projects.project import Project, project_to_be

ANNA, BEN = "anna@firm.example", "ben@firm.example"


@pytest.fixture
def lab(workspace) -> Project:
    return project_to_be("lab").create()


def test_people_are_let_in_and_shut_out(lab):
    assert members.members(lab) == [] and members.role_of(lab, ANNA) is None
    members.add(lab, " Anna@FIRM.example ", "owner")
    members.add(lab, BEN, "judge")
    assert [(one.person, one.role) for one in members.members(lab)] == [
        (ANNA, "owner"),
        (BEN, "judge"),
    ]
    assert members.role_of(lab, "ANNA@firm.example") == "owner"
    members.add(lab, BEN, "member")
    assert members.role_of(lab, BEN) == "member"
    members.remove(lab, BEN)
    assert members.role_of(lab, BEN) is None
    assert [(one.what, one.on) for one in audit.entries("lab")] == [
        ("added to the project", ANNA),
        ("added to the project", BEN),
        ("added to the project", BEN),
        ("taken out of the project", BEN),
    ]


def test_a_project_keeps_an_owner(lab):
    members.add(lab, ANNA, "owner")
    with pytest.raises(Refused, match="only owner"):
        members.remove(lab, ANNA)
    with pytest.raises(Refused, match="only owner"):
        members.add(lab, ANNA, "judge")
    members.add(lab, BEN, "owner")
    members.remove(lab, ANNA)
    assert [one.person for one in members.members(lab)] == [BEN]
    with pytest.raises(Refused, match="is not in the project"):
        members.remove(lab, ANNA)


def test_a_name_is_claimed_by_one_person(workspace):
    made = project_to_be("new")
    members.claim(made, ANNA)
    with pytest.raises(Refused, match="taken"):
        members.claim(made, BEN)
    members.claim(made, ANNA)  # What failed after it was claimed may be begun again.
    made.create()
    with pytest.raises(Refused, match="taken"):
        members.claim(made, ANNA)
    with pytest.raises(Refused, match="taken"):
        members.claim(project_to_be("elsewhere").create(), BEN)
    assert members.role_of(made, ANNA) == "owner" and members.role_of(made, BEN) is None


@pytest.mark.parametrize("name", ["", "  ", "a b@c", "a,b@c", "a\n@c", "x" * 255, "a\u202e@c"])
def test_what_names_nobody_is_refused(lab, name):
    with pytest.raises(Refused, match="names nobody"):
        members.add(lab, name, "member")


@pytest.mark.parametrize("content", [b"", b"{", b'{"person": "x"}', b"\x00" * 50])
def test_a_damaged_file_shuts_out_that_person_alone(lab, content):
    members.add(lab, ANNA, "owner")
    members.add(lab, BEN, "owner")
    file = next(f for f in (lab.folder / "members").iterdir() if ANNA in f.read_text())
    file.write_bytes(content)
    assert members.role_of(lab, ANNA) is None
    assert members.role_of(lab, BEN) == "owner"


def test_one_persons_file_under_anothers_name_lets_nobody_in(lab):
    members.add(lab, ANNA, "owner")
    members.add(lab, BEN, "judge")
    folder = lab.folder / "members"
    (owner,) = (f for f in folder.iterdir() if ANNA in f.read_text())
    (judge,) = (f for f in folder.iterdir() if BEN in f.read_text())
    judge.write_bytes(owner.read_bytes())
    assert members.role_of(lab, BEN) is None


def test_moments_of_signing_out_and_of_changes_are_told_apart(lab):
    assert members.signed_out_at(ANNA) == members.changed_at(ANNA) == 0.0
    members.add(lab, ANNA, "member")
    changed = members.changed_at(ANNA)
    assert changed > 0 and members.signed_out_at(ANNA) == 0.0
    members.sign_out("ANNA@firm.example")
    assert members.signed_out_at(ANNA) >= changed == members.changed_at(ANNA)
    stamp = members._stamp_file(ANNA, "out")
    stamp.write_text("yesterday")
    assert members.signed_out_at(ANNA) == stamp.stat().st_mtime, (
        "a damaged one counts from when it was written"
    )


def test_who_asks_again_closes_what_a_killed_process_left_open(lab):
    members.add(lab, ANNA, "owner")
    members.add(lab, BEN, "member")
    before = members.changed_at(BEN)
    members._file(lab, BEN).unlink()  # As far as a killed process came.
    with pytest.raises(Refused, match="is not in the project"):
        members.remove(lab, BEN)
    assert members.changed_at(BEN) > before
