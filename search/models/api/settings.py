"""Where a server is and how to deal with it. The name of the key's variable is kept, never the key."""

import hashlib
import ipaddress
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from search.models.prompts import Prompts
from search.projects.errors import Refused
from search.projects.outgoing import host_and_port, is_named
from search.projects.settings import (
    KEY_PREFIX,
    LIMITS,
    OPENAI_KEY,
    SERVERS_VARIABLE,
    secret,
    settings,
)

OPENAI = "https://api.openai.com/v1"
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
    base_url: str = Field(max_length=2_000)
    model: str = Field(min_length=1, max_length=200)
    key_variable: str | None = None
    dimensions: int | None = Field(None, ge=1, le=65_536)
    max_tokens: int = Field(LIMITS.endpoint_tokens, ge=1, le=10**12)
    price: float | None = Field(None, ge=0, le=1e6, allow_inf_nan=False)
    max_length: int | None = Field(None, ge=8, le=10_000_000)
    batch_texts: int = Field(128, ge=1, le=2_048)
    batch_tokens: int = Field(30_000, ge=1, le=300_000)
    requests_per_minute: int | None = Field(None, ge=1, le=10**9)
    tokens_per_minute: int | None = Field(None, ge=1, le=10**12)
    timeout: float = Field(60.0, gt=0, le=3_600, allow_inf_nan=False)
    retries: int = Field(5, ge=0, le=20)

    @field_validator("model")
    @classmethod
    def _one_line(cls, value: str) -> str:
        """A name of a model: one line of signs that can be seen."""
        if any(_unseen(sign) for sign in value):
            raise ValueError("must be one line, without signs that cannot be seen")
        return value

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        """An address of a server, without anything secret in it."""
        # What takes addresses apart drops line breaks and reads a backslash in more than one way.
        if any(sign.isspace() or _unseen(sign) or sign == "\\" for sign in value.strip()):
            raise ValueError("must hold no space, line break or backslash")
        try:
            parts = urlsplit(value.strip())
            _ = parts.port
        except ValueError:
            raise ValueError("is no address, such as " + OPENAI) from None
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

        :raises Refused: when the variable is not set, holds no key for servers, or none for this server.
        """
        if self.key_variable is None:
            return None
        self._check_receiver()
        found = secret(self.key_variable)
        if not found:
            raise Refused(
                f"The environment variable {self.key_variable} is not set, so {self.base_url} cannot be "
                f"asked. Set it where Bespoke is started: export {self.key_variable}=..."
            )
        if not (found.isascii() and found.isprintable()):
            raise Refused(
                f"The environment variable {self.key_variable} holds no key: one is a line of plain letters, digits and signs."
            )
        return found

    def _check_receiver(self) -> None:
        """See that the key may be sent to this server, which anybody who adds models can name.

        :raises Refused: for OpenAI's key to others, and for any beyond loopback, unless the server is in BESPOKE_SERVERS.
        """
        is_openai = host_and_port(self.base_url) == host_and_port(OPENAI)
        if self.key_variable == OPENAI_KEY:
            if is_openai and self.base_url.startswith("https:"):
                return
        elif not settings().beyond_loopback:
            return
        if not is_named(self.base_url):
            raise Refused(
                f"The key in {self.key_variable} is not sent to {host_and_port(self.base_url)}. Another server's key goes into "
                f"a variable that begins with {KEY_PREFIX}; and whoever starts Bespoke may allow this server any key: "
                f"{SERVERS_VARIABLE}={host_and_port(self.base_url)}."
            )


def is_openai_model(reference: str) -> bool:
    """Whether a reference is the name of one of OpenAI's embedding models."""
    return _OPENAI_MODEL.fullmatch(reference) is not None


class ChatSettings(ApiSettings):
    """A server that chats, and how to deal with it.

    `price` is what a million tokens cost that it reads, `written_price` what a million cost that it writes (as `price`
    where it is not given), `answer_tokens` the longest answer, `parallel` how many questions are under way at once.

    >>> ChatSettings(base_url="http://localhost:11434/v1", model="qwen").timeout
    300.0
    """

    timeout: float = Field(300.0, gt=0, le=3_600, allow_inf_nan=False)
    written_price: float | None = Field(None, ge=0, le=1e6, allow_inf_nan=False)
    answer_tokens: int = Field(500, ge=16, le=100_000)
    parallel: int = Field(4, ge=1, le=64)


Made = TypeVar("Made", bound=ApiSettings)


def api_settings(values: Mapping[str, Any]) -> ApiSettings:
    """Settings out of what a person gave; OpenAI's address, key and longest text go without saying.

    :param values: fields of `ApiSettings`; None stands for not given.
    :raises Refused: naming the first field that is wrong.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if is_openai_model(str(given.get("model", ""))):
        given.setdefault("base_url", OPENAI)
        given.setdefault("max_length", _OPENAI_LONGEST)
    return _made(ApiSettings, given)


def chat_settings(values: Mapping[str, Any]) -> ChatSettings:
    """Settings of a server that chats, out of what a person gave; see `api_settings`.

    :raises Refused: naming the first field that is wrong.
    """
    return _made(ChatSettings, {name: value for name, value in values.items() if value is not None})


def _made(kind: type[Made], given: dict[str, Any]) -> Made:
    if str(given.get("base_url", "")).rstrip("/") == OPENAI:
        given.setdefault("key_variable", OPENAI_KEY)
    try:
        return kind(**given)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = str(first["loc"][0]).replace("_", "-")
        said = str(first["msg"]).removeprefix("Value error, ")
        raise Refused(f"--{field}: {said[:1].lower() + said[1:]}.") from None


def _unseen(sign: str) -> bool:
    """Whether a sign is a control, a format sign (which may turn what follows around), or no sign of Unicode."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _is_local(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
