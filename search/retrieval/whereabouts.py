"""Where the data of a project lies: of whose texts, what, in which folder, how much; and which servers saw some of it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexes.vector_index import MILVUS
from search.models.encoding.cache import STORE
from search.projects.artifacts import KIND_NAMES, Kind
from search.projects.check import ASIDE
from search.projects.errors import BespokeError
from search.projects.files import size_in_words
from search.projects.ledger import FOLDER as LEDGER
from search.projects.outgoing import contacts
from search.projects.project import Project
from search.projects.scratch import left_in_scratch
from search.projects.settings import settings
from search.retrieval.deletion import look_into_store, of_kind
from search.retrieval.indexing.servers import connection

_HOLD: dict[Kind, str] = {
    "corpora": "The documents: titles, texts, metadata",
    "pairs": "Questions and their answers",
    "queries": "Test queries, and which documents answer them",
    "models": "Weights; a model of word vectors also lists words of the documents",
    "rerankers": "Which reranker is used; no texts",
    "indexes": "Vectors of the passages, and for keyword search their words; a vector can be turned back into something near its text",
    "evaluations": "The test queries, and how each model answered them",
    "reports": "Figures, and samples of documents and pairs",
    "vectors": "Vectors of training questions and words",
    "vocabularies": "Words of the documents",
    "maps": "Titles and vectors of documents",
}
_BESIDE = {
    "judgments": "Votes, who gave them, and the questions that were judged",
    "runs": "What was started, how it went, what it printed",
    "uploads": "Files as they were uploaded; kept for a day",
    "searches.jsonl": "The latest questions that were asked",
    "members": "Who may open the project",
    LEDGER: "What was measured how often, and which test queries are sealed, as hashes; no texts",
    ASIDE: "Damaged parts that were set aside",
}


@dataclass(frozen=True)
class Whereabouts:
    """One place where data of a project lies: what it is, where, how large (bytes), and which texts it holds.

    >>> Whereabouts("Runs", "/data/law/runs", 1_200, "What was asked, and how it went; no texts").sentence
    'Runs: /data/law/runs (1.2 kB). What was asked, and how it went; no texts.'
    """

    what: str
    where: str
    size: int
    holds: str

    @property
    def sentence(self) -> str:
        """One line for a terminal."""
        size = f" ({size_in_words(self.size)})" if self.size else ""
        return f"{self.what}: {self.where}{size}. {self.holds}."

    def as_json(self) -> dict[str, Any]:
        """As `where --json` prints it."""
        return asdict(self)


def where_data_lies(project: Project) -> list[Whereabouts]:
    """Every place with something of a project: its folder, what all projects share, and what left this machine."""
    return [*_own(project), *_shared(project), *_elsewhere(project)]


def _own(project: Project) -> Iterator[Whereabouts]:
    for kind, holds in _HOLD.items():
        if count := len(project.folders(kind)):
            what = f"{count:,} × {KIND_NAMES[kind]}"
            yield Whereabouts(what, str(project.folder / kind), _size(project.folder / kind), holds)
    for name, holds in _BESIDE.items():
        path = project.folder / name
        if path.exists():
            yield Whereabouts(
                name.strip(".").partition(".")[0].capitalize(), str(path), _size(path), holds
            )


def _shared(project: Project) -> Iterator[Whereabouts]:
    store = settings().home / STORE
    if store.is_dir():
        use = look_into_store(project)
        yield Whereabouts(
            "Embedding store, shared by all projects",
            str(store),
            _size(store),
            f"{use.vectors:,} vectors of this project's texts, {use.shared:,} of them needed by other projects, too",
        )
    left = left_in_scratch()
    for folder in left:
        yield Whereabouts(
            "Temporary folder",
            str(folder),
            _size(folder),
            "Unpacked files that a killed process left; any project's",
        )


def _elsewhere(project: Project) -> Iterator[Whereabouts]:
    for manifest in of_kind(project, "models"):
        address = (manifest.details.get("settings") or {}).get("base_url")
        if address:
            yield Whereabouts(
                f"Server of the model {manifest.details['name']!r}",
                address,
                0,
                "It is sent the texts that it embeds",
            )
        elif manifest.details.get("kind") == "generic" and manifest.details.get("reference"):
            yield Whereabouts(
                f"Files of the model {manifest.details['name']!r}",
                str(manifest.details["reference"]),
                0,
                "A model as it was added; nothing of this project",
            )
    away = [m for m in of_kind(project, "indexes") if m.details.get("engine") == MILVUS]
    if away:
        with suppress(BespokeError):
            names = ", ".join(
                str(m.details.get("parameters", {}).get("collection", m.id)) for m in away
            )
            yield Whereabouts(
                "Milvus server",
                connection(project).get("uri", "unknown"),
                0,
                f"Vectors of the passages, in {names}",
            )
    for contact in contacts(project.name):
        yield Whereabouts(
            "Host that was asked", contact.host, 0, f"{contact.what}, since {contact.time[:16]}"
        )


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    total = 0
    for inner in path.rglob("*"):
        with suppress(OSError):
            total += inner.lstat().st_size if inner.is_file() else 0
    return total
