"""Who may open a project where people sign in: owners, members, and judges, who see the page Judge alone.

Each is a small file in the project's folder `members`, so that two who add people at once lose nobody, and a damaged
file shuts out one person only. Alone on loopback, and in the terminal, nobody is asked: whoever may read the files may.
"""

import hashlib
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from search.projects import audit
from search.projects.artifacts import now
from search.projects.errors import Refused
from search.projects.files import flush, write_atomically
from search.projects.project import Project
from search.projects.settings import settings

Role = Literal["owner", "member", "judge"]
"""An owner also says who else comes in, deletes and sees the audit log; a judge sees the page Judge alone."""
ROLES: tuple[Role, ...] = get_args(Role)

_FOLDER = "members"
_PEOPLE = ".people"
_CHARACTERS = 254


class Membership(BaseModel):
    """Somebody who was let into a project."""

    model_config = ConfigDict(frozen=True)
    person: str
    role: Role
    added: str
    by: str


def person_name(name: str) -> str:
    """A person as members are known: an address, or what a proxy calls somebody, without regard to capitals.

    Only capitals are made small: signs that merely look alike, or are written for one another (ß and ss), are others'.

    :raises Refused: when nobody can be called so.

    >>> person_name(" Anna@Firm.EXAMPLE "), person_name("\N{KELVIN SIGN}arl@straße.example")
    ('anna@firm.example', '\N{KELVIN SIGN}arl@straße.example')
    """
    tidy = folded(name.strip())
    fits = 0 < len(tidy) <= _CHARACTERS and tidy.isprintable()
    if not fits or any(sign.isspace() or sign == "," for sign in tidy):
        raise Refused(f"{name!r} names nobody: give the address that the person signs in with.")
    return tidy


def folded(name: str) -> str:
    """A name without regard to capitals."""
    return "".join(map(_small, name))


def _small(sign: str) -> str:
    """A letter as a small one, where it is the capital of that one and of no other."""
    small = sign.lower()
    return small if small.upper() == sign else sign


def members(project: Project) -> list[Membership]:
    """Everybody who may open a project: owners first, then by name."""
    folder = project.folder / _FOLDER
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    listed = [member for member in map(_read, files) if member is not None]
    return sorted(listed, key=lambda member: (ROLES.index(member.role), member.person))


def role_of(project: Project, person: str) -> Role | None:
    """What a person may do in a project; None where nothing."""
    member = _read(_file(project, person_name(person)))
    return member.role if member is not None and member.person == person_name(person) else None


def claim(project: Project, person: str) -> None:
    """Make a person the owner of a project that is about to be made.

    :raises Refused: when it is somebody's already, even if only just now.
    """
    name = person_name(person)
    project.folder.mkdir(parents=True, exist_ok=True)
    try:
        if project.exists:
            raise FileExistsError
        (project.folder / _FOLDER).mkdir()
    except FileExistsError:
        if role_of(project, name) != "owner" or project.exists:
            raise Refused(f"The name {project.name!r} is taken. Choose another one.") from None
    _write(project, name, "owner")


def add(project: Project, person: str, role: Role) -> None:
    """Let a person into a project, or change what they may do there.

    :raises Refused: when the name can be nobody's, or a project would be left without an owner.
    """
    name = person_name(person)
    if role != "owner":
        _keep_an_owner(project, name)
    audit.note("added to the project", project.name, name, role=role)
    (project.folder / _FOLDER).mkdir(exist_ok=True, mode=0o700)
    _write(project, name, role)
    _reopen(name)


def remove(project: Project, person: str) -> None:
    """Shut a person out of a project; what is open in their browser closes with the next thing they do.

    :raises Refused: when they are not in it, or it would be left without an owner.
    """
    name = person_name(person)
    file = _file(project, name)
    if not file.is_file():
        if _stamp_file(
            name, "changed"
        ).exists():  # Whoever took them out may have been killed before this.
            _reopen(name)
        raise Refused(f"{name} is not in the project {project.name!r}.")
    _keep_an_owner(project, name)
    audit.note("taken out of the project", project.name, name)
    file.unlink(missing_ok=True)
    flush(file.parent)
    _reopen(name)


def begin_anew(project: Project) -> None:
    """Close what everybody in a project but whoever acts now has open: it may stand for a project of that name that is
    another by now.
    """
    for member in members(project):
        if member.person != audit.person():
            with suppress(OSError):  # What was done is done: a full disk does not undo it.
                _reopen(member.person)


def sign_out(person: str) -> None:
    """Note that a person signed out: what was signed in before this moment is over, in every browser."""
    _stamp(person_name(person), "out")


def signed_out_at(person: str) -> float:
    """When a person signed out last, in seconds since 1970; 0 for never."""
    return _stamped(person, "out")


def changed_at(person: str) -> float:
    """When it last changed what a person may open, in seconds since 1970; 0 for never."""
    return _stamped(person, "changed")


def _reopen(person: str) -> None:
    _stamp(person, "changed")


def _keep_an_owner(project: Project, name: str) -> None:
    owners = [member.person for member in members(project) if member.role == "owner"]
    if owners == [name]:
        raise Refused(
            f"{name} is the only owner of {project.name!r}: make somebody else an owner first."
        )


def _write(project: Project, name: str, role: Role) -> None:
    member = Membership(person=name, role=role, added=now(), by=audit.actor().name)
    file = _file(project, name)
    write_atomically(file, member.model_dump_json(indent=2))
    flush(file.parent)


def _file(project: Project, name: str) -> Path:
    return project.folder / _FOLDER / f"{_hashed(name)}.json"


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:40]


def _read(file: Path) -> Membership | None:
    """A member out of a file; None, and so nobody, where there is none or it is damaged."""
    try:
        return Membership.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _stamp_file(person: str, what: str) -> Path:
    return settings().home / _PEOPLE / f"{_hashed(person)}.{what}"


def _stamp(person: str, what: str) -> None:
    file = _stamp_file(person, what)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(file, str(time.time()))


def _stamped(person: str, what: str) -> float:
    file = _stamp_file(person_name(person), what)
    try:
        return float(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0.0
    except ValueError:
        return file.stat().st_mtime
