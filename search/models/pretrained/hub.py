"""A hub's library, held to what holds for every server: addresses looked at, redirects too, and a line for each host."""

from urllib.request import getproxies

import httpx2

from search.models.api.transport import send_to_looked_at, trusted
from search.projects.outgoing import note_contact
from search.projects.settings import settings


class LookedAt(httpx2.BaseTransport):
    """Sends each request, one that a redirect asks for as well, to an address of its host that was looked at just now.

    :param purpose: what is asked for, for the log of hosts.
    :param project: for the same log; "" for none.

    >>> LookedAt("a model of the hub").handle_request(httpx2.Request("GET", "http://hub.invalid/"))
    Traceback (most recent call last):
    httpx2.ConnectError: hub.invalid: [Errno -2] Name or service not known
    """

    def __init__(self, purpose: str, project: str = "") -> None:
        self._purpose = purpose
        self._project = project
        self._inner = httpx2.HTTPTransport(verify=trusted())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        :raises Refused: where its host may not be asked (`addresses_of`).
        """
        return send_to_looked_at(self._inner, request, self._purpose, self._project)

    def close(self) -> None:
        """Close what is open."""
        self._inner.close()


def guard_hub(purpose: str, project: str = "") -> None:
    """Let the hub's library, in this process, ask only what may be asked, and note each host before it is.

    A proxy of the environment looks names up itself, so behind one the library stays as it is, and the hub alone is noted.

    :param purpose: what is asked for from now on, for the log of hosts.
    """
    from huggingface_hub import constants, set_client_factory
    from huggingface_hub.utils._http import hf_request_event_hook

    if getproxies().keys() & {"http", "https", "all"}:
        note_contact(constants.ENDPOINT, purpose, project)
        return
    if settings().beyond_loopback:  # Its way past httpx2, for large files.
        constants.HF_HUB_DISABLE_XET = True
    set_client_factory(
        lambda: httpx2.Client(
            transport=LookedAt(purpose, project),
            event_hooks={"request": [hf_request_event_hook]},
            follow_redirects=True,
            timeout=None,
        )
    )
