import pytest
from app_help import TINY, open_page, press, shown

from search.projects import runs
from search.projects.project import Project
from search.projects.runs import Status


def test_a_server_is_asked_by_a_run(data: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def start(project: Project, arguments: list[str]) -> runs.Run:
        started.append(arguments)
        return runs.new_run(project, arguments)

    monkeypatch.setattr(runs, "start", start)
    at = open_page("models", TINY)
    at.text_input(key="verify-address").set_value("ftp://localhost").run()
    press(at, "verify-start")
    assert "must begin with http" in shown(at) and not started
    at.text_input(key="verify-address").set_value("http://localhost:8080/v1").run()
    at.radio(key="verify-prompts").set_value("client").run()
    press(at, "verify-start")
    address = ["--base-url", "http://localhost:8080/v1"]
    assert started == [["verify", TINY, "generic", *address, "--prompts", "client"]]


@pytest.mark.parametrize("right", [True, False])
def test_what_came_of_it_is_said(data: Project, right: bool) -> None:
    run = runs.new_run(data, ["verify", TINY, "generic", "--base-url", "http://localhost:8080/v1"])
    sentences = ["It serves *mine* so.", "It takes the first token."]
    run.write(Status().ended("done", result={"right": right, "sentences": sentences}))
    at = open_page("models", TINY)
    box = at.success if right else at.warning
    assert [one.value for one in box] == ["It serves \\*mine\\* so."]
    assert "It takes the first token." in shown(at)
