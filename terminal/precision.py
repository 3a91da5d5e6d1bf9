"""Commands for the two classes of precision: a model in eight bits, and a verdict measured again in full."""

from typing import Annotated

import typer

from search.projects.errors import Refused
from terminal.options import ThisProject
from terminal.printing import running, say, tell_notes

app = typer.Typer()

Name = Annotated[str | None, typer.Option(help="What to call the model that is made.")]


@app.command()
def fast(
    project: ThisProject,
    model: Annotated[
        str,
        typer.Argument(help="A ready-made transformer, or an adapter on one that is fast already."),
    ] = "generic",
    name: Name = None,
    default: Annotated[
        bool, typer.Option("--default", help="Make it the model that is called generic.")
    ] = False,
) -> None:
    """Make a model's twin in eight bits: faster where the processor has VNNI or AMX, kept only where it is close enough."""
    from search.models.registry import EIGHT_BIT, find_model
    from training.quantizing.crossing import twin
    from training.quantizing.making import make_fast

    with running(project) as run:
        if (info := find_model(project, model)).kind == "custom":
            if default:
                raise Refused("Only a ready-made model can be called generic, not an adapter.")
            made, notes = twin(project, model, name, run), []
            notes = project.artifact("models", made.id).details["notes"]
        else:
            result = make_fast(project, model, name, default, run)
            made, notes = result.info, result.notes
        tell_notes(run, notes)
        run.result(model=made.name, id=made.id)
    how = (
        "in eight bits"
        if made.format == EIGHT_BIT
        else f"on the fast twin of what {info.name} stands on"
    )
    say(
        f"The model {made.name!r} is ready, {how}: python cli.py index {project.name} --model {made.name}"
    )


@app.command()
def full(
    project: ThisProject,
    model: Annotated[
        str, typer.Argument(help="An adapter that was trained on a model in eight bits.")
    ],
    name: Name = None,
) -> None:
    """Measure a verdict again in full precision: the adapter's twin against the model beneath, both in full."""
    from search.evaluation.evaluate import evaluate
    from search.models.registry import FAST, base_of, find_model, precision_of
    from training.quantizing.crossing import twin

    info = find_model(project, model)
    if precision_of(project, info) != FAST or info.kind != "custom":
        raise Refused(
            f"{model!r} is no adapter in eight bits: what is measured of it is in full already."
        )
    with running(project) as run:
        made = twin(project, model, name, run)
        base = base_of(project, project.artifact("models", made.id))
        assert base is not None  # It was made on it a moment ago.
        result = evaluate(project, [base.name, made.name], run)
        tell_notes(run, result.notes)
        run.result(model=made.name, id=made.id)
    say(f"In full precision, {made.name} against {base.name}:")
    for sentence in result.sentences:
        say(sentence)
