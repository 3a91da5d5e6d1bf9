"""A model that was trained becomes an artifact, with all that is known of how."""

import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from search.evaluation.evaluate import TRAINED_ON
from search.models.encoding.texts import transformer_of
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.linear_adapter import LinearAdapter
from search.models.registry import IS_START, named
from search.models.sentence_transformer import best_device
from search.models.similarity import COSINE
from search.projects.artifacts import Draft
from search.projects.errors import Failed
from search.projects.project import Project
from training.base_model import origin_of
from training.data.pair_sets import write_pairs
from training.forgetting import General, general_ndcg, general_questions
from training.result import Request, Trained, TrainingResult
from training.training_data import TrainingData

_LIBRARIES = ("sentence-transformers", "torch", "transformers", "gensim", "peft", "numpy")


def publish_result(request: Request, material: TrainingData, taught: TrainingResult) -> Trained:
    """Publish an encoder that learned from pairs.

    :raises Failed: for a model that does not know its own size.
    """
    model, dev = taught.model, taught.dev
    project, notes = request.project, list(material.notes)
    general = General(len(general_questions()), taught.knew, general_ndcg(model))
    if dev.is_start:
        notes.append(
            "Nothing that was tried was better than the start on the dev queries, so this model is the "
            "untouched start. More pairs, or a lower learning rate, may help."
        )
    else:
        notes.append(general.sentence)
    notes += dev.notes
    dimension = model.get_embedding_dimension()
    if dimension is None:
        raise Failed(f"The model {taught.base} does not say how many dimensions it has.")
    with project.publish("models", material.made_from) as draft:
        save_model(model, draft.folder)
        form = MATRIX if isinstance(model, LinearAdapter) else "sentence-transformer"
        describe(draft, request, dimension, form)
        write_pairs(draft.folder / TRAINED_ON, material.guarded.pairs)
        _inherit_trained_on(project, draft, taught.base)
        draft.details.update(
            origin=taught.origin or origin_of(project, taught.base),
            pairs=len(material.guarded.pairs),
            left_out=material.guarded.same_query + material.guarded.same_document,
            dev={
                "queries": len(material.dev.query_set.queries),
                "documents": len(material.dev.ids),
                "ndcg@10": dev.scores,
                "kept": dev.selected,
                **dev.details,
            },
            general=general.as_json(),
            device=best_device(),
            seconds=round(time.monotonic() - request.started, 1),
            notes=notes,
            **({IS_START: True} if dev.is_start else {}),
            **taught.facts,
        )
    request.checkpointer.clear()
    return Trained(request.name, draft.id, notes)


def save_model(model: Any, folder: Path) -> None:
    """Write a model's files; its settings say cosine, for that is what everything here was measured with."""
    if transformer_of(model) is not None:
        model.similarity_fn_name = COSINE
    model.save(str(folder), create_model_card=False, safe_serialization=True)


def describe(draft: Draft, request: Request, dimension: int, form: str) -> None:
    """What every model's manifest says."""
    draft.details.update(
        name=request.name,
        recipe=request.recipe,
        settings=request.settings.model_dump(),
        dimension=dimension,
        format=form,
        libraries=libraries(),
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


def libraries() -> dict[str, str]:
    """The libraries a model is made with, as they are now: versions by name, Python's first."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}
