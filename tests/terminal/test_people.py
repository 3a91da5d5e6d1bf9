"""Members and the audit log in the terminal."""

import json

from search.projects.project import project_to_be


def test_people_are_let_in_and_what_was_done_is_shown(run_cli, workspace):
    project_to_be("lab").create()
    ran = run_cli("members", "lab", "--add", "Anna@firm.example", "--owner", "--json")
    (anna,) = json.loads(ran.stdout)
    assert (anna["person"], anna["role"]) == ("anna@firm.example", "owner")
    refused = run_cli("members", "lab", "--remove", "anna@firm.example")
    assert refused.returncode == 2 and "only owner" in refused.stderr
    shown = run_cli("audit", "lab")
    assert "added to the project  lab  anna@firm.example" in shown.stdout
    log = workspace / ".audit" / "audit.jsonl"
    log.write_text(log.read_text().replace("anna@", "eve@") * 2)
    checked = run_cli("audit", "--check")
    assert checked.returncode == 1 and "line 2 cannot be read or does not follow" in checked.stderr
