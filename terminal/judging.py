"""Commands about blind judgments: line questions up, see what the votes say, take judgments out and in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from search.projects.errors import Refused
from terminal.options import (
    ASK,
    AsJson,
    DocumentColumn,
    GradeColumns,
    Grades,
    IdColumns,
    ProjectOfAnyFormat,
    QueryColumn,
    ThisProject,
)
from terminal.printing import aside, print_json, running, say, tell_notes

if TYPE_CHECKING:
    from search.judging.aggregation import Combine
    from search.judging.setup import Setup
    from search.projects.project import Project

app = typer.Typer()

Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        help="One of the two columns that are compared (give it twice): generic, a model, bm25, hybrid:MODEL "
        "... Default: as last time; at first generic and the newest custom model.",
    ),
]


@app.command()
def questions(
    project: ThisProject,
    column: Columns = None,
    show: Annotated[
        Literal["lists", "mixed"] | None,
        typer.Option(help="Two lists side by side, or one mixed list (team draft)."),
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Documents in a list, 3 to 10.")] = None,
    goal: Annotated[
        int | None,
        typer.Option(help="How many questions of the query set: those where the two differ most."),
    ] = None,
    reveal: Annotated[
        Literal["after", "never"] | None,
        typer.Option(help="Whether judges may see, after a vote, which side was which."),
    ] = None,
    sample: Annotated[
        bool,
        typer.Option(
            "--sample",
            help="Line up a random sample of what nobody judged and only one of two measured columns shows: 40 documents, then "
            "80, at most 160.",
        ),
    ] = False,
    pool: Annotated[
        bool,
        typer.Option(
            "--pool",
            help="Line up, for the project's own questions, what keyword search, generic and the newest custom model (or each "
            "--column) show first: graded blind, it becomes a query set.",
        ),
    ] = False,
    ask: Annotated[
        list[str] | None, typer.Option(ASK, help="One more question (repeatable).")
    ] = None,
) -> None:
    """Line questions up for blind votes: search each with both columns; missing indexes are built."""
    from dataclasses import replace

    from search.judging.prepare import prepare_questions

    if sample:
        _line_up_sample(project, column or [])
        return
    if pool:
        _line_up_pool(project, column or [], ask or [])
        return
    known = _setup(project, column)
    setup = replace(
        known,
        layout=show or known.layout,
        depth=known.depth if depth is None else depth,
        goal=known.goal if goal is None else goal,
        reveal=reveal or known.reveal,
    )
    with running(project) as run:
        made = prepare_questions(project, setup, ask or (), run)
        tell_notes(run, made.notes)
        say(f"{made.questions:,} questions are lined up, {made.searched:,} of them searched now.")


def _line_up_pool(project: "Project", columns: list[str], texts: list[str]) -> None:
    """Line up what several columns show first for the project's own questions."""
    from search.judging.own_questions import OwnQuestion, ask_own
    from search.judging.pooling import line_up_pool

    with running(project) as run:
        if texts:
            ask_own(project, "Somebody", [OwnQuestion(text) for text in texts])
        made = line_up_pool(project, columns, run)
        asked = len({question for question, _, _ in made.items})
        say(
            f"{len(made.items):,} documents for {asked:,} questions are lined up on the page Judge, one at a time and without "
            "names. What is graded becomes the query set."
        )


def _line_up_sample(project: "Project", columns: list[str]) -> None:
    """Line up what the newest evaluation wants graded."""
    from search.judging.sample import line_up_sample

    made = line_up_sample(project, columns)
    if made is None:
        say(
            "Nothing is left to grade: what only one side has in its first ten is judged, or was graded."
        )
        return
    say(
        f"{len(made.items):,} documents are lined up on the page Judge, one at a time and without names. Then measure again."
    )


ExportFile = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="FILE",
        help="Write FILE: .csv for all votes and grades, .jsonl for the questions, else TREC qrels.",
    ),
]
ImportFile = Annotated[
    Path | None,
    typer.Option(
        "--import",
        metavar="FILE",
        help="Read such a CSV, a table of query, document and grade, or qrels (BEIR or TREC).",
    ),
]


@app.command()
def judgments(
    project: ProjectOfAnyFormat,
    column: Columns = None,
    export: ExportFile = None,
    import_: ImportFile = None,
    judge: Annotated[
        str,
        typer.Option(help="With --import of qrels: who gave the grades. Default: the file's name."),
    ] = "",
    queries: Annotated[
        Path | None,
        typer.Option(
            help="With --import of qrels: the texts of questions that are not known here."
        ),
    ] = None,
    query_column: QueryColumn = None,
    document_column: DocumentColumn = None,
    grade_column: GradeColumns = None,
    id_column: IdColumns = None,
    grades: Grades = None,
    combine: Annotated[
        Literal["median", "majority", "strict"],
        typer.Option(help="How the grades of several judges become one."),
    ] = "median",
    to_queries: Annotated[
        bool, typer.Option("--to-queries", help="Make a query set of the graded questions.")
    ] = False,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", help="With --to-queries: keep the earlier query set's queries, too."
        ),
    ] = False,
    to_pairs: Annotated[
        bool,
        typer.Option(
            "--to-pairs",
            help="Make training pairs and hard negatives. With --to-queries: divide the questions.",
        ),
    ] = False,
    test_share: Annotated[
        float,
        typer.Option(help="With both: the share that is held out to test on.", min=0.1, max=0.9),
    ] = 0.5,
    restore: Annotated[
        bool,
        typer.Option(
            "--restore",
            help="Where the file of votes is damaged: bring the newest whole copy back, and what can be read of later votes.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """See what blind judgments say; export and import them; make a query set or training pairs of them."""
    from search.corpus.readers.judged import JudgedColumns
    from search.judging import import_export
    from search.judging.aggregation import Combine

    alone = export is not None and not (import_ or to_queries or to_pairs or as_json)
    if not alone:
        _ = (
            project.info
        )  # Votes come out of a project of any format; for all else it must be of today's.
    how = Combine(combine)
    if restore:
        _restore(project)
        return
    if merge and (to_pairs or not to_queries):
        raise Refused("--merge goes with --to-queries alone.")
    if import_ is not None:
        columns = JudgedColumns(query_column, document_column, grade_column, id_column, grades)
        brought = import_export.import_judgments(project, import_, judge, queries, columns)
        for note in brought.notes:
            aside(note)
        aside(f"{brought.judgments:,} judgments came in.")
    if export is not None:
        import_export.export(project, export, how)
        aside(f"Written to {export}.")
    if to_queries or to_pairs:
        _make(project, how, to_queries, to_pairs, merge, test_share)
    elif as_json or (import_ is None and export is None):
        _tell(project, _setup(project, column), as_json)


def _restore(project: "Project") -> None:
    """Bring damaged votes back."""
    from search.judging.restoring import restore
    from search.judging.store import JudgmentStore

    store = JudgmentStore.of(project)
    day, later = restore(store.path)
    begun = f"The copy of {day} was brought back" if day else "There was no whole copy"
    aside(
        f"{begun}, and {later:,} votes and grades that could be read of the damaged file were added; it is kept beside "
        f"it. {len(store.history()):,} are there now."
    )


def _make(
    project: "Project",
    how: "Combine",
    to_queries: bool,
    to_pairs: bool,
    merge: bool,
    test_share: float,
) -> None:
    """Turn judgments into artifacts."""
    from search.judging.to_query_set import publish_judged_queries
    from training.data.from_judgments import add_judged_pairs, divide_judgments

    with running(project) as run:
        if to_queries and to_pairs:
            made = divide_judgments(project, how, test_share, run)
            tell_notes(run, [*made.queries.notes, *made.pairs.notes])
            say(f"{made.queries.queries:,} test queries; {made.pairs.pairs:,} pairs to train on.")
        elif to_queries:
            published = publish_judged_queries(project, how, merge)
            tell_notes(run, published.notes)
            say(f"{published.queries:,} test queries.")
        else:
            added = add_judged_pairs(project, how, run)
            tell_notes(run, added.notes)
            say(f"{added.pairs:,} pairs to train on, {added.dev_queries:,} dev queries.")


def _tell(project: "Project", setup: "Setup", as_json: bool) -> None:
    from search.judging.summary import summary

    made = summary(project, setup)
    if as_json:
        print_json(made.as_json())
        return
    for line in made.lines:
        say(line)


def _setup(project: "Project", columns: list[str] | None) -> "Setup":
    """The set-up of the project, with other columns where they were given."""
    from dataclasses import replace

    from search.judging.setup import default_setup, saved_setup

    setup = saved_setup(project) or default_setup(project)
    if not columns:
        return setup
    if len(columns) != 2:
        raise Refused("Give --column twice: two columns are compared.")
    return replace(setup, one=columns[0], other=columns[1]).checked(project)
