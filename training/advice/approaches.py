"""The approaches side by side on one corpus: measured where a model exists, an expectation where none does."""

import statistics
import timeit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.corpus.corpus import Corpus
from search.corpus.report.tokenizer_fit import SHREDDED
from search.corpus.tokenizer import UNREAD, ModelTokenizer
from search.evaluation.evaluation import newest_evaluation
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import MAIN_METRIC
from search.models.encoder import Encoder
from search.models.load import load_encoder
from search.models.registry import GENERIC, ModelInfo, custom_manifests, models
from search.models.tokenizers import reader_of, size_of
from search.models.word_vectors import WordVectors
from search.projects.errors import BespokeError
from search.projects.progress import Progress
from search.projects.project import Project
from search.text.words import folded_words, has_letter
from training.advice.facts import CorpusFacts
from training.data.pair_sets import PairSet
from training.probe import Speed
from training.recipes import RECIPES
from training.result import GENERIC_DEV

_MODELS = 5
_QUERIES, _DOCUMENTS, _ROUNDS = 10, 24, 3
_ASKED = 2_000
_EXPECTED = {
    "adapter": "usually clearly above its start with a thousand pairs or more",
    "fine-tune": "usually above its start, with few pairs too",
    "word2vec": "far below generic on English; for languages that no model fits",
    "fasttext": "as Word2Vec, and it reads misspelt words",
    "static": "with pairs; no transformer, so far faster to run",
    "auto": "the best of what it tries, never below its start on dev",
}


@dataclass(frozen=True)
class Approach:
    """One row: a model that exists (measured), or a recipe that was not used yet (estimated).

    :param quality: in words, a measured score or an expectation; `score` is the number where it was measured.
    :param unseen: the share (0 to 1) of the query words that it has no vector for, or reads as three scraps or more.
    :param training: seconds; `size` bytes; `query_ms` to encode one query; `documents` a second, encoded.
    """

    name: str
    title: str
    measured: bool
    quality: str
    score: float | None
    unseen: float | None
    training: float | None
    size: int | None
    query_ms: float | None
    documents: float | None


def approaches(
    project: Project,
    corpus: Corpus,
    facts: CorpusFacts,
    speed: Speed,
    seconds: Mapping[str, float],
    generic_dev: float | None,
    progress: Progress,
) -> list[Approach]:
    """The generic model, the newest custom models, and the recipes that were not used yet.

    :param generic_dev: nDCG@10 of the generic model on the dev queries; None where that is not known.
    """
    known = models(project)
    existing = [known[0], *[info for info in known if info.kind == "custom"][-_MODELS:]]
    queries = _query_texts(project, corpus)
    texts = corpus.embedded_at(range(min(_DOCUMENTS, corpus.passages)))
    rows = []
    for number, info in enumerate(existing):
        progress(number, len(existing), f"measuring {info.name}")
        if info.format == "endpoint":
            continue  # Measuring it would cost money.
        try:
            rows.append(_measured(project, info, queries, texts, generic_dev))
        except BespokeError:
            continue  # What is damaged says so where it is used.
    used = {info.recipe for info in existing}
    per_second = speed.encoded / max(1.0, facts.characters)
    reader = reader_of(project, known[0])
    shredded = _shredded(queries, reader) if reader else None
    for name, info_ in RECIPES.items():
        if name in used or (info_.needs_pairs and not facts.pairs):
            continue
        like_generic = name in ("adapter", "fine-tune")
        rows.append(
            Approach(
                name=name,
                title=f"{info_.title} (not made yet)",
                measured=False,
                quality=f"expected: {_EXPECTED.get(name, 'not known')}",
                score=None,
                unseen=shredded if like_generic else 0.0 if name == "fasttext" else None,
                training=seconds.get(name),
                size=size_of(project, known[0]) if like_generic else None,
                query_ms=speed.query * 1_000 if like_generic else None,
                documents=per_second if like_generic else None,
            )
        )
    return rows


def _measured(
    project: Project,
    info: ModelInfo,
    queries: Sequence[str],
    texts: Sequence[str],
    generic_dev: float | None,
) -> Approach:
    encoder = load_encoder(project, info)
    details = project.artifact("models", info.id).details if info.kind == "custom" else {}
    asked = list(queries[:_QUERIES]) or ["a question"]
    encoder.encode_query(asked[:1])
    times = [_time(encoder.encode_query, [query]) for query in asked]
    whole = min(_time(encoder.encode_document, texts) for _ in range(_ROUNDS))
    quality, score = _quality(project, info, details, generic_dev)
    return Approach(
        name=info.name,
        title=info.name if info.name != GENERIC else f"generic ({info.title})",
        measured=True,
        quality=quality,
        score=score,
        unseen=_unseen(encoder, queries, reader_of(project, info)),
        training=float(details["seconds"]) if "seconds" in details else None,
        size=size_of(project, info),
        query_ms=1_000 * statistics.median(times),
        documents=len(texts) / whole,
    )


def _quality(
    project: Project, info: ModelInfo, details: Mapping[str, Any], generic_dev: float | None
) -> tuple[str, float | None]:
    """A test score where there is one, else a dev score, with what it is."""
    evaluation = newest_evaluation(project, info.name)
    if evaluation is not None:
        score = float(evaluation.details["models"][info.name][MAIN_METRIC])
        return f"test {score:.3f}", score
    if info.name == GENERIC:
        if generic_dev is not None:
            return f"dev {generic_dev:.3f}", generic_dev
        for manifest in reversed(custom_manifests(project)):
            known = generic_dev_of(manifest.details)
            if known is not None:
                return f"dev {known:.3f}", known
        return "not measured", None
    scores = (details.get("dev") or {}).get(MAIN_METRIC)
    if not scores:
        return "not measured", None
    best = max(scores) if RECIPES[info.recipe or ""].needs_pairs else scores[-1]
    return f"dev {best:.3f}", float(best)


def generic_dev_of(details: Mapping[str, Any]) -> float | None:
    """The generic model's dev score, as a training kept it: it stood beside, or was the start."""
    dev = details.get("dev") or {}
    if GENERIC_DEV in dev:
        return None if dev[GENERIC_DEV] is None else float(dev[GENERIC_DEV])
    taught = RECIPES[details["recipe"]].needs_pairs
    from_generic = details["settings"].get("base", GENERIC) == GENERIC
    return float(dev[MAIN_METRIC][0]) if taught and from_generic and dev.get(MAIN_METRIC) else None


def _query_texts(project: Project, corpus: Corpus) -> list[str]:
    """What is asked here: test queries, else dev queries, else the titles and beginnings of documents."""
    queries = project.newest("queries")
    if queries is not None:
        return list(QuerySet.load(project, queries).queries.values())[:_ASKED]
    pairs = project.newest("pairs")
    if pairs is not None:
        return list(PairSet.load(project, pairs).dev.queries.values())[:_ASKED]
    return [(d.title or d.text)[:60] for d in corpus.sample(100)]


def _unseen(
    encoder: Encoder, queries: Sequence[str], reader: ModelTokenizer | None
) -> float | None:
    """The share of query words without a vector (word vectors), or read as scraps (word pieces).

    :param reader: how the model reads; None where it has no tokenizer, or it is not here.
    """
    if not isinstance(encoder, WordVectors):
        return _shredded(queries, reader) if reader else None
    words = [word for query in queries for word in folded_words(query)]
    distinct = sorted(set(words))
    vectors = encoder.encode_query(distinct) if distinct else np.zeros((0, 1))
    known = {word for word, vector in zip(distinct, vectors, strict=True) if np.any(vector)}
    return sum(word not in known for word in words) / max(1, len(words))


def _shredded(queries: Sequence[str], reader: ModelTokenizer) -> float:
    words = [word for query in queries for word in folded_words(query) if has_letter(word)]
    cut = reader.subwords(words)
    return sum(len(pieces) >= SHREDDED or UNREAD in pieces for pieces in cut) / max(1, len(words))


def _time(work: Any, texts: Sequence[str]) -> float:
    return max(timeit.timeit(lambda: work(list(texts)), number=1), 1e-6)
