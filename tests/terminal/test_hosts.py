"""The command and the page section that say which other machines were asked."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from search.projects import outgoing
from search.projects.project import project_to_be


@pytest.fixture
def asked(workspace):
    outgoing._note_once.cache_clear()
    project_to_be("lab").create()
    for url, what, project in (
        ("https://huggingface.co", "a model of the hub", ""),
        ("http://gpu-box:8080/v1", "embeddings", "lab"),
        ("http://other-box:8080/v1", "embeddings", "walled off"),
    ):
        outgoing.note_contact(url, what, project, "10.0.0.7")


def test_the_command(asked, call_cli):
    everything = call_cli("hosts").out.splitlines()
    assert [line.split("  ")[1] for line in everything] == [
        "other-box:8080 (10.0.0.7)", "gpu-box:8080 (10.0.0.7)", "huggingface.co:443 (10.0.0.7)",
    ]  # fmt: skip
    of_lab = json.loads(call_cli("hosts", "lab", "--json").out)
    assert [line["host"] for line in of_lab] == ["gpu-box:8080", "huggingface.co:443"]
    assert of_lab[0]["what"] == "embeddings" and set(of_lab[0]) == {
        "time", "host", "what", "project", "address",
    }  # fmt: skip


def test_the_section_of_the_page_shows_what_was_asked_for_the_project(asked):
    def section():
        from search.projects.project import project
        from ui.pretrained import hosts_section

        hosts_section(project("lab"))

    at = AppTest.from_function(section).run()
    assert not at.exception
    assert at.dataframe[0].value["Machine"].tolist() == ["gpu-box:8080", "huggingface.co:443"]
