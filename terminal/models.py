"""Commands for what a project takes ready-made: models and rerankers."""

from typing import Annotated

import typer

from terminal.options import AsJson, ThisProject, Yes
from terminal.printing import aside, ask_before_deleting, print_json, running, say, tell_notes

app = typer.Typer()


# What can be said of a server when a model is added, and changed later.
KeyVariable = Annotated[
    str | None,
    typer.Option(help="The environment variable that holds the key, for example OPENAI_API_KEY."),
]
MaxTokens = Annotated[int | None, typer.Option(help="The most tokens that one command may send.")]
Price = Annotated[float | None, typer.Option(help="Dollars for a million tokens, for estimates.")]
BatchTexts = Annotated[int | None, typer.Option(help="The most texts in a request.")]
BatchTokens = Annotated[int | None, typer.Option(help="The most tokens in a request.")]
RequestsPerMinute = Annotated[int | None, typer.Option(help="The most requests.")]
TokensPerMinute = Annotated[int | None, typer.Option(help="The most tokens.")]
Timeout = Annotated[float | None, typer.Option(help="Seconds to wait for an answer.")]
Retries = Annotated[
    int | None, typer.Option(help="How often to ask again after a failure that may pass.")
]


@app.command("add-model")
def add_model(
    context: typer.Context,
    project: ThisProject,
    reference: Annotated[
        str,
        typer.Argument(
            help="A folder, a hub id (intfloat/e5-small-v2), static, multilingual, one of OpenAI's models "
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
    model: Annotated[
        str | None,
        typer.Option("--model-id", help="The model's name at the server, if not REFERENCE."),
    ] = None,
    key_variable: KeyVariable = None,
    dimensions: Annotated[
        int | None, typer.Option(help="Ask the server for shorter vectors (text-embedding-3-*).")
    ] = None,
    max_tokens: MaxTokens = None,
    price: Price = None,
    batch_texts: BatchTexts = None,
    batch_tokens: BatchTokens = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    timeout: Timeout = None,
    retries: Retries = None,
) -> None:
    """Add a ready-made model: it is loaded and tried before it is noted."""
    from search.corpus.corpus import current_corpus
    from search.models.api.settings import ApiSettings
    from search.models.legibility import illegible
    from search.models.pretrained.add import Choices, check_server
    from search.models.pretrained.add import add_model as add

    # Options that are named as a server's settings are these; any model has a longest text.
    named = {key: context.params.get(key) for key in ApiSettings.model_fields}
    del named["max_length"]
    given = {key: value for key, value in named.items() if value is not None}
    choices = Choices(name, query_prompt, document_prompt, max_length, default, given)
    check_server(reference, choices)  # Before the command is noted: it may hold a key by mistake.
    with running(project) as run:
        made = add(project, reference, choices, run)
        tell_notes(run, made.notes)
        if project.newest("corpora") is not None:
            note = illegible(project, current_corpus(project)[1], made.info)
            tell_notes(run, [note] if note else [])
        run.result(model=made.info.name, id=made.info.id)
        called = f"{made.info.title!r}" + (", called generic," if default else "")
        say(f"The model {called} is ready: {made.info.dimension} dimensions, {made.info.origin}.")


@app.command("change-model")
def change_model(
    context: typer.Context,
    project: ThisProject,
    model: Annotated[str, typer.Argument(help="A model that a server computes.")],
    key_variable: KeyVariable = None,
    max_tokens: MaxTokens = None,
    price: Price = None,
    batch_texts: BatchTexts = None,
    batch_tokens: BatchTokens = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    timeout: Timeout = None,
    retries: Retries = None,
) -> None:
    """Change how a model's server is asked; its vectors and indexes stay."""
    from search.models.changing import CHANGEABLE
    from search.models.changing import change_model as change

    named = {key: context.params.get(key) for key in CHANGEABLE}
    settings = change(project, model, {key: v for key, v in named.items() if v is not None})
    said = ", ".join(f"{key.replace('_', '-')} {v}" for key, v in named.items() if v is not None)
    say(f"{model} at {settings.base_url} is asked with {said} from now on.")


@app.command("remove-model")
def remove_model(
    project: ThisProject,
    model: Annotated[str, typer.Argument(help="The model to take away, with its indexes.")],
    yes: Yes = False,
) -> None:
    """Take a model away with its indexes; a folder that was added stays where it is."""
    from search.retrieval import deletion

    planned = deletion.planned_removal(project, model)
    ask_before_deleting(planned.lines, yes)
    for line in deletion.delete(planned):
        aside(line)
    indexes = sum(manifest.kind == "indexes" for manifest in planned.along)
    with_it = "" if not indexes else f", with {indexes} index{'es' if indexes > 1 else ''}"
    say(f"The model {model!r} is gone from {project.name}{with_it}.")


@app.command("default-model")
def default_model(
    project: ThisProject,
    model: Annotated[str, typer.Argument(help="A ready-made model of the project.")],
) -> None:
    """Choose the ready-made model that is called generic."""
    from search.models.registry import choose_generic

    chosen = choose_generic(project, model)
    say(
        f"generic is now {chosen.title} ({chosen.origin}). What was measured before stays as it is."
    )


@app.command("hosts")
def hosts(
    project: Annotated[str | None, typer.Argument(help="Only what was asked for it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which hosts were asked, when, and for what: every contact with another machine, newest first."""
    from dataclasses import asdict

    from search.projects.outgoing import contacts

    found = contacts(project)
    if as_json:
        print_json([asdict(contact) for contact in found])
        return
    for contact in found:
        of = f" of {contact.project}" if contact.project else ""
        at = f" ({contact.address})" if contact.address else ""
        say(f"{contact.time}  {contact.host}{at}  {contact.what}{of}")
    if not found:
        say("No other host was asked.")


@app.command("add-reranker")
def add_reranker(
    project: ThisProject,
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
    from search.corpus.corpus import current_corpus
    from search.evaluation.query_sets.query_set import questions_of
    from search.models.cross_encoders import add_reranker as add
    from search.models.cross_encoders import reranker_truncation

    with running(project) as run:
        made = add(project, reference, name, depth, run, questions_of(project))
        if project.newest("corpora") is not None:
            cut = reranker_truncation(project, made, current_corpus(project)[0])
            tell_notes(run, [cut.sentence(name)] if cut is not None and cut.is_short else [])
        run.result(reranker=made.name, id=made.id)
    say(f"The reranker {made.name!r} is ready. Use it as a column: rerank:generic@{made.name}.")


@app.command("remove-reranker")
def remove_reranker(
    project: ThisProject, name: Annotated[str, typer.Argument(help="The reranker to forget.")]
) -> None:
    """Forget a reranker; its files stay where they are."""
    from search.models.cross_encoders import remove_reranker as remove

    remove(project, name)
    say(f"The reranker {name!r} is gone from {project.name}.")
