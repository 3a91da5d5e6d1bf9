"""Commands for a model that is used from elsewhere: served to programs, and held against what others serve."""

from typing import Annotated, Literal

import typer

from terminal.options import AsJson, ThisProject
from terminal.printing import aside, bar, print_json, running, say

app = typer.Typer()
_DIFFERS = 3


@app.command()
def serve(
    project: ThisProject,
    model: Annotated[
        str | None,
        typer.Option(
            help="What answers where a request names no model. Default: the newest custom model that is better than what it "
            "was measured against, else generic."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; beyond this machine only with a key.")
    ] = "localhost",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 for any that is free.")] = 8600,
) -> None:
    """Answer programs: OpenAI's embeddings API, searches and rerankers; the key is in BESPOKE_SERVE_KEY."""
    from search.projects.settings import settings
    from serving.application import Served
    from serving.listening import serve as answer

    def ready(address: str, served: Served) -> None:
        name = served.current.snapshot.model.name
        say(
            f"{project.name} is served by {name!r} at {address}/v1 ({address}/docs says what can be asked)."
        )
        if not settings().serve_key:
            aside("There is no key: programs of this machine alone are answered. Ctrl-C ends it.")

    with bar() as progress:
        answer(project, model, host, port, progress, ready)


@app.command()
def verify(
    project: ThisProject,
    model: Annotated[str, typer.Argument(help="A model of the project.")],
    base_url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="The server, usually ending in /v1. It is sent texts of the documents and questions.",
        ),
    ],
    served_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What the model is called there. Default: as here."),
    ] = None,
    key_variable: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE", help="The environment variable that holds the server's key."
        ),
    ] = None,
    prompts: Annotated[
        Literal["server", "client"],
        typer.Option(
            help="Who puts prompts before texts: the server, which is told the side (input_type), or whoever asks it."
        ),
    ] = "server",
    whole: Annotated[
        bool,
        typer.Option(
            "--whole", help="Let the server encode all documents, too, before nDCG is measured."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask a server whether it gives what the model gives: what differs, and what to set; exit status 3 where it does."""
    from search.verification.verify import verify as ask

    with running(project) as run:
        made = ask(project, model, base_url, served_name, key_variable, prompts, whole, run)
        run.result(right=made.is_right, sentences=made.sentences)
    if as_json:
        print_json(made.as_json())
    else:
        for sentence in made.sentences:
            say(sentence)
    if not made.is_right:
        raise typer.Exit(_DIFFERS)
