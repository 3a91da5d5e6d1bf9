"""What the commands print: bars, notes, reports of files; results on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from search.projects.errors import Refused
from search.projects.settings import settings
from terminal.options import ASK


@contextmanager
def running(project: Any, arguments: Sequence[str] | None = None) -> Iterator[Any]:
    """Run the block as a recorded run, with a bar on stderr where that is a terminal.

    Of several processes that torchrun started, the first records and speaks.

    :param arguments: the command line behind `cli.py` that does the same; None for that of this process.
    """
    from search.projects.progress import silent
    from search.projects.run_recorder import recorded

    if settings().rank:
        yield silent
        return
    with (
        bar() as progress,
        recorded(project, _without_questions(arguments or sys.argv[1:]), progress) as recorder,
    ):
        yield recorder


def _without_questions(arguments: Sequence[str]) -> list[str]:
    """A command line as it is recorded: without the questions in it, which others than its project's people could read."""
    return [
        "…" if before == ASK else f"{ASK}=…" if argument.startswith(f"{ASK}=") else argument
        for before, argument in zip(["", *arguments], arguments, strict=False)
    ]


def checkpoints_of(run: Any) -> Path | None:
    """Where the work of a run keeps how far it came; a process that only helps keeps nothing."""
    from search.projects.run_recorder import Recorder

    return run.run.checkpoints if isinstance(run, Recorder) else None


@contextmanager
def bar() -> Iterator[Any]:
    """A progress callable that draws a bar on stderr; plain lines where that is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def progress(
            done: float, total: float, message: str, metrics: dict[str, float] | None = None
        ) -> None:
            if line := _trial(message, metrics):
                console.print(line)
                return
            numbers = "".join(
                f"  {name} {value:.3f}"
                for name, value in (metrics or {}).items()
                if name not in ("step", "epoch") and not name.startswith("trial")
            )
            bar.update(task, completed=done, total=total or None, description=message + numbers)

        yield progress


def _trial(name: str, metrics: dict[str, float] | None) -> str | None:
    """A trial of auto's leaderboard as a line; None for any other report."""
    if metrics is None or "trial" not in metrics:
        return None
    from training.auto.leaderboard import OUTCOME, SCORE, SECONDS, TRIAL, Outcome

    score = f"{metrics[SCORE]:.3f} nDCG@10" if SCORE in metrics else "–"
    became = Outcome(int(metrics[OUTCOME])).words if metrics[TRIAL] else ""
    return f"{name:<36} {score:>14}  {metrics[SECONDS]:>6.0f} s  {became}".rstrip()


class _Lines:
    """Progress where nobody sees a bar move: one line on stderr for each new message."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(
        self, done: float, total: float, message: str, metrics: dict[str, float] | None = None
    ) -> None:
        if line := _trial(message, metrics):
            aside(line)
            return
        stem = message.split(":", maxsplit=1)[0]
        if stem != self._last:
            self._last = stem
            aside(message)


def key_values(pairs: Sequence[str]) -> dict[str, str]:
    """What was given as KEY=VALUE.

    :raises Refused: for anything else.
    """
    values = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise Refused(f"--set {pair} is not of the form KEY=VALUE.")
        values[key.strip()] = value.strip()
    return values


def tell_report(run: Any, report: Any, what: str) -> None:
    """Say what was understood of a file, and what was refused."""
    from search.corpus.readers.report import DELIMITERS

    roles = ", ".join(f"{role} from {column!r}" for role, column in report.roles.items())
    sign = f"delimiter {DELIMITERS.get(report.delimiter, repr(report.delimiter))}"
    usual = {("CSV", ","), ("TSV", "\t")}  # The format says it.
    named = not report.delimiter or (report.format, report.delimiter) in usual
    how = ", ".join(filter(None, (report.format, report.encoding, None if named else sign)))
    noun = what.removesuffix("s") if report.accepted == 1 else what
    understood = f"{report.source}: {how}, {report.accepted:,} {noun}"
    aside(understood + (f" ({roles})" if roles else "") + ".")
    tell_notes(run, [f"{report.source}: {note}" for note in report.notes])
    if report.refused_count:
        rows = "1 row" if report.refused_count == 1 else f"{report.refused_count:,} rows"
        shown = _first(report.refused, report.refused_count)
        tell_notes(run, [f"{report.source}: {rows} refused ({shown})"])


def tell_left_out(run: Any, refused: Sequence[Any]) -> None:
    """Say which files of an archive or folder did not come in."""
    if refused:
        files = "1 file" if len(refused) == 1 else f"{len(refused):,} files"
        tell_notes(run, [f"{files} left out ({_first(refused, len(refused))})"])


def _first(refused: Sequence[Any], count: int) -> str:
    shown = "; ".join(f"{row.where}: {row.reason.rstrip('.')}" for row in refused[:5])
    return shown + (f"; and {count - 5:,} more" if count > 5 else "")


def tell_notes(run: Any, notes: Sequence[str]) -> None:
    """Say notes, and keep them with the run."""
    for note in notes:
        run.note(note)
        aside(note)


def tell_comparison(comparison: Any, as_json: bool) -> None:
    """Print what several columns found, and how much they agree."""
    from search.evaluation.rankings.rank_similarity import rank_similarities

    for result in comparison.results:
        if result.note:
            aside(f"{result.model}: {result.note}")
    if as_json:
        print_json(comparison.as_json())
        return
    for result in comparison.results:
        spent = f"{result.ms:.0f} ms"
        if result.encode_ms:
            spent += f": {result.encode_ms:.0f} to encode, {result.search_ms:.0f} to search"
        say(f"\n{result.model} ({spent})")
        if result.relevance is not None and result.relevance.line:
            say(f"{result.relevance.line}.")
        for number, hit in enumerate(result.hits):
            title = f"{hit.title}: " if hit.title else ""
            text = " ".join(hit.passage.text.split())[:100]
            page = f" [p. {hit.passage.page}]" if hit.passage.page else ""
            tier = f" ({hit.tier})" if hit.tier else ""
            probable = "" if result.relevance is None else f"  {result.relevance.described(number)}"
            say(f"{hit.rank:>3}. {hit.score:.3f}{probable}  {hit.id}{page}{tier}  {title}{text}")
    for one in rank_similarities(comparison):
        say(
            f"\n{one.first} and {one.other} have {one.common} of {one.of} in common; rank-biased overlap "
            f"{one.biased_overlap:.2f}."
        )


def say(text: str) -> None:
    """Print a result."""
    typer.echo(text)


def aside(text: str) -> None:
    """Print what is not the result: to stderr. Of several processes, the first does."""
    if settings().rank:
        return
    if settings().run_folder is not None:  # It goes into the log of a run, which others read.
        from search.projects.quoting import without_quotations

        text = without_quotations(text, sys.argv[1:])
    typer.echo(text, err=True)


def print_json(content: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False))


def ask_before_deleting(lines: Sequence[str], yes: bool) -> None:
    """Say what will go, and ask once.

    :param yes: do not ask.
    :raises Refused: where nobody can be asked.
    """
    for line in lines:
        aside(line)
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("Nothing was deleted: there is nobody to ask here. Say --yes.")
    typer.confirm("Delete it for good?", abort=True, err=True)
