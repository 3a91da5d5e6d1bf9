"""A small OpenID provider on loopback: it signs in whomever the test says, as the test says."""

import base64
import hashlib
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "bespoke", "the client's own secret"


@dataclass
class Provider:
    """What it says of whom; `age` is for how many seconds a person is signed in already, `extra` what else is claimed."""

    mail: str = ""
    audience: str = CLIENT
    age: float = 0.0
    own_key: bool = True
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._key, self._other = (RSAKey.generate_key(2048, {"kid": "one"}) for _ in range(2))
        self._codes: dict[str, dict[str, str]] = {}
        self.refused: list[str] = []

    def __enter__(self) -> "Provider":
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://localhost:{listener.getsockname()[1]}"
        named = {
            "/.well-known/openid-configuration": self._configuration, "/authorize": self._authorize,
            "/jwks": self._jwks, "/logout": self._logout,
        }  # fmt: skip
        routes = [Route(path, answer) for path, answer in named.items()]
        routes.append(Route("/token", self._token, methods=["POST"]))
        config = uvicorn.Config(Starlette(routes=routes), log_level="warning", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(20)

    async def _configuration(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "end_session_endpoint": f"{self.url}/logout",
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        code = secrets.token_urlsafe(16)
        self._codes[code] = dict(request.query_params)
        back = urlencode({"code": code, "state": request.query_params["state"]})
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{back}")

    async def _logout(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["post_logout_redirect_uri"])

    async def _token(self, request: Request) -> Response:
        form = {key: value[0] for key, value in parse_qs((await request.body()).decode()).items()}
        asked = self._codes.pop(form.get("code", ""), None)
        given = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        credentials = request.headers.get("authorization", "").removeprefix("Basic ")
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
        ):
            self.refused.append("the code, its verifier, or the address")
        elif CLIENT.encode() not in base64.b64decode(credentials or given):
            self.refused.append("the client")
        if self.refused or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.url, "sub": self.mail, "aud": self.audience, "nonce": asked["nonce"], "email": self.mail,
            "email_verified": True, "iat": int(now - self.age), "exp": now + 600, **self.extra,
        }  # fmt: skip
        key = self._key if self.own_key else self._other
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
        return JSONResponse(
            {"access_token": "x", "token_type": "Bearer", "id_token": signed, "expires_in": 600}
        )
