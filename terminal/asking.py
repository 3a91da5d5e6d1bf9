"""Commands that ask: search and prove, why a document was found, what a word means to a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terminal.options import AsJson, ByTier, Contestants, Filters, Hits, Models, ThisProject
from terminal.printing import aside, bar, print_json, running, say, tell_comparison
from terminal.shared import measure

if TYPE_CHECKING:
    from search.evaluation.evaluation import Evaluation
    from search.projects.project import Project

app = typer.Typer()


@app.command()
def search(
    project: ThisProject,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    model: Models = None,
    k: Hits = 10,
    filter_: Filters = None,
    by_tier: ByTier = False,
    as_json: AsJson = False,
) -> None:
    """Search with several models; missing indexes are built first."""
    from search.corpus.filters import Scope
    from search.evaluation.rankings.fit_fusion import fit_missing
    from search.evaluation.rankings.self_matches import left_out_note, own_documents
    from search.evaluation.relevance.fit_relevance import fit_missing_relevance
    from search.projects.errors import Failed
    from search.retrieval.columns import columns_to_use
    from search.retrieval.search import check_k, check_query, compare

    check_query(query)
    check_k(k)
    scope, unknown = Scope(tuple(filter_ or ()), tiers_first=by_tier), ""
    with bar() as progress:
        own = own_documents(project, query)
        names, note = (model, None) if model else columns_to_use(project)
        fit_missing(project, names, progress)
        try:
            fit_missing_relevance(project, names, progress)
        except Failed as error:
            # Hits are found all the same: what is damaged hides itself only.
            unknown = f"How probable it is that a hit answers is not known: {error}"
        found = compare(project, query, names, k, progress, scope, own)
    if unknown:
        aside(unknown)
    if note:
        aside(note)
    if own:
        aside(left_out_note(own))
    tell_comparison(found, as_json)


@app.command()
def similar(
    project: ThisProject,
    document: Annotated[str, typer.Argument(help="The id of a document.")],
    model: Models = None,
    k: Hits = 10,
    filter_: Filters = None,
    by_tier: ByTier = False,
    as_json: AsJson = False,
) -> None:
    """Find documents like one, as several models see it."""
    from search.corpus.filters import Scope
    from search.evaluation.rankings.fit_fusion import fit_missing
    from search.retrieval.search import similar as find_similar

    scope = Scope(tuple(filter_ or ()), tiers_first=by_tier)
    with bar() as progress:
        fit_missing(project, model or (), progress)
        found = find_similar(project, document, model or (), k, progress, scope)
    tell_comparison(found, as_json)


@app.command()
def disagree(
    project: ThisProject, model: Models = None, k: Hits = 10, as_json: AsJson = False
) -> None:
    """Find the questions of the query set that models answer most differently."""
    from dataclasses import asdict

    from search.evaluation.rankings.rank_similarity import disagreements

    with running(project) as run:
        found = disagreements(project, model or (), run)[:k]
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        say(f"{one.distance:.3f}  {' '.join(one.text.split())[:200]}")


@app.command()
def evaluate(
    project: ThisProject,
    model: Contestants = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="One more metric (repeatable): ndcg, mrr, recall, precision, map, success or judged, at any depth: "
            "recall@50."
        ),
    ] = None,
    run_: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            metavar="NAME=FILE",
            help="A TREC run file of another search over these documents, as a column (repeatable). Name it among --model, "
            "too, to say where it stands: the first is the baseline.",
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write the rankings (TREC runs), the judgments and the scores of each query into a new folder.",
        ),
    ] = None,
    open_seal: Annotated[
        bool,
        typer.Option(
            "--open-seal",
            help="Measure on the sealed part of the query set, and open it: once, for one --model against the best "
            "ready-made one (or two, the baseline first).",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare models on held-out queries: metrics, intervals, paired tests, a verdict."""
    from search.evaluation.evaluate import Extras
    from search.evaluation.rankings.metrics import CONDENSED, metric_names
    from search.evaluation.runs import run_files

    with running(project) as run:
        extras = Extras(metric or (), run_files(run_ or ()), export)
        result = measure(project, model or (), run, extras, open_seal)
    if as_json:
        print_json(result.as_json())
        return
    shown = [name for name in metric_names(metric or ()) if name != CONDENSED]
    _say_verdict(project, result, shown)


def _say_verdict(project: "Project", result: "Evaluation", shown: list[str]) -> None:
    """What an evaluation comes to: the sentence first, then what it rests on.

    :param shown: the metrics of the table.
    """
    for sentence in result.sentences:
        say(sentence)
    if result.too_few:  # Any figure would change with the next question.
        return
    say(f"{'':<24}" + "".join(f"{name:>12}" for name in shown))
    for name in result.scores:
        means = result.means(name)
        say(f"{name:<24}" + "".join(f"{means[one]:>12.3f}" for one in shown))
    say(
        f"{len(result.queries):,} queries, which ask for {result.relevant_documents:,} different documents."
    )
    if result.groups is not None:
        say(result.groups.sentence)
    for sentence in [*result.counted.sentences, *result.copies.sentences]:
        say(sentence)
    question, *others = result.question_sentences
    say(question)
    for test in result.comparisons:
        said = test.sentence(len(result.queries))
        if test == result.decision.main:  # It stands above.
            said = f"{test.candidate} against {test.baseline}:"
        say(f"{said} {test.evidence}")
        for more in filter(None, (test.practical_sentence, test.power_sentence)):
            say(f"  {more}")
    for side in result.unjudged:
        if side.sentence:
            say(f"{side.candidate} against {side.baseline}: {side.sentence}")
    if any(side.settled is False and side.to_grade for side in result.unjudged):
        say(f"Line a sample up for blind grades: python cli.py questions {project.name} --sample.")
    certain = [one.sentence for one in result.slices if one.verdict != "no clear difference"]
    for sentence in [*certain, *others]:
        say(sentence)


@app.command()
def explain(
    project: ThisProject,
    query: Annotated[str, typer.Argument(help="What was searched for.")],
    document: Annotated[str, typer.Argument(metavar="DOCUMENT_ID", help="The hit's id.")],
    model: Models = None,
    as_json: AsJson = False,
) -> None:
    """Show which words of a document drew a query for each model, and what the model learned it from."""
    from search.insight.explain import explain as explain_hit

    with bar() as progress:
        told = explain_hit(project, query, document, model or (), progress)
    if as_json:
        print_json([one.as_json() for one in told])
        return
    for one in told:
        say(f"\n{one.model}: {one.sentence}")
        for part in one.strongest_sentences:
            say(f"  {part.pull:+.3f}  {' '.join(part.text.split())[:140]}")
        for lesson in one.nearest_neighbours:
            answer = " ".join((lesson.title or lesson.response).split())[:60]
            say(f"  learned from ({lesson.nearness:.2f}): {lesson.query} -> {answer}")


@app.command()
def prepare(
    project: ThisProject,
    model: Models = None,
) -> None:
    """Encode once what explanations and the Words page ask of models again and again."""
    from search.insight.prepare import prepare as prepare_models

    with running(project) as run:
        for sentence in prepare_models(project, model or (), run):
            say(sentence)


@app.command()
def words(
    project: ThisProject,
    model: Annotated[str, typer.Argument(help="A model's name, or generic.")],
    word: Annotated[str, typer.Argument(help="The word (or short phrase) to look around.")],
    as_json: AsJson = False,
) -> None:
    """Show the words nearest to a word under a model."""
    from search.insight.word_space import nearest_words

    with bar() as progress:
        found = nearest_words(project, model, word, progress=progress)
    if found.note:
        aside(found.note)
    if as_json:
        print_json([{"word": near, "nearness": cosine} for near, cosine in found.words])
        return
    for near, cosine in found.words:
        say(f"{cosine:.3f}  {near}")


@app.command("map")
def map_(project: ThisProject, model: Models = None, as_json: AsJson = False) -> None:
    """Lay out the corpus as one model or two see it, for the Map page; tell groups and movers."""
    from search.corpus.corpus import Corpus
    from search.insight.map import draw_map, load_map, map_models, titles_of

    with running(project) as run:
        manifest = draw_map(project, model or (), run)
    made = load_map(project, manifest)
    corpus = Corpus.of(project, project.artifact("corpora", manifest.made_from["corpus"]))
    movers = made.movers(10)
    documents = corpus.documents_at([int(made.positions[place]) for place in movers])
    if as_json:
        print_json(
            {
                "documents": len(made.positions),
                "total": made.total,
                "groups": {view.model: list(view.names) for view in made.views},
                "matches": [{"column": c, "figures": f} for c, f in made.matches],
                "movers": [
                    {"id": d.id, "title": d.title, "moved": float(made.moved[place])}
                    for place, d in zip(movers, documents, strict=True)
                ],
            }
        )
        return
    say(f"{len(made.positions):,} of {made.total:,} documents are on the map.")
    for view in made.views:
        say(f"{view.model}: " + "; ".join(view.names))
    for sentence in made.sentences(titles_of(map_models(project, model or ()))):
        say(sentence)
    for place, document in zip(movers, documents, strict=True):
        say(f"{made.moved[place]:.3f}  {document.id}  {document.title}")
