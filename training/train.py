"""Training a custom model, from a recipe's name to a published model."""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search.adapted import ADAPTER_OF, AdaptedEncoder
from search.adapted import FORMAT as MATRIX
from search.corpus import current_corpus
from search.encoders import best_device, load_encoder, load_sentence_transformer
from search.endpoint.encoder import EndpointEncoder
from search.errors import Failed, Refused
from search.evaluation import TRAINED_ON
from search.models import BUILT_IN, generic_folder, is_taken, named
from search.progress import Progress, Stage, silent
from search.readers.pairs import Pair
from search.word_vectors import WordVectors
from search.workspace import Draft, Project, check_project_name
from training.adapter import train_adapter, with_adapter
from training.dev import DevSet
from training.distributed import alone, first_speaks, helps_only, together
from training.embedding import document_vectors, embedded
from training.fine_tune import START, fine_tune
from training.forgetting import General, general_ndcg, general_questions
from training.material import Material, gather
from training.nearest import answering_passages
from training.pairs import PairSet
from training.recipes import Adapter, FineTune, Recipe, WordVectorRecipe, recipe_info, validated
from training.word_vectors import train_word_vectors


@dataclass(frozen=True)
class Trained:
    """What a training made, and what the person should know of it."""

    name: str
    id: str
    notes: list[str]


def train(
    project: Project,
    recipe: str,
    name: str | None = None,
    values: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Trained | None:
    """Train a model by a recipe on the newest corpus and pairs, and publish it.

    :param name: what to call it; by default the recipe's name, numbered when taken.
    :param values: settings that differ from the recipe's defaults.
    :returns: what was published; None in a process that only helped (see `training.distributed`).
    :raises Refused: for an unknown recipe or setting, a name that is taken, or data that is missing.
    """
    with first_speaks():
        info = recipe_info(recipe)
        settings = validated(info, values or {})
        called = _free_name(project, info.name, name)
        started = time.monotonic()
        if not alone() and not isinstance(settings, FineTune):
            raise Refused(
                f"Only fine-tune trains in several processes; {info.name} takes one. Start it without torchrun."
            )
        if isinstance(settings, Adapter):
            return _adapted(project, called, settings, progress, started)
        if isinstance(settings, FineTune):
            return _fine_tuned(project, called, settings, progress, started)
        assert isinstance(settings, WordVectorRecipe)
        return _word_vectors(project, called, info.name, settings, progress, started)


def _free_name(project: Project, recipe: str, name: str | None) -> str:
    if name is not None:
        check_project_name(name)
        if is_taken(project, name):
            raise Refused(f"The name {name!r} is taken. Choose another one.")
        return name
    number, free = 1, recipe
    while is_taken(project, free):
        number += 1
        free = f"{recipe}-{number}"
    return free


def _fine_tuned(
    project: Project, name: str, settings: FineTune, progress: Progress, started: float
) -> Trained | None:
    progress(0, 0, "keeping training and test apart")
    material = gather(project)
    device = best_device()
    progress(0, 0, f"loading {settings.base} on {device}")
    model = _start(project, settings.base)
    if isinstance(model, AdaptedEncoder | EndpointEncoder):
        raise Refused(
            f"{settings.base!r} is computed by a server, so its weights are not here to be tuned. Train an "
            f"adapter on it: python cli.py train {project.name} --recipe adapter --set base={settings.base}."
        )
    pairs = answering_passages(material.guarded.pairs, material.corpus)
    knew = 0.0 if helps_only() else general_ndcg(model)
    with tempfile.TemporaryDirectory(prefix="bespoke-trainer-") as scratch, together():
        tuned = fine_tune(model, pairs, material.dev, settings, Path(scratch), progress)
    if helps_only():
        return None
    dev = {"ndcg@10": tuned.dev_scores, "kept": tuned.kept}
    return _publish(project, name, settings, model, material, dev, knew, device, started)


def _adapted(
    project: Project, name: str, settings: Adapter, progress: Progress, started: float
) -> Trained:
    progress(0, 0, "keeping training and test apart")
    material = gather(project)
    device = best_device()
    progress(0, 0, f"loading {settings.base} on {device}")
    base = _start(project, settings.base)
    # Shares of the time as measured; where the base has no index yet, its building comes first.
    known, encoded = Stage(progress, 0.0, 0.1), Stage(progress, 0.1, 0.4)
    documents, index = document_vectors(project, settings.base, base, material, known)
    data = embedded(base, named(project, settings.base), material, documents, encoded)
    adapted = train_adapter(data, material.dev, settings, Stage(progress, 0.4, 1.0))
    model = with_adapter(base, adapted.matrix)
    dev = {"ndcg@10": [adapted.start, adapted.best], "kept": adapted.kept}
    facts = {ADAPTER_OF: index.made_from["model"]} if index else {}
    knew = general_ndcg(base)
    return _publish(project, name, settings, model, material, dev, knew, device, started, **facts)


def _publish(
    project: Project,
    name: str,
    settings: Adapter | FineTune,
    model: Any,
    material: Material,
    dev: dict[str, Any],
    knew: float,
    device: str,
    started: float,
    **facts: Any,
) -> Trained:
    """Publish a SentenceTransformer that learned from pairs, with all that is known of how.

    :param knew: the start's score on the general questions.
    """
    notes = material.notes
    general = General(len(general_questions()), knew, general_ndcg(model))
    if dev["kept"] == START:
        notes.append(
            "Nothing that was tried was better than the start on the dev queries, so this model is the "
            "untouched start. More pairs, or a lower learning rate, may help."
        )
    else:
        notes.append(general.sentence)
    dimension = model.get_embedding_dimension()
    if dimension is None:
        raise Failed(f"The model {settings.base} does not say how many dimensions it has.")
    with project.publish("models", material.made_from) as draft:
        model.save(str(draft.folder), create_model_card=False, safe_serialization=True)
        recipe = "adapter" if isinstance(settings, Adapter) else "fine-tune"
        form = MATRIX if isinstance(model, AdaptedEncoder) else "sentence-transformer"
        _describe(draft, name, recipe, settings, dimension, form)
        _write_trained_on(draft, material.guarded.pairs)
        _inherit_trained_on(project, draft, settings.base)
        draft.details.update(
            origin=_origin(project, settings.base),
            pairs=len(material.guarded.pairs),
            left_out=material.guarded.same_query + material.guarded.same_document,
            dev={
                "queries": len(material.dev.query_set.queries),
                "documents": len(material.dev.ids),
                **dev,
            },
            general=general.as_json(),
            device=device,
            seconds=round(time.monotonic() - started, 1),
            notes=notes,
            **facts,
        )
    return Trained(name, draft.id, notes)


def _word_vectors(
    project: Project,
    name: str,
    recipe: str,
    settings: WordVectorRecipe,
    progress: Progress,
    started: float,
) -> Trained:
    corpus_manifest, corpus = current_corpus(project)
    dev = _dev_set(project)
    scores: list[float] = []

    def after_epoch(epoch: int, vectors: WordVectors) -> dict[str, float]:
        if dev is None or (epoch % max(1, settings.epochs // 5) and epoch != settings.epochs):
            return {}
        scores.append(dev.ndcg(vectors))
        return {"epoch": epoch, "dev ndcg@10": scores[-1]}

    vectors = train_word_vectors(corpus, settings, progress, after_epoch)
    with project.publish("models", {"corpus": corpus_manifest.id}) as draft:
        vectors.save(draft.folder)
        _describe(draft, name, recipe, settings, vectors.dimension, "word-vectors")
        draft.details.update(
            origin="from scratch, on the documents alone",
            words=len(vectors.words),
            dev={"queries": len(dev.query_set.queries), "ndcg@10": scores} if dev else None,
            device="cpu",
            seconds=round(time.monotonic() - started, 1),
            notes=[],
        )
    return Trained(name, draft.id, [])


def _start(project: Project, base: str) -> Any:
    """A fresh copy of the model to start from: generic, one of the project's, a folder or a hub id."""
    info = named(project, base)
    if info is None:
        return load_sentence_transformer(base)
    if info.id == BUILT_IN:
        return load_sentence_transformer(generic_folder())
    encoder = load_encoder(project, info)
    if isinstance(encoder, WordVectors):
        raise Refused(f"{base!r} is made of word vectors and cannot be trained further.")
    return encoder


def _origin(project: Project, base: str) -> str:
    """What a model started from, by a name that stays right when another model is called generic."""
    info = named(project, base)
    return base if info is None or info.kind == "custom" else info.title


def _describe(
    draft: Draft, name: str, recipe: str, settings: Recipe, dimension: int, form: str
) -> None:
    draft.details.update(
        name=name,
        recipe=recipe,
        settings=settings.model_dump(),
        dimension=dimension,
        format=form,
    )


def _write_trained_on(draft: Draft, pairs: Sequence[Pair]) -> None:
    with (draft.folder / TRAINED_ON).open("w", encoding="utf-8") as stream:
        for pair in pairs:
            stream.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")


def _inherit_trained_on(project: Project, draft: Draft, base: str) -> None:
    """What a custom base learned from, the new model has learned from too."""
    info = named(project, base)
    if info is not None and info.kind == "custom":
        draft.made_from["base"] = info.id
        earlier = project.folder / "models" / info.id / TRAINED_ON
        if earlier.is_file():
            with (draft.folder / TRAINED_ON).open("a", encoding="utf-8") as stream:
                stream.write(earlier.read_text(encoding="utf-8"))


def _dev_set(project: Project) -> DevSet | None:
    """The dev queries of a project, if it has any with an answer in the corpus."""
    manifest = project.newest("pairs")
    if manifest is None:
        return None
    _, corpus = current_corpus(project)
    dev = DevSet.of(corpus, PairSet.load(project, manifest).dev)
    return dev if dev.query_set.queries else None
