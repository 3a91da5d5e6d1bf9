"""Who reaches what listens here: this machine's own people, or others, by an address or through a proxy."""

import ipaddress
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

_FORWARDED = (
    "forwarded",
    "x-real-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
)
_FORWARDED_TOO = "x-forwarded-"


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "", "example.org")]
    [True, True, True, False, False, False]
    """
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return _bare(ipaddress.ip_address(name)).is_loopback
    except ValueError:
        return False


def host_of(host: str) -> str:
    """The name in a Host header, without its port; "" where there is none."""
    with suppress(ValueError):
        return urlsplit(f"//{host}").hostname or ""
    return ""


def came_by_proxy(headers: Iterable[str]) -> bool:
    """Whether the names of a request's headers say that a proxy passed it on."""
    return any(
        name.lower() in _FORWARDED or name.lower().startswith(_FORWARDED_TOO) for name in headers
    )


def _bare(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
