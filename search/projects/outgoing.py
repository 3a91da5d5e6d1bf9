"""What leaves this machine: which hosts may be asked, and the log in which people see those that were."""

import ipaddress
import json
import os
import socket
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from search.projects.artifacts import now
from search.projects.errors import Refused
from search.projects.settings import SERVERS_VARIABLE, settings

LOG_FILE = "hosts.jsonl"
_FOLDER = ".logs"
_LOG_BYTES = 4 * 1024 * 1024
_PORTS = {"http": 80, "https": 443}
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 behind an IPv6 prefix (RFC 6052).
# What clouds answer their machines from at addresses that look like anybody's, what is set aside for protocols and for
# examples, and what networks called their own before there was fc00::/7.
_OTHERS = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",
            "192.0.0.0/24",
            "192.88.99.0/24",
            "fec0::/10",
            "3fff::/20",
            "5f00::/16",
        ),
    )
)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Contact:
    """One host that a process was about to ask for the first time.

    `what` was asked of it, for which `project` ("": for any), at which `address`, where that is known.

    >>> Contact("2026-01-01T10:00:00Z", "api.openai.com:443", "embeddings", "lab").host
    'api.openai.com:443'
    """

    time: str
    host: str
    what: str
    project: str = ""
    address: str = ""


def host_and_port(url: str) -> str:
    """The host:port of an address, in small letters; IPv6 in its brackets.

    >>> host_and_port("https://API.openai.com/v1"), host_and_port("http://[::1]:8080/v1")
    ('api.openai.com:443', '[::1]:8080')
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_named(url: str) -> bool:
    """Whether the environment of the app names the server of an address (BESPOKE_SERVERS)."""
    return host_and_port(url) in settings().servers


def addresses_of(url: str) -> list[str]:
    """The addresses behind a name, looked up now; connect to these, not to the name, which may mean another next time.

    :raises Refused: where one of them is of this machine or network and others than its own people use the app.
    :raises OSError: when the name has none.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{host} is no name of a host") from None
    # The text of an address may end in the name of a card: fe80::1%eth0.
    known = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if settings().beyond_loopback and not is_named(url):
        for address in known:
            if not is_public(address):
                raise Refused(
                    f"{host_and_port(url)} is a server of this machine or network ({address}), and this app is open to "
                    "others. Whoever starts it may allow that server: "
                    f"{SERVERS_VARIABLE}={host_and_port(url)}."
                )
    return known


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, whatever it is wrapped in.

    >>> [is_public(a) for a in ("8.8.8.8", "::ffff:10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "0.0.0.0")]
    [True, False, False, False, False]
    """
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    inner = _wrapped(found)
    if inner is not None:
        return is_public(str(inner))
    special = found.is_multicast or found.is_reserved or found.is_link_local
    return found.is_global and not special and not any(found in network for network in _OTHERS)


def _wrapped(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def note_contact(url: str, what: str, project: str = "", address: str = "") -> None:
    """Write down that a host is about to be asked: a line for each process, host and purpose.

    :param what: is asked of it, never a text.
    :param project: for which it is asked; "" where that is not known.
    :raises Refused: where that cannot be written: then it must not be asked.
    """
    _note_once(settings().home, host_and_port(url), what, project, address)


@lru_cache(maxsize=4096)
def _note_once(home: Path, host: str, what: str, project: str, address: str) -> None:
    folder = home / _FOLDER
    path = folder / LOG_FILE
    line = json.dumps(asdict(Contact(now(), host, what, project, address)), ensure_ascii=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size > _LOG_BYTES:
            path.replace(path.with_suffix(".old.jsonl"))
        # A line that a killed process left half is ended by the next one's first character.
        content = f"\n{line}\n".encode("utf-8", "replace")
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(log, content)
        finally:
            os.close(log)
    except OSError as error:
        raise Refused(
            f"{host} was not asked: that it is asked cannot be written into {path} ({error.strerror})."
        ) from None


def contacts(project: str | None = None, most: int = 1_000) -> list[Contact]:
    """The hosts that were asked, newest first; lines that cannot be read are left out.

    :param project: leaves out what was asked for other projects; None for all.
    """
    found: list[Contact] = []
    path = settings().home / _FOLDER / LOG_FILE
    for file in (path.with_suffix(".old.jsonl"), path):
        try:
            content = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in content.splitlines():
            try:
                found.append(Contact(**{k: str(v) for k, v in json.loads(line).items()}))
            except (ValueError, TypeError, AttributeError):
                continue
    shown = [c for c in found if project is None or c.project in ("", project)]
    return shown[: -most - 1 : -1]


def refuse_unless_named(url: str, what: str) -> None:
    """See that a server that gets data by a client of its own may be asked: beyond loopback, only those that are named.

    :raises Refused: naming the variable that allows it.
    """
    known = settings()
    if known.beyond_loopback and not is_named(url):
        raise Refused(
            f"{what} at {host_and_port(url)} cannot be asked by an app that is open to others, unless whoever starts it "
            f"allows that: {SERVERS_VARIABLE}={host_and_port(url)}."
        )
