"""Commands for a model that is used from elsewhere: served to programs."""

from typing import Annotated

import typer

from terminal.options import ThisProject
from terminal.printing import aside, bar, say

app = typer.Typer()


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
