"""A tiny project, and its dev set."""

import pytest

from search.corpus.corpus import current_corpus
from search.projects.project import Project
from training.data.pair_sets import current_pairs
from training.dev_set import DevSet


@pytest.fixture
def project(tmp_path, import_tiny):
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    return made


@pytest.fixture
def dev(project):
    return DevSet.of(current_corpus(project)[1], current_pairs(project)[1].dev)
