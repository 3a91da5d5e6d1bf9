"""What runs in the child: it waits for a request, reads a file, and answers in messages; one request after another.

A request names one of `TASKS` and its arguments. The answer to a stream is messages of rows, each with what was added to
the report since; that to anything else is its parts, pieces of one JSON text. The last message is "done" or "error".
"""

import errno
import os
import resource
import select
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from search.corpus.isolated import messages
from search.corpus.readers import (
    beir,
    documents,
    judgments,
    pairs,
    qrels,
    queries,
    sources,
)
from search.corpus.readers.grades import UnclearGrades
from search.corpus.readers.paths import nested_columns
from search.corpus.readers.report import Report
from search.corpus.readers.tables import open_report, read_rows
from search.projects.errors import Refused

_BATCH = 256_000  # characters of a message of rows
_PART = 1_000_000  # characters of a part of an answer
_PATIENCE = 0.25  # seconds after which rows are sent, however few
_LOOKED_AT = 100
_GRACE = (
    2  # seconds of processor time by which the system ends a child that its parent does not watch
)

Task = Callable[..., Any]


def _pairs(
    path: Path, report: Report, columns: pairs.PairColumns, most: int | None
) -> Iterator[Any]:
    labels, rows = pairs.pair_rows(path, report, columns, most)
    return chain([labels], rows)


def _columns_of(path: Path, encoding: str | None, delimiter: str | None) -> tuple[str, ...]:
    """The columns of a table, and the paths of what is nested in them."""
    report = open_report(path, encoding=encoding, delimiter=delimiter)
    rows = read_rows(path, report)
    nested = nested_columns(row.fields for _, row in zip(range(_LOOKED_AT), rows, strict=False))
    return (*report.columns, *nested)


STREAMS: dict[str, Task] = {
    "documents": documents.read_documents,
    "pairs": _pairs,
    "rows": read_rows,
}
"""Readers of items one by one; their second argument is the report, which they fill meanwhile."""
TASKS: dict[str, Task] = {
    "beginning": documents.beginning,
    "columns": _columns_of,
    "queries": queries.read_queries,
    "judged queries": judgments.read_judged_queries,
    "judgments": qrels.read_judgments,
    "sources": sources.collect,
    "is beir": beir.is_beir,
    "unpack beir": beir.unpack,
    "beir": beir.read,
}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until nobody can send any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a picture of the memory would hold its texts
    threading.Thread(target=_end_with_parent, args=(requests.fileno(),), daemon=True).start()
    while (request := messages.read(requests)) is not None:
        os.chdir(request["folder"])
        tempfile.tempdir = request["scratch"]
        _limit_time(request["seconds"])
        _answer(request["task"], messages.unpacked(request["arguments"]), answers)


def _end_with_parent(requests: int) -> None:
    """End this process and its children when the parent is gone, also in the middle of a file."""
    gone = select.poll()
    gone.register(requests, 0)
    gone.poll()
    os.killpg(os.getpid(), signal.SIGKILL)


def _limit_time(seconds: float) -> None:
    """The system's own limit, for a child whose parent cannot watch it any more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + _GRACE
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _answer(task: str, arguments: list[Any], answers: BinaryIO) -> None:
    try:
        if task in STREAMS:
            report = arguments[1]
            since = _Since(report)
            _stream(STREAMS[task](*arguments), report, since, answers)
        else:
            text = messages.text_of(TASKS[task](*arguments))
            for at in range(0, len(text), _PART):
                messages.write(answers, messages.plain_text_of({"part": text[at : at + _PART]}))
        messages.write(answers, '{"done":true}')
    except UnclearGrades as error:
        unclear = [str(error), error.column, error.values, error.roles]
        messages.write(answers, f'{{"unclear":{messages.text_of(unclear)}}}')
    except Refused as error:
        messages.write(answers, f'{{"refused":{messages.text_of(str(error))}}}')
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES, errno.EMFILE):
            raise_as = type(error).__name__
            messages.write(answers, f'{{"error":{messages.text_of(raise_as)}}}')
        else:
            facts = [error.errno, error.strerror]
            messages.write(answers, f'{{"system":{messages.text_of(facts)}}}')
    except BaseException as error:  # Whatever a parser raises is an answer: the child goes on.
        messages.write(answers, f'{{"error":{messages.text_of(type(error).__name__)}}}')


def _stream(items: Iterable[Any], report: Report, since: "_Since", answers: BinaryIO) -> None:
    """Send items as they come, in messages of many, with what became of the report in between."""
    waiting: list[str] = []
    size, sent = 0, time.monotonic()
    first = True
    for item in items:
        waiting.append(messages.text_of([*since.changes(), item]))
        size += len(waiting[-1])
        if first or size > _BATCH or time.monotonic() - sent > _PATIENCE:
            messages.write(answers, _rows(waiting, report))
            waiting, size, sent, first = [], 0, time.monotonic(), False
    last = messages.text_of(since.changes())
    messages.write(answers, _rows(waiting, report, f',"last":{last}'))


def _rows(waiting: list[str], report: Report, more: str = "") -> str:
    state = messages.text_of([getattr(report, name) for name in messages.STATE])
    share = report.share_read()
    return f'{{"rows":[{",".join(waiting)}],"state":{state},"share":{share:.6f}{more}}}'


class _Since:
    """What was added to a report since one last asked: rows accepted, refusals that are listed, and those that are not."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._accepted = report.accepted
        self._listed = len(report.refused)
        self._count = report.refused_count

    def changes(self) -> list[Any]:
        report = self._report
        new = [[row.where, row.reason] for row in report.refused[self._listed :]]
        unlisted = report.refused_count - self._count - len(new)
        accepted = report.accepted - self._accepted
        self._accepted, self._count = report.accepted, report.refused_count
        self._listed = len(report.refused)
        return [accepted, new, unlisted]


def main(requests: int, answers: int) -> None:
    """What the child runs; both are file descriptors that it inherits."""
    with os.fdopen(requests, "rb") as reading, os.fdopen(answers, "wb") as writing:
        messages.write(writing, '{"ready":true}')
        serve(reading, writing)
