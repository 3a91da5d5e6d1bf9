"""Listening: where, for whom, and how it ends."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from search.projects.errors import Refused
from search.projects.loopback import is_loopback
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.settings import (
    LISTENS_VARIABLE,
    LOOPBACK,
    SERVE_KEY_VARIABLE,
    reached_from_elsewhere,
    settings,
)
from serving.application import Served, application

PORT = 8600
_PATIENCE = 30
_KEEP_ALIVE = 75


def may_listen(host: str) -> None:
    """See that a server may listen on an address.

    :raises Refused: beyond this machine without a key.
    """
    known = settings()
    if is_loopback(host):
        return
    if not known.serve_key and known.listens != LOOPBACK:
        raise Refused(
            f"Without a key, everybody who reaches {host or 'this machine'} could ask: put one into {SERVE_KEY_VARIABLE}, "
            f"listen on this machine alone (--host localhost), or, in a container whose port is published on 127.0.0.1 "
            f"alone, set {LISTENS_VARIABLE}={LOOPBACK}."
        )
    if known.listens != LOOPBACK:
        reached_from_elsewhere()


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens.

    :raises Refused: where the port is taken, or the address is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Refused(f"{host} is no address of this machine ({error.strerror}).") from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(2_048)
    except OSError as error:
        made.close()
        raise Refused(
            f"Nothing can listen on {host}:{port} ({error.strerror}): choose another --port, or end what listens there."
        ) from None
    return made


def serve(
    project: Project,
    model: str | None = None,
    host: str = "localhost",
    port: int = PORT,
    progress: Progress = silent,
    ready: Callable[[str, Served], None] = lambda _address, _served: None,
) -> None:
    """Answer programs until a signal (SIGINT, SIGTERM) ends it; what was asked before is answered first.

    :param model: the name of the model that answers where a request names none; None for the winner, see `serving.winner`.
    :param port: 0 for any that is free.
    :param ready: is told the address, and what answers, when it begins.
    :raises Refused: where it may not listen, or for a model that the project does not have.
    """
    may_listen(host)
    listening = bound(host, port)
    served = Served(project, model)
    try:
        served.current.begin(progress)
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{listening.getsockname()[1]}", served)
        server_of(served).run([listening])
    finally:
        served.close()
        listening.close()


def server_of(served: Served) -> uvicorn.Server:
    """The server that answers, not started yet.

    :param served: begun already.
    """
    return _Server(
        uvicorn.Config(
            application(served),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_PATIENCE,
        )
    )


class _Server(uvicorn.Server):
    """A server for which a signal is the ordinary way to end: uvicorn raises it again when all is answered."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in _SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
