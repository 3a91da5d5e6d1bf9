"""Commands for the rerankers of a project."""

from typing import Annotated

import typer

from terminal.options import ProjectName
from terminal.printing import running, say

app = typer.Typer()


@app.command("add-reranker")
def add_reranker(
    project: ProjectName,
    reference: Annotated[
        str,
        typer.Argument(
            help="A cross-encoder: a folder, or a hub id (cross-encoder/ms-marco-MiniLM-L6-v2)."
        ),
    ],
    name: Annotated[str, typer.Option(help="What to call it here.")],
    depth: Annotated[int, typer.Option(help="How many documents of a column it reads again.")] = 50,
) -> None:
    """Add a reranker, which reads the best hits of a column again: rerank:MODEL@NAME."""
    from search.models.cross_encoders import add_reranker as add
    from search.projects.project import project as existing

    with running(existing(project)) as run:
        made = add(existing(project), reference, name, depth, run)
        run.result(reranker=made.name, id=made.id)
    say(f"The reranker {made.name!r} is ready. Use it as a column: rerank:generic@{made.name}.")


@app.command("remove-reranker")
def remove_reranker(
    project: ProjectName, name: Annotated[str, typer.Argument(help="The reranker to forget.")]
) -> None:
    """Forget a reranker; its files stay where they are."""
    from search.models.cross_encoders import remove_reranker as remove
    from search.projects.project import project as existing

    remove(existing(project), name)
    say(f"The reranker {name!r} is gone from {project}.")
