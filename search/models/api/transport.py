"""The connection to one server: to the address that was looked at, with the headers that are meant, and no further.

OpenAI's client takes organisations, projects, other keys and further headers from its environment, follows redirects,
and reads answers of any size. Here is where what it made is put right, whatever it takes up in a later version.
"""

import ssl
import time
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address

import httpx2

from search.projects.outgoing import addresses_of, note_contact

_SENT = frozenset({"host", "accept", "content-type", "content-length", "connection"})
_BEGINNING = 1_000_000  # Bytes, until it is said how long an answer may be.


class TooLong(Exception):
    """An answer is longer than any of what was asked for."""


class Bounded(httpx2.SyncByteStream):
    """What a server answers, up to so many bytes and for so many seconds.

    :raises TooLong: while it is read.

    >>> b"".join(Bounded(httpx2.ByteStream(b"vectors"), most=7, seconds=1.0))
    b'vectors'
    """

    def __init__(self, stream: httpx2.SyncByteStream, most: int, seconds: float) -> None:
        self._stream = stream
        self._most = most
        self._until = time.monotonic() + seconds

    def __iter__(self) -> Iterator[bytes]:
        left = self._most
        for part in self._stream:
            left -= len(part)
            if left < 0:
                raise TooLong
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("an answer that goes on and on")
            yield part

    def close(self) -> None:
        """See httpx2."""
        self._stream.close()


class OneServer(httpx2.BaseTransport):
    """Sends requests to one server; `most_bytes` bounds the answer to the next one.

    :param base_url: of the server: a request to another host is refused.
    :param key: what is sent as its key; None for none, whatever the client would send.
    :param project: for the log of hosts.
    :param seconds: that one answer may take from its first byte to its last.
    :param purpose: what it is asked for, for the same log.

    >>> server = OneServer("http://localhost:8080/v1", None, "lab", 60.0, "embeddings")
    >>> server.handle_request(httpx2.Request("POST", "http://elsewhere/v1"))
    Traceback (most recent call last):
    httpx2.UnsupportedProtocol: a request to another host
    """

    def __init__(
        self, base_url: str, key: str | None, project: str, seconds: float, purpose: str
    ) -> None:
        self._base_url = base_url
        self._host = httpx2.URL(base_url).host
        self._key = key
        self._project = project
        self._seconds = seconds
        self._purpose = purpose
        self._inner = httpx2.HTTPTransport(verify=trusted())
        self.most_bytes = _BEGINNING

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to an address that was looked at just now, the next one where it does not connect.

        :raises Refused: where the server may not be asked.
        """
        name = request.url.host
        if name != self._host:
            raise httpx2.UnsupportedProtocol("a request to another host", request=request)
        for header in set(request.headers) - _SENT:
            del request.headers[header]
        # What is not compressed is as long as it says.
        request.headers.update({"accept-encoding": "identity", "user-agent": "bespoke"})
        if self._key is not None:
            request.headers["authorization"] = f"Bearer {self._key}"
        return self._bounded(send_to_looked_at(self._inner, request, self._purpose, self._project))

    def _bounded(self, response: httpx2.Response) -> httpx2.Response:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            response.close()
            raise httpx2.DecodingError("its answer is compressed, which was not asked for")
        assert isinstance(response.stream, httpx2.SyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=Bounded(response.stream, self.most_bytes, self._seconds),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close what is open."""
        self._inner.close()


def send_to_looked_at(
    inner: httpx2.BaseTransport, request: httpx2.Request, purpose: str, project: str
) -> httpx2.Response:
    """Send a request to an address of its host that was looked at just now, the next one where it does not connect.

    :param inner: connects.
    :param purpose: what is asked for, for the log of hosts; `project` as well.
    :raises Refused: where the host may not be asked.
    """
    url, name = str(request.url), request.url.host
    try:
        addresses = addresses_of(url)
    except OSError as error:
        raise httpx2.ConnectError(f"{name}: {error}", request=request) from None
    note_contact(url, purpose, project, addresses[0])
    extensions = dict(request.extensions)
    if not _is_number(name):
        extensions["sni_hostname"] = name
    for last, address in enumerate(addresses, 1 - len(addresses)):
        # A copy: what a redirect leads to is found from the address that was asked for.
        to = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions=extensions,
        )
        try:
            return inner.handle_request(to)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            if not last:
                raise
    raise AssertionError("a name has an address, or looking it up raises")


@cache
def trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts. To read them takes longer than a request, so it is done once."""
    return httpx2.create_ssl_context()


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
