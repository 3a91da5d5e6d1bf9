"""The terminal face: each command calls one core function and prints what it returns."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from search.errors import BespokeError, Refused
from terminal import (
    aside,
    bar,
    key_values,
    print_json,
    running,
    say,
    tell_left_out,
    tell_notes,
    tell_report,
)

app = typer.Typer(
    help="Is a custom embedding worth it for my corpus? Import, train, search, prove.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
# What a wrong option raises. Typer exports only this more special one.
_UsageError: Any = typer.BadParameter.__mro__[1]

ProjectName = Annotated[str, typer.Argument(metavar="PROJECT", help="Name of the project.")]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="A model's name (repeatable): generic, a custom one, or bm25 for keyword search. "
        "Default: generic and the newest custom model.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Encoding = Annotated[
    str | None,
    typer.Option(help="How letters are stored: utf-8, cp1252, utf-16 ... Default: found out."),
]
Delimiter = Annotated[
    str | None, typer.Option(help="What parts the columns of a CSV. Default: found out.")
]


class Engine(StrEnum):
    """Where an index lives."""

    FAISS = "faiss"


class IndexKind(StrEnum):
    """How an index searches."""

    AUTO = "auto"
    FLAT = "flat"


@app.command("import")
def import_(
    project: ProjectName,
    path: Annotated[Path, typer.Argument(help="A BEIR folder, or a zip of one.")],
) -> None:
    """Bring in a BEIR data set: corpus, pairs from train, query set from test."""
    from search.workspace import project_to_be
    from training.intake import import_beir

    with running(project_to_be(project)) as run:
        made = import_beir(project_to_be(project), path, run)
        tell_notes(run, made.notes)
        say(
            f"{made.documents:,} documents, {made.pairs:,} pairs to train on, {made.dev_queries:,} "
            f"dev queries, {made.test_queries:,} test queries."
        )


@app.command()
def add(
    project: ProjectName,
    files: Annotated[
        list[Path],
        typer.Argument(help="Files, folders, ZIP or TAR.GZ archives of any readable format."),
    ],
    text_column: Annotated[str | None, typer.Option(help="The column that holds the text.")] = None,
    title_column: Annotated[str | None, typer.Option(help="The column that holds titles.")] = None,
    id_column: Annotated[str | None, typer.Option(help="The column that holds ids.")] = None,
    metadata_column: Annotated[
        list[str] | None,
        typer.Option(help="A column kept as metadata (repeatable). Default: all the others."),
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    passage_tokens: Annotated[
        int | None,
        typer.Option(
            help="Longer documents are cut into passages of at most so many word pieces; 0 keeps them "
            "whole. Default: 250, or as the corpus is cut already."
        ),
    ] = None,
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
    replace: Annotated[
        bool,
        typer.Option("--replace", help="A document whose id is taken replaces the old one."),
    ] = False,
) -> None:
    """Add documents from files; the project is made if it does not exist."""
    from search.adding import Choices, add_documents
    from search.filters import parse_tiers
    from search.readers.documents import DocumentColumns
    from search.workspace import project_to_be

    metadata = tuple(filter(None, metadata_column)) if metadata_column else None
    choices = Choices(
        columns=DocumentColumns(text_column, title_column, id_column, metadata),
        encoding=encoding,
        delimiter=delimiter,
        tokens=passage_tokens,
        overlap=overlap,
        tiers=parse_tiers(tiers) if tiers else None,
        replace_changed=replace,
    )
    with running(project_to_be(project)) as run:
        made = add_documents(project_to_be(project), files, choices, run)
        for report in made.reports:
            tell_report(run, report, "documents")
        tell_left_out(run, made.listed)
        tell_notes(run, made.notes)
        added = made.added
        noun = "document" if added.written == 1 else "documents"
        changed = f", {added.replaced:,} replaced" if added.replaced else ""
        same = f" ({added.unchanged:,} were there already)" if added.unchanged else ""
        say(
            f"{added.written:,} {noun} added{changed}{same}; the corpus has {made.total:,} "
            f"in {made.passages:,} passages."
        )


@app.command()
def pairs(
    project: ProjectName,
    file: Annotated[
        Path,
        typer.Argument(
            help='JSON list of {"query", "response"}, JSONL, CSV, TSV, XLSX or Parquet.'
        ),
    ],
    query_column: Annotated[str | None, typer.Option(help="The column of queries.")] = None,
    response_column: Annotated[str | None, typer.Option(help="The column of responses.")] = None,
    negative_column: Annotated[
        list[str] | None,
        typer.Option(help='A column of hard negatives (repeatable); "" for none.'),
    ] = None,
    document_column: Annotated[
        str | None,
        typer.Option(help='The column of ids of documents that answer; "" for none.'),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="What the file was saved in, for example cp1252.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What parts the columns of a CSV file.")
    ] = None,
    add_responses: Annotated[
        bool,
        typer.Option("--add-responses", help="Make documents of responses not in the corpus."),
    ] = False,
) -> None:
    """Add query/response pairs; a fifth is held out as the query set if there is none."""
    from search.readers.pairs import PairColumns
    from search.workspace import project_to_be
    from training.intake import add_pairs

    negatives = tuple(negative_column) if negative_column else None
    columns = PairColumns(query_column, response_column, negatives, document_column)
    with running(project_to_be(project)) as run:
        made = add_pairs(
            project_to_be(project), file, columns, add_responses, run, encoding, delimiter
        )
        for report in made.reports:
            tell_report(run, report, "pairs")
        tell_notes(run, made.notes)
        held = f", {made.test_queries:,} held-out test queries" if made.test_queries else ""
        say(f"{made.pairs:,} pairs to train on, {made.dev_queries:,} dev queries{held}.")


@app.command()
def queries(
    project: ProjectName,
    queries_file: Annotated[
        Path,
        typer.Argument(
            metavar="QUERIES",
            help="Queries (JSONL, JSON, CSV, TSV or TREC topics), or one table of query, document id, grade.",
        ),
    ],
    qrels: Annotated[
        Path | None,
        typer.Option("--qrels", help="Judgments: BEIR or TREC qrels. A table needs none."),
    ] = None,
    query_column: Annotated[str | None, typer.Option(help="A table's column of queries.")] = None,
    document_column: Annotated[
        str | None, typer.Option(help="A table's column of document ids.")
    ] = None,
    grade_column: Annotated[
        str | None,
        typer.Option(help='A table\'s column of grades; "" for none (each row counts 1).'),
    ] = None,
) -> None:
    """Add a query set: queries with relevance judgments, never trained on."""
    from search.query_sets import add_query_set
    from search.readers.judgments import JudgedColumns
    from search.workspace import project as existing

    columns = JudgedColumns(query_column, document_column, grade_column)
    with running(existing(project)) as run:
        made = add_query_set(existing(project), queries_file, qrels, columns)
        tell_notes(run, made.notes)
        say(f"{made.queries:,} test queries.")


@app.command()
def sample(
    project: ProjectName,
    key: Annotated[str, typer.Argument(metavar="SAMPLE", help="medical or legal.")],
) -> None:
    """Make a sample project of real data, searchable with the generic model."""
    from search.workspace import project_to_be
    from training.samples import create_sample

    with running(project_to_be(project)) as run:
        made = create_sample(project_to_be(project), key, run)
        say(
            f"{made.documents:,} documents, {made.pairs:,} pairs to train on, {made.dev_queries:,} "
            f"dev queries, {made.test_queries:,} test queries; indexed with the generic model."
        )


@app.command()
def index(
    project: ProjectName,
    model: Annotated[str, typer.Option(help="The model to index with.")] = "generic",
    engine: Annotated[Engine, typer.Option(help="Where the index lives.")] = Engine.FAISS,
    type_: Annotated[
        IndexKind, typer.Option("--type", help="How it searches; auto is exact (flat) here.")
    ] = IndexKind.AUTO,
) -> None:
    """Build the index of a model over the newest corpus."""
    from search.indexing import index_model
    from search.workspace import project as existing

    with running(existing(project)) as run:
        made = index_model(existing(project), model, progress=run)
        facts = made.details
        say(
            f"{facts['vectors']:,} vectors of {facts['dimension']} dimensions in "
            f"{facts['seconds']:.1f} s ({facts['bytes'] / 1e6:.1f} MB, {facts['type']}, {engine})."
        )


@app.command()
def train(
    project: ProjectName,
    recipe: Annotated[str, typer.Option(help="adapter, fine-tune, word2vec or fasttext.")],
    name: Annotated[str | None, typer.Option(help="What to call the model.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the recipe (repeatable)."),
    ] = None,
) -> None:
    """Train a custom model by a recipe."""
    from search.workspace import project as existing
    from training.train import train as train_model

    with running(existing(project)) as run:
        made = train_model(existing(project), recipe, name, key_values(set_ or []), run)
        tell_notes(run, made.notes)
        run.result(model=made.name, id=made.id)
        say(f"The model {made.name!r} is ready.")


@app.command()
def search(
    project: ProjectName,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    model: Models = None,
    k: Annotated[int, typer.Option("-k", help="How many hits.")] = 10,
    filter_: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="CONDITION",
            help="Only documents with this metadata (repeatable): type=case,statute or year>=2015.",
        ),
    ] = None,
    by_tier: Annotated[
        bool, typer.Option("--by-tier", help="Better source tiers first (see add --tiers).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Search with several models; missing indexes are built first."""
    from search.engine import compare
    from search.filters import Scope, parse_condition
    from search.workspace import project as existing

    scope = Scope(tuple(map(parse_condition, filter_ or ())), tiers_first=by_tier)
    with bar() as progress:
        found = compare(existing(project), query, model or (), k, progress, scope)
    for result in found.results:
        if result.note:
            aside(f"{result.model}: {result.note}")
    if as_json:
        print_json(found.as_json())
        return
    for result in found.results:
        say(f"\n{result.model} ({result.ms:.0f} ms)")
        for hit in result.hits:
            title = f"{hit.title}: " if hit.title else ""
            text = " ".join(hit.passage.text.split())[:100]
            place = f" [p. {hit.passage.page}]" if hit.passage.page else ""
            tier = f" ({hit.tier})" if hit.tier else ""
            say(f"{hit.rank:>3}. {hit.score:.3f}  {hit.id}{place}{tier}  {title}{text}")


@app.command()
def evaluate(project: ProjectName, model: Models = None, as_json: AsJson = False) -> None:
    """Compare models on held-out queries: metrics, intervals, paired tests, a verdict."""
    from search.evaluation import METRICS
    from search.evaluation import evaluate as evaluate_models
    from search.workspace import project as existing

    with running(existing(project)) as run:
        result = evaluate_models(existing(project), model or (), run)
        tell_notes(run, result.notes)
    if as_json:
        print_json(result.as_json())
        return
    say(f"{'':<24}" + "".join(f"{metric:>12}" for metric in METRICS))
    for name in result.scores:
        means = result.means(name)
        say(f"{name:<24}" + "".join(f"{means[metric]:>12.3f}" for metric in METRICS))
    for test in result.comparisons:
        say(
            f"{test.sentence(len(result.queries))} p = {test.p_value:.4f}; {test.wins:,} wins, "
            f"{test.ties:,} ties, {test.losses:,} losses."
        )


@app.command()
def models(project: ProjectName, as_json: AsJson = False) -> None:
    """List the models of a project."""
    from search.encoders import models as known_models
    from search.workspace import project as existing

    known = [info.as_json() for info in known_models(existing(project))]
    if as_json:
        print_json(known)
        return
    for info in known:
        say(
            f"{info['name']:<24} {info['kind']:<8} {info['recipe'] or '-':<12} "
            f"{info['dim']:>5} dimensions  {info['created']}"
        )


@app.command()
def report(project: ProjectName, as_json: AsJson = False) -> None:
    """Look at documents and pairs: what they are like, and what to fix first."""
    from search.workspace import project as existing
    from training.reports import make_report

    with running(existing(project)) as run:
        made = make_report(existing(project), run).details
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
def versions(
    project: ProjectName,
    number: Annotated[
        int | None, typer.Argument(help="A version by its number. Default: all of them.")
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the version, and what was made of it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the versions of the corpus, compare one with the one before, or delete it."""
    from search.versions import delete_version, told_versions
    from search.versions import version as by_number
    from search.workspace import project as existing

    found = existing(project)
    if delete:
        if number is None:
            raise Refused("Say which version to delete: python cli.py versions PROJECT 2 --delete.")
        gone = delete_version(found, by_number(found, number))
        say(f"Version {number} is deleted, and {len(gone):,} indexes and evaluations of it.")
        return
    told = told_versions(found, number)
    if as_json:
        print_json([one.as_json() for one in told])
        return
    for one in told:
        say(one.sentence)


@app.command()
def words(
    project: ProjectName,
    model: Annotated[str, typer.Argument(help="A Word2Vec or FastText model.")],
    word: Annotated[str, typer.Argument(help="The word to look around.")],
) -> None:
    """Show the words nearest to a word under a word-vector model."""
    from search.words import nearest_words
    from search.workspace import project as existing

    found = nearest_words(existing(project), model, word)
    if found.note:
        aside(found.note)
    for near, cosine in found.words:
        say(f"{cosine:.3f}  {near}")


@app.command()
def export(
    project: ProjectName,
    model: Annotated[str, typer.Argument(help="The model to write out.")],
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
) -> None:
    """Write a model as a standard SentenceTransformer folder."""
    from search.workspace import project as existing
    from training.export import export as export_model

    for note in export_model(existing(project), model, folder):
        aside(note)
    say(f"{model} is in {folder}. Load it anywhere: SentenceTransformer({str(folder)!r}).")


@app.command()
def projects() -> None:
    """List the projects of the workspace."""
    from search.workspace import projects as known

    for project in known():
        say(project.name)


def main() -> None:
    """Run a command; a refusal or failure is one clear line on stderr, never a traceback."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except _UsageError as error:
        said = " ".join(str(error.format_message()).split()).rstrip(".")
        aside(f"{said}. See: python cli.py --help.")
        sys.exit(2)
    except typer.Abort:
        aside("Cancelled.")
        sys.exit(1)
    except BespokeError as error:
        aside(" ".join(str(error).split()))
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        aside("Cancelled.")
        sys.exit(1)
    except OSError as error:
        aside(f"The work failed: {error.strerror or error} ({error.filename or 'no file named'}).")
        sys.exit(1)


if __name__ == "__main__":
    main()
