"""What decides in a project, and what of its query set is sealed: said before anything is measured."""

from typing import TYPE_CHECKING, Annotated

import typer

from terminal.options import AsJson, ThisProject
from terminal.printing import print_json, running, say

if TYPE_CHECKING:
    from search.projects.project import Project

app = typer.Typer()


@app.command()
def protocol(
    project: ThisProject,
    metric: Annotated[
        str | None,
        typer.Option(
            help="What decides: ndcg, mrr, recall, precision, map or success at a depth, as ndcg@10."
        ),
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="A difference inside ± this is too small to matter.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show or choose what decides: the main metric and the margin. The first evaluation fixes both."""
    from search.evaluation.ledger.protocol import choose_protocol, protocol_of

    asked = metric is not None or margin is not None
    chosen = choose_protocol(project, metric, margin) if asked else protocol_of(project)
    if as_json:
        print_json(chosen.as_json())
        return
    say(chosen.sentence)


def seal(project: "Project", share: float) -> None:
    """Seal a part of the newest query set, as `queries --seal` does."""
    from search.evaluation.ledger.sealing import seal_queries
    from search.judging.store import JudgmentStore

    with running(project):
        judged = [question.text for question in JudgmentStore.of(project).questions()]
        say(seal_queries(project, share, judged).sentence)
