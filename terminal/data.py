"""Commands that bring data in and look at it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from search.projects.errors import Refused
from terminal.options import (
    AsJson,
    AskedQuestion,
    Delimiter,
    DocumentColumn,
    Encoding,
    GradeColumns,
    Grades,
    IdColumns,
    ProjectOfAnyFormat,
    ProjectToBe,
    QueryColumn,
    Tags,
    ThisProject,
    finish_deletions,
)
from terminal.printing import (
    aside,
    bar,
    print_json,
    running,
    say,
    tell_notes,
    tell_report,
)
from terminal.protocol import seal as seal_part
from terminal.shared import add_files

app = typer.Typer()


@app.command("import")
def import_(
    project: ProjectToBe,
    path: Annotated[
        Path, typer.Argument(help="A BEIR folder, a zip of one, or what bundle wrote.")
    ],
    query_column: QueryColumn = None,
    document_column: DocumentColumn = None,
    grade_column: GradeColumns = None,
    id_column: IdColumns = None,
    grades: Grades = None,
    passage_tokens: Annotated[
        int | None,
        typer.Option(
            help="Cut longer documents into passages of at most so many word pieces. Default: each stays one passage, so "
            "that figures compare with published ones."
        ),
    ] = None,
    question: AskedQuestion = None,
) -> None:
    """Bring in a BEIR data set: corpus, pairs from train, query set from test. A bundle is measured again."""
    from search.corpus.isolated import door
    from search.corpus.readers.judged import JudgedColumns
    from search.models.chunking import chunking_for
    from training.data.intake import import_beir
    from training.export import bundle

    if bundle.is_bundle(path):
        with bar() as progress:
            _, again = bundle.bring_in(path, project.name, progress)
        say(again.sentence if again else bundle.WITHOUT_TEXT.format(project.name))
        raise typer.Exit(1 if again and again.differs else 0)
    door.prepare()
    columns = JudgedColumns(query_column, document_column, grade_column, id_column, grades)
    with running(project) as run:
        cut = chunking_for(project, passage_tokens, again=True) if passage_tokens else None
        made = import_beir(project, path, run, columns, cut, question)
        tell_notes(run, made.notes)
        say(
            f"{made.documents:,} documents, {made.pairs:,} pairs to train on, {made.dev_queries:,} "
            f"dev queries, {made.test_queries:,} test queries."
        )


DocumentPer = Annotated[
    Literal["file", "paragraph", "line"] | None,
    typer.Option(
        help="What of a text file (.txt) is one document. Default: the file, unless it is a long "
        "list of lines or paragraphs."
    ),
]
PassageTokens = Annotated[
    int | None,
    typer.Option(
        help="Longer documents are cut into passages of at most so many word pieces; 0 keeps them "
        "whole. Default: what the project's models read (250 for all-MiniLM-L6-v2), or as the corpus is cut already."
    ),
]


@app.command()
def add(
    project: ProjectToBe,
    files: Annotated[
        list[Path],
        typer.Argument(help="Files, folders, ZIP or TAR.GZ archives of any readable format."),
    ],
    text_column: Annotated[
        str | None,
        typer.Option(help="The column that holds the text, or a path: body.parts[].text."),
    ] = None,
    title_column: Annotated[str | None, typer.Option(help="The column that holds titles.")] = None,
    id_column: Annotated[str | None, typer.Option(help="The column that holds ids.")] = None,
    metadata_column: Annotated[
        list[str] | None,
        typer.Option(help="A column kept as metadata (repeatable). Default: all the others."),
    ] = None,
    document_per: DocumentPer = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    passage_tokens: PassageTokens = None,
    overlap: Annotated[
        int | None, typer.Option(help="Word pieces that a passage repeats of the one before.")
    ] = None,
    tiers: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN=BEST,NEXT,...",
            help="Source tiers, the most binding first: type=case,statute,blog.",
        ),
    ] = None,
    replace_: Annotated[
        bool,
        typer.Option("--replace", help="A document whose id is taken replaces the old one."),
    ] = False,
) -> None:
    """Add documents from files; the project is made if it does not exist."""
    from search.corpus.filters import parse_tiers
    from search.corpus.ingest import IngestChoices
    from search.corpus.isolated import door
    from search.corpus.readers.documents import DocumentColumns

    door.prepare()
    metadata = tuple(filter(None, metadata_column)) if metadata_column else None
    choices = IngestChoices(
        columns=DocumentColumns(text_column, title_column, id_column, metadata, document_per),
        encoding=encoding,
        delimiter=delimiter,
        tiers=parse_tiers(tiers) if tiers else None,
        replace_changed=replace_,
    )
    with running(project) as run:
        made = add_files(project, files, choices, run, passage_tokens, overlap)
        added = made.added
        noun = "document" if added.written == 1 else "documents"
        changed = f", {added.replaced:,} replaced" if added.replaced else ""
        same = f" ({added.unchanged:,} were there already)" if added.unchanged else ""
        say(
            f"{added.written:,} {noun} added{changed}{same}; the corpus has {made.total:,} "
            f"in {made.passages:,} passages."
        )


@app.command()
def cut(
    project: ThisProject,
    passage_tokens: Annotated[
        int | None,
        typer.Option(
            help="The longest passage, in word pieces; 0 makes each document one passage. Default: what the project's "
            "models read, counted as the one that reads least counts."
        ),
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(help="Word pieces that a passage repeats of the one before.")
    ] = None,
) -> None:
    """Cut the documents again: a new version of the corpus; judgments, which are of documents, stay."""
    from search.corpus.ingest import cut_again, in_words
    from search.models.chunking import chunking_for

    with running(project) as run:
        chunking, pieces = chunking_for(project, passage_tokens, overlap, again=True)
        made = cut_again(project, chunking, pieces, run)
        run.result(id=made.id)
        details = made.details
        say(
            f"{details['documents']:,} documents in {details['passages']:,} passages: {in_words(chunking)}."
        )


@app.command()
def remove(
    project: ThisProject,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The ids of the documents.")],
) -> None:
    """Take documents out: a new version of the corpus without them; the version before stays."""
    from search.corpus.ingest import remove_documents
    from search.models.chunking import chunking_for

    with running(project) as run:
        made = remove_documents(project, ids, chunking_for(project)[1], run)
        run.result(id=made.id)
        say(f"{made.details['documents']:,} documents are left.")


@app.command()
def pairs(
    project: ProjectToBe,
    file: Annotated[
        Path,
        typer.Argument(
            help='JSON list of {"query", "response"}, JSONL, CSV, TSV, XLSX or Parquet.'
        ),
    ],
    query_column: QueryColumn = None,
    response_column: Annotated[str | None, typer.Option(help="The column of responses.")] = None,
    negative_column: Annotated[
        list[str] | None,
        typer.Option(help='A column of hard negatives (repeatable); "" for none.'),
    ] = None,
    document_column: Annotated[
        str | None,
        typer.Option(help='The column of ids of documents that answer; "" for none.'),
    ] = None,
    label_column: Annotated[
        list[str] | None,
        typer.Option(
            help="The column of labels or scores, of which 0, no ... makes a row a negative (repeatable, for several "
            'raters); "" for none.'
        ),
    ] = None,
    grades: Grades = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    add_responses: Annotated[
        bool,
        typer.Option("--add-responses", help="Make documents of responses not in the corpus."),
    ] = False,
    question: AskedQuestion = None,
) -> None:
    """Add query/response pairs; a fifth is held out as the query set if there is none."""
    from search.corpus.readers.pairs import PairColumns
    from training.data.intake import add_pairs

    negatives = tuple(negative_column) if negative_column else None
    labels = tuple(label_column) if label_column else None
    columns = PairColumns(query_column, response_column, negatives, document_column, labels, grades)
    with running(project) as run:
        made = add_pairs(project, file, columns, add_responses, run, encoding, delimiter, question)
        for report in made.reports:
            tell_report(run, report, "pairs")
        tell_notes(run, made.notes)
        held = f", {made.test_queries:,} held-out test queries" if made.test_queries else ""
        say(f"{made.pairs:,} pairs to train on, {made.dev_queries:,} dev queries{held}.")


@app.command()
def queries(
    project: ProjectOfAnyFormat,
    queries_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="QUERIES",
            help="Queries (JSONL, JSON, CSV, TSV or TREC topics), or one table of query, document id, grade.",
        ),
    ] = None,
    qrels: Annotated[
        Path | None,
        typer.Option(
            "--qrels",
            help="Judgments: BEIR or TREC qrels, tabs or commas, with a header or none. A table needs none.",
        ),
    ] = None,
    query_column: QueryColumn = None,
    document_column: DocumentColumn = None,
    grade_column: GradeColumns = None,
    grades: Grades = None,
    id_column: IdColumns = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    qrels_encoding: Annotated[
        str | None, typer.Option(help="As --encoding, of the file of judgments.")
    ] = None,
    qrels_delimiter: Annotated[
        str | None, typer.Option(help="As --delimiter, of the file of judgments.")
    ] = None,
    tags: Tags = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="FOLDER",
            help="Write the query sets as BEIR has them: the current one as FOLDER/queries.jsonl and "
            "FOLDER/qrels/test.tsv, each earlier one in FOLDER/earlier.",
        ),
    ] = None,
    question: AskedQuestion = None,
    seal: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Seal this part of the query set, such as 0.3, among queries that nothing has used yet: nobody reads its "
            "judgments until evaluate --open-seal.",
        ),
    ] = None,
) -> None:
    """Add a query set (queries with relevance judgments, never trained on), take the query sets out, or seal a part."""
    from search.corpus.readers.judged import JudgedColumns
    from search.evaluation.query_sets.add_query_set import add_query_set
    from search.evaluation.query_sets.query_set import export_query_sets

    if export is not None:
        if queries_file is not None or qrels is not None:
            raise Refused("--export takes query sets out, so it goes without QUERIES and --qrels.")
        count, mended = export_query_sets(project, export)
        if mended:
            ids = "1 id" if mended == 1 else f"{mended:,} ids"
            aside(f"{ids} had a line break or a tab in them, which no table can hold: spaces now.")
        say(f"{count:,} query {'set' if count == 1 else 'sets'} written to {export}.")
        return
    if seal is not None:
        if queries_file is not None or qrels is not None:
            raise Refused(
                "--seal is for the query set that is there, so it goes without QUERIES and --qrels."
            )
        seal_part(project, seal)
        return
    _ = project.info  # Query sets come out of a project of any format; into one, of today's only.
    if queries_file is None:
        raise Refused(
            f"Say what to add: python cli.py queries {project.name} QUERIES --qrels QRELS; or where to write the query "
            f"sets: python cli.py queries {project.name} --export FOLDER."
        )
    if qrels is None and (qrels_encoding or qrels_delimiter):
        raise Refused("--qrels-encoding and --qrels-delimiter go with --qrels.")
    columns = JudgedColumns(query_column, document_column, grade_column, id_column, grades)
    with running(project) as run:
        qrels_as = (qrels_encoding, qrels_delimiter)
        made = add_query_set(
            project, queries_file, qrels, columns, encoding, delimiter, qrels_as, tags, question
        )
        for report in made.reports:
            tell_report(run, report, "judgments" if "document" in report.roles else "queries")
        tell_notes(run, made.notes)
        say(f"{made.queries:,} test queries.")


@app.command()
def sample(
    project: ProjectToBe,
    key: Annotated[str, typer.Argument(metavar="SAMPLE", help="medical or legal.")],
) -> None:
    """Make a sample project of real data, with a model that was trained on it and the verdict."""
    from search.models.registry import named
    from training.samples import SAMPLES, create_sample

    with running(project) as run:
        made = create_sample(project, key, run)
        both = named(project, SAMPLES[key].model) is not None
        ready = "two models are there and measured" if both else "indexed with the generic model"
        say(
            f"{made.documents:,} documents, {made.pairs:,} pairs to train on, {made.dev_queries:,} "
            f"dev queries, {made.test_queries:,} test queries; {ready}."
        )


@app.command()
def report(project: ThisProject, as_json: AsJson = False) -> None:
    """Look at documents and pairs: what they are like, and what to fix first."""
    from training.data.reports import make_report

    with running(project) as run:
        made = make_report(project, run).details
    if as_json:
        print_json(made)
        return
    corpus = made["corpus"]
    say(f"{corpus['documents']:,} documents, {corpus['words']:,} words.")
    for finding in corpus["findings"]:
        say(f"- {finding}")
    if "pairs" in made:
        say(f"{made['pairs']['pairs']:,} pairs.")
        for advice in made["pairs"]["advice"]:
            say(f"- {advice}")


@app.command()
def projects() -> None:
    """List the projects of the workspace."""
    from search.projects.project import projects as known

    finish_deletions()
    for project in known():
        say(project.name)
