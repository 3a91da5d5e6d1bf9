"""Projects in every state, each built once and copied for the tests that need it."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from app_help import TINY, write_run
from streamlit.components.v2 import manifest_scanner

from search.evaluation.evaluate import evaluate
from search.projects import runs
from search.projects.project import Project, project, project_to_be
from search.projects.runs import Run
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.train import train

Stage = Callable[[str, Callable[[], object]], Project]


@pytest.fixture(scope="session", autouse=True)
def scanned_once() -> Iterator[None]:
    """AppTest looks through all that is installed for components, as a server does when it starts: once is enough."""
    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("templates")


@pytest.fixture
def stage(templates: Path, workspace: Path) -> Stage:
    def reach(name: str, build: Callable[[], object]) -> Project:
        # What a state begins with is asked for where it is built: else it would be copied first, for nothing.
        saved = templates / name
        if saved.is_dir():
            shutil.rmtree(workspace, ignore_errors=True)
            shutil.copytree(saved, workspace)
        else:
            build()
            shutil.copytree(workspace, saved)
        return project(TINY)

    return reach


@pytest.fixture
def data(stage: Stage, tiny_beir: Path) -> Project:
    """Documents, pairs and a query set; no custom model."""
    return stage("data", lambda: import_beir(project_to_be(TINY), tiny_beir))


@pytest.fixture
def trained(stage: Stage, request: pytest.FixtureRequest) -> Project:
    """Also two models of word vectors with their indexes; nothing was measured."""

    def build() -> None:
        data = request.getfixturevalue("data")
        train(data, "word2vec", "words", {"epochs": 3})
        train(data, "word2vec", "words-2", {"epochs": 30, "pooling": "mean"})
        index_model(data, "words")
        index_model(data, "words-2")

    return stage("trained", build)


@pytest.fixture
def evaluated(stage: Stage, request: pytest.FixtureRequest) -> Project:
    """Also the index of the generic model, and an evaluation of all models and keyword search."""

    def build() -> None:
        trained = request.getfixturevalue("trained")
        evaluate(trained, ["generic", "words", "words-2", "bm25"])

    return stage("evaluated", build)


@pytest.fixture
def documents_only(data: Project) -> Project:
    shutil.rmtree(data.folder / "pairs")
    shutil.rmtree(data.folder / "queries")
    return data


@pytest.fixture
def no_query_set(data: Project) -> Project:
    shutil.rmtree(data.folder / "queries")
    return data


@pytest.fixture
def empty(workspace: Path) -> Project:
    return project_to_be(TINY).create()


@pytest.fixture(autouse=True)
def nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here waits for what a page starts in a process of its own, so none is begun: one that loads a model and
    belongs to nobody takes longer than the test. Where columns differ (Compare looks for it whoever opens it) is done.
    """

    def start(owner: Project, arguments: Sequence[str]) -> Run:
        state = "done" if arguments[0] == "disagree" else "starting"
        return write_run(owner, arguments, state=state)

    monkeypatch.setattr(runs, "start", start)


@pytest.fixture
def started(nothing_begins: None, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines that the page started as runs; none is really run."""
    calls: list[list[str]] = []

    def start(owner: Project, arguments: Sequence[str]) -> Run:
        calls.append(list(arguments))
        return write_run(owner, arguments, state="starting")

    monkeypatch.setattr(runs, "start", start)
    return calls
