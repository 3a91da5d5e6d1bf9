"""One request to an embeddings server: sent again where that helps, and its answer looked at before it is used."""

import logging
import math
import random
import re
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from indexes.vector_index import Vectors
from search.models.api.settings import ApiSettings
from search.projects.errors import Failed, Refused

if TYPE_CHECKING:
    import openai

    from search.models.api.transport import OneServer

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_LONGEST_ASKED = 120.0
_MINUTE = 60.0
_AROUND = 1_000_000  # What stands around the vectors in an answer, in bytes.
_NUMBER = (
    40  # The most bytes that one number of an answer takes with what is between it and the next.
)
_LONGEST_VECTOR = 65_536
_LONGEST_SAID = 10_000
_SHOWN = 160
_REPEATED = 8  # So many signs in a row are a part of a text that was sent.
_AGAIN = (408, 409, 425, 429)
KEPT = "What was answered so far is kept: the same command goes on from there."


class Answer(NamedTuple):
    """Vectors, shape (texts, dimension), and the tokens that the server counted (None: it did not say).

    >>> Answer(np.zeros((1, 2), dtype=np.float32), tokens=3).tokens
    3
    """

    vectors: Vectors
    tokens: int | None


class _Passing(Exception):
    """Something went wrong that may be right the next time; `wait` is how long the server asked to wait."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class _TooSlow(_Passing):
    """No answer came in time."""


class TooMuch(Failed):
    """A server refused a request as it was, or did not answer it in time: with fewer texts it may."""


class Caller:
    """Asks one server for vectors, through OpenAI's own client.

    :param settings: where it is and how to deal with it.
    :param sleep: waits for so many seconds.
    :param project: for which it is asked, for the log of hosts.
    :raises Refused: when the key's variable is not set, or may not be sent there.

    >>> caller = Caller(ApiSettings(base_url="http://localhost:8080/v1", model="tiny"))
    """

    def __init__(
        self,
        settings: ApiSettings,
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

    def embed(self, texts: Sequence[str], dimension: int | None) -> Answer:
        """Vectors of texts in one request, tried again after failures that may pass.

        :param dimension: what the vectors must have; None where that is not known yet.
        :raises Failed: naming the server, what it said and what to do.
        :raises TooMuch: the same, where fewer texts may help.
        """
        for attempt in range(self._settings.retries + 1):
            try:
                return self._once(texts, dimension)
            except _Passing as passing:
                slow = isinstance(passing, _TooSlow)
                # Fewer texts are answered sooner: it is not asked for the same again and again.
                if attempt == self._settings.retries or (slow and attempt and len(texts) > 1):
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

    def _once(self, texts: Sequence[str], dimension: int | None) -> Answer:
        import openai

        more: dict[str, Any] = {}
        if self._settings.dimensions is not None:
            more["dimensions"] = self._settings.dimensions
        from search.models.api.transport import TooLong

        self._sent = texts
        client, server = self._opened()
        server.most_bytes = _answer_bytes(len(texts), dimension or self._settings.dimensions)
        try:
            response = client.embeddings.create(
                model=self._settings.model, input=list(texts), encoding_format="float", **more
            )
        except openai.APITimeoutError:
            raise _TooSlow(f"no answer within {self._settings.timeout:g} seconds") from None
        except TooLong:
            raise self._failed("answered more than any vectors of these texts can be") from None
        except openai.APIConnectionError as error:
            raise _Passing(self._clean(_cause(error))) from None
        except openai.APIStatusError as error:
            raise self._status(error, len(texts)) from None
        except (ValueError, RecursionError, openai.APIError):
            raise _Passing("its answer was cut short or is not JSON") from None
        return Answer(self._checked(response, len(texts), dimension), _counted(response))

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
                server = OneServer(self._settings.base_url, self._key, self._project, wait)
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

    def _status(self, error: "openai.APIStatusError", texts: int) -> Exception:
        """What to raise for an answer that is an error."""
        status = error.status_code
        said = self._clean(_message(error))
        if 300 <= status < 400:
            host = self._clean(_host_of(error.response.headers.get("location", "")))
            return self._failed(
                f"sends on to {host} (status {status}), and texts are sent nowhere but where it was said. If that is the "
                "right address, add the model with it"
            )
        if status in (401, 403):
            where = (
                f"Look at the environment variable {self._settings.key_variable}"
                if self._settings.key_variable
                else "It wants a key: add the model with --key-variable NAME"
            )
            return self._failed(f"refused the key (status {status}): {said}. {where}")
        if status == 429 and "insufficient_quota" in (error.code, error.type):
            return self._failed(f"says that the account has no credit left: {said}")
        if status in _AGAIN or status >= 500:
            return _Passing(f"status {status}, {said}", _retry_after(error.response.headers))
        if status == 404:
            return self._failed(
                f"has no model {self._settings.model!r}, or no embeddings under this address (status 404):"
                f" {said}. The address usually ends in /v1"
            )
        return self._failed(
            f"refused {texts:,} texts (status {status}): {said}. Where they are too long for it, add the "
            "model with --max-length; where they are too many, change it: change-model with --batch-texts",
            TooMuch,
        )

    def _checked(self, response: Any, texts: int, dimension: int | None) -> Vectors:
        """The vectors of an answer, in the order of the texts.

        :raises Failed: when there are too few or too many, or they are no finite numbers of one dimension.
        """
        rows = getattr(response, "data", None)
        if not isinstance(rows, list):
            raise self._failed("answered without vectors: it may not speak OpenAI's embeddings API")
        if len(rows) != texts:
            raise self._failed(f"answered {len(rows):,} vectors for {texts:,} texts")
        try:
            places: list[Any] = [getattr(row, "index", None) for row in rows]
            if all(
                place is None for place in places
            ):  # Some servers do not number what they answer.
                places = list(range(texts))
            if None in places or sorted(places) != list(range(texts)):
                raise self._failed("answered vectors that are not numbered from 0 on")
            found = [np.asarray(row.embedding, dtype=np.float32) for row in rows]
        except (AttributeError, TypeError, ValueError):
            raise self._failed("answered something else than vectors of numbers") from None
        sizes = {vector.shape for vector in found}
        wanted = {(dimension,)} if dimension else sizes
        if sizes != wanted or len(sizes) != 1 or len(next(iter(sizes))) != 1:
            told = ", ".join(sorted("x".join(map(str, size)) for size in sizes))
            expected = f"{dimension}" if dimension else "one size"
            raise self._failed(f"answered vectors of {told} dimensions instead of {expected}")
        vectors = np.empty((texts, found[0].shape[0]), dtype=np.float32)
        vectors[places] = found
        if not np.isfinite(vectors).all():
            raise self._failed("answered vectors with numbers that are not finite (NaN)")
        return vectors

    def _failed(self, what: str, kind: type[Failed] = Failed) -> Failed:
        return kind(f"The server {self._settings.base_url} {what.rstrip('.')}. {KEPT}")

    def _clean(self, text: str) -> str:
        """What a server said, as one short line without the key, and without signs that move what stands around it."""
        text = text[:_LONGEST_SAID]
        if self._key:
            text = text.replace(self._key, "***")
        text = "".join(sign if sign.isprintable() else " " for sign in text)
        return _without(" ".join(text.split())[:_SHOWN], self._sent).rstrip(".")


class RateLimiter:
    """Waits before a request until the last minute has room for it.

    :param requests: the most requests in any minute; None for no bound.
    :param tokens: the most tokens in any minute; None for no bound.
    :param clock: seconds, running on.
    :param sleep: waits for so many seconds.

    >>> slept = []
    >>> limiter = RateLimiter(requests=1, clock=lambda: sum(slept), sleep=slept.append)
    >>> for _ in range(3):
    ...     limiter.wait(tokens=10)
    >>> slept
    [60.0, 60.0]
    """

    def __init__(
        self,
        requests: int | None = None,
        tokens: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._requests = requests
        self._tokens = tokens
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[tuple[float, int]] = deque()

    def wait(self, tokens: int) -> None:
        """Wait until a request of so many tokens may be sent, and count it as sent.

        A request larger than a whole minute allows goes when the minute is empty.
        """
        while not self._has_room(tokens):
            self._sleep(max(self._sent[0][0] + _MINUTE - self._clock(), 0.01))
        self._sent.append((self._clock(), tokens))

    def _has_room(self, tokens: int) -> bool:
        now = self._clock()
        while self._sent and self._sent[0][0] <= now - _MINUTE:
            self._sent.popleft()
        if not self._sent:
            return True
        if self._requests is not None and len(self._sent) >= self._requests:
            return False
        used = sum(count for _, count in self._sent)
        return self._tokens is None or used + tokens <= self._tokens


def probe(settings: ApiSettings, project: str = "") -> int:
    """Ask a server for the vector of one word: how many dimensions it has.

    :param project: see `Caller`.

    :raises Refused: with the server's reason, when it does not answer with a vector.
    """
    try:
        answer = Caller(settings.model_copy(update={"retries": 1}), project=project).embed(
            ["probe"], None
        )
    except Failed as error:
        raise Refused(str(error).removesuffix(KEPT).strip() + " No model was added.") from None
    dimension = int(answer.vectors.shape[1])
    if settings.dimensions not in (None, dimension):
        raise Refused(
            f"The server {settings.base_url} answered vectors of {dimension} dimensions although "
            f"{settings.dimensions} were asked for: {settings.model} cannot be shortened there. Leave out "
            "--dimensions."
        )
    return dimension


def _backoff(attempt: int) -> float:
    """Seconds to wait: doubled each time, with some chance in it, so that many do not come back at once."""
    return float(min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT) * random.uniform(0.75, 1.25))  # noqa: S311


def _answer_bytes(texts: int, dimension: int | None) -> int:
    """The most bytes that an answer with vectors of so many texts can have; None for any dimension."""
    return _AROUND + texts * (dimension or _LONGEST_VECTOR) * _NUMBER


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


def _counted(response: Any) -> int | None:
    total = getattr(getattr(response, "usage", None), "total_tokens", None)
    return total if isinstance(total, int) and 0 <= total < 10**12 else None
