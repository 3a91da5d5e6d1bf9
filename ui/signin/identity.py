"""Who asks: told from a request's cookies (as Streamlit signed them) or from the header of the proxy.

One answer for the server's gate, which sees each request and message, and for the pages.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from search.projects import members
from search.projects.errors import Refused
from search.projects.settings import settings
from ui.signin.ways import WayIn

DAY = 24 * 60 * 60.0
"""How long a sign-in lasts, in seconds."""
_AHEAD = 300.0


@dataclass(frozen=True)
class Person:
    """Somebody who signed in.

    :param name: the address, or what the proxy calls them, in lower case.
    :param since: when they signed in, in seconds since 1970; None where the proxy knows.
    """

    name: str
    since: float | None = None

    @property
    def lasts(self) -> float:
        """For how many seconds from now this sign-in holds; at most 0 when it is over."""
        if self.since is None:
            return DAY
        # The seconds of a provider are whole: who signed out in the same one has signed out.
        if self.since <= int(members.signed_out_at(self.name)):
            return 0.0
        return self.since + DAY - time.time()


class Unwelcome(Refused):
    """Somebody signed in who may not come in."""


def person_of(way: WayIn, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Person | None:
    """Who asks; None where nobody is signed in (any more), or nobody has to.

    :param headers: of the request; where one comes twice, its values with a comma between.
    :raises Unwelcome: with what to do, where somebody signed in who may not come in.
    """
    if way.way == "proxy":
        named = headers.get(way.header, "")
        return Person(_welcome(named)) if named else None
    if way.way == "oidc":
        claims = _claims(way, cookies)
        return _of_claims(way, claims) if claims is not None else None
    return None


def _claims(way: WayIn, cookies: Mapping[str, str]) -> dict[str, Any] | None:
    """What the provider said, out of the cookie that Streamlit signed."""
    secret = get_cookie_secret()

    def one(name: str) -> bytes | None:
        return decode_signed_value(secret, name, cookies.get(name, ""))

    raw = get_cookie_with_chunks(one, USER_COOKIE_NAME)
    try:
        claims = json.loads(raw) if raw else None
    except ValueError:
        return None
    if (
        not isinstance(claims, dict)
        or claims.get("origin") != way.origin
        or claims.get("is_logged_in") is not True
    ):
        return None
    return claims


def _of_claims(way: WayIn, claims: Mapping[str, Any]) -> Person | None:
    since = claims.get("iat")
    if (
        isinstance(since, bool)
        or not isinstance(since, int | float)
        or since > time.time() + _AHEAD
    ):
        return None
    mail = claims.get("email")
    if not isinstance(mail, str) or not mail:
        raise Unwelcome("The provider gives no e-mail address of you: its scope must hold email.")
    verified = claims.get("email_verified")
    if verified is not True and (verified is not None or not way.any_mail):
        raise Unwelcome(
            f"The provider does not say that {mail} is verified as your address. Where it can be trusted all the same "
            "(the one of your own organisation), set any_mail = true in [auth] of secrets.toml."
        )
    person = Person(_welcome(mail), float(since))
    return person if person.lasts > 0 else None


def _welcome(name: str) -> str:
    try:
        person = members.person_name(name)
    except Refused as error:
        raise Unwelcome(str(error)) from None
    listed = tuple(map(members.folded, settings().people))
    if listed and person not in listed and f"@{person.rpartition('@')[2]}" not in listed:
        raise Unwelcome(
            f"{person} is not among those who may come in. Ask whoever runs Bespoke here."
        )
    return person
