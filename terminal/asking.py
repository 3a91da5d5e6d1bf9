"""Commands that ask: search and prove."""

from typing import Annotated

import typer

from terminal.options import AsJson, ByTier, Filters, Hits, Models, ProjectName
from terminal.printing import bar, print_json, running, say, tell_comparison, tell_notes

app = typer.Typer()


@app.command()
def search(
    project: ProjectName,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    model: Models = None,
    k: Hits = 10,
    filter_: Filters = None,
    by_tier: ByTier = False,
    as_json: AsJson = False,
) -> None:
    """Search with several models; missing indexes are built first."""
    from search.corpus.filters import Scope, parse_condition
    from search.projects.project import project as existing
    from search.retrieval.search import compare

    scope = Scope(tuple(map(parse_condition, filter_ or ())), tiers_first=by_tier)
    with bar() as progress:
        found = compare(existing(project), query, model or (), k, progress, scope)
    tell_comparison(found, as_json)


@app.command()
def similar(
    project: ProjectName,
    document: Annotated[str, typer.Argument(help="The id of a document.")],
    model: Models = None,
    k: Hits = 10,
    filter_: Filters = None,
    by_tier: ByTier = False,
    as_json: AsJson = False,
) -> None:
    """Find documents like one, as several models see it."""
    from search.corpus.filters import Scope, parse_condition
    from search.projects.project import project as existing
    from search.retrieval.search import similar as find_similar

    scope = Scope(tuple(map(parse_condition, filter_ or ())), tiers_first=by_tier)
    with bar() as progress:
        found = find_similar(existing(project), document, model or (), k, progress, scope)
    tell_comparison(found, as_json)


@app.command()
def disagree(
    project: ProjectName, model: Models = None, k: Hits = 10, as_json: AsJson = False
) -> None:
    """Find the questions of the query set that models answer most differently."""
    from dataclasses import asdict

    from search.evaluation.rank_similarity import disagreements
    from search.projects.project import project as existing

    with running(existing(project)) as run:
        found = disagreements(existing(project), model or (), run)[:k]
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        say(f"{one.distance:.3f}  {' '.join(one.text.split())[:200]}")


@app.command()
def evaluate(project: ProjectName, model: Models = None, as_json: AsJson = False) -> None:
    """Compare models on held-out queries: metrics, intervals, paired tests, a verdict."""
    from search.evaluation.evaluate import METRICS
    from search.evaluation.evaluate import evaluate as evaluate_models
    from search.projects.project import project as existing

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
