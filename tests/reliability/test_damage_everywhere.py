"""Every kind of file of a workspace, damaged in every way: nothing else is out of reach, and nothing silently other."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pytest

from search.corpus.versions import describe_versions
from search.evaluation.evaluation import load_evaluation, newest_evaluation
from search.evaluation.query_sets.query_set import current_query_set
from search.insight.map import find_map, load_map, map_models
from search.insight.vocabulary import vocabulary_of
from search.judging.safekeeping import check_daily_backups, daily_backups, problem_in_file
from search.judging.store import JudgmentStore
from search.models.cross_encoders import load_reranker, rerankers
from search.models.registry import models
from search.projects import check
from search.projects.artifacts import Kind, Manifest
from search.projects.damage import noticed
from search.projects.errors import BespokeError
from search.projects.project import Project, project, projects, unusable_projects
from search.projects.runs import runs
from search.retrieval.checking import check_history, check_store
from search.retrieval.history import recent
from search.retrieval.search import compare
from tests.conftest import write_tiny_beir
from tests.proofs import draw
from tests.reliability import full_project
from tests.reliability.full_project import NAME, OTHER, QUERY
from training.data.pair_sets import PairSet

pytestmark = pytest.mark.slow

OF_CORPUS = frozenset(
    {"keyword", "words", "small", "versions", "evaluation", "map", "vocabulary", "cli"}
)
EVERYTHING = OF_CORPUS | {
    "pairs",
    "queries",
    "models",
    "rerankers",
    "recent",
    "runs",
    "votes",
    "copies",
    "projects",
}
FILES: dict[str, tuple[str, int, frozenset[str]]] = {
    # What it is: which file of a pattern, and what may be out of reach while it is damaged.
    "older corpus": ("lab/corpora/*/corpus.sqlite", 0, frozenset({"versions"})),
    "older corpus's manifest": ("lab/corpora/*/manifest.json", 0, frozenset({"versions"})),
    "corpus": ("lab/corpora/*/corpus.sqlite", -1, OF_CORPUS),
    "corpus's manifest": ("lab/corpora/*/manifest.json", -1, OF_CORPUS),
    "pairs": ("lab/pairs/*/pairs.jsonl", -1, frozenset({"pairs", "evaluation"})),
    "dev queries": ("lab/pairs/*/dev.json", -1, frozenset({"pairs", "evaluation"})),
    "pairs' manifest": ("lab/pairs/*/manifest.json", -1, frozenset({"pairs", "evaluation"})),
    "queries": ("lab/queries/*/queries.jsonl", -1, frozenset({"queries", "evaluation", "map"})),
    "qrels": ("lab/queries/*/qrels.tsv", -1, frozenset({"queries", "evaluation", "map"})),
    "queries' manifest": (
        "lab/queries/*/manifest.json",
        -1,
        frozenset({"queries", "evaluation", "map"}),
    ),
    "word vectors": ("lab/models/*/word_vectors.safetensors", -1, frozenset({"words"})),
    "word vectors' settings": ("lab/models/*/word_vectors.json", -1, frozenset({"words"})),
    "word vectors' manifest": (
        "lab/models/*/manifest.json",
        0,
        frozenset({"words", "models", "map", "evaluation"}),
    ),
    "added model's manifest": (
        "lab/models/*/manifest.json",
        -1,
        frozenset({"small", "models", "map"}),
    ),
    "reranker's manifest": ("lab/rerankers/*/manifest.json", -1, frozenset({"rerankers"})),
    "first index's manifest": ("lab/indexes/*/manifest.json", 0, frozenset({"words"})),
    "second index's manifest": (
        "lab/indexes/*/manifest.json",
        1,
        frozenset({"small", "keyword", "cli"}),
    ),
    "third index's manifest": (
        "lab/indexes/*/manifest.json",
        2,
        frozenset({"small", "keyword", "cli"}),
    ),
    "first index's vectors": ("lab/indexes/*/vectors.npy", 0, frozenset({"words"})),
    "second index's vectors": ("lab/indexes/*/vectors.npy", -1, frozenset({"small"})),
    "postings' terms": ("lab/indexes/*/terms.npy", -1, frozenset({"keyword", "cli"})),
    "postings' starts": ("lab/indexes/*/starts.npy", -1, frozenset({"keyword", "cli"})),
    "postings' passages": ("lab/indexes/*/passages.npy", -1, frozenset({"keyword", "cli"})),
    "postings' scores": ("lab/indexes/*/scores.npy", -1, frozenset({"keyword", "cli"})),
    "evaluation's manifest": ("lab/evaluations/*/manifest.json", -1, frozenset({"evaluation"})),
    "evaluation's queries": ("lab/evaluations/*/per_query.json", -1, frozenset({"evaluation"})),
    "map's manifest": ("lab/maps/*/manifest.json", -1, frozenset({"map"})),
    "map": ("lab/maps/*/map.npz", -1, frozenset({"map"})),
    "map's queries": ("lab/maps/*/queries.json", -1, frozenset({"map"})),
    "report": ("lab/reports/*/manifest.json", -1, frozenset()),
    "vectors' manifest": ("lab/vectors/*/manifest.json", -1, frozenset()),
    "vectors": ("lab/vectors/*/vectors.npy", -1, frozenset()),
    "vocabulary's manifest": ("lab/vocabularies/*/manifest.json", -1, frozenset({"vocabulary"})),
    "vocabulary": ("lab/vocabularies/*/words.json", -1, frozenset({"vocabulary"})),
    "project.json": ("lab/project.json", 0, EVERYTHING),
    "run's command": ("lab/runs/*/command.json", -1, frozenset({"runs"})),
    "run's status": ("lab/runs/*/status.json", -1, frozenset({"runs"})),
    "run's events": ("lab/runs/*/events.jsonl", -1, frozenset({"runs"})),
    "history": ("lab/searches.jsonl", 0, frozenset({"recent"})),
    "votes": ("lab/judgments/judgments.sqlite", 0, frozenset({"votes"})),
    "copy of votes": ("lab/judgments/copies/*.sqlite", -1, frozenset({"copies"})),
    "hash of a copy of votes": ("lab/judgments/copies/*.sha256", -1, frozenset({"copies"})),
    "store's keys": (".embeddings/*/*.keys", 0, frozenset()),
    "store's vectors": (".embeddings/*/*.vectors", 0, frozenset()),
    "audit log": (".audit/audit.jsonl", 0, frozenset()),
    "trainings' lock": (".locks/trainings.lock", 0, frozenset()),
}
DAMAGES = ("truncated", "emptied", "flipped", "folder", "removed", "unreadable")
# A list of lines that is shorter says nothing of what it was, nor does a log; damage inside of a line is noticed.
MAY_BE_SHORTER = {"history", "run's events"}
DRAWS = {"truncated": 3, "flipped": 6}
CASES = [
    (what, damage, number)
    for what in FILES
    for damage in DAMAGES
    for number in range(DRAWS.get(damage, 1))
]
assert len(CASES) >= 400, len(CASES)


@pytest.fixture(scope="module")
def pristine(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, tiny_cross_encoder: Path
) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("pristine") / "workspace"
    sources = Path(tempfile.mkdtemp(prefix="bespoke-damage-"))
    sources.chmod(0o755)
    beir = write_tiny_beir(sources / "beir")
    model = shutil.copytree(tiny_model, sources / "model")
    reader = shutil.copytree(tiny_cross_encoder, sources / "reader")
    for entry in sources.rglob("*"):
        entry.chmod(0o755 if entry.is_dir() else 0o644)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(home))
        patch.setenv("BESPOKE_DEVICE", "cpu")
        full_project.make(beir, model, reader, sources / "late.jsonl")
    yield home
    shutil.rmtree(sources)


@pytest.fixture
def home(pristine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy in a folder that others may enter, so that a reader without rights can be tried."""
    folder = Path(tempfile.mkdtemp(prefix="bespoke-damage-"))
    folder.chmod(0o755)
    home = shutil.copytree(pristine, folder / "workspace")
    monkeypatch.setenv("BESPOKE_HOME", str(home))
    yield home
    shutil.rmtree(folder)


def hits(project: Project, model: str) -> list[tuple[str, float]]:
    [result] = compare(project, QUERY, [model], k=5).results
    return [(hit.id, round(hit.score, 5)) for hit in result.hits]


def lab() -> Project:
    return project(NAME)


def newest(kind: Kind) -> Manifest:
    manifest = lab().newest(kind)
    assert manifest is not None
    return manifest


def read_evaluation() -> object:
    manifest = newest_evaluation(lab())
    return (
        None if manifest is None else (manifest.details["models"], load_evaluation(lab(), manifest))
    )


def read_map() -> object:
    manifest = find_map(lab(), map_models(lab(), ["words", "small"]))
    return None if manifest is None else load_map(lab(), manifest).moved.tolist()


PROBES: dict[str, Callable[[], object]] = {
    "keyword": lambda: hits(lab(), "bm25"),
    "words": lambda: hits(lab(), "words"),
    "small": lambda: hits(lab(), "small"),
    "versions": lambda: [version.sentence for version in describe_versions(lab())],
    "pairs": lambda: PairSet.load(lab(), newest("pairs")).pairs,
    "queries": lambda: current_query_set(lab())[1],
    "evaluation": read_evaluation,
    "votes": lambda: JudgmentStore.of(lab()).standing(),
    "copies": lambda: [
        (copy.day, copy.problem) for copy in daily_backups(JudgmentStore.of(lab()).path)
    ],
    "recent": lambda: recent(lab()),
    "runs": lambda: [
        (run.arguments, run.status.state, run.status.error, run.events()) for run in runs(lab())
    ],
    "models": lambda: [info.as_json() for info in models(lab())],
    "rerankers": lambda: [load_reranker(lab(), info) is not None for info in rerankers(lab())],
    "map": read_map,
    "vocabulary": lambda: vocabulary_of(lab(), newest("corpora")),
    "projects": lambda: sorted(one.name for one in projects()),
    "other": lambda: hits(Project(Path(os.environ["BESPOKE_HOME"]) / OTHER), "bm25"),
}


def damage(path: Path, how: str, seed: str) -> None:
    """Damage a file; what is drawn is drawn by the seed."""
    content = path.read_bytes()
    number = int.from_bytes(draw(seed)[:8], "big")
    if how == "truncated":
        path.write_bytes(content[: number % max(len(content), 1)])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "flipped" and content:
        flipped = bytearray(content)
        flipped[number % len(content)] ^= 1 << (number >> 40) % 8
        path.write_bytes(flipped)
    elif how in ("folder", "removed"):
        path.unlink()
        if how == "folder":
            path.mkdir()


@contextmanager
def reader(home: Path, path: Path, how: str) -> Iterator[None]:
    """Read as somebody who may do all but read one file, where it is to be unreadable; root may read anything."""
    if how != "unreadable":
        yield
        return
    path.chmod(0)
    if os.geteuid() != 0:
        yield
        return
    for entry in (home.parent, home, *home.rglob("*")):
        os.chown(entry, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def asked(names: Iterator[str]) -> dict[str, tuple[object, list[str]]]:
    """What each probe answers or the error that it raises, and what was noticed on the way."""
    answers: dict[str, tuple[object, list[str]]] = {}
    for name in names:
        noticed()
        try:
            answer: object = PROBES[name]()
        except BespokeError as error:
            answer = error
        answers[name] = (answer, noticed())
    return answers


@pytest.fixture(scope="module")
def expected(pristine: Path) -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(pristine))
        answers = asked(iter(PROBES))
    for name, (answer, said) in answers.items():
        assert not isinstance(answer, BespokeError), (name, answer)
        assert answer, f"the probe {name} sees nothing: {answer}"
        assert said == [], name
    return {name: answer for name, (answer, _) in answers.items()}


def test_every_file_of_a_workspace_is_damaged_here(pristine: Path) -> None:
    known = (
        {path for pattern, _, _ in FILES.values() for path in pristine.glob(pattern)}
        | set(pristine.glob(".locks/*"))
        | set(pristine.glob(".embeddings/*/views"))
    )
    there = {
        p for p in pristine.rglob("*") if p.is_file() and p.relative_to(pristine).parts[0] != OTHER
    }
    assert {path.relative_to(pristine).as_posix() for path in there - known} == set()


@pytest.mark.sample(38)
@pytest.mark.parametrize(("what", "how", "number"), CASES)
def test_damage_hides_itself_only(
    home: Path, expected: dict[str, object], call_cli, what: str, how: str, number: int
) -> None:
    best = expected["keyword"]
    assert isinstance(best, list)
    pattern, position, reached = FILES[what]
    path = sorted(home.glob(pattern))[position]
    damage(path, how, f"{what} {how} {number}")
    with reader(home, path, how):
        answers = asked(iter(PROBES))
        named = _named(home)
        done = call_cli("search", NAME, QUERY, "--model", "bm25", "--json")
    for name, (answer, said) in answers.items():
        if isinstance(answer, BespokeError):
            assert name in reached, f"{name} is out of reach: {answer}"
            assert "\n" not in str(answer)
            continue
        if answer == expected[name]:
            continue
        assert name in reached, f"{name} is other: {answer} {said}"
        shorter = what in MAY_BE_SHORTER
        assert (
            said
            or named
            or shorter
            or "damaged" in str(answer)
            or "not as it was" in str(answer)
            or "cannot be read" in str(answer)
        ), f"{name} is silently other: {answer}"
    assert done.status in (0, 1, 2)
    assert "Traceback" not in done.err
    if done.status == 0:
        ids = [one["id"] for one in json.loads(done.out)["results"]["bm25"]["hits"]]
        assert ids[:5] == [identity for identity, _ in best], what
    else:
        assert "cli" in reached or "keyword" in reached, done.err
        assert len(done.err.strip().splitlines()) == 1, done.err


# What nobody can tell: that a list is shorter than it was, that a process had only begun a segment, and bytes that mean
# nothing (free space in a page, the name beside a hash). A lock's file is nothing but its name.
UNSEEN = {
    *((what, how) for what in ("history", "run's events", "audit log", "store's keys") for how in ("truncated", "emptied", "removed")),
    *(("trainings' lock", how) for how in DAMAGES),
    ("votes", "flipped"),
    ("hash of a copy of votes", "flipped"),
    ("hash of a copy of votes", "truncated"),
}  # fmt: skip


@pytest.mark.sample(20)
@pytest.mark.parametrize(("what", "how", "number"), [c for c in CASES if c[1] != "unreadable"])
def test_check_names_it_and_repair_loses_nothing(
    home: Path, what: str, how: str, number: int
) -> None:
    """Whatever a person brought is somewhere after a repair; what is made again by itself may go."""
    assert _findings(home) == []
    pattern, position, _ = FILES[what]
    damage(sorted(home.glob(pattern))[position], how, f"{what} {how} {number}")
    findings = _findings(home)
    assert findings or (what, how) in UNSEEN
    before = _bytes_of(home)
    said = check.repair(findings)
    assert not [line for line in said if "not repaired" in line]
    assert before - _bytes_of(home) == set()
    assert [f.sentence for f in _findings(home) if f.act is not None] == []


def _findings(home: Path) -> list[check.Finding]:
    known = [*projects(), *(one for one, _ in unusable_projects())]
    own = (
        (*check.check_project(p, problem_in_file), *check_history(p), *check_daily_backups(p))
        for p in known
    )
    return [*chain.from_iterable(own), *check.check_workspace(home), *check_store()]


def _bytes_of(home: Path) -> set[bytes]:
    files = (path for path in home.rglob("*") if path.is_file())
    return {
        path.read_bytes()
        for path in files
        if not {".embeddings", ".locks"} & set(path.relative_to(home).parts)
    }


def _named(home: Path) -> list[str]:
    """What a page would name: artifacts that cannot be read, and projects that cannot be opened."""
    return [str(one) for one in Project(home / NAME).damaged()] + [
        str(why) for _, why in unusable_projects()
    ]
