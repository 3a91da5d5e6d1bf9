"""The verdict as something to hand over: a page, JSON, and an exit status for jobs that run at night."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from terminal.options import ThisProject
from terminal.printing import aside, running, say
from terminal.shared import measure

app = typer.Typer()
_RED = 3


@app.command()
def verdict(
    project: ThisProject,
    model: Annotated[
        str | None,
        typer.Option(help="The column in question. Default: the newest custom model."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="What it is compared with. Default: as in its newest evaluation."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write one file to hand over: FILE.html for people (no script, no network), FILE.json for programs.",
        ),
    ] = None,
    no_text: Annotated[
        bool,
        typer.Option(
            "--no-text", help="Leave every text of documents and questions out of what is written."
        ),
    ] = False,
    fail_on: Annotated[
        Literal["worse", "not-better"] | None,
        typer.Option(help="End with exit status 3 where the verdict is worse, or is not better."),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the verdict as a test case of JUnit's XML."),
    ] = None,
) -> None:
    """Say which column is better, and write it down for others; measures what was not measured yet."""
    from search.insight.verdict_page import choose, files

    if out is not None:
        files.check_path(out)
    if junit is not None:
        files.check_folder(junit)
    candidate = choose.candidate_of(project, model, against)
    measured = choose.find_measured(project, candidate, against)
    if measured is None:
        named = choose.columns_to_measure(candidate, against) if model or against else []
        with running(project) as run:
            measure(project, named, run, watching=fail_on == "worse")
        measured = choose.find_measured(project, candidate, against)
        assert measured is not None
    if out is not None:
        files.write(out, files.written(measured, out.suffix.lower(), not no_text))
        aside(f"Written to {out}.")
    if junit is not None:
        files.write(junit, files.junit(measured, fail_on))
    say(measured.headline)
    say(measured.test.sentence(len(measured.result.queries)))
    if files.failure(measured, fail_on):
        raise typer.Exit(_RED)
