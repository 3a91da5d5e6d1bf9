"""The models of a project that programs ask: loaded when the first asks, and the last few kept."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from search.models.encoder import Encoder
from search.models.encoding.texts import accelerated
from search.models.load import load_encoder
from search.models.prompts import Role
from search.models.registry import ModelInfo
from search.models.window import token_counter
from search.projects.project import Project
from search.text.words import folded_words
from serving.batcher import BatchedEncoder, Batcher, ModelSide

_MODELS = 4
_Made = TypeVar("_Made")


class Recent(Generic[_Made]):
    """The last few of what takes long to make, each made once however many ask at the same time.

    :param most: how many are kept.

    >>> made = Recent(most=1)
    >>> made.get("a", lambda: 1), made.get("a", lambda: 2), made.get("b", lambda: 3), made.get("a", lambda: 4)
    (1, 1, 3, 4)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[str, _Made] = OrderedDict()
        self._making: dict[str, Lock] = {}

    def known(self, key: str) -> _Made | None:
        """What is known by a key, if anything."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def get(self, key: str, make: Callable[[], _Made]) -> _Made:
        """What is known by a key, or is made now."""
        if (known := self.known(key)) is not None:
            return known
        with self._lock:
            own = self._making.setdefault(key, Lock())
        with own:
            if (known := self.known(key)) is not None:
                return known
            made = make()
            with self._lock:
                self._known[key] = made
                self._making.pop(key, None)
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
            return made


@dataclass(frozen=True)
class ServedModel:
    """A model that was loaded: what is known of it, and what encodes with it."""

    info: ModelInfo
    encoder: BatchedEncoder

    def side(self, role: Role) -> ModelSide:
        """One side of it, as the batcher takes it."""
        return self.encoder.query if role == "query" else self.encoder.document


class Models:
    """The models of a project, as far as they were asked for."""

    def __init__(self, project: Project, batcher: Batcher) -> None:
        self._project = project
        self._batcher = batcher
        self._loaded: Recent[ServedModel] = Recent(_MODELS)

    def get(self, info: ModelInfo) -> ServedModel:
        """A model, loaded once.

        :raises Failed: when its files are missing or damaged.
        """
        return self._loaded.get(info.id, lambda: self._load(info))

    def ready(self, info: ModelInfo) -> ServedModel | None:
        """A model that is loaded; None where it is not yet."""
        return self._loaded.known(info.id)

    def _load(self, info: ModelInfo) -> ServedModel:
        encoder = accelerated(load_encoder(self._project, info))
        query, document = (ModelSide(encoder, role, _counts(encoder, role)) for role in _ROLES)
        return ServedModel(info, BatchedEncoder(self._batcher, query, document))


_ROLES: tuple[Role, Role] = ("query", "document")


def _counts(encoder: Encoder, role: Role) -> Callable[[Sequence[str]], list[int]]:
    """How many tokens a model reads of each text: of words, where it has no window."""
    counter: Any = token_counter(encoder, role)
    if counter is None:
        return lambda texts: [len(folded_words(text)) for text in texts]
    window, count = counter
    return lambda texts: [min(tokens, window) for tokens in count(texts)]
