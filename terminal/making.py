"""Commands that make models and indexes, list them, and take them away."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from search.projects.errors import Refused
from terminal.options import AsJson, EncodeWith, Engine, Form, IndexKind, Precision, ThisProject
from terminal.printing import (
    aside,
    bar,
    checkpoints_of,
    key_values,
    print_json,
    running,
    say,
    tell_notes,
)
from terminal.shared import tell_trained, train_by

app = typer.Typer()


MilvusUri = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="The project's Milvus server, kept in its settings. BESPOKE_MILVUS_URI goes before it.",
    ),
]
TargetRecall = Annotated[
    float,
    typer.Option(min=0.5, max=1.0, help="Of the ten exact nearest, the share to find."),
]


@app.command()
def index(
    project: ThisProject,
    model: Annotated[
        str, typer.Option(help="The model to index with; bm25 for keyword search.")
    ] = "generic",
    engine: Annotated[Engine, typer.Option(help="Where the index lives.")] = "faiss",
    type_: Annotated[
        IndexKind, typer.Option("--type", help="How it searches; auto chooses by size.")
    ] = "auto",
    milvus_uri: MilvusUri = None,
    encode_with: Annotated[
        EncodeWith,
        typer.Option(help="ray: on the Ray cluster of RAY_ADDRESS, or one started here."),
    ] = "local",
    max_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="The most tokens to send, where a server computes the vectors."),
    ] = None,
    target_recall: TargetRecall = 0.98,
    as_json: AsJson = False,
) -> None:
    """Build the index of a model over the newest corpus."""
    from indexes.vector_index import IndexPlan
    from search.corpus.corpus import current_corpus
    from search.evaluation.query_sets.query_set import questions_of
    from search.models.registry import KEYWORD
    from search.projects.files import size_in_words
    from search.projects.runs import start
    from search.retrieval.bm25.store import build_keyword_index
    from search.retrieval.indexing.build import index_model, worn
    from search.retrieval.indexing.describe import index_json, index_sentence
    from search.retrieval.indexing.servers import remember_address
    from training.similarity_cost import similarity_notes

    with running(project) as run:
        if model == KEYWORD:
            made = build_keyword_index(project, *current_corpus(project), run)
            facts = made.details
            if as_json:
                print_json({"id": made.id, "model": model, **facts})
                return
            say(
                f"{facts['terms']:,} different words of {facts['passages']:,} passages in "
                f"{facts['seconds']:.1f} s ({size_in_words(facts['bytes'])})."
            )
            return
        if milvus_uri is not None:
            remember_address(project, milvus_uri)
        plan = IndexPlan(engine=engine, type=type_, target_recall=target_recall)
        made = index_model(
            project,
            model,
            progress=run,
            plan=plan,
            max_tokens=max_tokens,
            with_ray=encode_with == "ray",
            questions=questions_of(project),
        )
        tell_notes(run, made.details["encoding"].get("notes", []))
        tell_notes(run, similarity_notes(project, [model], run))
        if worn(made.details):
            again = ["index", project.name, "--model", model, "--type", made.details["type"]]
            again += ["--target-recall", str(target_recall)]
            start(project, again)
            tell_notes(
                run,
                [
                    "Much of what this index was built of has changed since. It can be searched as it is, and is "
                    "being built anew in the background."
                ],
            )
        run.result(id=made.id)
    if as_json:
        print_json(index_json(made))
    else:
        say(index_sentence(made.details))


@app.command()
def train(
    project: ThisProject,
    recipe: Annotated[
        str | None, typer.Option(help="auto, adapter, fine-tune, static, word2vec or fasttext.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the model.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the recipe (repeatable)."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Leave out every pair whose answer is relevant to a test or dev query: for a verdict on new documents.",
        ),
    ] = False,
    refit: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="In place of a recipe: train a model that was measured to be better once more, from all pairs, test and "
            "dev included. Steps, shares and settings are its own; nothing here can measure it.",
        ),
    ] = None,
) -> None:
    """Train a custom model by a recipe, or a winner once more from everything."""
    from training.checkpoints import Checkpointer
    from training.refit import refit as train_once_more

    with running(project) as run:
        values = key_values(set_ or [])
        if refit is None:
            if recipe is None:
                raise Refused(
                    f"Say by which recipe: python cli.py train {project.name} --recipe auto."
                )
            made = train_by(project, recipe, name, values, run, strict)
        else:
            if recipe is not None or values or strict:
                raise Refused(
                    "--refit repeats what a model was made by, so it goes without --recipe, --set and --strict."
                )
            again = train_once_more(project, refit, name, run, Checkpointer(checkpoints_of(run)))
            made = tell_trained(project, again, run)
        if made is not None:
            say(f"The model {made.name!r} is ready.")


@app.command()
def resume(
    project: ThisProject,
    run: Annotated[
        str | None, typer.Argument(help="The run's id; by default the newest that can be resumed.")
    ] = None,
) -> None:
    """Go on with a training that was cancelled or killed, from its last checkpoint."""
    from search.projects.locks import Owner
    from search.projects.runs import made_ready_again, stopped_run
    from search.projects.settings import child_environment

    found = stopped_run(project, run)
    os.set_inheritable(Owner.take(found.owner_file).handle, True)  # The command goes on owning it.
    stopped = made_ready_again(found)
    aside(stopped.command)
    command = [sys.executable, sys.argv[0], *stopped.arguments]
    os.execve(sys.executable, command, child_environment(stopped.folder))  # noqa: S606


@app.command()
def blend(
    project: ThisProject,
    model: Annotated[str, typer.Argument(help="A custom model that was trained from a start.")],
    share: Annotated[
        str | None,
        typer.Option(
            help="How much of the way from its start to what it learned, 0 to 1, or auto: what serves the dev queries "
            "best. Without it, the way is measured and nothing is published."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the new model.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the models between a custom model and its start, and publish one of them."""
    from training.interpolation.publish import blend as blended

    with running(project) as run:
        made = blended(project, model, share, name, run)
        tell_notes(run, list(made.notes))
        if made.name is not None:
            run.result(model=made.name, id=made.id)
    if as_json:
        print_json({"model": made.name, "id": made.id, "curve": asdict(made.curve)})
        return
    curve = made.curve
    say("of the way  dev nDCG@10  general questions")
    for at, dev, general in zip(curve.shares, curve.dev, curve.general, strict=True):
        marks = [
            mark for mark, place in (("best", curve.best), (model, curve.published)) if place == at
        ]
        say(f"{at:>10.0%}  {dev:>11.3f}  {general:>17.3f}  {', '.join(marks)}".rstrip())
    say(curve.sentence)
    if made.name is not None:
        say(f"The model {made.name!r} is ready.")


@app.command()
def models(project: ThisProject, as_json: AsJson = False) -> None:
    """List the models of a project."""
    from search.models.registry import GENERIC
    from search.models.registry import models as known_models

    listed = known_models(project)
    if as_json:
        print_json([info.as_json() for info in listed])
        return
    for info in listed:
        # Of several ready-made models one is called generic.
        kind = "custom" if info.kind == "custom" else "ready-made"
        called = f"{info.name} ({info.title})" if info.name == GENERIC else info.name
        say(
            f"{called:<28} {kind:<10} {info.recipe or '-':<12} {info.dimension:>5} dimensions  {info.created}"
            + ("  the same as its start" if info.is_start else "")
        )


@app.command()
def export(
    project: ThisProject,
    model: Annotated[str, typer.Argument(help="The model to write out.")],
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
    measured: Annotated[
        bool,
        typer.Option(
            "--measured",
            help="The model itself, though it was trained once more from everything (train --refit).",
        ),
    ] = False,
    format_: Annotated[
        Form, typer.Option("--format", help="What is to read it.")
    ] = "sentence-transformers",
    precision: Annotated[
        Precision, typer.Option(help="Bits of a weight; what fewer cost is measured.")
    ] = "fp32",
) -> None:
    """Write a model for other programs, after it was loaded again and held against the model on 200 texts."""
    from training.export.export import export as export_model

    with bar() as progress:
        notes = export_model(project, model, folder, measured, format_, precision, progress)
    for note in notes:
        aside(note)
    if format_ == "sentence-transformers":
        say(f"{model} is in {folder}. Load it anywhere: SentenceTransformer({str(folder)!r}).")
    else:
        say(f"{model} is in {folder}. How to use it stands in {folder / 'README.md'}.")


@app.command()
def push(
    project: ThisProject,
    model: Annotated[str, typer.Argument(help="The model to publish.")],
    repo: Annotated[str, typer.Argument(help="OWNER/NAME on the hub; made where it is not there.")],
    public: Annotated[bool, typer.Option("--public", help="Let everybody read it.")] = False,
    examples: Annotated[
        bool,
        typer.Option(
            "--examples",
            help="Three dev questions and the beginnings of their answers in the card. Without it no text of the corpus is.",
        ),
    ] = False,
    measured: Annotated[bool, typer.Option("--measured", help="As for export.")] = False,
    format_: Annotated[
        Form, typer.Option("--format", help="What is to read it.")
    ] = "sentence-transformers",
    precision: Annotated[Precision, typer.Option(help="Bits of a weight.")] = "fp32",
) -> None:
    """Export a model and put it onto the Hugging Face hub, private by default; the token is that of HF_TOKEN."""
    from training.export.push import push as push_model

    with bar() as progress:
        done = push_model(
            project, model, repo, public, examples, measured, format_, precision, progress
        )
    for note in done.notes:
        aside(note)
    say(f"{model} is at {done.url}, {'for you alone' if done.private else 'for everybody'}.")
