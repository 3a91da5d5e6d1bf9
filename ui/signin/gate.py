"""The gate before all that the server answers: who may ask for what, for how long, and what each answer carries.

What is drawn is no concern of the gate's: the pages' own door (ui/door.py) says which projects a person may open.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.runtime_util import serialize_forward_msg
from streamlit.url_util import make_url_path

from search.projects import audit, members
from search.projects.audit import Actor
from search.projects.loopback import came_by_proxy, host_of, is_loopback
from search.projects.unexpected import unexpected
from ui.page_names import NAMES
from ui.signin import security_headers
from ui.signin.identity import DAY, Person, Unwelcome, person_of
from ui.signin.sessions import is_own_file, is_own_session, may_take_up
from ui.signin.ways import WayIn

_LOG = logging.getLogger(__name__)
_STREAM = "_stcore/stream"
_SIGN_OUT = "auth/logout"
_OPEN = frozenset(
    (
        "",
        *NAMES,
        "favicon.png",
        "_stcore/health",
        "_stcore/host-config",
        _STREAM,
        "auth/login",
        _SIGN_OUT,
        "oauth2callback",
    )
)
"""What a browser needs before anybody is signed in: the empty document, and the ways to sign in."""
_OPEN_BELOW = ("static/",)
# Files of parts that are drawn; what a person's own sessions drew and took in.
_OWN_BELOW = ("media/", "_stcore/upload_file/", "_stcore/bidi-components/", "component/")
_CACHE = b"cache-control"
_PROTOCOL = "sec-websocket-protocol"
_POLICY_VIOLATION = 1008
_FRESH = 600.0


class _Refusal(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Gate:
    """ASGI middleware around the whole of Streamlit.

    :param way: how people get in.
    """

    def __init__(self, app: ASGIApp, way: WayIn) -> None:
        self._app = app
        self._way = way
        # Whose open pages were closed lately: they begin anew, and cannot take up a session from before.
        self._closed: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _with_headers(send)
        try:
            person = self._admitted(scope)
        except _Refusal as refusal:
            await _refuse(scope, receive, send, refusal)
            return
        if scope["type"] == "websocket" and self._way.way != "alone":
            if person is None or self._was_closed(person) or not _may_take_up(scope, person):
                scope = _as_a_new_session(scope)
            if person is not None:
                receive = self._while_signed_in(receive, send, person)
        if scope["type"] == "http":
            await self._answered(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request be answered; what fails there is answered like all else, and logged without what it was about."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:
            said = str(unexpected(error, what="An answer", after="Load the page again to go on"))
            _LOG.error("%s", said)
            if not begun:
                await PlainTextResponse("Internal Server Error", 500)(scope, receive, send)

    def _admitted(self, scope: Scope) -> Person | None:
        """Who asks; None where nobody is signed in.

        :raises _Refusal: where that may not be answered.
        """
        way, headers = self._way, Headers(scope=scope)
        if way.way != "oidc":
            _check_machine(way, scope, headers)
        try:
            person = person_of(way, _joined(headers), _cookies(headers))
        except Unwelcome as error:
            if way.way == "proxy":
                raise _Refusal(403, str(error)) from None
            person = None  # The page says why, beside the way to sign out.
        if way.way == "proxy" and (person is None or len(headers.getlist(way.header)) != 1):
            raise _Refusal(403, "This did not come through the proxy that signs people in.")
        path = _path(scope)
        if scope["type"] == "websocket":
            _check_origin(way, headers)
        if path in _OPEN or path.startswith(_OPEN_BELOW):
            if path == _SIGN_OUT and person is not None:
                audit.note("signed out", by=Actor(person.name, "signed in"))
                members.sign_out(person.name)
            return person
        if not path.startswith(_OWN_BELOW):
            if way.way == "alone" and not way.published and path == "_stcore/metrics":
                return person
            raise _Refusal(404, "Not Found")
        if way.way != "alone" and not _is_own(way, path, person):
            raise _Refusal(404, "Not Found")
        return person

    def _was_closed(self, person: Person) -> bool:
        """Whether open pages of this person were closed lately; Streamlit forgets a session sooner than that."""
        return time.monotonic() - self._closed.get(person.name, -_FRESH) < _FRESH

    def _while_signed_in(self, receive: Receive, send: Send, person: Person) -> Receive:
        """What comes from an open page, for as long as its person is signed in and may open what is open."""
        opened = time.time()

        def left() -> float:
            if members.changed_at(person.name) > opened:
                return 0.0
            return min(person.lasts, opened + DAY - time.time())

        async def checked() -> Message:
            with suppress(TimeoutError):
                message = await asyncio.wait_for(receive(), max(left(), 0.0))
                if left() > 0:
                    return message
            self._closed[person.name] = time.monotonic()
            with suppress(Exception):  # The browser may be gone.
                await send({"type": "websocket.send", "bytes": _begin_anew()})
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}

        return checked


def _may_take_up(scope: Scope, person: Person) -> bool:
    """Whether each session that the browser wants to take up again, if any, is that of this person."""
    wanted = [part for v in Headers(scope=scope).getlist(_PROTOCOL) for part in v.split(",")[2:]]
    return all(may_take_up(session.strip(), person.name) for session in wanted)


def _as_a_new_session(scope: Scope) -> Scope:
    """Leave out which session the browser wants to take up again, with all that is drawn in it."""
    name = _PROTOCOL.encode()
    headers = [(k, b",".join(v.split(b",")[:2]) if k == name else v) for k, v in scope["headers"]]
    return {**scope, "headers": headers, "subprotocols": list(scope.get("subprotocols", ()))[:2]}


def _begin_anew() -> bytes:
    """Streamlit's message that makes a browser load the app again: what is on the screen does not stay there."""
    message = ForwardMsg()
    message.auth_redirect.url = make_url_path(str(st.get_option("server.baseUrlPath") or ""), "/")
    return serialize_forward_msg(message)


def _check_machine(way: WayIn, scope: Scope, headers: Headers) -> None:
    """Refuse what did not come from this machine.

    The address that was connected to tells: nobody else can reach a loopback one. (The address it came from does not:
    the server takes it from X-Forwarded-For.)
    """
    server = scope.get("server")
    local = server is not None and is_loopback(str(server[0]))
    if way.way == "proxy":
        if not local:
            raise _Refusal(403, "This did not come through the proxy that signs people in.")
        return
    if not local and not way.published:
        raise _Refusal(
            403, "Without sign-in, Bespoke answers on this machine alone: see SECURITY.md."
        )
    # A page elsewhere can point its own name at this machine, and then ask as if it were ours.
    if not is_loopback(host_of(headers.get("host", ""))):
        raise _Refusal(403, "Without sign-in, Bespoke answers at localhost alone: see SECURITY.md.")
    if came_by_proxy(headers):
        raise _Refusal(403, "This came through a proxy, and nobody is signed in: see SECURITY.md.")


def _check_origin(way: WayIn, headers: Headers) -> None:
    """Refuse a connection that a page of another site opens."""
    origin = headers.get("origin")
    if way.way == "oidc" and origin != way.origin:
        raise _Refusal(
            403, "This page is opened at another address than the one that people sign in at."
        )
    if (
        origin is not None
        and way.way == "alone"
        and not is_loopback(host_of(origin.partition("://")[2]))
    ):
        raise _Refusal(403, "Another page may not ask here.")


def _is_own(way: WayIn, path: str, person: Person | None) -> bool:
    """Whether a file or an upload belongs to a session of the person who asks for it."""
    if person is None:
        return False
    if path.startswith("media/"):
        return is_own_file(way, path.removeprefix("media/"), person)
    if path.startswith("_stcore/upload_file/"):
        return is_own_session(way, path.split("/")[2], person)
    return True


def _path(scope: Scope) -> str:
    """The path below the app's own address, without its first slash."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    path = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).removeprefix("/")
    if base and (path == base or path.startswith(f"{base}/")):
        path = path[len(base) :].removeprefix("/")
    return path.rstrip("/")


def _joined(headers: Headers) -> Mapping[str, str]:
    return {name: ",".join(headers.getlist(name)) for name in headers}


def _cookies(headers: Headers) -> Mapping[str, str]:
    jar: SimpleCookie = SimpleCookie()
    with suppress(CookieError):
        jar.load("; ".join(headers.getlist("cookie")))
    return {name: morsel.value for name, morsel in jar.items()}


def _with_headers(send: Send) -> Send:
    ours = security_headers.headers()
    names = {name for name, _ in ours}

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [(k, v) for k, v in message.get("headers", ()) if k.lower() not in names]
            if not any(k.lower() == _CACHE for k, _ in others):
                others.append(
                    (_CACHE, b"no-store")
                )  # What a page drew stays on no shared computer.
            message = {**message, "headers": [*others, *ours]}
        await send(message)

    return sent


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: _Refusal) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
    else:
        await PlainTextResponse(str(refusal), refusal.status)(scope, receive, send)
