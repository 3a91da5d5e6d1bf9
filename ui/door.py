"""The pages' one door: who is there, and which projects they may open. No page opens a project by itself.

Alone on loopback everybody may do everything, and nobody is asked for a name but judges.
"""

from collections.abc import Callable
from functools import wraps

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from search.projects import audit, members
from search.projects.audit import Actor
from search.projects.errors import BespokeError, OtherFormat, Refused
from search.projects.members import Role
from search.projects.project import (
    Project,
    project,
    project_to_be,
    projects,
    unusable_projects,
)
from ui.rendering import literal
from ui.signin import sessions, ways
from ui.signin.identity import Person, Unwelcome, person_of

JUDGES_PAGE = "judge"
"""The one page that judges see."""
_PAGE, _CAME_IN = "page-now", "came-in"
_ROLES_OF_PAGES: tuple[Role, ...] = ("owner", "member")


def entered() -> bool:
    """Whether somebody may come in; where not, the page that signs people in is drawn instead."""
    audit.ask_who(_actor)
    if ways.chosen().way == "alone":
        return True
    try:
        one = person()
    except Unwelcome as error:
        _stop_at_the_door(str(error), signed_in=True)
        return False
    if one is None:
        _stop_at_the_door("Sign in to open your projects.", signed_in=False)
        return False
    if (context := get_script_run_ctx(suppress_warning=True)) is not None:
        sessions.note_person(context.session_id, one.name)
    if st.session_state.get(_CAME_IN) != (one.name, one.since):
        st.session_state[_CAME_IN] = (one.name, one.since)
        audit.note("came in", by=Actor(one.name, "signed in"))
    _who_is_here(one)
    return True


def person() -> Person | None:
    """Who is signed in in this session; None where nobody is, or nobody has to be.

    :raises Unwelcome: where somebody signed in who may not come in.
    """
    headers: dict[str, str] = {}
    for name in st.context.headers:
        headers[name.lower()] = ",".join(st.context.headers.get_all(name))
    return person_of(ways.chosen(), headers, st.context.cookies.to_dict())


def through(name: str, draw: Callable[[], None]) -> Callable[[], None]:
    """A page that knows its own name, by which the door lets people into it."""

    @wraps(draw)
    def drawn() -> None:
        st.session_state[_PAGE] = name
        draw()

    return drawn


def role(one: Project) -> Role | None:
    """What whoever is here may do in a project; None where nothing. Without sign-in everybody is an owner."""
    if ways.chosen().way == "alone":
        return "owner"
    here = person()
    return members.role_of(one, here.name) if here is not None else None


def opened(name: str) -> Project:
    """A project by its name, where whoever is here may open it on this page.

    :raises Refused: in the same words whether there is none or it is not theirs.
    """
    if ways.chosen().way == "alone":
        return project(name)
    one = project_to_be(name) if _may_open(name) else None
    if one is None or not one.exists:
        raise Refused(f"There is no project {name!r} that you may open.")
    _ = one.info
    return one


def all_opened() -> list[Project]:
    """The projects that whoever is here may open on this page, the newest first."""
    return [one for one in projects() if _allows(role(one))]


def all_damaged() -> list[tuple[Project, BespokeError]]:
    """The projects of whoever is here that cannot be used, and what is said of each."""
    return [(one, why) for one, why in unusable_projects() if _allows(role(one))]


def to_be(name: str) -> Project:
    """The project of that name, whether it exists yet or not, where it is nobody else's.

    :raises Refused: when the name cannot be one, or is taken.
    """
    one = project_to_be(name)
    if ways.chosen().way != "alone" and one.folder.exists() and not _allows(role(one)):
        raise Refused(f"The name {name!r} is taken. Choose another one.")
    return one


def made(one: Project) -> Project:
    """Note that a project is made by whoever is here, who then owns it; call it before anything is put in.

    :raises Refused: when it is somebody else's, even if only just now.
    """
    here = person()
    if here is not None:
        members.claim(one, here.name)
    audit.note("made the project", one.name)
    return one


def owns(one: Project) -> bool:
    """Whether whoever is here owns a project: may delete it, and say who else comes in."""
    return role(one) == "owner"


def must_own(one: Project) -> None:
    """Refuse what only an owner may do.

    :raises Refused: to everybody else.
    """
    if not owns(one):
        raise Refused(f"Only an owner of {one.name!r} may do that.")


def must_work_in(one: Project) -> None:
    """Refuse what owners and members alone may do.

    :raises Refused: to everybody else.
    """
    if role(one) not in _ROLES_OF_PAGES:
        raise Refused(f"You may not change the project {one.name!r}.")


def is_free(name: str) -> bool:
    """Whether a project of that name is theirs, or nobody's."""
    try:
        to_be(name)
    except OtherFormat:
        return True
    except Refused:
        return False
    return True


def is_judge_elsewhere() -> bool:
    """Whether whoever is here can judge, and has no project that this page is for."""
    if ways.chosen().way == "alone" or all_opened():
        return False
    return any(role(one) == "judge" for one in projects())


def signed_in_as() -> str:
    """The name of whoever is signed in; empty where nobody has to be."""
    here = person()
    return here.name if here is not None else ""


def _may_open(name: str) -> bool:
    try:
        return _allows(role(project_to_be(name)))
    except BespokeError:
        return False


def _allows(role_there: Role | None) -> bool:
    if role_there == "judge":
        return st.session_state.get(_PAGE) == JUDGES_PAGE
    return role_there in _ROLES_OF_PAGES


def _actor() -> Actor | None:
    """Who acts in this session, for the audit log; None outside of any."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    if ways.chosen().way != "alone":
        here = person()
        return Actor(here.name if here else "", "signed in" if here else "not signed in")
    return Actor(str(st.session_state.get("judge-name") or ""), "not signed in")


def _who_is_here(one: Person) -> None:
    """Who is signed in, with the way out."""
    row = st.container(key="who-is-here", horizontal=True, horizontal_alignment="right")
    with row.popover(literal(one.name), icon=":material/person:", type="tertiary"):
        if ways.chosen().way == "proxy":
            st.caption("Signed in by the proxy in front of Bespoke: sign out there.")
            return
        st.caption("Signed in for a day at most.")
        if st.button("Sign out", key="sign-out", icon=":material/logout:"):
            st.logout()


def _stop_at_the_door(why: str, signed_in: bool) -> None:
    """The page of who is not signed in: nothing of any project is on it."""
    with st.container(key="sign-in"):
        st.title("Bespoke", anchor=False)
        st.write(literal(why))
        if signed_in:
            if ways.chosen().way == "oidc":
                st.button("Sign out", key="sign-out", on_click=st.logout)
            return
        for provider in ways.chosen().providers:
            label = f"Sign in with {literal(provider)}" if provider else "Sign in"
            if st.button(label, key=f"sign-in-{provider}", type="primary", icon=":material/login:"):
                st.login(provider)
