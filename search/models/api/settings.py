"""Where a server is and how to deal with it. The name of the key's variable is kept, never the key."""

import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from search.models.prompts import Prompts
from search.projects.errors import Refused
from search.projects.settings import LIMITS, secret

OPENAI = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
_OPENAI_MODEL = re.compile(r"text-embedding-(ada-\d+|\d+-\w+)")
_OPENAI_LONGEST = 8_191
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{1,63}", re.ASCII)


class ApiSettings(BaseModel):
    """A server that embeds, and how to deal with it.

    `max_tokens` is the most that one command may send, `price` what a million tokens cost, `max_length` the
    longest text in tokens, `timeout` the seconds that one answer may take, `retries` how often a request that
    failed for a passing reason is sent again.

    >>> ApiSettings(base_url="http://localhost:8080/v1/", model="tiny").base_url
    'http://localhost:8080/v1'
    >>> api_settings({"model": "text-embedding-3-small"}).key_variable
    'OPENAI_API_KEY'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    base_url: str
    model: str = Field(min_length=1, max_length=200)
    key_variable: str | None = None
    dimensions: int | None = Field(None, ge=1, le=65_536)
    max_tokens: int = Field(LIMITS.endpoint_tokens, ge=1)
    price: float | None = Field(None, ge=0)
    max_length: int | None = Field(None, ge=8)
    batch_texts: int = Field(128, ge=1, le=2_048)
    batch_tokens: int = Field(30_000, ge=1, le=300_000)
    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1)
    timeout: float = Field(60.0, gt=0, le=3_600)
    retries: int = Field(5, ge=0, le=20)

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        """An address of a server, without anything secret in it."""
        parts = urlsplit(value.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must begin with http:// or https://, for example " + OPENAI)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "must hold no user, password or parameter: put the key into an environment variable"
            )
        return value.strip().rstrip("/")

    @field_validator("key_variable")
    @classmethod
    def _a_name(cls, value: str | None) -> str | None:
        """The name of a variable. What was given is not repeated: it may be the key itself."""
        if value is not None and not _VARIABLE.fullmatch(value):
            raise ValueError(
                "must be the name of an environment variable in capital letters, such as "
                f"{OPENAI_KEY}, never the key itself"
            )
        return value

    @property
    def in_plain_sight(self) -> bool:
        """Whether the key would travel unencrypted to another machine."""
        parts = urlsplit(self.base_url)
        return bool(self.key_variable) and parts.scheme == "http" and not _is_local(parts.hostname)

    def fingerprint(self, prompts: Prompts) -> str:
        """One hash over everything that decides what vectors come back."""
        facts = [self.base_url, self.model, self.dimensions, self.max_length]
        facts += [prompts.query, prompts.document]
        return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()

    def key(self) -> str | None:
        """The key, out of the environment, now; None where the server wants none.

        :raises Refused: when the variable is not set.
        """
        if self.key_variable is None:
            return None
        found = secret(self.key_variable)
        if not found:
            raise Refused(
                f"The environment variable {self.key_variable} is not set, so {self.base_url} cannot be "
                f"asked. Set it where Bespoke is started: export {self.key_variable}=..."
            )
        return found


def is_openai_model(reference: str) -> bool:
    """Whether a reference is the name of one of OpenAI's embedding models."""
    return _OPENAI_MODEL.fullmatch(reference) is not None


def api_settings(values: Mapping[str, Any]) -> ApiSettings:
    """Settings out of what a person gave; OpenAI's address, key and longest text go without saying.

    :param values: fields of `ApiSettings`; None stands for not given.
    :raises Refused: naming the first field that is wrong.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if is_openai_model(str(given.get("model", ""))):
        given.setdefault("base_url", OPENAI)
        given.setdefault("max_length", _OPENAI_LONGEST)
    if str(given.get("base_url", "")).rstrip("/") == OPENAI:
        given.setdefault("key_variable", OPENAI_KEY)
    try:
        return ApiSettings(**given)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = str(first["loc"][0]).replace("_", "-")
        said = str(first["msg"]).removeprefix("Value error, ")
        raise Refused(f"--{field}: {said[:1].lower() + said[1:]}.") from None


def _is_local(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
