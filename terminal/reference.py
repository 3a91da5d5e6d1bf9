"""Every command with its arguments and options as a Markdown page: docs/cli.md, which a test holds to the commands."""

from collections.abc import Iterator
from typing import Any

import typer

from terminal.printing import say

app = typer.Typer()

_HEAD = """# What are the commands?

Every click in the pages is one of these, and the page shows it. This page is written by `make docs` out of the commands
themselves; a test fails when it is stale. The same text, a command at a time: `python cli.py COMMAND --help`.

With `--json`, stdout is one JSON document and nothing else; progress goes to stderr. Exit status: 0 done, 1 the work
failed, 2 the input was refused, with one line saying what, where and what to do, 3 `verdict --fail-on` says no.

| variable | what it decides |
|---|---|
| BESPOKE_HOME | where projects live; `./workspace` by default |
| BESPOKE_DEVICE | cuda, mps or cpu, instead of the automatic choice |
| BESPOKE_BACKEND | what encodes on a CPU: auto, torch or openvino |
| BESPOKE_INDEX_MEMORY_GB | the memory that an index may take; what is free by default |
| BESPOKE_EMBEDDINGS_GB | the disk that kept vectors may take; 10 by default, 0 keeps nothing |
| BESPOKE_MAX_TOKENS | the most tokens that a command may send to a server that embeds or chats |
| BESPOKE_CHAT_URL, BESPOKE_CHAT_MODEL | the chat server that *Train* proposes for writing questions; its key in BESPOKE_KEY_CHAT |
| BESPOKE_TRAININGS | how many trainings of a workspace go on at once; 1 by default, others wait for their turn |
| OPENAI_API_KEY, BESPOKE_KEY_..., BESPOKE_KEYS | keys for servers: [models.md](models.md#what-goes-to-a-server) |
| BESPOKE_SERVERS | servers (host:port, ...) that may be asked wherever they are: [models.md](models.md#what-goes-to-a-server) |
| BESPOKE_MILVUS_URI, BESPOKE_MILVUS_TOKEN | a Milvus server, and what lets us in: [scaling.md](scaling.md#2-a-milvus-server) |
| RAY_ADDRESS | a Ray cluster that encodes: [scaling.md](scaling.md#4-encoding-on-many-machines-ray) |
"""


@app.command(hidden=True)
def reference(context: typer.Context) -> None:
    """Print every command with its arguments and options as Markdown."""
    say(reference_page(context.find_root().command))


def reference_page(group: Any) -> str:
    """The page of a group of commands, in the order of its help; what is hidden is left out."""
    root = typer.Context(group, info_name="cli.py")
    shown = {name: command for name, command in group.commands.items() if not command.hidden}
    summary = "\n".join(f"| [{name}](#{name}) | {_cell(c.help)} |" for name, c in shown.items())
    sections = [_section(name, command, root) for name, command in shown.items()]
    return "\n".join(
        [_HEAD, "| command | what it does |", "|---|---|", summary, "", *sections]
    ).rstrip()


def _section(name: str, command: Any, root: typer.Context) -> str:
    context = typer.Context(command, info_name=name, parent=root)
    usage = " ".join(["python cli.py", name, *command.collect_usage_pieces(context)])
    rows = list(_rows(command, context))
    table = ["| | |", "|---|---|", *rows, ""] if rows else []
    return "\n".join([f"## {name}", "", command.help, "", "```text", usage, "```", "", *table])


def _rows(command: Any, context: typer.Context) -> Iterator[str]:
    for parameter in command.params:
        name, meaning = parameter.get_help_record(context)
        yield f"| `{_cell(name)}` | {_cell(meaning)} |"


def _cell(text: str) -> str:
    """A text as a cell of a table: one line, and no sign that would end the cell."""
    return " ".join(text.split()).replace("|", "\\|")
