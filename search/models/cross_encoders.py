"""The rerankers of a project: cross-encoders, which read a question and a passage together."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.corpus.corpus import Corpus, current_corpus
from search.models.import_order import before_transformers
from search.models.sentence_transformer import (
    best_device,
    loaded_with_missing,
    own_memory,
    quiet_libraries,
    refuse_pickled,
)
from search.models.window import TRUNCATION, Truncation, truncation_by
from search.projects.artifacts import Manifest
from search.projects.errors import AlreadyThere, Failed, Refused, first_line
from search.projects.progress import Progress, silent
from search.projects.project import Project, check_project_name
from search.projects.settings import LIMITS

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

DEPTH = 50
_BATCH = 16
_QUESTION = "What has to be done where this was found, and who must be asked before it?"
_LONGEST = 1_000_000  # What claims to read more says nothing of itself.
_REMEMBERED = 20_000


@dataclass(frozen=True)
class RerankerInfo:
    """What is known of a reranker without loading it.

    `reference` is a folder or hub id; `depth` is how many documents of a column it reads again.

    >>> RerankerInfo("ms-marco", "r-1", "cross-encoder/ms-marco", 50, "f00d", "2026-01-01").depth
    50
    """

    name: str
    id: str
    reference: str
    depth: int
    fingerprint: str
    created: str


class Reranker:
    """A cross-encoder that scores passages for a question. Safe to use from several threads.

    :param model: loaded, with one score a pair.
    :param depth: how many documents it reads again.

    >>> class Lengths:
    ...     def predict(self, pairs, **_):
    ...         return np.array([float(len(passage)) for _, passage in pairs])
    >>> Reranker(Lengths()).scores("which is longer?", ["long", "longer"]).tolist()
    [4.0, 6.0]
    """

    def __init__(self, model: "CrossEncoder", depth: int = DEPTH) -> None:
        self.depth = depth
        self._model = model
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()

    def scores(self, query: str, passages: Sequence[str]) -> NDArray[np.float64]:
        """How well each passage answers, as the model's raw score: shape (len(passages),).

        What was scored lately is remembered; the rest is read a bounded batch at a time.

        :raises Failed: when the model gives no number.
        """
        from torch.nn import Identity

        with self._lock:
            fresh = [p for p in dict.fromkeys(passages) if (query, p) not in self._known]
            if fresh:
                pairs = [(query, passage) for passage in fresh]
                found = self._model.predict(
                    pairs, batch_size=_BATCH, activation_fn=Identity(), show_progress_bar=False
                )
                if not np.isfinite(found).all():
                    raise Failed("The reranker gave a score that is no number (NaN or infinity).")
                self._known.update(zip(pairs, map(float, found), strict=True))
            made = np.array([self._known[query, p] for p in passages], dtype=np.float64)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return made

    def truncation(self, corpus: Corpus, questions: Sequence[str] = ()) -> Truncation | None:
        """How much of the passages it does not read: question and passage share its window, and the passage is cut.

        :param questions: as they are asked; the one of middle length counts, else one of sixteen word pieces.
        :returns: None where it is not known how much it reads.
        """
        tokenizer, most = self._model.tokenizer, self._model.max_length
        if not most or most > _LONGEST:
            return None
        ordered = sorted(questions, key=len) or [_QUESTION]
        question = ordered[len(ordered) // 2]

        def count(texts: Sequence[str]) -> list[int]:
            pairs = [question] * len(texts)
            found = tokenizer(pairs, list(texts), truncation=False, padding=False)["input_ids"]
            return [len(ids) - asked for ids in found]

        asked = len(tokenizer(question, add_special_tokens=False)["input_ids"])
        found = truncation_by(max(0, most - asked), count, corpus)
        return replace(found, by="reranker") if found is not None else None


def rerankers(project: Project) -> list[RerankerInfo]:
    """The rerankers of a project, oldest first."""
    return [_info(manifest) for manifest in project.manifests("rerankers")]


def find_reranker(project: Project, name: str) -> RerankerInfo:
    """The reranker of that name.

    :raises Refused: when there is none, naming those that there are.
    """
    known = rerankers(project)
    for info in known:
        if info.name == name:
            return info
    names = ", ".join(info.name for info in known) or "none"
    raise Refused(
        f"There is no reranker {name!r} in {project.name!r}. Its rerankers are: {names}. Add one: "
        f"python cli.py add-reranker {project.name} REFERENCE --name {name}."
    )


def add_reranker(
    project: Project,
    reference: str,
    name: str,
    depth: int = DEPTH,
    progress: Progress = silent,
    questions: Sequence[str] = (),
) -> RerankerInfo:
    """Add a cross-encoder by folder or hub id: it is loaded and tried before it is noted.

    :param depth: how many documents of a column it reads again.
    :param questions: that people ask, by which it is known how much of a passage it reads beside one.
    :raises Refused: when the name or depth cannot be, it cannot be had, or it is no cross-encoder with one score.
    """
    from search.models.pretrained.checkpoints import find_files
    from search.models.pretrained.peft_folders import is_adapter

    _ = project.info
    check_project_name(name)
    if any(info.name == name for info in rerankers(project)):
        raise AlreadyThere(f"The name {name!r} is taken. Choose another one.")
    if not 1 <= depth <= LIMITS.max_hits:
        raise Refused(f"The depth is {depth}; it must be from 1 to {LIMITS.max_hits:,}.")
    progress(0, 2, f"looking at {reference}")
    found = find_files(reference)
    if is_adapter(found.folder):
        raise Refused(
            f"{reference} holds what PEFT learned on another model. Merge it (merge_and_unload), and add the whole model."
        )
    progress(1, 2, f"loading {reference}")
    _check_scores(found.folder)
    trial = Reranker(_loaded(found.folder))
    try:
        trial.scores("a question", ["The answer to it.", ""])
    except Failed as error:
        raise Refused(f"{reference} cannot rerank. {error}") from None
    cut: dict[str, Any] = {}
    if project.newest("corpora") is not None:
        manifest, corpus = current_corpus(project)
        if (found_cut := trial.truncation(corpus, questions)) is not None:
            cut = {TRUNCATION: {"corpus": manifest.id, **found_cut.as_json()}}
    with project.publish("rerankers") as draft:
        draft.details.update(
            name=name,
            reference=found.reference,
            commit=found.commit,
            content=found.content,
            depth=depth,
            **cut,
        )
    progress(2, 2, f"{name} is added")
    return find_reranker(project, name)


def reranker_truncation(
    project: Project, info: RerankerInfo, corpus: Manifest
) -> Truncation | None:
    """What a reranker does not read of a corpus, as was counted when it was added; None for another corpus."""
    noted = dict(project.artifact("rerankers", info.id).details.get(TRUNCATION) or {})
    return Truncation(**noted) if noted.pop("corpus", None) == corpus.id else None


def remove_reranker(project: Project, name: str) -> None:
    """Forget a reranker; its files are not ours, and stay.

    :raises Refused: for an unknown one.
    """
    project.remove(project.artifact("rerankers", find_reranker(project, name).id))


def load_reranker(project: Project, info: RerankerInfo) -> Reranker:
    """A reranker of a project, loaded once.

    :raises Failed: when its files are gone or were changed.
    """
    from search.models.pretrained.checkpoints import verified_files

    folder = verified_files(project.artifact("rerankers", info.id)).folder
    return _cached(folder, info.fingerprint, info.depth)


@lru_cache(maxsize=2)
def _cached(folder: Path, _content: str, depth: int) -> Reranker:
    return Reranker(_loaded(folder), depth)


def _check_scores(folder: Path) -> None:
    """See that a folder holds a cross-encoder: safetensors, with the weights of a head that gives one score.

    :raises Refused: otherwise, saying what is missing.
    """
    before_transformers()
    from transformers import AutoModelForSequenceClassification

    refuse_pickled(folder)
    try:
        model, missing = loaded_with_missing(AutoModelForSequenceClassification, folder)
    except Exception as error:
        raise _unreadable(folder, error) from error
    if missing:
        raise Refused(
            f"{folder} is no cross-encoder: it has no head that scores a pair ("
            f"{missing[0]} is missing). An embedding model is added with add-model."
        )
    if model.config.num_labels != 1:
        raise Refused(
            f"{folder} sorts pairs into {model.config.num_labels} classes. A reranker must give one score."
        )


def _loaded(folder: Path) -> "CrossEncoder":
    import torch
    from sentence_transformers import CrossEncoder

    quiet_libraries()
    try:
        made = CrossEncoder(
            str(folder),
            device=best_device(),
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )
        own_memory(made)
        return made
    except Exception as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: Exception) -> Refused:
    return Refused(f"The reranker in {folder} cannot be loaded. ({first_line(error)})")


def _info(manifest: Manifest) -> RerankerInfo:
    details = manifest.details
    return RerankerInfo(
        name=details["name"],
        id=manifest.id,
        reference=details["reference"],
        depth=details["depth"],
        fingerprint=details["content"],
        created=manifest.created,
    )
