"""A server and a browser for each story."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import CHROMIUM, FLAGS, PATIENCE, Server
from playwright.sync_api import Browser, expect, sync_playwright

from search.evaluation.evaluate import evaluate
from search.insight.map import draw_map
from search.models.load import load_encoder
from search.models.registry import GENERIC, find_model
from search.projects import runs
from search.projects.locks import exclusive
from search.projects.project import Project, project, project_to_be, projects
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.samples import SAMPLES, bring_in
from training.samples.shipped import Shipped
from training.train import train


@pytest.fixture
def server(workspace: Path, tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server.log")
    made.start()
    yield made
    made.kill()
    for owner in projects():
        for run in runs.runs(owner):
            run.cancel()


@pytest.fixture
def second(workspace: Path, tmp_path: Path) -> Iterator[Server]:
    """Another server on the same volume."""
    made = Server(tmp_path / "second.log")
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for all stories of a file: what one of them saw goes with its contexts."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield made
        made.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    yield chromium
    for context in chromium.contexts:
        context.close()


Built = Callable[[str, Callable[[Project], object]], Project]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Built]:
    """Real projects take a while to make: each is made once, by one of the workers, and copied for the tests that need it."""
    own = tmp_path_factory.getbasetemp()
    kept = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "projects"
    kept.mkdir(exist_ok=True)

    def into(workspace: Path) -> Built:
        def reach(name: str, build: Callable[[Project], object]) -> Project:
            saved, draft = kept / name, kept / f"{name}.draft"
            with exclusive(kept / f"{name}.lock", f"the making of {name}", patience=600):
                if not saved.is_dir():
                    build(project_to_be(name))
                    shutil.copytree(workspace / name, draft)
                    draft.rename(saved)
            if not (workspace / name).is_dir():
                shutil.copytree(saved, workspace / name)
            return project(name)

        return reach

    return into


@pytest.fixture
def finance(built: Callable[[Path], Built], shared_data: Path, workspace: Path) -> Project:
    """ask_cfpb, a thousand answers on consumer finance, with two models of word vectors, measured and mapped."""

    def build(made: Project) -> None:
        import_beir(made, shared_data / "ask_cfpb")
        train(made, "word2vec", "finance", {"epochs": 5})
        train(made, "word2vec", "finance-mean", {"epochs": 5, "pooling": "mean"})
        for name in ("finance", "finance-mean"):
            index_model(made, name)
        evaluate(made, ["finance-mean", "finance"])
        draw_map(made, ["finance-mean", "finance"])

    return built(workspace)("Finance", build)


@pytest.fixture
def legal(built: Callable[[Path], Built], workspace: Path) -> Project:
    """The legal sample with an adapter on the generic model, indexed."""

    def build(made: Project) -> None:
        bring_in(made, SAMPLES["legal"])
        generic = find_model(made, GENERIC)
        Shipped.of("legal").into_store(generic, load_encoder(made, generic))
        train(made, "adapter", "clauses", {"epochs": 5})
        index_model(made, "clauses")

    return built(workspace)("Legal", build)
