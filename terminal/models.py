"""Commands for the ready-made models of a project."""

from typing import Annotated

import typer

from terminal.options import ProjectName
from terminal.printing import running, say, tell_notes

app = typer.Typer()


@app.command("add-model")
def add_model(
    project: ProjectName,
    reference: Annotated[
        str,
        typer.Argument(
            help="A folder, a hub id (intfloat/e5-small-v2), static, one of OpenAI's models "
            "(text-embedding-3-small), or with --base-url the name of a model at that server."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What to call it here.")] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Make it the model that is called generic.")
    ] = False,
    query_prompt: Annotated[
        str | None, typer.Option(help='Text before each query; "" for none. Default: the model\'s.')
    ] = None,
    document_prompt: Annotated[
        str | None, typer.Option(help='Text before each document; "" for none.')
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="The longest text, in the model's tokens; the rest is cut.")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="An OpenAI-compatible server, for example http://localhost:11434/v1."),
    ] = None,
    model_id: Annotated[
        str | None, typer.Option(help="The model's name at the server, if not REFERENCE.")
    ] = None,
    key_variable: Annotated[
        str | None,
        typer.Option(
            help="The environment variable that holds the key, for example OPENAI_API_KEY."
        ),
    ] = None,
    dimensions: Annotated[
        int | None, typer.Option(help="Ask the server for shorter vectors (text-embedding-3-*).")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="The most tokens that one command may send.")
    ] = None,
    price: Annotated[
        float | None, typer.Option(help="Dollars for a million tokens, for estimates.")
    ] = None,
    batch_texts: Annotated[int | None, typer.Option(help="The most texts in a request.")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="The most tokens in a request.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(help="The most requests.")] = None,
    tokens_per_minute: Annotated[int | None, typer.Option(help="The most tokens.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds to wait for an answer.")] = None,
    retries: Annotated[
        int | None, typer.Option(help="How often to ask again after a failure that may pass.")
    ] = None,
) -> None:
    """Add a ready-made model: it is loaded and tried before it is noted."""
    from search.models.pretrained.add import Choices, check_server
    from search.models.pretrained.add import add_model as add
    from search.projects.project import project as existing

    server = {
        "base_url": base_url,
        "model": model_id,
        "key_variable": key_variable,
        "dimensions": dimensions,
        "max_tokens": max_tokens,
        "price": price,
        "batch_texts": batch_texts,
        "batch_tokens": batch_tokens,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "timeout": timeout,
        "retries": retries,
    }
    given = {key: value for key, value in server.items() if value is not None}
    choices = Choices(name, query_prompt, document_prompt, max_length, default, given)
    check_server(reference, choices)  # Before the command is noted: it may hold a key by mistake.
    with running(existing(project)) as run:
        made = add(existing(project), reference, choices, run)
        tell_notes(run, made.notes)
        run.result(model=made.info.name, id=made.info.id)
        called = f"{made.info.title!r}" + (", called generic," if default else "")
        say(f"The model {called} is ready: {made.info.dimension} dimensions, {made.info.origin}.")


@app.command("default-model")
def default_model(
    project: ProjectName,
    model: Annotated[str, typer.Argument(help="A ready-made model of the project.")],
) -> None:
    """Choose the ready-made model that is called generic."""
    from search.models.registry import choose_generic
    from search.projects.project import project as existing

    chosen = choose_generic(existing(project), model)
    say(
        f"generic is now {chosen.title} ({chosen.origin}). What was measured before stays as it is."
    )
