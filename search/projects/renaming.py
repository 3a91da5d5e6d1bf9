"""Another name for a project: in one step, not under work that goes on, and known by its former name from then on."""

from search.projects import audit, members
from search.projects.errors import Refused
from search.projects.files import flush
from search.projects.project import Project, check_project_name, projects
from search.projects.runs import OVER, runs
from search.projects.settings import settings

_LONGEST = 80  # An address may hold anything.


def rename_project(project: Project, name: str) -> Project:
    """Give a project another name; addresses with the former one lead to it.

    :raises Refused: when the name cannot be one or is taken, or work in the project goes on.
    """
    check_project_name(name)
    target = Project(project.folder.parent / name)
    first, second = sorted((project, target), key=lambda one: one.name)
    with first.locked(), second.locked():
        _ = project.info  # Says whether it is there.
        if target.folder.exists():
            raise Refused(f"There is a project {name!r} already. Choose another name.")
        _refuse_while_working(project)
        audit.note(audit.RENAMED, project.name, name)
        # First what it is called, then where it is: a kill between the two leaves it as it was, by its folder.
        former = list(dict.fromkeys([*project.info.former_names, project.name]))
        project.change(
            lambda _: {"name": name, "former_names": [one for one in former if one != name]}
        )
        project.folder.rename(target.folder)
        flush(target.folder.parent)
    members.begin_anew(target)
    return target


def current_name(name: str) -> str:
    """What a project is called now: its new name where it was renamed and nobody else took the former one."""
    if (settings().home / name[:_LONGEST]).exists():
        return name
    return next((one.name for one in projects() if name in one.info.former_names), name)


def _refuse_while_working(project: Project) -> None:
    for run in runs(project):
        if run.status.state not in OVER:
            raise Refused(
                f"{run.command} goes on in {project.name!r}. Wait until it is over, or cancel it first."
            )
