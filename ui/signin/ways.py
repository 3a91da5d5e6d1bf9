"""The ways in: alone on this machine, Streamlit's own OpenID Connect, or the header of a proxy; and refusing to start."""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import streamlit as st
from streamlit.auth_util import get_secrets_auth_section, is_authlib_installed
from streamlit.runtime.secrets import AttrDict

from search.projects.errors import Refused
from search.projects.loopback import is_loopback
from search.projects.settings import (
    LISTENS_VARIABLE,
    LOOPBACK,
    PROXY_VARIABLE,
    reached_from_elsewhere,
    settings,
)

Way = Literal["alone", "oidc", "proxy"]

_SECRET_CHARACTERS = 32
_PROVIDER_KEYS = ("client_id", "client_secret", "server_metadata_url")
_SHARED_KEYS = {"redirect_uri", "cookie_secret", "client_kwargs", "expose_tokens", *_PROVIDER_KEYS}


@dataclass(frozen=True)
class WayIn:
    """How people get in.

    :param published: the port of this container is published on 127.0.0.1 alone (BESPOKE_LISTENS=loopback).
    :param header: in which a proxy names who asks, in lower case.
    :param providers: the names of the OpenID providers, as `st.login` takes them; None for the only one.
    :param origin: where people reach the app, such as https://bespoke.example.
    :param any_mail: whether addresses are believed that the provider does not call verified.
    """

    way: Way
    published: bool = False
    header: str = ""
    providers: tuple[str | None, ...] = ()
    origin: str = ""
    any_mail: bool = False


def way_in() -> WayIn:
    """How people get in, by the environment and by secrets.toml.

    :raises Refused: where a sign-in is set up in a way that would not hold.
    """
    said = settings()
    published = said.listens == LOOPBACK
    section = _auth_section()
    if said.proxy_user_header and section:
        raise Refused(
            f"Two ways to sign in are set up, [auth] in secrets.toml and {PROXY_VARIABLE}: keep one of them."
        )
    if said.proxy_user_header:
        return WayIn("proxy", published, said.proxy_user_header)
    if not section:
        return WayIn("alone", published)
    return WayIn(
        "oidc",
        published,
        providers=_providers(section),
        origin=_origin(section),
        any_mail=section.get("any_mail") is True,
    )


def may_start(address: str) -> WayIn:
    """How people get in, when the app may listen on an address.

    :param address: as Streamlit has it; empty for all.
    :raises Refused: with what to do.
    """
    way = way_in()
    if not st.get_option("server.enableXsrfProtection"):
        raise Refused(
            "Bespoke does not start without server.enableXsrfProtection: any other page that a browser shows could ask here "
            "in the name of who is signed in."
        )
    if is_loopback(address):
        return way
    where = f"on {address}" if address else "on every address"
    if way.way == "proxy":
        raise Refused(
            f"Bespoke would listen {where}, where a request could go around the proxy that signs people in "
            f"({PROXY_VARIABLE}): let it listen on this machine alone, with --server.address localhost."
        )
    if way.way == "alone" and not way.published:
        raise Refused(
            f"Bespoke would listen {where} and let everybody in: set up sign-in ([auth] in .streamlit/secrets.toml, "
            f"or {PROXY_VARIABLE}), listen on this machine alone (--server.address localhost), or, in a container "
            f"whose port is published on 127.0.0.1 alone, set {LISTENS_VARIABLE}={LOOPBACK}. See SECURITY.md."
        )
    return way


@cache
def chosen() -> WayIn:
    """How people get in, as it was when this process started."""
    return way_in()


def start_or_exit() -> WayIn:
    """`may_start` with the address that Streamlit was given; where it may not, the process ends with the sentence."""
    try:
        way = may_start(str(st.get_option("server.address") or ""))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_status)
    if way.way != "alone":
        reached_from_elsewhere()
    return way


def _auth_section() -> Mapping[str, object]:
    # Streamlit goes on without the secrets of a file that it cannot read, and so without sign-in.
    for name in st.get_option("secrets.files") or ():
        try:
            tomllib.loads(Path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise Refused(f"{name} cannot be read, and may hold who signs in: {error}") from None
    section = get_secrets_auth_section()
    if not isinstance(section, Mapping):
        raise Refused("auth in secrets.toml is no section.")
    return section.to_dict() if isinstance(section, AttrDict) else section


def _providers(section: Mapping[str, object]) -> tuple[str | None, ...]:
    if not is_authlib_installed():
        raise Refused("Signing in needs Authlib, which is not installed. Run: make app.")
    secret = section.get("cookie_secret")
    if not isinstance(secret, str) or len(secret) < _SECRET_CHARACTERS:
        raise Refused(
            f"[auth] in secrets.toml needs a cookie_secret of at least {_SECRET_CHARACTERS} random characters: who "
            "can guess it can sign in as anybody."
        )
    providers: dict[str | None, Mapping[str, object]] = {}
    if any(key in section for key in _PROVIDER_KEYS):
        providers[None] = section
    for key, value in section.items():
        if isinstance(value, Mapping) and key not in _SHARED_KEYS:
            providers[key] = value
    if not providers:
        raise Refused(
            "[auth] in secrets.toml names no provider: it needs " + ", ".join(_PROVIDER_KEYS) + "."
        )
    for name, one in providers.items():
        where = f"[auth.{name}]" if name else "[auth]"
        for key in _PROVIDER_KEYS:
            if not isinstance(one.get(key), str) or not one[key]:
                raise Refused(f"{where} in secrets.toml lacks {key}.")
        _safe_address(str(one["server_metadata_url"]), f"server_metadata_url of {where}")
    return tuple(providers)


def _origin(section: Mapping[str, object]) -> str:
    uri = str(section.get("redirect_uri") or "").replace(
        "{port}", str(st.get_option("server.port"))
    )
    if not uri.endswith("/oauth2callback"):
        raise Refused("[auth] in secrets.toml needs a redirect_uri that ends in /oauth2callback.")
    _safe_address(uri, "redirect_uri of [auth]")
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _safe_address(address: str, what: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    ):
        raise Refused(f"The {what} in secrets.toml must begin with https://.")
