"""Commands over the life of a project: delete, rename, versions, back up, restore, check, and where everything lies."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from search.projects.errors import Failed, Refused
from search.projects.files import size_in_words
from terminal.options import (
    AnyProject,
    AsJson,
    ProjectInAnyState,
    ThisProject,
    Yes,
    finish_deletions,
)
from terminal.printing import aside, ask_before_deleting, bar, print_json, say

if TYPE_CHECKING:
    from search.projects.artifacts import Kind
    from search.projects.project import Project
    from search.retrieval.deletion import Deletion

app = typer.Typer()

What = Literal[
    "corpus", "pairs", "queries", "model", "reranker", "index", "evaluation", "report", "map", "vocabulary", "vectors",
]  # fmt: skip
_KINDS: "dict[str, Kind]" = {
    "corpus": "corpora", "pairs": "pairs", "queries": "queries", "model": "models", "reranker": "rerankers",
    "index": "indexes", "evaluation": "evaluations", "report": "reports", "map": "maps",
    "vocabulary": "vocabularies", "vectors": "vectors",
}  # fmt: skip


@app.command()
def delete(
    project: ProjectInAnyState,
    what: Annotated[
        What | None, typer.Argument(help="What of it. Default: the whole project.")
    ] = None,
    which: Annotated[
        str | None,
        typer.Argument(
            help="A model or reranker by its name, a version of the corpus by its number, anything by its id."
        ),
    ] = None,
    vectors: Annotated[
        bool,
        typer.Option(
            "--vectors",
            help="With a project: also its vectors in the embedding store, which all projects share. Those that another "
            "project's texts need stay.",
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Delete a project or a part of it, for good; what depends on it is said before."""
    from search.retrieval import deletion as deleting

    if what is None:
        planned = deleting.planned_project(project)
        lines = list(planned.lines)
        if vectors:
            lines.append(deleting.store_sentence(deleting.look_into_store(project)))
        else:
            lines.append("Its vectors in the shared embedding store stay; --vectors deletes them.")
        ask_before_deleting(lines, yes)
        for line in deleting.delete_project(project, vectors):
            say(line)
        say(f"The project {project.name!r} is deleted.")
        return
    if vectors:
        raise Refused("--vectors is for a whole project: leave out what of it.")
    planned = _part(project, _KINDS[what], what, which)
    ask_before_deleting(planned.lines, yes)
    for line in deleting.delete(planned):
        aside(line)
    say(f"{planned.what} is deleted.")


def _part(project: "Project", kind: "Kind", what: str, which: str | None) -> "Deletion":
    """The part of a project that was named, and what its deletion means.

    :raises Refused: when there is none, naming those that there are.
    """
    from search.retrieval import deletion as deleting

    known = deleting.of_kind(project, kind)
    if which is None:
        there = "; ".join(f"{n}. {deleting.describe(m)}" for n, m in enumerate(known, 1)) or "none"
        raise Refused(f"Say which {what} of {project.name!r} to delete. There: {there}.")
    if kind == "models" and which not in deleting.names(project, kind):
        return deleting.planned_model(project, which)
    by_name = [m for m in known if m.details.get("name") == which]
    if by_name:
        which = by_name[-1].id
    elif kind == "corpora" and which.isdecimal():
        if not 1 <= int(which) <= len(known):
            raise Refused(
                f"The corpus of {project.name!r} has {len(known)} versions; there is no number {which}."
            )
        which = known[int(which) - 1].id
    return deleting.planned(project, kind, which)


@app.command()
def backup(
    project: ThisProject,
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    without_votes: Annotated[
        bool, typer.Option("--without-votes", help="Leave out what people judged.")
    ] = False,
    without_history: Annotated[
        bool,
        typer.Option(
            "--without-history", help="Leave out what was asked, and the records of runs."
        ),
    ] = False,
) -> None:
    """Write a project into one file, with checksums: as it is now, whoever works on it meanwhile."""
    from search.judging.safekeeping import problem_in_file
    from search.projects import audit
    from search.projects.backup import Part, back_up

    left: dict[Part, bool] = {"votes": without_votes, "history": without_history}
    with suppress(Failed):  # A workspace that nothing can be written to any more can be backed up.
        audit.note("backed up", project.name, file.name)
    with bar() as progress:
        without = [part for part, is_left in left.items() if is_left]
        made = back_up(project, file, without, progress, problem_in_file)
    for note in made.notes:
        aside(note)
    say(f"{file} holds {project.name!r}: {made.files:,} files, {size_in_words(made.size)}.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that backup wrote.")],
    name: Annotated[
        str | None, typer.Option(help="What to call the project. Default: as it was called.")
    ] = None,
) -> None:
    """Make a project of a backup, after every byte of it was checked. No project is ever written over."""
    from search.judging.safekeeping import problem_in_file
    from search.projects import audit
    from search.projects.members import members
    from search.projects.restore import restore as bring_back

    finish_deletions()
    with bar() as progress:
        made = bring_back(file, name, progress, problem_in_file)
    audit.note("restored", made.name, file.name)
    if people := [f"{one.person} ({one.role})" for one in members(made)]:
        aside(
            f"Where people sign in, it is open to: {', '.join(people)}. Change that with: python cli.py members '{made.name}'."
        )
    say(f"The project {made.name!r} is restored.")


@app.command()
def bundle(
    project: ThisProject,
    file: Annotated[
        Path | None, typer.Argument(help="The file to write; it must not exist.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model that it is about.")] = None,
    no_text: Annotated[
        bool,
        typer.Option(
            "--no-text",
            help="Hashes in place of documents, pairs and questions: who has them can measure.",
        ),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Of a project that came from a bundle: measure again, and compare the figures.",
        ),
    ] = False,
) -> None:
    """Write a model with all that it takes to measure it again into one file; import brings it in and measures."""
    from training.export.bundle import bundle as write_bundle
    from training.export.bundle import measured_again

    if again:
        if file is not None or model is not None or no_text:
            raise Refused("--again writes no file: it goes alone.")
        with bar() as progress:
            came_out = measured_again(project, progress)
        say(came_out.sentence)
        raise typer.Exit(1 if came_out.differs else 0)
    if file is None or model is None:
        raise Refused(
            f"Say which model, and a file to write: python cli.py bundle {project.name} FILE --model NAME."
        )
    with bar() as progress:
        made = write_bundle(project, model, file, not no_text, progress)
    for note in made.notes:
        aside(note)
    say(
        f"{file} holds {model!r} of {project.name!r}: {made.files:,} files, {size_in_words(made.size)}."
    )


@app.command()
def where(project: ProjectInAnyState, as_json: AsJson = False) -> None:
    """Say where the data of a project lies: what of whose texts, in which folder, how much, and who was sent some."""
    from search.retrieval.whereabouts import where_data_lies

    lies = where_data_lies(project)
    if as_json:
        print_json([one.as_json() for one in lies])
        return
    for one in lies:
        say(one.sentence)


@app.command()
def check(
    project: AnyProject = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Do what is said of each finding. What could be somebody's only copy is set aside, never deleted.",
        ),
    ] = False,
    vectors: Annotated[
        bool,
        typer.Option(
            "--vectors",
            help="With --repair: also remove the vectors of the embedding store that no project's texts need.",
        ),
    ] = False,
    hub: Annotated[
        bool,
        typer.Option("--hub", help="Also ask whether the model hub can be reached."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look over everything on disk: checksums, votes, what is left over; exit status 1 where something is damaged.

    Without a project also over the machine: versions, memory, device, and whether configured servers can be reached.
    """
    from search.judging.safekeeping import check_daily_backups, problem_in_file
    from search.models.machine import machine_report
    from search.projects.check import check_project, check_workspace
    from search.projects.check import repair as mend
    from search.projects.project import projects, unusable_projects
    from search.projects.settings import settings
    from search.retrieval.checking import (
        check_history,
        check_left_on_servers,
        check_servers,
        check_store,
        remove_unneeded,
    )

    if vectors and not repair:
        raise Refused("--vectors removes vectors: say --repair, too.")
    if hub and project is not None:
        raise Refused("--hub is about the machine: leave the project out.")
    chosen = [project] if project else [*projects(), *(p for p, _ in unusable_projects())]
    findings = [
        finding
        for one in chosen
        for finding in (
            *check_project(one, problem_in_file),
            *check_history(one),
            *check_daily_backups(one),
        )
    ]
    if project is None:
        findings += [*check_workspace(settings().home), *check_store(), *check_left_on_servers()]
    said = mend(findings) if repair else []
    if repair:
        said += check_servers(chosen)
    if vectors:
        said.append(remove_unneeded())
    wrong = [one for one in findings if not one.left_over and not (repair and one.act)]
    machine = machine_report(projects(), hub) if project is None else None
    if as_json:
        about = {} if machine is None else {"machine": machine.as_json()}
        print_json({"findings": [one.as_json() for one in findings], "repaired": said, **about})
    else:
        for line in machine.sentences if machine is not None else ():
            say(line)
        for line in [one.sentence for one in findings] + said:
            say(line)
        if not findings:
            say("Everything is as it was written, and nothing is left over.")
    undone = any(": not repaired: " in line for line in said)
    raise typer.Exit(1 if wrong or undone else 0)


@app.command()
def rename(
    project: ThisProject,
    name: Annotated[str, typer.Argument(help="The new name.")],
    model: Annotated[
        str | None, typer.Option(help="Rename this model of it instead of the project.")
    ] = None,
) -> None:
    """Rename a project or a model; what names the former one, finds it still."""
    from search.models.registry import rename_model
    from search.projects.renaming import rename_project

    if model is not None:
        made = rename_model(project, model, name)
        say(f"The model {model!r} is called {made.name!r} now.")
        return
    rename_project(project, name)
    say(f"The project {project.name!r} is called {name!r} now.")


@app.command()
def versions(
    project: ThisProject,
    number: Annotated[
        int | None, typer.Argument(help="A version by its number. Default: all of them.")
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the version, and what was made of it.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """List the versions of the corpus, compare one with the one before, or delete it."""
    from search.corpus.versions import describe_versions
    from search.corpus.versions import version as by_number
    from search.retrieval import deletion

    if delete:
        if number is None:
            raise Refused("Say which version to delete: python cli.py versions PROJECT 2 --delete.")
        planned = deletion.planned(project, "corpora", by_number(project, number).id)
        ask_before_deleting(planned.lines, yes)
        for line in deletion.delete(planned):
            aside(line)
        say(
            f"Version {number} is deleted, and {len(planned.along):,} indexes and evaluations of it."
        )
        return
    told = describe_versions(project, number)
    if as_json:
        print_json([one.as_json() for one in told])
        return
    for one in told:
        say(one.sentence)
