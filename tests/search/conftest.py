"""What several tests of this room stand on."""

import pytest

from search.projects.project import Project


@pytest.fixture
def plain(tmp_path):
    """A project with nothing in it."""
    return Project(tmp_path / "plain").create()
