"""Requests for vectors to an embeddings server, and how many of them go in a minute; an answer is looked at before it is used."""

import base64
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from indexes.vector_index import Vectors
from search.models.api.server_client import KEPT, ServerClient, TooMuch
from search.models.api.settings import ApiSettings
from search.models.prompts import Role
from search.projects.errors import Failed, Refused

if TYPE_CHECKING:
    import openai

_MINUTE = 60.0
_AROUND = 1_000_000  # What stands around the vectors in an answer, in bytes.
_NUMBER = (
    40  # The most bytes that one number of an answer takes with what is between it and the next.
)
_LONGEST_VECTOR = 65_536


class Answer(NamedTuple):
    """Vectors, shape (texts, dimension), and the tokens that the server counted (None: it did not say).

    `in_order` says whether they came in the order of the texts: many clients do not look at how they are numbered.

    >>> Answer(np.zeros((1, 2), dtype=np.float32), tokens=3).tokens
    3
    """

    vectors: Vectors
    tokens: int | None
    in_order: bool = True


class Caller(ServerClient[ApiSettings]):
    """Asks one server for vectors; see `ServerClient`.

    >>> caller = Caller(ApiSettings(base_url="http://localhost:8080/v1", model="tiny"))
    """

    purpose = "embeddings"

    def embed(
        self, texts: Sequence[str], dimension: int | None, side: Role | None = None
    ) -> Answer:
        """Vectors of texts in one request, tried again after failures that may pass.

        :param dimension: what the vectors must have; None where that is not known yet.
        :param side: of a search, for servers that put prompts before texts themselves (`input_type`); None to say nothing.
        :raises Failed: naming the server, what it said and what to do.
        :raises TooMuch: the same, where fewer texts may help.
        """
        # Fewer texts are answered sooner: it is not asked for the same again and again.
        return self._tried(lambda: self._once(texts, dimension, side), slow_again=len(texts) < 2)

    def _once(self, texts: Sequence[str], dimension: int | None, side: Role | None) -> Answer:
        more: dict[str, Any] = {} if side is None else {"extra_body": {"input_type": side}}
        if self._settings.dimensions is not None:
            more["dimensions"] = self._settings.dimensions
        response = self._answer(
            lambda client: client.embeddings.create(
                model=self._settings.model, input=list(texts), encoding_format="float", **more
            ),
            texts,
            _answer_bytes(len(texts), dimension or self._settings.dimensions),
            "answered more than any vectors of these texts can be",
        )
        vectors, places = self._checked(response, len(texts), dimension)
        return Answer(vectors, _counted(response), places == sorted(places))

    def _refused(self, error: "openai.APIStatusError", said: str) -> Exception:
        return self._failed(
            f"refused {len(self._sent):,} texts (status {error.status_code}): {said}. Where they are too long for it, add "
            "the model with --max-length; where they are too many, change it: change-model with --batch-texts",
            TooMuch,
        )

    def _checked(
        self, response: Any, texts: int, dimension: int | None
    ) -> tuple[Vectors, list[int]]:
        """The vectors of an answer, in the order of the texts, and the places in which they came.

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
            found = [_numbers(row.embedding) for row in rows]
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
        return vectors, places


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


def _numbers(embedding: Any) -> Vectors:
    """A vector as it was sent: as numbers, or in base64 whatever was asked for.

    :raises ValueError: for anything else.
    """
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype=np.float32)


def _answer_bytes(texts: int, dimension: int | None) -> int:
    """The most bytes that an answer with vectors of so many texts can have; None for any dimension."""
    return _AROUND + texts * (dimension or _LONGEST_VECTOR) * _NUMBER


def _counted(response: Any) -> int | None:
    total = getattr(getattr(response, "usage", None), "total_tokens", None)
    return total if isinstance(total, int) and 0 <= total < 10**12 else None
