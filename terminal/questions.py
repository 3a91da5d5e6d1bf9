"""Commands for a project without pairs: questions proposed from its documents, and questions of one's own."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search.projects.errors import Refused
from search.projects.files import size_in_words
from terminal.options import ASK, AsJson, ThisProject
from terminal.printing import print_json, running, say

if TYPE_CHECKING:
    from search.projects.project import Project

app = typer.Typer()
Judge = Annotated[str, typer.Option(help="Under whose name answers are noted.")]
_SOMEBODY = "Somebody"
_MOST_BYTES = 2_000_000


@app.command()
def propose(
    project: ThisProject,
    most: Annotated[int, typer.Option(min=1, help="How many questions at most.")] = 40,
    with_: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="URL",
            help="Let a chat server (OpenAI-compatible) write them: passages go there.",
        ),
    ] = None,
    chat_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its model, where it has several.")
    ] = None,
    key_variable: Annotated[
        str | None, typer.Option(metavar="NAME", help="The environment variable of its key.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID[=TEXT]",
            help="Ask this one from now on, as it is or with another text (repeatable).",
        ),
    ] = None,
    discard: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Throw this one away (repeatable).")
    ] = None,
    judge: Judge = _SOMEBODY,
    as_json: AsJson = False,
) -> None:
    """Propose questions from the documents, each with the document that answers it; accept them or throw them away."""
    from search.judging import proposals
    from training.synthetic.chat.written import ChatRequest
    from training.synthetic.propose import propose as propose_questions

    for one in accept or ():
        identity, _, text = one.partition("=")
        proposals.accept(project, identity.strip(), judge, text.strip() or None)
    for identity in discard or ():
        proposals.discard(project, identity)
    if not accept and not discard:
        chat = None
        if with_ is not None:
            chat = ChatRequest(with_, chat_model, key_variable, calls=most)
        elif chat_model or key_variable:
            raise Refused("Say which chat server: --with URL.")
        with running(project) as run:
            propose_questions(project, most, chat, run)
    waiting = [one for one in proposals.proposals(project) if one.state == "open"]
    if as_json:
        print_json({"proposed": [_shown(one) for one in waiting], "count": _count(project)})
        return
    for proposal in waiting:
        say(f"{proposal.id}  {proposal.text}  →  {proposal.document}")
    say(_count(project)["sentence"])


@app.command()
def ask(
    project: ThisProject,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A text file, - for what is piped in: one question a line; after a tab or “ | ” the answer, where it is "
            "known: a document's id, its title, or a sentence copied from it."
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(ASK, help="A question, written in the same way (repeatable)."),
    ] = None,
    judge: Judge = _SOMEBODY,
    as_json: AsJson = False,
) -> None:
    """Ask questions of your own, with the right answer where you know it: they become the query set."""
    from search.judging.own_questions import ask_own, read_list

    lines = list(text or ())
    if file is not None:
        lines.append(_list_in(file))
    asked = read_list(project, "\n".join(lines))
    answered = ask_own(project, judge, asked)
    if as_json:
        print_json({"asked": len(asked), "answered": answered, "count": _count(project)})
        return
    say(f"{len(asked):,} asked, {answered:,} with a right answer. {_count(project)['sentence']}")


def _list_in(file: Path) -> str:
    """The text of a list, bounded while it is read.

    :raises Refused: for one that is too large, and for what is no text in UTF-8.
    """
    try:
        with nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise Refused(
                f"{file} has more than {size_in_words(_MOST_BYTES)}, too much for a list of questions: take a part of it."
            )
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise Refused(f"{file} cannot be read as a text file in UTF-8.") from None


def _shown(one: Any) -> dict[str, str]:
    return {"id": one.id, "text": one.text, "document": one.document, "kind": one.kind}


def _count(project: "Project") -> dict[str, Any]:
    """The counter, as JSON."""
    from search.judging.counter import count_questions

    made = count_questions(project)
    return {
        "judged": made.judged,
        "proposed": made.proposed,
        "unanswered": made.unanswered,
        "open": made.open,
        "missing": made.missing,
        "sentence": made.sentence,
    }
