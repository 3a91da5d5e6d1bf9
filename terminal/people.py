"""Commands about people: who may open a project where people sign in, and who did what."""

from typing import TYPE_CHECKING, Annotated

import typer

from search.projects.errors import Failed, Refused
from terminal.options import AsJson, ThisProject
from terminal.printing import aside, print_json, say

if TYPE_CHECKING:
    from search.projects.members import Role

app = typer.Typer()


@app.command()
def members(
    project: ThisProject,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Let somebody in, by the address they sign in with."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Shut somebody out.")
    ] = None,
    judge: Annotated[
        bool, typer.Option("--judge", help="With --add: only to judge; they see nothing else.")
    ] = False,
    owner: Annotated[
        bool,
        typer.Option("--owner", help="With --add: an owner deletes, and says who comes in."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say who may open a project where people sign in, and change it."""
    from search.projects import members as people

    if judge and owner:
        raise Refused("--judge and --owner exclude each other.")
    if (judge or owner) and not add:
        raise Refused("--judge and --owner say what those may do whom --add names.")
    role: Role = "judge" if judge else "owner" if owner else "member"
    for name in add or ():
        people.add(project, name, role)
    for name in remove or ():
        people.remove(project, name)
    listed = people.members(project)
    if as_json:
        print_json([one.model_dump() for one in listed])
        return
    for one in listed:
        say(f"{one.role:<7} {one.person}")
    if not listed:
        say(
            "Nobody yet. Alone on this machine everybody may open it; where people sign in, nobody."
        )


@app.command()
def audit(
    project: Annotated[
        str | None, typer.Argument(help="Only what was done in this project, even if it is gone.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only see whether lines were changed or taken out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show who did what: who came in, was let in, deleted or judged. No text of a document or question is in it."""
    from search.projects import audit as log

    if broken := log.broken_lines():
        numbers = ", ".join(map(str, broken[:10]))
        said = (
            f"{log.path()} was changed by another program, or cut short: line {numbers} cannot be read or does not "
            "follow from the one before. Compare it with a backup."
        )
        if check:
            raise Failed(said)
        aside(said)
    if check:
        say("Each line follows from the one before.")
        return
    entries = list(log.entries(project))
    if as_json:
        print_json([one.model_dump() for one in entries])
        return
    for one in entries:
        who = one.who if one.who else f"somebody ({one.known})"
        say("  ".join(part for part in (one.time[:19], who, one.what, one.project, one.on) if part))
