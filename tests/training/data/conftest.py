"""A project to bring data to, and files of pairs."""

import json

import pytest

from search.corpus.ingest import add_documents
from search.projects.project import project_to_be


@pytest.fixture
def home():
    return project_to_be("lab")


@pytest.fixture
def write(tmp_path):
    def run(rows, name="pairs.json"):
        path = tmp_path / name
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path

    return run


@pytest.fixture
def with_corpus(home, tmp_path):
    path = tmp_path / "docs.jsonl"
    path.write_text(
        "".join(
            json.dumps({"id": f"doc-{n}", "text": f"Topic{n} is answered, by reply{n}!"}) + "\n"
            for n in range(40)
        )
    )
    add_documents(home, [path])
    return home
