"""Ways in, and cookies as Streamlit signs them."""

import json
import time
from typing import Any

from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from ui.signin.ways import WayIn

SECRET = "a secret of more than thirty-two characters"
ORIGIN = "https://bespoke.example"
ALONE, PUBLISHED = WayIn("alone"), WayIn("alone", published=True)
OIDC = WayIn("oidc", providers=(None,), origin=ORIGIN)
PROXY = WayIn("proxy", header="x-forwarded-email")
ANNA, BEN = "anna@firm.example", "ben@firm.example"


def claims(mail: str = ANNA, **more: Any) -> dict[str, Any]:
    return {
        "email": mail, "email_verified": True, "iat": int(time.time()) - 60, "origin": ORIGIN, "is_logged_in": True,
        "provider": "default", **more,
    }  # fmt: skip


def cookies(said: dict[str, Any], secret: str = SECRET) -> dict[str, str]:
    signed = create_signed_value(secret, USER_COOKIE_NAME, json.dumps(said))
    return {USER_COOKIE_NAME: signed.decode()}
