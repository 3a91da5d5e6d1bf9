"""Commands for projects without labels, and for choosing what to make."""

from typing import Annotated

import typer

from terminal.options import AsJson, ThisProject
from terminal.printing import aside, key_values, print_json, running, say

app = typer.Typer()


@app.command()
def mine(
    project: ThisProject,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only this kind of pair (repeatable): title, heading, sentence ..."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="The most pairs of a kind.")] = 1_500,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=SHARE", help="Of a kind's pairs, the share to use, 0 to 1 (repeatable)."
        ),
    ] = None,
    learn_weights: Annotated[
        bool, typer.Option(help="Leave out the kinds that make others harder to find.")
    ] = False,
    generate: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Also let a T5 model (folder or hub id) write questions."
        ),
    ] = None,
    with_: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="URL",
            help="Let a chat server (OpenAI-compatible) write questions: passages go there.",
        ),
    ] = None,
    chat_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its model, where it has several.")
    ] = None,
    key_variable: Annotated[
        str | None, typer.Option(metavar="NAME", help="The environment variable of its key.")
    ] = None,
    calls: Annotated[int, typer.Option(min=1, help="The most passages to ask it about.")] = 500,
    estimate: Annotated[
        bool, typer.Option(help="Say what would be sent to it, and send nothing.")
    ] = False,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="The most tokens, read and written. [estimated]")
    ] = None,
    answer_tokens: Annotated[
        int | None, typer.Option(help="The longest answer. [500]", show_default=False)
    ] = None,
    parallel: Annotated[
        int | None, typer.Option(help="Questions under way at once. [4]", show_default=False)
    ] = None,
    price: Annotated[
        float | None, typer.Option(help="Dollars for a million tokens that it reads.")
    ] = None,
    written_price: Annotated[
        float | None, typer.Option(help="Dollars for a million that it writes. [as --price]")
    ] = None,
    save: Annotated[bool, typer.Option(help="Make them the project's pairs.")] = False,
    replace: Annotated[
        bool, typer.Option(help="Even in place of pairs that people wrote.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Mine pairs from the structure of the documents: kinds, counts, examples."""
    from search.corpus.corpus import current_corpus
    from search.projects.errors import Refused
    from training.synthetic.chat.written import ChatRequest, planned
    from training.synthetic.make import SyntheticRequest, make_synthetic_pairs

    chat = None
    if with_ is not None:
        chat = ChatRequest(
            with_,
            chat_model,
            key_variable,
            calls,
            max_tokens,
            price,
            written_price,
            answer_tokens,
            parallel,
        )
    _, corpus = current_corpus(project)
    if chat is None and (estimate or chat_model):
        raise Refused("Say which chat server: --with URL.")
    if chat is not None:
        asks = planned(
            project, corpus, chat
        )  # Before the command is noted: it may hold a key by mistake.
        aside(asks.sentence)
        if estimate:
            return
        asks.admit()
    wanted = SyntheticRequest(
        kinds=tuple(kind or ()),
        most=most,
        weights={key: _share(key, text) for key, text in key_values(weight or []).items()},
        learn_weights=learn_weights,
        generator=generate,
        chat=chat,
        save=save,
        replace=replace,
    )
    with running(project) as run:
        made = make_synthetic_pairs(project, wanted, run)
        if made.pairs is not None:
            run.result(pairs=made.pairs.id)
    if as_json:
        print_json(made.as_json())
        return
    for found in made.synthetic.kinds:
        used = made.weights.get(found.kind.name, 1.0)
        say(f"{found.kind.title} ({found.kind.name}): {found.count:,} · weight {used:g}")
        aside(f"  {found.kind.what}")
        for row in found.as_json()["examples"]:
            say(f"    {row['query']}  →  {row['response'][:100]}")
    if made.synthetic.looked_at < made.synthetic.documents:
        aside(f"Counted in {made.synthetic.looked_at:,} of {made.synthetic.documents:,} documents.")
    for note in made.notes:
        aside(note)
    if made.pairs is not None:
        facts = made.pairs.details
        say(f"{facts['pairs']:,} mined pairs to train on, {facts['dev_queries']:,} dev queries.")


def _share(kind: str, text: str) -> float:
    from search.projects.errors import Refused

    try:
        return float(text)
    except ValueError:
        raise Refused(f"--weight {kind}={text} is not a number from 0 to 1.") from None


@app.command()
def curve(
    project: ThisProject,
    recipe: Annotated[str, typer.Option(help="What is trained on parts of the pairs.")] = "adapter",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the recipe (repeatable)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train on 10, 30 and 100% of the pairs: what would 1,000 more bring?"""
    from training.learning_curve import Curve, learning_curve

    with running(project) as run:
        made = learning_curve(project, recipe, key_values(set_ or []), run)
        drawn = Curve.from_json(made.details["curve"])
        run.note(drawn.sentence)
        run.result(id=made.id)
    if as_json:
        print_json(drawn.as_json())
        return
    say(f"{'pairs':>8}  dev nDCG@10 (95% interval)")
    say(f"{0:>8}  {drawn.start:.3f}")
    for size, mean, low, high in zip(drawn.sizes, drawn.means, drawn.low, drawn.high, strict=True):
        say(f"{size:>8,}  {mean:.3f} ({low:.3f} to {high:.3f})")
    say(drawn.sentence)


@app.command()
def advise(
    project: ThisProject,
    budget: Annotated[
        float, typer.Option(min=0.1, help="Minutes that a training may take.")
    ] = 10.0,
    download: Annotated[
        bool,
        typer.Option(
            "--download",
            help="Download small ready-made models worth measuring from the hub first; which ones, and how much, is said "
            "without this.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recommend an approach from measured facts, with the time it would take here."""
    from search.projects.files import size_in_words
    from training.advice.advise import advise as look

    with running(project) as run:
        made = look(project, budget, run, download)
        run.result(id=made.id)
    keys = ("budget", "facts", "recommended", "approaches", "ready_made", "power")
    told = {key: made.details[key] for key in keys}
    if as_json:
        print_json(told)
        return
    for place, advice in enumerate(told["recommended"], start=1):
        seconds = advice["seconds"]
        spent = "" if seconds is None else f" (about {max(seconds, 1) / 60:.1f} minutes here)"
        say(f"{place}. {advice['title']}{spent}")
        for reason in advice["reasons"]:
            say(f"   {reason}")
    if told["power"] is not None:
        say(told["power"]["sentence"])
    say(told["ready_made"]["sentence"])
    for row in told["ready_made"]["standings"]:
        say(f"   {row['title']}: {row['figures']}")
    for note in told["ready_made"]["notes"]:
        aside(note)
    for row in told["approaches"]:
        facts = [row["quality"]]
        facts += [f"{row['unseen']:.0%} of query words unseen"] if row["unseen"] is not None else []
        facts += [f"trained in {row['training']:.0f} s"] if row["training"] is not None else []
        facts += [size_in_words(row["size"])] if row["size"] is not None else []
        facts += [f"{row['query_ms']:.1f} ms a query"] if row["query_ms"] is not None else []
        facts += [f"{row['documents']:,.0f} documents/s"] if row["documents"] is not None else []
        say(f"{row['title']}: " + " · ".join(facts))
