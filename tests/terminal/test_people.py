"""Members and the audit log in the terminal."""

import json

import pytest

from search.projects.errors import Failed, Refused
from search.projects.project import project_to_be
from terminal.people import audit, members


def test_people_are_let_in_and_what_was_done_is_shown(workspace, capsys):
    lab = project_to_be("lab").create()
    members(lab)
    assert capsys.readouterr().out.startswith("Nobody yet.")
    members(lab, add=["Anna@firm.example"], owner=True, as_json=True)
    (anna,) = json.loads(capsys.readouterr().out)
    assert (anna["person"], anna["role"]) == ("anna@firm.example", "owner")
    members(lab, add=["ben@firm.example"], judge=True)
    assert capsys.readouterr().out == "owner   anna@firm.example\njudge   ben@firm.example\n"
    with pytest.raises(Refused, match="only owner"):
        members(lab, remove=["anna@firm.example"])
    with pytest.raises(Refused, match="exclude each other"):
        members(lab, add=["x@y.example"], judge=True, owner=True)
    with pytest.raises(Refused, match="whom --add names"):
        members(lab, judge=True)
    audit("lab")
    assert "added to the project  lab  anna@firm.example" in capsys.readouterr().out
    audit(check=True)
    log = workspace / ".audit" / "audit.jsonl"
    log.write_text(log.read_text().replace("anna@", "eve@"))
    with pytest.raises(Failed, match="line 2 cannot be read or does not follow"):
        audit(check=True)
    capsys.readouterr()
    audit(as_json=True)
    told = capsys.readouterr()
    assert len(json.loads(told.out)) == 2 and "was changed by another program" in told.err
