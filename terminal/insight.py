"""Commands that look into models: why a document was found, what a word means to them."""

from typing import Annotated

import typer

from terminal.options import AsJson, Models, ProjectName
from terminal.printing import aside, bar, print_json, running, say

app = typer.Typer()


@app.command()
def explain(
    project: ProjectName,
    query: Annotated[str, typer.Argument(help="What was searched for.")],
    document: Annotated[str, typer.Argument(metavar="DOCUMENT_ID", help="The hit's id.")],
    model: Models = None,
    as_json: AsJson = False,
) -> None:
    """Show which words of a document drew a query for each model, and what the model learned it from."""
    from search.insight.explain import explain as explain_hit
    from search.projects.project import project as existing

    with bar() as progress:
        told = explain_hit(existing(project), query, document, model or (), progress)
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
    project: ProjectName,
    model: Models = None,
) -> None:
    """Encode once what explanations and the Words page ask of models again and again."""
    from search.insight.prepare import prepare as prepare_models
    from search.projects.project import project as existing

    with running(existing(project)) as run:
        for sentence in prepare_models(existing(project), model or (), run):
            say(sentence)


@app.command()
def words(
    project: ProjectName,
    model: Annotated[str, typer.Argument(help="A model's name, or generic.")],
    word: Annotated[str, typer.Argument(help="The word (or short phrase) to look around.")],
    as_json: AsJson = False,
) -> None:
    """Show the words nearest to a word under a model."""
    from search.insight.nearest_words import nearest_words
    from search.projects.project import project as existing

    with bar() as progress:
        found = nearest_words(existing(project), model, word, progress=progress)
    if found.note:
        aside(found.note)
    if as_json:
        print_json([{"word": near, "nearness": cosine} for near, cosine in found.words])
        return
    for near, cosine in found.words:
        say(f"{cosine:.3f}  {near}")


@app.command("map")
def map_(project: ProjectName, model: Models = None, as_json: AsJson = False) -> None:
    """Lay out the corpus as one model or two see it, for the Map page; tell groups and movers."""
    from search.corpus.corpus import Corpus
    from search.insight.map import draw_map, load_map, map_models, titles_of
    from search.projects.project import project as existing

    found = existing(project)
    with running(found) as run:
        manifest = draw_map(found, model or (), run)
    made = load_map(found, manifest)
    corpus = Corpus.of(found, found.artifact("corpora", manifest.made_from["corpus"]))
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
    for sentence in made.sentences(titles_of(map_models(found, model or ()))):
        say(sentence)
    for place, document in zip(movers, documents, strict=True):
        say(f"{made.moved[place]:.3f}  {document.id}  {document.title}")
