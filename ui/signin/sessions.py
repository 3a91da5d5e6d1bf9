"""Whose a session of Streamlit's is, so that a file or an upload is answered to its own person alone."""

from collections import OrderedDict
from threading import Lock

from streamlit import runtime

from search.projects.errors import Refused
from ui.signin.identity import Person, person_of
from ui.signin.ways import WayIn

_MOST = 10_000
_lock = Lock()
_people: OrderedDict[str, str] = OrderedDict()


def note_person(session: str, person: str) -> None:
    """Note whose a session is, so that nobody else takes it up again when their line was cut."""
    with _lock:
        _people[session] = person
        _people.move_to_end(session)
        while len(_people) > _MOST:
            _people.popitem(last=False)


def may_take_up(session: str, person: str) -> bool:
    """Whether a session was this person's; one that nobody knows of (any more) was nobody's."""
    with _lock:
        return _people.get(session) == person


def is_own_session(way: WayIn, session: str, person: Person) -> bool:
    """Whether a session was opened by this person."""
    if not runtime.exists():
        return False
    info = runtime.get_instance()._session_mgr.get_active_session_info(session)
    if info is None or (context := info.client.client_context) is None:
        return False
    headers: dict[str, str] = {}
    for name, value in context.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    try:
        owner = person_of(way, headers, context.cookies)
    except Refused:
        return False
    return owner is not None and owner.name == person.name


def is_own_file(way: WayIn, file: str, person: Person) -> bool:
    """Whether a file was drawn, or made ready to be taken away, in a session of this person."""
    if not runtime.exists():
        return False
    drawn = runtime.get_instance().media_file_mgr._files_by_session_and_coord
    identity = file.split(".", 1)[0]
    return any(
        identity in files.values() and is_own_session(way, session, person)
        for session, files in list(drawn.items())
    )
