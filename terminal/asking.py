"""Commands that ask: search and prove."""

from typing import Annotated

import typer

from terminal.options import AsJson, Models, ProjectName
from terminal.printing import aside, bar, print_json, running, say, tell_notes

app = typer.Typer()


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
