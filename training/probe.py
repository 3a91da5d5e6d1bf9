"""How fast this machine is: a few real steps of each kind of work, measured once and remembered."""

import json
import os
import platform
import statistics
import timeit
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np

from search.models.encoder import Encoder
from search.models.registry import ModelInfo
from search.models.sentence_transformer import best_device
from search.projects.files import write_atomically
from search.projects.progress import Progress, silent
from search.projects.settings import settings
from training.fine_tune.batches import TrainingRow
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.speed import trial_steps

_FOLDER = ".machine"
_FILE = "speed.json"
_TEXT = "The quick clerk filed a notice about the lease before the court had read the letter. " * 4
_TEXTS, _STEP_PAIRS, _ADAPTER_BATCH, _ADAPTER_NEGATIVES = 24, 12, 256, 4_096
_STATIC_PIECES, _STATIC_SIZE, _STATIC_BATCH, _STATIC_TEXT = 32_000, 256, 128, 60
_ROUNDS = 3
_GENSIM_WORDS = 40_000


@dataclass(frozen=True)
class Speed:
    """What this machine does.

    `encoded` and `tuned` are characters a second that a transformer like the generic model encodes, or learns
    from (forward and backward); `adapter_step` seconds of one step of 256 pairs, `static_step` of one of 128
    pairs over 32,000 word pieces; `words` are words a second that
    Word2Vec learns from; `query` seconds to encode one short query.
    """

    encoded: float
    tuned: float
    adapter_step: float
    static_step: float
    words: float
    query: float


ORDINARY = Speed(40_000, 12_000, 0.05, 0.05, 300_000, 0.02)
"""An ordinary machine without a graphics card, where nothing was measured yet."""


def speed(encoder: Encoder, info: ModelInfo, progress: Progress = silent) -> Speed:
    """The speed of this machine with a model: remembered, or measured now (some seconds).

    :param encoder: the generic model.
    """
    known = remembered_speed(info)
    if known is not None:
        return known
    path = settings().home / _FOLDER / _FILE
    progress(0, 1, "measuring how fast this machine is")
    found = measured(encoder, info.dimension)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps({_key(info): asdict(found)}))
    return found


def remembered_speed(info: ModelInfo) -> Speed | None:
    """The speed of this machine with a model, where it was measured before."""
    try:
        known = json.loads((settings().home / _FOLDER / _FILE).read_text(encoding="utf-8"))
        return Speed(**known[_key(info)])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(info: ModelInfo) -> str:
    return f"{platform.node()} {os.cpu_count()} {best_device()} {info.fingerprint[:16]} {info.dimension}"


def measured(encoder: Encoder, dimension: int) -> Speed:
    """Measure real steps of each kind."""
    texts = [f"{number} {_TEXT}" for number in range(_TEXTS)]
    characters = sum(map(len, texts))
    encode = _seconds(lambda: encoder.encode_document(texts))
    return Speed(
        encoded=characters / encode,
        tuned=_tuned(encoder, characters / encode),
        adapter_step=adapter_step(dimension),
        static_step=_static_step(),
        words=_words(),
        query=_seconds(lambda: encoder.encode_query(["notice of the lease"])),
    )


def _tuned(encoder: Encoder, encoded: float) -> float:
    """Characters a second of training; a third of encoding where there are no weights here to train."""
    from sentence_transformers import SentenceTransformer

    if not isinstance(encoder, SentenceTransformer):
        return encoded / 3
    rows = [TrainingRow(f"{number}", f"{number} {_TEXT}") for number in range(_STEP_PAIRS)]
    with trial_steps(encoder, FineTuneSettings()) as engine:
        step = _seconds(lambda: engine.learn(rows))
    return sum(len(row.query) + len(row.answer) for row in rows) / step


@cache
def adapter_step(dimension: int) -> float:
    """Seconds of one step of an adapter over vectors of this dimension, measured once by each process.

    A step is a batch against negatives, forward and backward.
    """
    import torch
    from torch.nn.functional import cross_entropy

    with torch.random.fork_rng():
        torch.manual_seed(0)
        queries = torch.randn(_ADAPTER_BATCH, dimension)
        others = torch.randn(_ADAPTER_NEGATIVES, dimension)
    matrix = torch.nn.Parameter(torch.eye(dimension))
    wanted = torch.arange(_ADAPTER_BATCH)

    def step() -> None:
        logits = (queries @ matrix.T) @ (others @ matrix.T).T
        cross_entropy(logits / dimension, wanted).backward()  # type: ignore[no-untyped-call]
        matrix.grad = None

    return _seconds(step)


def _static_step() -> float:
    """Seconds of a step of a static model: two texts of each pair looked up in a table, forward, backward and AdamW."""
    import torch
    from torch.nn.functional import cross_entropy

    with torch.random.fork_rng():
        torch.manual_seed(0)
        table = torch.nn.EmbeddingBag(_STATIC_PIECES, _STATIC_SIZE)
        texts = torch.randint(_STATIC_PIECES, (2, _STATIC_BATCH, _STATIC_TEXT))
    optimizer = torch.optim.AdamW(table.parameters(), lr=1e-3, weight_decay=0.0)
    wanted = torch.arange(_STATIC_BATCH)

    def step() -> None:
        logits = table(texts[0]) @ table(texts[1]).T
        cross_entropy(logits, wanted).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()

    return _seconds(step)


def _words() -> float:
    """Words a second of one epoch of Word2Vec."""
    from gensim.models import Word2Vec

    rng = np.random.default_rng(0)
    names = [f"word{number}" for number in range(2_000)]
    drawn = np.minimum(rng.zipf(1.3, _GENSIM_WORDS), len(names)) - 1
    sentences = [[names[n] for n in drawn[at : at + 20]] for at in range(0, len(drawn), 20)]
    settings = {"vector_size": 100, "sg": 1, "min_count": 1, "epochs": 1, "workers": 1, "seed": 1}
    return _GENSIM_WORDS / timeit.timeit(lambda: Word2Vec(sentences, **settings), number=1)


def _seconds(work: Callable[[], object]) -> float:
    """The median of three rounds, after one that warms up."""
    _, *rounds = timeit.repeat(work, number=1, repeat=1 + _ROUNDS)
    return max(statistics.median(rounds), 1e-6)
