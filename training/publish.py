"""A model that was trained becomes an artifact, with all that is known of how."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from search.evaluation.query_sets.general import general_questions
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.models.encoding.texts import transformer_of
from search.models.linear_adapter import (
    ADAPTER_BASE,
    ADAPTER_OF,
    BEHIND,
    QUERY_ONLY,
    LinearAdapter,
    matrix_of,
    side_of,
    with_adapter,
    write_matrix,
)
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.pretrained.add import added_with
from search.models.pretrained.opening import TRIAL
from search.models.registry import DOCUMENTS_AS, IS_START, ModelInfo, named
from search.models.sentence_transformer import best_device
from search.models.similarity import COSINE
from search.projects.artifacts import Draft
from search.projects.errors import Failed
from search.projects.libraries import libraries
from search.projects.project import Project
from search.projects.publishing import Drafts
from training.base_model import origin_of
from training.data.pair_sets import write_pairs
from training.forgetting import General, general_ndcg
from training.result import Request, Trained, TrainingResult
from training.training_data import TrainingData
from training.weight_interpolation import PLACE

_SAME = 1e-3
"""Components of vectors of length 1 may differ by another device's rounding, not by more."""
LIBRARIES = ("sentence-transformers", "torch", "transformers", "gensim", "peft", "numpy")
"""What a model is made with."""


def publish_result(request: Request, material: TrainingData, taught: TrainingResult) -> Trained:
    """Publish an encoder that learned from pairs.

    :raises Failed: for a model that does not know its own size.
    """
    taught = _without_copy(taught)
    dev, notes = taught.dev, list(material.notes)
    general = General(len(general_questions()), taught.knew, general_ndcg(taught.model))
    if dev.is_start:
        notes.append(
            "Nothing that was tried was better than the start on the dev queries, so this model is the "
            "untouched start. More pairs, or a lower learning rate, may help."
        )
    else:
        notes.append(general.sentence)
    scores = {
        "queries": len(material.dev.query_set.queries),
        "documents": len(material.dev.ids),
        "ndcg@10": dev.scores,
        "kept": dev.selected,
        **dev.details,
    }
    facts = {
        "question": material.question,
        "dev": scores,
        "general": general.as_json(),
        **({IS_START: True} if dev.is_start else {}),
    }
    return publish_model(request, material, taught, notes + dev.notes, facts)


def publish_model(
    request: Request,
    material: TrainingData,
    taught: TrainingResult,
    notes: list[str],
    facts: Mapping[str, Any],
) -> Trained:
    """Publish an encoder with what is known of how it came about.

    :param notes: what people should know of it.
    :param facts: more for its manifest.
    :raises Failed: for a model that does not know its own size.
    """
    project, model = request.project, taught.model
    dimension = model.get_embedding_dimension()
    if dimension is None:
        raise Failed(f"The model {taught.base} does not say how many dimensions it has.")
    with project.publish_together() as drafts:
        beneath: dict[str, Any] = {}
        if taught.is_adapter:
            base = BaseOfAdapter.of(
                project, drafts, taught.info, taught.base, model, besides=request.name
            )
            beneath, notes = base.said(model, taught.facts), notes + base.notes
        draft = drafts.add("models", material.made_from)
        save_model(model, draft.folder, beneath)
        describe(draft, request, dimension, form_of(model, beneath))
        write_pairs(draft.folder / TRAINED_ON, material.guarded.pairs)
        _inherit_trained_on(project, draft, taught.base)
        draft.details.update(
            origin=taught.origin or origin_of(project, taught.base),
            pairs=len(material.guarded.pairs),
            left_out=material.guarded.same_query + material.guarded.same_document,
            **facts,
            device=best_device(),
            seconds=round(time.monotonic() - request.started, 1),
            notes=notes,
            **{**taught.facts, **beneath},
        )
    request.checkpointer.clear()
    return Trained(request.name, draft.id, notes)


def untouched(start: Any, dimension: int) -> Any:
    """A start that nothing beat, as what is stored of it: a matrix that turns nothing, over the start, which needs no copy."""
    return with_adapter(start, np.eye(dimension, dtype=np.float32))


def _without_copy(taught: TrainingResult) -> TrainingResult:
    """What was learned; of weights that are those of the start, the start by its name."""
    size = taught.model.get_embedding_dimension()
    if not taught.dev.is_start or taught.is_adapter or PLACE not in taught.facts or size is None:
        return taught
    return replace(taught, model=untouched(taught.model, size), is_adapter=True)


@dataclass(frozen=True)
class BaseOfAdapter:
    """The model of a project that an adapter stands on, and what people should know of it."""

    info: ModelInfo
    notes: list[str]

    @classmethod
    def of(
        cls,
        project: Project,
        drafts: Drafts,
        info: ModelInfo | None,
        base: str,
        model: Any,
        besides: str,
    ) -> "BaseOfAdapter":
        """The base as the project knows it; a folder or hub id becomes a model of the project.

        :param info: the base as the project knew it when the training began.
        :param model: the adapter, with what stands beneath.
        :param besides: the adapter's name.
        :raises Failed: when what a folder or hub id names is not what it was when the training began.
        """
        if info is not None:
            return cls(info, [])
        added, start = added_with(project, drafts, base, besides)
        now = with_adapter(start, matrix_of(model), side_of(model))
        if not np.allclose(now.encode_query(TRIAL), model.encode_query(TRIAL), atol=_SAME):
            raise Failed(
                f"{base} was changed while the adapter was trained on it, so nothing is published. Train again."
            )
        return cls(added.info, added.notes)

    def said(self, model: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What the manifest of an adapter says of this."""
        info = self.info
        name = info.title or info.name  # What is called generic today may not be tomorrow.
        said: dict[str, Any] = {
            ADAPTER_OF: info.id,
            ADAPTER_BASE: {"name": name, "fingerprint": info.fingerprint},
        }
        if side_of(model) == "query":
            identity, fingerprint = info.indexed_as
            shared = {"model": identity, "fingerprint": fingerprint}
            said |= {QUERY_ONLY: True, DOCUMENTS_AS: shared}
        if PLACE in facts:
            said[PLACE] = {**facts[PLACE], "start_id": info.id}
        return said


def save_model(model: Any, folder: Path, details: Mapping[str, Any] = {}) -> None:
    """Write a model's files; its settings say cosine, for that is what everything here was measured with.

    :param details: what its manifest says: of an adapter that names its base, the matrix alone is written.
    """
    if ADAPTER_BASE in details:
        about = {**details[ADAPTER_BASE], "side": side_of(model)}
        del about["name"]  # The same model under another name gives the same vectors.
        write_matrix(folder, matrix_of(model), about)
        return
    if transformer_of(model) is not None:
        model.similarity_fn_name = COSINE
    model.save(str(folder), create_model_card=False, safe_serialization=True)


def form_of(model: Any, beneath: Mapping[str, Any]) -> str:
    """What a manifest calls a model's files.

    :param beneath: what is said of the model beneath; nothing where it is stored whole.
    """
    if not beneath:
        return "sentence-transformer"
    return MATRIX if isinstance(model, LinearAdapter) else BEHIND


def describe(draft: Draft, request: Request, dimension: int, form: str) -> None:
    """What every model's manifest says."""
    draft.details.update(
        name=request.name,
        recipe=request.recipe,
        settings=request.settings.model_dump(),
        dimension=dimension,
        format=form,
        libraries=libraries(LIBRARIES),
    )


def _inherit_trained_on(project: Project, draft: Draft, base: str) -> None:
    """What a custom base learned from, the new model has learned from too."""
    info = named(project, base)
    if info is not None and info.kind == "custom":
        draft.made_from["base"] = info.id
        earlier = project.folder / "models" / info.id / TRAINED_ON
        if earlier.is_file():
            with (draft.folder / TRAINED_ON).open("a", encoding="utf-8") as stream:
                stream.write(earlier.read_text(encoding="utf-8"))
