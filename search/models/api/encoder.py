"""A server's embeddings as an Encoder: what was paid for once is remembered, and no more is sent than allowed."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock

import numpy as np

from indexes.vector_index import Vectors
from search.corpus.corpus import embedded_key
from search.models.api.client import Caller, RateLimiter
from search.models.api.server_client import KEPT, TooMuch
from search.models.api.settings import ApiSettings
from search.models.api.token_count import Estimate, cut_to, estimate, tokens_of
from search.models.encoding.cache import EmbeddingStore, store_key
from search.models.prompts import Prompts
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from search.projects.settings import settings as environment

FORMAT = "endpoint"


class AnswerCache:
    """The vectors of one server's model in the embedding store of the workspace.

    Every request's answer is on disk before it is used. Used by one thread at a time.

    :param fingerprint: of the model: address, name, dimensions, prompts and longest text.
    :param dimension: of its vectors.

    >>> AnswerCache("f00d", dimension=2).get(["never sent"])
    {}
    """

    def __init__(self, fingerprint: str, dimension: int) -> None:
        self._fingerprint = fingerprint
        self._dimension = dimension
        self._store: EmbeddingStore | None = None
        self._added: set[bytes] = set()

    def get(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of those texts that are known."""
        keys = [store_key(embedded_key(text)) for text in texts]
        if not self._added.isdisjoint(keys):
            self.close()  # A store finds what was there when it was opened.
        vectors = np.empty((len(keys), self._dimension), dtype=np.float32)
        known = self._opened().fill(keys, vectors)
        return {text: vectors[place] for place, text in enumerate(texts) if known[place]}

    def put(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Remember vectors, so that neither a crash nor a cancel loses them."""
        keys = [store_key(embedded_key(text)) for text in texts]
        self._opened().add(keys, vectors)
        self._added.update(keys)

    def close(self) -> None:
        """Let go of the files; the next call opens them again."""
        if self._store is not None:
            self._store.close()
            self._store = None
        self._added.clear()

    def _opened(self) -> EmbeddingStore:
        if self._store is None:
            self._store = EmbeddingStore.of(self._fingerprint, self._dimension)
        return self._store


class ApiEncoder:
    """Texts into vectors by a server on an address.

    A text without letters is not sent: its vector is zero, which is never found and finds nothing.

    :param name: what the model is called, and `project` where: for messages.
    :param settings: where the server is and how to deal with it.
    :param prompts: what goes before each query and each document.
    :param dimension: of the vectors.
    :param caller: sends one request.
    :param memory: vectors that were paid for before.
    :param max_tokens: the most tokens that this encoder may send in its life.

    >>> class Known:
    ...     def get(self, texts):
    ...         return {text: np.ones(2, dtype=np.float32) for text in texts}
    >>> settings = ApiSettings(base_url="http://localhost:8080/v1", model="tiny")
    >>> encoder = ApiEncoder("tiny", "lab", settings, Prompts(), 2, Caller(settings), Known())
    >>> encoder.encode_query(["rent", " "]).tolist(), encoder.sent
    ([[1.0, 1.0], [0.0, 0.0]], 0)
    """

    def __init__(
        self,
        name: str,
        project: str,
        settings: ApiSettings,
        prompts: Prompts,
        dimension: int,
        caller: Caller,
        memory: AnswerCache,
        max_tokens: int | None = None,
        rate_limiter: RateLimiter | None = None,
    ) -> None:
        self.name = name
        self._project = project
        self.dimension = dimension
        self.settings = settings
        self.sent = 0
        self.notes: list[str] = []
        self._batch_texts = settings.batch_texts
        self._prompts = prompts
        self._caller = caller
        self._memory = memory
        self._most = max_tokens or environment().max_tokens or settings.max_tokens
        self._one_at_a_time = Lock()
        self._rate_limiter = rate_limiter or RateLimiter(
            settings.requests_per_minute, settings.tokens_per_minute
        )

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        return self._encoded(
            [self._prompts.query + text if text.strip() else "" for text in inputs]
        )

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        return self._encoded(self._as_sent(inputs))

    def estimate(self, documents: Iterable[str]) -> Estimate:
        """What encoding documents would send: those that are remembered cost nothing."""
        texts = tokens = 0
        for block in _blocks(documents):
            unknown = set(self._as_sent(block)) - {""}
            with self._one_at_a_time:
                unknown -= self._memory.get(sorted(unknown)).keys()
            part = estimate(cut_to(text, self.settings.max_length) for text in unknown)
            texts, tokens = texts + part.texts, tokens + part.tokens
        return Estimate(texts, tokens)

    def admit(self, documents: Iterable[str]) -> None:
        """Be told of all documents before the first is sent.

        :raises Refused: with the estimate and the price, when they are more than may be sent.
        """
        needed = self.estimate(documents)
        if self.sent + needed.tokens > self._most:
            raise Refused(
                f"{self.name!r} would send {needed.in_words(self.settings.price)}, to "
                f"{self.settings.base_url}; at most {self._most:,} tokens are allowed. Nothing was sent. To "
                f"allow it: python cli.py index {self._project} --model {self.name} --max-tokens "
                f"{_rounded(needed.tokens + self.sent)}."
            )

    def _as_sent(self, documents: Sequence[str]) -> list[str]:
        return [self._prompts.document + text if text.strip() else "" for text in documents]

    def _encoded(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts as they are sent, each distinct one once; "" stands for one without letters."""
        distinct = [text for text in dict.fromkeys(texts) if text]
        with self._one_at_a_time:
            known = self._memory.get(distinct)
            for batch in self._batches([text for text in distinct if text not in known]):
                known |= dict(zip(batch, self._sent(batch), strict=True))
        zero = np.zeros(self.dimension, dtype=np.float32)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for place, text in enumerate(texts):
            vectors[place] = known.get(text, zero)
        return vectors

    def _sent(self, batch: Sequence[str]) -> Vectors:
        """Vectors of texts that must be sent; what is too much for the server goes in smaller requests.

        :raises Failed: when it does not take a text alone.
        """
        answers: list[Vectors] = []
        start, size, reason = 0, len(batch), ""
        while start < len(batch):
            part = batch[start : start + size]
            try:
                answers.append(self._asked(part))
            except TooMuch as error:
                if len(part) == 1:
                    raise
                size, reason = len(part) // 2, str(error)
                continue
            start += len(part)
        if reason:
            self._fewer(size, len(batch), reason)
        return np.concatenate(answers)

    def _fewer(self, size: int, before: int, reason: str) -> None:
        """Ask for fewer texts at a time from now on, and say so."""
        self._batch_texts = size
        said = reason.removesuffix(KEPT).strip().split(". Where they", maxsplit=1)[0].rstrip(".")
        self.notes.append(
            f"Asked with {size} texts a request instead of {before}: {said}. To begin with so many the next time: python "
            f"cli.py change-model {self._project} {self.name} --batch-texts {size}."
        )

    def _asked(self, batch: Sequence[str]) -> Vectors:
        """Vectors of texts by one request; they are remembered before they are used."""
        cut = [cut_to(text, self.settings.max_length) for text in batch]
        tokens = estimate(cut).tokens
        if self.sent + tokens > self._most:
            raise Refused(
                f"{self.name!r} has sent about {self.sent:,} tokens to {self.settings.base_url} and would "
                f"send more than the {self._most:,} allowed. What was answered is kept. Allow more: "
                f"--max-tokens of python cli.py index, or BESPOKE_MAX_TOKENS."
            )
        self._rate_limiter.wait(tokens)
        answer = self._caller.embed(cut, self.dimension)
        self.sent += tokens if answer.tokens is None else answer.tokens
        self._memory.put(batch, answer.vectors)
        return answer.vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Texts in requests of a bounded number of texts and tokens, in their order."""
        batch: list[str] = []
        size = 0
        for text in texts:
            tokens = min(tokens_of(text), self.settings.max_length or self.settings.batch_tokens)
            full = len(batch) >= self._batch_texts
            if batch and (full or size + tokens > self.settings.batch_tokens):
                yield batch
                batch, size = [], 0
            batch.append(text)
            size += tokens
        if batch:
            yield batch


def changed_settings(project: Project, manifest: Manifest) -> ApiSettings:
    """The settings of a server's model as they were changed since it was added."""
    changes = project.info.model_settings.get(manifest.id, {})
    return ApiSettings(**{**manifest.details["settings"], **changes})


def load_api_encoder(
    project: Project, manifest: Manifest, max_tokens: int | None = None
) -> ApiEncoder:
    """A server that was added to a project, as an encoder; nothing is sent yet.

    :param max_tokens: the most tokens that may be sent; None for the model's own cap.
    :raises Refused: when the variable of its key is not set.
    """
    details = manifest.details
    settings = changed_settings(project, manifest)
    return ApiEncoder(
        name=details["name"],
        project=project.name,
        settings=settings,
        prompts=Prompts(**details["prompts"]),
        dimension=details["dimension"],
        caller=Caller(settings, project=project.name),
        memory=AnswerCache(details["fingerprint"], details["dimension"]),
        max_tokens=max_tokens,
    )


def _blocks(texts: Iterable[str], size: int = 1_000) -> Iterator[list[str]]:
    left = iter(texts)
    while block := list(islice(left, size)):
        yield block


def _rounded(tokens: int) -> int:
    """A little more than needed, in a number that is easy to read."""
    step = int(10 ** max(len(str(tokens)) - 2, 0))
    return (tokens // step + 1) * step
