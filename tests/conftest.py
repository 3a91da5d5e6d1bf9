"""Fixtures that every test shares: a workspace of its own, tiny data, a tiny model, the terminal."""

import gc
import json
import os
import random
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import proofs, tiny_bert

if TYPE_CHECKING:
    from search.projects.project import Project
    from tests.milvus_server import RealMilvus

# Two threads that wait for each other on a busy machine make a tiny step a hundred times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Its assertions say what they compared, too.
pytest.register_assert_rewrite("tests.indexes.brute_force")

# What is collected stays to the end: looking through it again and again finds nothing. See `pytest_collection_finish`.
gc.disable()

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--whole", action="store_true", help="all of every long proof, not a sample (make prove)"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--whole"):
        config.pluginmanager.register(proofs.Table())


# Files of few tests that take long. They begin first: at the end one of two workers would wait for the other.
_FIRST = (
    "tests/terminal/test_cli_loop.py",
    "tests/docs/test_docs.py",
    "tests/training/auto/test_auto.py",
    "tests/search/retrieval/indexing/test_incremental.py",
    "tests/hostile/test_shared_uploads.py",
    "tests/training/test_reproducible.py",
    "tests/search/models/encoding/test_backends.py",
    "tests/search/models/api/test_llama_server.py",
    "tests/training/static/test_static.py",
    "tests/training/test_train.py",
    "tests/search/corpus/readers/test_fuzz.py",
    "tests/test_house.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))
    if not config.getoption("--whole"):
        items[:], left = proofs.sampled(items)
        config.hook.pytest_deselected(items=left)


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what stays to the end: every module and every test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def one_reader() -> Iterator[None]:
    """One child reads the files of all tests of this process: a new one for each would take longer than they do."""
    from search.corpus.isolated.process import SPARE

    SPARE.reuse = True
    yield
    SPARE.reuse = False
    SPARE.give_back(SPARE.take())


@pytest.fixture(scope="session", autouse=True)
def disks_are_not_waited_for(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing here takes the power away, so no test can tell what is on disk from what is on its way there.

    A fifth of the time of tests that publish would be waiting for that; `make prove` and all that are processes of
    their own do wait.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not request.config.getoption("--whole"):
            from search.judging import votes_file

            patch.setattr(os, "fsync", lambda _handle: None)
            patch.setattr(votes_file, "SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether all of a long proof is wanted, or a sample of it will do."""
    return bool(request.config.getoption("--whole"))


# The made-up language of the tiny data. Sign i belongs to document i, so a query that names it has
# exactly one right answer.
_HEADS = ("velko", "dromi", "santu", "querra", "bolfi", "tirma", "ombra", "lepso")
_TAILS = ("rin", "thal", "gex", "modia", "stane")
SIGNS = tuple(head + tail for tail in _TAILS for head in _HEADS)
PLACES = ("hand", "knee", "shoulder", "kidney", "cornea", "spine", "wrist", "throat")
CAUSES = ("frost", "dust", "overwork", "fasting", "noise", "vibration", "mould")
OFFICERS = ("registrar", "magistrate", "surgeon", "notary", "midwife")
REMEDIES = ("compress", "injunction", "splint", "affidavit", "tincture", "levy", "poultice")
PAPERS = ("certificate", "summons", "chart", "deed", "ledger", "licence")
DOCUMENTS = 40
TRAIN_DOCUMENTS = range(24)
DEV_DOCUMENTS = range(24, 28)
TEST_DOCUMENTS = range(28, 40)
TRAIN_QUERIES, DEV_QUERIES, TEST_QUERIES = 60, 8, 20


def tiny_text(number: int) -> str:
    """The text of tiny document `number`."""
    sign = SIGNS[number]
    return (
        f"{sign.capitalize()} affects the {_of(PLACES, number)} after {_of(CAUSES, number)}. "
        f"The {_of(OFFICERS, number)} orders a {_of(REMEDIES, number)} against {sign} and files the "
        f"{_of(PAPERS, number)} within {number + 3} days."
    )


def tiny_query(number: int, shape: int) -> str:
    """A question that tiny document `number` answers; shapes are 0, 1, 2 and 3."""
    sign = SIGNS[number]
    return (
        f"what helps against {sign} in the {_of(PLACES, number)}",
        f"who files the {_of(PAPERS, number)} about {sign}",
        f"is {sign} caused by {_of(CAUSES, number)}",
        f"does the {_of(OFFICERS, number)} treat {sign} with a {_of(REMEDIES, number)}",
    )[shape]


def _of(words: tuple[str, ...], number: int) -> str:
    return words[number % len(words)]


def write_tiny_beir(folder: Path) -> Path:
    """Write the tiny BEIR data set: 40 documents, 60 train, 8 dev and 20 test queries."""
    (folder / "qrels").mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(DOCUMENTS):
            row = {"_id": f"d{number}", "title": SIGNS[number].title(), "text": tiny_text(number)}
            stream.write(json.dumps(row) + "\n")
    queries: dict[str, str] = {}
    splits = (
        ("train", TRAIN_DOCUMENTS, TRAIN_QUERIES),
        ("dev", DEV_DOCUMENTS, DEV_QUERIES),
        ("test", TEST_DOCUMENTS, TEST_QUERIES),
    )
    for split, documents, count in splits:
        with (folder / "qrels" / f"{split}.tsv").open("w", encoding="utf-8") as stream:
            stream.write("query-id\tcorpus-id\tscore\n")
            for number in range(count):
                document = documents[number % len(documents)]
                query = f"{split}-{number}"
                queries[query] = tiny_query(document, number // len(documents))
                stream.write(f"{query}\td{document}\t1\n")
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as stream:
        for query, text in queries.items():
            stream.write(json.dumps({"_id": query, "text": text}) + "\n")
    return folder


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine take a hundred times as long."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of its own for each test (the folder does not exist yet)."""
    home = tmp_path / "workspace"
    monkeypatch.setenv("BESPOKE_HOME", str(home))
    monkeypatch.delenv("BESPOKE_RUN", raising=False)
    monkeypatch.setenv("BESPOKE_DEVICE", "cpu")
    return home


@pytest.fixture(autouse=True)
def few_general_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tiny model forgot is asked with twelve questions: a hundred take longer than its training."""
    from training import forgetting

    few = forgetting.general_questions()[:12]
    monkeypatch.setattr(forgetting, "general_questions", lambda: few)


@pytest.fixture(autouse=True)
def no_large_model_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The multilingual base, which is installed for its own test, is measured by no other: it takes half a minute."""
    at = "search.models.pretrained.multilingual.folder.is_installed"
    monkeypatch.setattr(at, lambda: False)


@pytest.fixture
def tiny_beir(tmp_path: Path) -> Path:
    """A BEIR folder: documents d0 to d39, queries train-0 to train-59, dev-0 ..., test-0 to test-19."""
    return write_tiny_beir(tmp_path / "tiny-beir")


@pytest.fixture(scope="session")
def tiny_import(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project that the tiny data were imported into."""
    from search.projects.project import Project
    from training.data.intake import import_beir

    home = tmp_path_factory.mktemp("imported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(home / "workspace"))
        import_beir(Project(home / "workspace" / "tiny"), write_tiny_beir(home / "tiny-beir"))
    return home / "workspace" / "tiny"


@pytest.fixture
def import_tiny(tiny_import: Path) -> "Callable[[Project], None]":
    """Gives a new project what `import_beir(project, tiny_beir)` does: a copy, in a tenth of the time."""

    def run(project: "Project") -> None:
        project.create(source="tiny-beir")
        for kind in ("corpora", "pairs", "queries"):
            shutil.copytree(tiny_import / kind, project.folder / kind)

    return run


@pytest.fixture
def tiny_pairs(tmp_path: Path) -> Path:
    """A JSON list of 80 pairs, two for each tiny document."""
    rows = [
        {"query": tiny_query(number, shape), "response": tiny_text(number)}
        for number in range(DOCUMENTS)
        for shape in (0, 3)
    ]
    path = tmp_path / "tiny-pairs.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared data sets, beside the checkout."""
    folder = REPOSITORY.parent / "shared" / "data"
    assert folder.is_dir(), f"{folder} is missing: CI has it, and so must whoever runs the tests"
    return folder


Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_cli(workspace: Path) -> Cli:
    """Runs cli.py in a process of its own, as a person would."""

    def run(*arguments: object, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "cli.py", *map(str, arguments)],
            cwd=REPOSITORY,
            env=dict(os.environ),
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )

    return run


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def call_cli(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Runs a command of the terminal face as `python cli.py` does, in this process."""
    import cli

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["cli.py", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


Tree = dict[str, bytes | None]


@pytest.fixture
def tree() -> Callable[[Path], Tree]:
    """Photographs a folder: every file with its bytes, every folder as None; no folder, no entries.

    The files of locks, which stay, are left out.
    """

    def photograph(folder: Path) -> Tree:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
            for path in sorted(folder.rglob("*"))
            if ".locks" not in path.parts
        }

    return photograph


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a SentenceTransformer of two small layers that knows the tiny data's words.

    Made here, offline and the same each time: train it with `--set base=<folder>`.
    """
    folder = tmp_path_factory.mktemp("tiny-model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tiny_bert.write_model(folder / "transformer", folder / "model", _tiny_texts())
    return folder / "model"


@pytest.fixture(scope="session")
def tiny_cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cross-encoder of one small layer over the tiny data's words; its weights are random."""
    folder = tmp_path_factory.mktemp("tiny-cross-encoder")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_tiny_classifier(folder, labels=1)
    return folder


@pytest.fixture
def write_classifier() -> Callable[..., None]:
    """Writes a BERT with a head of as many classes as are asked for into a folder."""
    return write_tiny_classifier


def write_tiny_classifier(folder: Path, labels: int) -> None:
    """Write a BERT with a head of so many classes, which knows the tiny data's words."""
    tiny_bert.write_classifier(folder, labels, _tiny_texts())


def _tiny_texts() -> list[str]:
    """All that the tiny data may say."""
    queries = [tiny_query(n, shape) for n in range(DOCUMENTS) for shape in range(4)]
    return [*(tiny_text(n) for n in range(DOCUMENTS)), *queries]


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[RealMilvus]":
    """A real standalone Milvus server, one for all tests of this process."""
    from tests.milvus_server import RealMilvus

    server = RealMilvus(tmp_path_factory.mktemp("milvus"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def rng() -> random.Random:
    """Random numbers, the same in every run."""
    return random.Random(20261123)
