"""A server's vectors of probes: asked in shuffled batches and counted, some twice, and one by one where it mixes them up."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.models.api.client import Answer, Caller
from search.models.api.server_client import TooMuch
from search.models.prompts import Prompts, Role
from search.projects.errors import Failed
from search.projects.progress import Progress, silent
from search.verification.probes import Probe

_BATCH = 16
_TWICE = 24
_SAME = 0.95
_MIXED = 0.2
_MOST_REFUSED = 0.4


@dataclass(frozen=True)
class ServerAnswers:
    """What a server answered to probes.

    `vectors` has a row for each, zeros where `refused` says that it would not. `mixed_up` says that a text has one vector in
    one batch and another's in the next, `unordered` that it numbers its answers in another order than it sends them.

    >>> ServerAnswers(np.ones((1, 2), dtype=np.float32), np.array([False])).mixed_up
    False
    """

    vectors: Vectors
    refused: NDArray[np.bool_]
    mixed_up: bool = False
    unordered: bool = False
    said: list[str] = field(default_factory=list)


class AskedServer:
    """A server that is asked for texts as whoever uses it will ask.

    :param prompts: what is put before a text here; none where the server puts them itself, told the side by `input_type`.

    >>> from search.models.api.settings import ApiSettings
    >>> caller = Caller(ApiSettings(base_url="http://localhost:8080/v1", model="tiny"))
    >>> AskedServer(caller, Prompts("query: ", "")).as_sent("frost", "query")
    'query: frost'
    """

    def __init__(self, caller: Caller, prompts: Prompts | None) -> None:
        self._caller = caller
        self._prompts = prompts
        self._says_side = prompts is None
        self._unordered = False

    @property
    def unordered(self) -> bool:
        """Whether any answer came in another order than it is numbered."""
        return self._unordered

    def as_sent(self, text: str, role: Role) -> str:
        """A text as the server gets it."""
        if self._prompts is None:
            return text
        return (self._prompts.query if role == "query" else self._prompts.document) + text

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        """Vectors of texts of one side, in one request.

        :raises Failed: where it does not answer, or not so many.
        """
        sent = [self.as_sent(text, role) for text in texts]
        answer = self._asked(sent, role)
        self._unordered |= not answer.in_order
        return answer.vectors

    def _asked(self, texts: Sequence[str], role: Role) -> Answer:
        if not self._says_side:
            return self._caller.embed(texts, None)
        try:
            return self._caller.embed(texts, None, role)
        except TooMuch:  # It may refuse a field that it does not know.
            answer = self._caller.embed(texts, None)
            self._says_side = False
            return answer


def ask(server: AskedServer, probes: Sequence[Probe], progress: Progress = silent) -> ServerAnswers:
    """Ask for all probes, each side by itself.

    :raises Failed: where the server does not answer, answers another number of vectors, or refuses most.
    """
    order = np.random.default_rng(len(probes)).permutation(len(probes)).tolist()
    short = sorted(order, key=lambda i: len(probes[i].text))[:_TWICE]
    asked = _Asking(server, probes, progress)
    first = asked.all(order, _BATCH)
    again = asked.all(short, _TWICE // 4)
    both = [i for i in short if i in first and i in again]
    differs = [i for i in both if _cosine(first[i], again[i]) < _SAME]
    mixed_up = len(differs) > _MIXED * max(1, len(both))
    if mixed_up:
        first = asked.all(order, 1)
    refused = np.array([i not in first for i in range(len(probes))])
    if refused.mean() > _MOST_REFUSED or not first:
        raise Failed(asked.said[-1])
    sizes = {vector.shape for vector in first.values()}
    if len(sizes) > 1:
        raise Failed("The server answers vectors of different dimensions to different texts.")
    vectors = np.zeros((len(probes), *sizes.pop()), dtype=np.float32)
    for i, vector in first.items():
        vectors[i] = vector
    return ServerAnswers(vectors, refused, mixed_up, server.unordered, asked.said)


class _Asking:
    def __init__(self, server: AskedServer, probes: Sequence[Probe], progress: Progress) -> None:
        self._server = server
        self._probes = probes
        self._progress = progress
        self.said: list[str] = []

    def all(self, order: Sequence[int], size: int) -> dict[int, Vectors]:
        """The vectors of probes by their positions, without those that are refused."""
        found: dict[int, Vectors] = {}
        for role in _ROLES:
            own = [i for i in order if self._probes[i].role == role]
            for start in range(0, len(own), size):
                self._progress(len(found), len(order), "asking the server")
                found |= self._some(own[start : start + size], role)
        return found

    def _some(self, positions: Sequence[int], role: Role) -> dict[int, Vectors]:
        """One request; where it is refused, each text by itself."""
        texts = [self._probes[i].text for i in positions]
        try:
            return dict(zip(positions, self._server.encode(texts, role), strict=True))
        except Failed as error:
            if len(positions) > 1:
                # A server that is gone is asked once more, not for each text.
                self._server.encode(["rent"], role)
                return {i: v for one in positions for i, v in self._some([one], role).items()}
            self.said.append(str(error))
            return {}


_ROLES: tuple[Role, Role] = ("query", "document")


def _cosine(one: Vectors, other: Vectors) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else float(not one.any() and not other.any())
