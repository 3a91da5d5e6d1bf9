"""BEIR folders and zips: corpus.jsonl, queries.jsonl, qrels/train.tsv, qrels/test.tsv[, qrels/dev.tsv]."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from search.corpus.labels import Judgments
from search.corpus.readers.archives import Budget, copy_out, opened_zip
from search.corpus.readers.judged import JudgedColumns
from search.corpus.readers.qrels import read_judgments
from search.corpus.readers.queries import QueryColumns, read_queries, require_ids
from search.corpus.readers.report import is_folder
from search.projects.errors import Refused
from search.projects.scratch import scratch_folder

_MEMBERS = (
    "corpus.jsonl",
    "queries.jsonl",
    "qrels/train.tsv",
    "qrels/dev.tsv",
    "qrels/test.tsv",
)


@dataclass
class Beir:
    """A BEIR data set: where its corpus is, its queries, and its judgments per split."""

    source: str
    corpus: Path
    queries: dict[str, str]
    judgments: dict[str, Judgments] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def is_beir(path: Path) -> bool:
    """Whether a folder or zip looks like a BEIR data set; it may still be one that cannot be read."""
    if path.is_dir():
        found = {name for name in _MEMBERS if (path / name).is_file()}
    elif path.suffix.lower() == ".zip":
        try:
            with opened_zip(path, path.name) as archive:
                found = {name for entry in archive.namelist() if (name := _member(entry))}
        except Refused:
            return False
    else:
        return False
    return {"corpus.jsonl", "queries.jsonl"} <= found


@contextmanager
def open_beir(path: Path, columns: JudgedColumns = JudgedColumns()) -> Iterator[Beir]:
    """Open a BEIR folder or zip; a zip is unpacked to a temporary folder for the block.

    :param columns: those of the qrels, and what their scores mean, where the person said so.
    :raises Refused: when a needed file is missing or unreadable.
    """
    if is_folder(path):
        yield read(path, path.name, columns)
        return
    if path.suffix.lower() != ".zip":
        raise Refused(f"{path.name} is neither a BEIR folder nor a zip of one.")
    with scratch_folder("beir") as name:
        folder = Path(name)
        unpack(path, folder)
        yield read(folder, path.name, columns)


def read(folder: Path, source: str, columns: JudgedColumns) -> Beir:
    """What a BEIR folder holds: its queries and judgments, and where its corpus is.

    :raises Refused: when a needed file is missing or unreadable.
    """
    for name in ("corpus.jsonl", "queries.jsonl"):
        if not (folder / name).is_file():
            raise Refused(
                f"{source} is not a BEIR data set: {name} is missing. Expected corpus.jsonl, "
                "queries.jsonl, qrels/train.tsv and qrels/test.tsv."
            )
    splits = {
        split: folder / "qrels" / f"{split}.tsv"
        for split in ("train", "dev", "test")
        if (folder / "qrels" / f"{split}.tsv").is_file()
    }
    if not splits:
        raise Refused(f"{source} is not a BEIR data set: qrels/train.tsv or qrels/test.tsv needed.")
    queries, report = read_queries(
        folder / "queries.jsonl", QueryColumns(columns.id, columns.query)
    )
    data = Beir(source, folder / "corpus.jsonl", queries)
    if report.refused_count:
        data.notes.append(f"queries.jsonl: {report.left_out}")
    reports = [report]
    for split, path in splits.items():
        judgments, report = read_judgments(path, columns)
        reports.append(report)
        data.judgments[split] = judgments
        data.notes += [f"qrels/{split}.tsv: {note}" for note in report.notes]
        if report.refused_count:
            data.notes.append(f"qrels/{split}.tsv: {report.left_out.replace('rows', 'lines', 1)}")
    require_ids(reports, columns.id)
    return data


def unpack(path: Path, folder: Path) -> None:
    """Copy only the files of a BEIR data set, under their known names, counting every byte."""
    budget = Budget(path, path.name)
    with opened_zip(path, path.name) as archive:
        for entry in archive.infolist():
            member = _member(entry.filename)
            if member is None:
                continue
            if entry.flag_bits & 0x1:
                raise Refused(f"{path.name} is encrypted. Unpack it and import the folder.")
            target = folder / member
            if target.exists():
                raise Refused(f"{path.name} holds {member} twice.")
            target.parent.mkdir(exist_ok=True)
            with archive.open(entry) as source:
                copy_out(source, target, budget)


def _member(name: str) -> str | None:
    """The BEIR file that a zip entry holds, at the top or inside one folder; None for others."""
    parts = PurePosixPath(name).parts
    for member in _MEMBERS:
        wanted = PurePosixPath(member).parts
        if parts[-len(wanted) :] == wanted and len(parts) - len(wanted) <= 1:
            return member
    return None
