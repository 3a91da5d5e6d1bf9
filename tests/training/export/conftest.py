"""A project with a model of each way of being put together."""

import json
from pathlib import Path

import pytest

from search.models.pretrained.add import Choices, add_model
from search.projects.project import Project
from training.train import train

QUICK = {"epochs": 4, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def lab(tmp_path_factory, tiny_import, tiny_model):
    """`base` with prompts, `plain` the same without; `both` and `asks`, adapters on it; `words`, word vectors, and `turned` on them."""
    import shutil

    home = tmp_path_factory.mktemp("exports") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(home))
        project = Project(home / "lab")
        project.create(source="tiny-beir")
        for kind in ("corpora", "pairs", "queries"):
            shutil.copytree(tiny_import / kind, project.folder / kind)
        prompts = {"query_prompt": "who ", "document_prompt": "files "}
        add_model(project, str(tiny_model), Choices(name="base", **prompts))
        add_model(project, str(tiny_model), Choices(name="plain"))
        train(project, "adapter", "both", {"base": "base", "side": "both", **QUICK})
        train(project, "adapter", "asks", {"base": "base", "side": "query", **QUICK})
        train(project, "word2vec", "words", {"vector_size": 12, "min_count": 1, "epochs": 2})
        train(project, "adapter", "turned", {"base": "words", "side": "both", **QUICK})
    return project


def settings_in(folder: Path) -> dict:
    return json.loads((folder / "encoding.json").read_text())
