"""A server that speaks OpenAI's API, asked one thing at a time: again where that helps, and nothing but what is meant."""

import logging
import math
import random
import re
import time
import weakref
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from search.models.api.settings import ApiSettings
from search.projects.errors import Failed, Refused

if TYPE_CHECKING:
    import openai

    from search.models.api.transport import OneServer

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_LONGEST_ASKED = 120.0
_LONGEST_SAID = 10_000
_SHOWN = 160
_REPEATED = 8  # So many signs in a row are a part of a text that was sent.
_AGAIN = (408, 409, 425, 429)
KEPT = "What was answered so far is kept: the same command goes on from there."
Settings = TypeVar("Settings", bound=ApiSettings)
Answered = TypeVar("Answered")


class Passing(Exception):
    """Something went wrong that may be right the next time; `wait` is how long the server asked to wait."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class TooSlow(Passing):
    """No answer came in time."""


class TooMuch(Failed):
    """A server refused a request as it was, or did not answer it in time: with less in it it may."""


class ServerClient(Generic[Settings]):
    """Asks one server, through OpenAI's own client; what is asked is up to those derived from it.

    :param settings: where it is and how to deal with it.
    :param sleep: waits for so many seconds.
    :param project: for which it is asked, for the log of hosts.
    :raises Refused: when the key's variable is not set, or may not be sent there.

    >>> ServerClient(ApiSettings(base_url="http://localhost:8080/v1", model="tiny")).naming
    'add the model with'
    """

    purpose = ""
    """What it is asked for, for the log of hosts and for messages."""
    naming = "add the model with"
    """How a person says where it is and which key it wants, in messages."""

    def __init__(
        self,
        settings: Settings,
        sleep: Callable[[float], None] = time.sleep,
        project: str = "",
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._project = project
        self._key = settings.key()
        self._sent: Sequence[str] = ()
        self._client: openai.OpenAI | None = None
        self._server: OneServer | None = None

    def _tried(self, once: Callable[[], Answered], slow_again: bool) -> Answered:
        """What a request gives, tried again after failures that may pass.

        :param slow_again: whether one that was not answered in time is sent more than twice.
        :raises Failed: naming the server, what it said and what to do.
        :raises TooMuch: the same, where it may answer if less is asked.
        """
        for attempt in range(self._settings.retries + 1):
            try:
                return once()
            except Passing as passing:
                slow = isinstance(passing, TooSlow)
                if attempt == self._settings.retries or (slow and attempt and not slow_again):
                    times = "once" if attempt == 0 else f"{attempt + 1} times"
                    kind = TooMuch if slow else Failed
                    raise self._failed(f"did not answer, asked {times}: {passing}", kind) from None
                asked = passing.wait
                if asked is not None and asked > _LONGEST_ASKED:
                    raise self._failed(
                        f"asks to wait {asked:,.0f} seconds: {passing}. Try again then"
                    ) from None
                self._sleep(_backoff(attempt) if asked is None else asked)
        raise AssertionError("the loop returns or raises")

    def _answer(
        self,
        ask: "Callable[[openai.OpenAI], Answered]",
        sent: Sequence[str],
        most_bytes: int,
        too_long: str,
    ) -> Answered:
        """What the server answers to one request.

        :param sent: the texts in it: what the server repeats of them is said nowhere.
        :param most_bytes: of the answer; `too_long` is what a longer one did.
        :raises Passing: for what may be right the next time.
        :raises Failed: for what will not.
        """
        import openai

        from search.models.api.transport import TooLong

        self._sent = sent
        client, server = self._opened()
        server.most_bytes = most_bytes
        try:
            return ask(client)
        except openai.APITimeoutError:
            raise TooSlow(f"no answer within {self._settings.timeout:g} seconds") from None
        except TooLong:
            raise self._failed(too_long) from None
        except openai.APIConnectionError as error:
            raise Passing(self._clean(_cause(error))) from None
        except openai.APIStatusError as error:
            raise self._status(error) from None
        except (ValueError, RecursionError, openai.APIError):
            raise Passing("its answer was cut short or is not JSON") from None

    def _opened(self) -> "tuple[openai.OpenAI, OneServer]":
        if self._client is None or self._server is None:
            import httpx2
            import openai

            from search.models.api.transport import OneServer

            # Told to (OPENAI_LOG), they would write every text into the log.
            for chatty in ("openai", "httpx2", "httpcore2"):
                logging.getLogger(chatty).setLevel(logging.WARNING)
            wait = self._settings.timeout
            try:
                server = OneServer(
                    self._settings.base_url, self._key, self._project, wait, self.purpose
                )
            except httpx2.InvalidURL:
                raise Refused(f"{self._settings.base_url} is no address of a server.") from None
            weakref.finalize(self, server.close)
            self._server = server
            # Documents go nowhere but there: not where a redirect points, not through a proxy of the environment.
            connection = httpx2.Client(
                transport=server, trust_env=False, follow_redirects=False, timeout=wait
            )
            self._client = openai.OpenAI(
                base_url=self._settings.base_url,
                api_key="none",
                timeout=wait,
                max_retries=0,
                http_client=connection,
            )
        return self._client, self._server

    def _status(self, error: "openai.APIStatusError") -> Exception:
        """What to raise for an answer that is an error."""
        status = error.status_code
        said = self._clean(_message(error))
        if 300 <= status < 400:
            host = self._clean(_host_of(error.response.headers.get("location", "")))
            return self._failed(
                f"sends on to {host} (status {status}), and texts are sent nowhere but where it was said. If that is the "
                f"right address, {self.naming} it"
            )
        if status in (401, 403):
            where = (
                f"Look at the environment variable {self._settings.key_variable}"
                if self._settings.key_variable
                else f"It wants a key: {self.naming} --key-variable NAME"
            )
            return self._failed(f"refused the key (status {status}): {said}. {where}")
        if status == 429 and "insufficient_quota" in (error.code, error.type):
            return self._failed(f"says that the account has no credit left: {said}")
        if status in _AGAIN or status >= 500:
            return Passing(f"status {status}, {said}", _retry_after(error.response.headers))
        if status == 404:
            return self._failed(
                f"has no model {self._settings.model!r}, or no {self.purpose} under this address (status 404):"
                f" {said}. The address usually ends in /v1"
            )
        return self._refused(error, said)

    def _refused(self, error: "openai.APIStatusError", said: str) -> Exception:
        """What to raise where a request was refused for what is in it.

        :param said: by the server, on one line.
        """
        return self._failed(f"refused a request (status {error.status_code}): {said}", TooMuch)

    def _failed(self, what: str, kind: type[Failed] = Failed) -> Failed:
        return kind(f"The server {self._settings.base_url} {what.rstrip('.')}. {KEPT}")

    def _clean(self, text: str) -> str:
        """What a server said, as one short line without the key, and without signs that move what stands around it."""
        text = text[:_LONGEST_SAID]
        if self._key:
            text = text.replace(self._key, "***")
        text = "".join(sign if sign.isprintable() else " " for sign in text)
        return _without(" ".join(text.split())[:_SHOWN], self._sent).rstrip(".")


def _backoff(attempt: int) -> float:
    """Seconds to wait: doubled each time, with some chance in it, so that many do not come back at once."""
    return float(min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT) * random.uniform(0.75, 1.25))  # noqa: S311


def _retry_after(headers: Any) -> float | None:
    """What a server asks for in Retry-After: seconds, or a date."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _message(error: "openai.APIStatusError") -> str:
    body = error.body
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(error.message)


def _without(said: str, texts: Sequence[str]) -> str:
    """What a server said, without what it repeats of texts: it is written down, and they are not."""
    sent = [" ".join(text.split()) for text in texts]
    repeated = [False] * len(said)
    for start in range(len(said) - _REPEATED + 1):
        part = said[start : start + _REPEATED]
        if any(part in text for text in sent):
            repeated[start : start + _REPEATED] = [True] * _REPEATED
    signs = ("\0" if out else sign for sign, out in zip(said, repeated, strict=True))
    return re.sub("\0+", "…", "".join(signs))


def _host_of(location: str) -> str:
    """The host that a redirect names, or that it stays on the same one."""
    found = re.match(r"(?:https?:)?//([^/?#\s]{1,253})", location)
    return found[1].rpartition("@")[2] if found else "another path"


def _cause(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"the connection failed ({str(cause).strip() or type(cause).__name__})"
