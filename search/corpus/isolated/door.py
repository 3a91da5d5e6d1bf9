"""The readers, in a child process with limits: the same names, arguments, results and refusals as in `readers`.

What is read inside `one_child` is read by one child; a new one takes its part only after it had to be ended.
"""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from search.corpus.document import Document
from search.corpus.isolated import messages
from search.corpus.isolated.limits import PREVIEW, Allowance, OverLimit, for_file, over
from search.corpus.isolated.process import SPARE, Child
from search.corpus.labels import Judgments, Pair
from search.corpus.readers import documents, pairs
from search.corpus.readers.beir import Beir
from search.corpus.readers.judged import JudgedColumns
from search.corpus.readers.pairs import Complete, PairColumns, PairFile
from search.corpus.readers.queries import QueryColumns
from search.corpus.readers.report import RefusedRow, Report, Row, is_folder, source_of
from search.corpus.readers.row_documents import DocumentColumns
from search.corpus.readers.sources import SourceFile, SourceFiles, is_archive
from search.corpus.readers.tables import open_report
from search.projects.errors import Refused
from search.projects.scratch import scratch_folder
from search.projects.settings import LIMITS

_Made = TypeVar("_Made")
Messages = Generator[dict[str, Any], None, None]
_ENDED = 3  # previews of files of one archive that took too much, after which no more are looked at
_READS: ContextVar["_Session | None"] = ContextVar("reads", default=None)
prepare: Callable[[], None] = SPARE.prepare
"""Start a child ahead of the first file."""


class _Session:
    """One child, and the next one where it had to be ended."""

    def __init__(self) -> None:
        self._child: Child | None = None

    def ask(self, source: str, task: str, arguments: list[Any], allowed: Allowance) -> Messages:
        if self._child is None or not self._child.alive:
            self._child = SPARE.take()
        return self._child.ask(source, task, arguments, allowed)

    def close(self) -> None:
        if self._child is not None:
            SPARE.give_back(self._child)
            self._child = None


@contextmanager
def one_child() -> Iterator[None]:
    """Everything that is read in the block is read by one child."""
    if _READS.get() is not None:
        yield
        return
    session = _Session()
    before = _READS.set(session)
    try:
        yield
    finally:
        _READS.reset(before)
        session.close()


def read_documents(
    path: Path, report: Report, columns: DocumentColumns = DocumentColumns()
) -> Iterator[Document]:
    """See `readers.documents.read_documents`; the first rows are read at once.

    :raises OverLimit: when reading takes too much.
    """
    return _stream("documents", path, report, [columns], Document)


def read_rows(path: Path, report: Report) -> Iterator[Row]:
    """See `readers.tables.read_rows`.

    :raises OverLimit: when reading takes too much.
    """
    return _stream("rows", path, report, [], Row)


def read_pair_file(
    path: Path,
    report: Report,
    columns: PairColumns = PairColumns(),
    complete: Complete = pairs.as_they_are,
    rows: int | None = None,
    allowed: Allowance | None = None,
) -> PairFile:
    """See `readers.pairs.read_pair_file`.

    :raises OverLimit: when reading takes too much.
    """
    items: Iterator[Any] = _stream("pairs", path, report, [columns, rows], tuple, allowed)
    labels = next(items)
    return pairs.assembled(labels, items, report, columns, complete)


def preview_pairs(
    path: Path,
    columns: PairColumns = PairColumns(),
    rows: int = 5,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> tuple[list[Pair], Report]:
    """See `readers.pairs.preview_pairs`.

    :raises OverLimit: when reading takes too much.
    """
    report = open_report(path, encoding=encoding, delimiter=delimiter)
    held = read_pair_file(path, report, columns, rows=LIMITS.preview_rows, allowed=PREVIEW)
    report.require_some("pairs")
    return held.pairs[:rows], report


def preview_documents(
    path: Path,
    columns: DocumentColumns = DocumentColumns(),
    rows: int = 5,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> tuple[list[Document], Report]:
    """See `readers.documents.preview_documents`: a member of an archive that takes too much is listed.

    :raises OverLimit: when reading takes too much.
    """
    ended = 0

    def begin(source: SourceFile, *more: Any) -> tuple[list[Document], Report]:
        nonlocal ended
        if ended >= _ENDED:
            raise Refused("was not looked at: others took too much; it is read when it is added")
        try:
            found: tuple[list[Document], Report] = _asked(
                source.name, "beginning", [source, *more], PREVIEW
            )
        except OverLimit:
            ended += 1
            raise
        return found

    with one_child():
        return documents.preview_documents(
            path, columns, rows, encoding, delimiter, opened_sources, begin
        )


@contextmanager
def opened_sources(paths: Sequence[Path]) -> Iterator[SourceFiles]:
    """See `readers.sources.opened_sources`: of several archives, one that takes too much is listed."""
    sources = SourceFiles()
    with one_child(), scratch_folder("sources") as scratch:
        for number, path in enumerate(paths):
            if not is_archive(path.name) and not is_folder(path):
                sources.files.append(SourceFile(path, source_of(path)))
                continue
            given = [path, scratch / str(number)]
            try:
                sources.add(_asked(source_of(path), "sources", given, for_file(_size(path))))
            except OverLimit as error:
                if len(paths) == 1:
                    raise
                sources.refused.append(RefusedRow(source_of(path), str(error)))
        yield sources


def read_queries(
    path: Path,
    columns: QueryColumns = QueryColumns(),
    encoding: str | None = None,
    delimiter: str | None = None,
    most: int | None = None,
) -> tuple[dict[str, str], Report]:
    """See `readers.queries.read_queries`; with `most` it is a preview.

    :raises OverLimit: when reading takes too much.
    """
    found: tuple[dict[str, str], Report] = _table(
        "queries", path, [columns, encoding, delimiter, most]
    )
    return found


def read_judgments(
    path: Path,
    columns: JudgedColumns = JudgedColumns(),
    encoding: str | None = None,
    delimiter: str | None = None,
    most: int | None = None,
) -> tuple[Judgments, Report]:
    """See `readers.qrels.read_judgments`; with `most` it is a preview.

    :raises OverLimit: when reading takes too much.
    """
    found: tuple[Judgments, Report] = _table(
        "judgments", path, [columns, encoding, delimiter, most]
    )
    return found


def read_judged_queries(
    path: Path,
    columns: JudgedColumns = JudgedColumns(),
    encoding: str | None = None,
    delimiter: str | None = None,
    most: int | None = None,
) -> tuple[dict[str, str], Judgments, Report]:
    """See `readers.judgments.read_judged_queries`; with `most` it is a preview.

    :raises OverLimit: when reading takes too much.
    """
    found: tuple[dict[str, str], Judgments, Report] = _table(
        "judged queries", path, [columns, encoding, delimiter, most]
    )
    return found


def columns_of(path: Path, encoding: str | None, delimiter: str | None) -> tuple[str, ...]:
    """The columns of a table, and the paths of values that are nested in them.

    :raises Refused: when it cannot be read as a table.
    """
    found: tuple[str, ...] = _asked(
        source_of(path), "columns", [path, encoding, delimiter], PREVIEW
    )
    return found


def is_beir(path: Path) -> bool:
    """See `readers.beir.is_beir`."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return False
    try:
        return bool(_asked(source_of(path), "is beir", [path], PREVIEW))
    except OverLimit:
        return False


@contextmanager
def open_beir(path: Path, columns: JudgedColumns = JudgedColumns()) -> Iterator[Beir]:
    """See `readers.beir.open_beir`.

    :raises OverLimit: when reading takes too much.
    """
    source = path.name
    with one_child(), scratch_folder("beir") as unpacked:
        folder = path
        if not is_folder(path):
            if path.suffix.lower() != ".zip":
                raise Refused(f"{source} is neither a BEIR folder nor a zip of one.")
            folder = unpacked
            _asked(source, "unpack beir", [path, folder], for_file(_size(path)))
        judged = [folder / "queries.jsonl", *(folder / "qrels").glob("*.tsv")]
        size = sum(map(_size, judged))
        found: Beir = _asked(source, "beir", [folder, source, columns], for_file(size))
        yield found


def _table(task: str, path: Path, arguments: list[Any]) -> Any:
    """What a table of queries or judgments holds; the last argument is how many rows are looked at, if not all."""
    allowed = for_file(_size(path)) if arguments[-1] is None else PREVIEW
    return _asked(source_of(path), task, [path, *arguments], allowed)


def _size(path: Path) -> int:
    """Bytes of a file; none where it is none, which its reader refuses."""
    return path.stat().st_size if path.is_file() else 0


def _asked(source: str, task: str, arguments: list[Any], allowed: Allowance) -> Any:
    """The answer to a request that is no stream."""
    parts: list[str] = []
    size = 0
    with _session() as session, closing(session.ask(source, task, arguments, allowed)) as answer:
        for message in answer:
            part = message.get("part")
            size += len(part) if isinstance(part, str) else allowed.memory + 1
            if size > allowed.memory:
                raise over(source, "answer", allowed, "gave an answer that is too long")
            parts.append(str(part))
    return _understood(source, allowed, lambda: messages.unpacked(json.loads("".join(parts))))


def _understood(source: str, allowed: Allowance, read: Callable[[], _Made]) -> _Made:
    try:
        return read()
    except (messages.Garbled, ValueError, RecursionError):
        raise over(source, "answer", allowed, "gave an answer that cannot be understood") from None


@contextmanager
def _session() -> Iterator[_Session]:
    """That of the block `one_child`, or one of its own; may be left in another context than it was entered in."""
    session = _READS.get()
    if session is not None:
        yield session
        return
    session = _Session()
    try:
        yield session
    finally:
        session.close()


def _stream(
    task: str,
    path: Path,
    report: Report,
    more: list[Any],
    kind: type[_Made],
    allowed: Allowance | None = None,
) -> Iterator[_Made]:
    """The items of a stream, of which the first message is here already; the report is filled as they are taken."""
    allowed = allowed or for_file(_size(path))
    answer = _messages(task, [path, report, *more], report, allowed)
    first = next(answer)  # What is refused of the file as a whole is refused now.
    try:
        _note(report, _understood(report.source, allowed, partial(_state_of, first)))
    except OverLimit:
        answer.close()
        raise
    report.share_read = lambda: shares[-1]
    shares = [0.0]
    return _items(first, answer, report, kind, allowed, shares)


def _messages(task: str, arguments: list[Any], report: Report, allowed: Allowance) -> Messages:
    with _session() as session:
        yield from session.ask(report.source, task, arguments, allowed)


def _items(
    first: dict[str, Any],
    answer: Messages,
    report: Report,
    kind: type[_Made],
    allowed: Allowance,
    shares: list[float],
) -> Iterator[_Made]:
    with closing(answer):  # Whoever takes no more rows, or cannot, ends the child.
        for message in chain([first], answer):
            state, rows, last = _understood(report.source, allowed, partial(_opened, message, kind))
            _note(report, state)
            before, after = shares[0], float(message["share"])
            for number, (*changes, item) in enumerate(rows, start=1):
                _apply(report, *changes)
                shares[0] = before + (after - before) * number / len(rows)
                yield item
            shares[0] = after
            if last is not None:
                _apply(report, *last)


def _opened(message: dict[str, Any], kind: type[_Made]) -> tuple[list[Any], list[Any], Any]:
    """The state of a report, its rows and the changes after the last row, out of a message."""
    state = _state_of(message)
    rows = [(*row[:3], messages.unpacked(row[3])) for row in message["rows"]]
    if not all(isinstance(row[3], kind) for row in rows):
        raise messages.Garbled("holds something else")
    return state, rows, message.get("last")


def _state_of(message: dict[str, Any]) -> list[Any]:
    """What of a report is sent as it is."""
    state = messages.unpacked(message.get("state"))
    if not isinstance(state, list) or len(state) != len(messages.STATE):
        raise messages.Garbled("holds something else")
    return state


def _note(report: Report, state: list[Any]) -> None:
    for name, value in zip(messages.STATE, state, strict=True):
        setattr(report, name, value)


def _apply(report: Report, accepted: int, refused: list[list[str]], unlisted: int) -> None:
    """Count and list in a report what its reader did between two rows."""
    report.accepted += accepted
    for where, reason in refused:
        report.refuse(where, reason)
    report.refused_count += unlisted
