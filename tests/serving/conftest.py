"""A project with documents, a tiny model that wants prompts, and a reranker; and servers of it."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest

from search.models.cross_encoders import add_reranker
from search.models.pretrained.add import Choices, add_model
from search.models.registry import choose_generic
from search.projects.project import Project, project_to_be
from serving.application import Served
from serving.listening import bound, server_of

PROMPTS = ("query: ", "passage: ")


@pytest.fixture(scope="session")
def made_before(tmp_path_factory, tiny_import, tiny_model, tiny_cross_encoder):
    """The workspace of `project`, made once."""
    home = tmp_path_factory.mktemp("served") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(home))
        patch.setenv("BESPOKE_DEVICE", "cpu")
        project = project_to_be("lab")
        project.create(source="tiny")
        for kind in ("corpora", "pairs", "queries"):
            shutil.copytree(tiny_import / kind, project.folder / kind)
        choices = Choices(name="tiny", query_prompt=PROMPTS[0], document_prompt=PROMPTS[1])
        add_model(project, str(tiny_model), choices)
        choose_generic(project, "tiny")
        add_reranker(project, str(tiny_cross_encoder), "ce", depth=8)
        served = Served(project)  # Builds the indexes.
        served.current.begin()
        served.close()
    return home


@pytest.fixture
def project(workspace, made_before):
    shutil.copytree(made_before, workspace)
    return Project(workspace / "lab")


class Asking:
    """Asks a server; `served` is what it answers with."""

    def __init__(self, url: str, served: Served, server) -> None:
        self.url = url
        self.served = served
        self.server = server
        self.client = httpx2.Client(base_url=url, trust_env=False, timeout=60)

    def get(self, path: str, **more):
        return self.client.get(path, **more)

    def post(self, path: str, body, **more):
        return self.client.post(path, json=body, **more)


@contextmanager
def _running(project: Project, model: str | None = None) -> Iterator[Asking]:
    served = Served(project, model)
    served.current.begin()
    listening = bound("localhost", 0)
    server = server_of(served)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    asking = Asking(f"http://localhost:{listening.getsockname()[1]}", served, server)
    try:
        yield asking
    finally:
        asking.client.close()
        server.should_exit = True
        thread.join(60)
        listening.close()
        assert not thread.is_alive()


@pytest.fixture
def running() -> Callable[..., Iterator[Asking]]:
    """Serves a project in this process, as a context."""
    return _running


@pytest.fixture(scope="module")
def asking(made_before) -> Iterator[Asking]:
    """A server for all tests of a module that change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(made_before))
        patch.setenv("BESPOKE_DEVICE", "cpu")
        with _running(Project(made_before / "lab")) as one:
            yield one
