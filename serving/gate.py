"""The gate before all that is answered: who may ask, how much at once, and what each answer carries."""

import hmac
from asyncio import CancelledError
from time import perf_counter

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.projects.loopback import came_by_proxy, host_of, is_loopback
from search.projects.settings import LIMITS, SERVE_KEY_VARIABLE
from serving.metrics import Metrics
from serving.refusals import of_error, refusal

HEALTH = "/health"
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
)


class _Refusal(Exception):
    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ServingGate:
    """ASGI middleware around the whole application.

    :param key: what programs must send as `Authorization: Bearer KEY`; "" for none: then this machine alone is answered.
    :param published: whether the port of this container is published on 127.0.0.1 alone.
    :param paths: those that are counted by name.
    """

    def __init__(
        self,
        app: ASGIApp,
        key: str,
        published: bool,
        metrics: Metrics,
        paths: frozenset[str],
    ) -> None:
        self._app = app
        self._key = key.encode()
        self._published = published
        self._metrics = metrics
        self._paths = paths
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        path = scope["path"] if scope["path"] in self._paths else "other"
        started, status = perf_counter(), 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *_ALWAYS]}
            await send(message)

        self._open += 1
        self._metrics.open.set(self._open)
        try:
            await self._answered(scope, receive, sent)
        except CancelledError:  # It stops, and this took too long to wait for.
            if not status:
                stops = refusal(503, "This server is about to stop. Ask again in a moment.")
                await stops(scope, receive, sent)
        except Exception as error:
            if not status:  # Else starlette answered, and raises all the same.
                await of_error(error)(scope, receive, sent)
        finally:
            self._open -= 1
            self._metrics.open.set(self._open)
            self._metrics.requests.labels(path, str(status or 499)).inc()
            self._metrics.seconds.labels(path).observe(perf_counter() - started)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = Headers(scope=scope)
            self._admit(scope, headers)
            await self._app(scope, _bounded(headers, receive), send)
        except _Refusal as refused:
            wants = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else None
            answer = refusal(refused.status, str(refused), code=refused.code, headers=wants)
            await answer(scope, receive, send)

    def _admit(self, scope: Scope, headers: Headers) -> None:
        """See that a request may be answered.

        :raises _Refusal: otherwise.
        """
        if not self._key:
            self._check_machine(scope, headers)
        if scope["path"] == HEALTH:
            return
        if self._key:
            given = headers.get("authorization", "").partition(" ")
            if given[0].lower() != "bearer" or not hmac.compare_digest(
                given[2].strip().encode(), self._key
            ):
                raise _Refusal(
                    401,
                    f"Send the key of this server ({SERVE_KEY_VARIABLE} where it was started) as Authorization: Bearer KEY.",
                    "invalid_api_key",
                )
        if self._open > LIMITS.served_requests:
            raise _Refusal(
                429,
                f"{self._open - 1:,} requests are being answered. Ask again in a moment.",
                "busy",
            )

    def _check_machine(self, scope: Scope, headers: Headers) -> None:
        """Without a key, this machine alone is answered: not other machines, other sites' pages, or what a proxy passed on."""
        server = scope.get("server")
        local = server is not None and is_loopback(str(server[0]))
        named = is_loopback(host_of(headers.get("host", "")))
        origin = headers.get("origin")
        elsewhere = origin is not None and not is_loopback(host_of(origin.partition("://")[2]))
        if not (local or self._published) or not named or elsewhere or came_by_proxy(headers):
            raise _Refusal(
                403,
                f"Without a key ({SERVE_KEY_VARIABLE}) this server answers programs of this machine alone, at localhost.",
            )


def _bounded(headers: Headers, receive: Receive) -> Receive:
    """The body of a request, up to the limit.

    :raises _Refusal: for one that says it is longer.
    """
    message = f"The body is longer than {LIMITS.served_bytes:,} bytes. Send fewer texts a request."
    said = headers.get("content-length", "")
    if said.isdecimal() and int(said) > LIMITS.served_bytes:
        raise _Refusal(413, message)
    size = 0

    async def received() -> Message:
        nonlocal size
        part = await receive()
        size += len(part.get("body", b""))
        if size > LIMITS.served_bytes:
            raise HTTPException(413, message)
        return part

    return received
