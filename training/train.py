"""Training a custom model, from a recipe's name to a published model."""

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search.corpus import current_corpus
from search.encoders import (
    GENERIC,
    GENERIC_TITLE,
    KEYWORD,
    best_device,
    find_model,
    generic_folder,
    load_encoder,
    load_sentence_transformer,
    models,
)
from search.errors import Failed, Refused
from search.evaluation import TRAINED_ON
from search.leaks import keep_apart
from search.progress import Progress, silent
from search.query_sets import QuerySet
from search.readers.pairs import Pair
from search.word_vectors import WordVectors
from search.workspace import MANIFEST, Draft, Project, check_project_name
from training.dev import DevSet
from training.fine_tune import START, fine_tune
from training.pairs import PairSet, current_pairs
from training.recipes import FineTune, Recipe, WordVectorRecipe, recipe_info, validated
from training.word_vectors import train_word_vectors

_MIN_TRAIN = 4


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
) -> Trained:
    """Train a model by a recipe on the newest corpus and pairs, and publish it.

    :param name: what to call it; by default the recipe's name, numbered when taken.
    :param values: settings that differ from the recipe's defaults.
    :raises Refused: for an unknown recipe or setting, a name that is taken, or data that is missing.
    """
    info = recipe_info(recipe)
    settings = validated(info, values or {})
    called = _free_name(project, info.name, name)
    started = time.monotonic()
    if isinstance(settings, FineTune):
        return _fine_tuned(project, called, settings, progress, started)
    assert isinstance(settings, WordVectorRecipe)
    return _word_vectors(project, called, info.name, settings, progress, started)


def export(project: Project, name: str, folder: Path) -> list[str]:
    """Write a model as a standard SentenceTransformer folder that works anywhere.

    :param folder: must not exist, or be empty.
    :returns: notes on what does not travel.
    :raises Refused: for an unknown model, or a folder with something in it.
    """
    info = find_model(project, name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} exists and is not empty. Choose a new folder.")
    if not folder.parent.is_dir():
        raise Refused(f"There is no folder {folder.parent} to write into.")
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix=".bespoke-export-", dir=folder.parent) as scratch:
        target = Path(scratch) / "model"
        encoder = load_encoder(project, info)
        if isinstance(encoder, WordVectors):
            encoder.as_sentence_transformer().save(str(target), create_model_card=False)
            if encoder.subwords is not None:
                notes.append(
                    "Only words of the corpus have vectors in the exported model: the word parts by "
                    "which FastText reads unseen words do not fit the standard format."
                )
        else:
            source = (
                generic_folder() if info.kind == "generic" else project.folder / "models" / info.id
            )
            ignored = shutil.ignore_patterns(MANIFEST, TRAINED_ON, "__pycache__")
            shutil.copytree(source, target, ignore=ignored)
        if folder.exists():
            folder.rmdir()
        target.rename(folder)
    return notes


def _free_name(project: Project, recipe: str, name: str | None) -> str:
    taken = {info.name for info in models(project)} | {KEYWORD}
    if name is not None:
        check_project_name(name)
        if name in taken:
            raise Refused(f"The name {name!r} is taken. Choose another one.")
        return name
    number, free = 1, recipe
    while free in taken:
        number += 1
        free = f"{recipe}-{number}"
    return free


def _fine_tuned(
    project: Project, name: str, settings: FineTune, progress: Progress, started: float
) -> Trained:
    corpus_manifest, corpus = current_corpus(project)
    pairs_manifest, pair_set = current_pairs(project)
    progress(0, 0, "keeping training and test apart")
    test = _test_set(project)
    guarded = keep_apart(pair_set.pairs, [pair_set.dev, *([test[1]] if test else [])], corpus)
    notes = [guarded.note] if guarded.note else []
    if len(guarded.pairs) < _MIN_TRAIN:
        raise Refused(
            f"Only {len(guarded.pairs)} pairs are left to train on ({guarded.note or 'too few given'})"
            f"; at least {_MIN_TRAIN} are needed. Add pairs about other documents."
        )
    dev = DevSet.of(corpus, pair_set.dev)
    if not dev.query_set.queries:
        raise Refused(
            "No dev query has an answer in the corpus, so training could not be steered. Add pairs "
            "whose responses are documents of the corpus."
        )
    device = best_device()
    progress(0, 0, f"loading {settings.base} on {device}")
    model = _start(project, settings)
    with tempfile.TemporaryDirectory(prefix="bespoke-trainer-") as scratch:
        tuned = fine_tune(model, guarded.pairs, dev, settings, Path(scratch), progress)
    if tuned.kept == START:
        notes.append(
            "No epoch was better than the start on the dev queries, so this model is the untouched "
            "start. More pairs, or a lower learning rate, may help."
        )
    made_from = {"corpus": corpus_manifest.id, "pairs": pairs_manifest.id}
    if test:
        made_from["queries"] = test[0]
    dimension = model.get_embedding_dimension()
    if dimension is None:
        raise Failed(f"The model {settings.base} does not say how many dimensions it has.")
    with project.publish("models", made_from) as draft:
        model.save(str(draft.folder), create_model_card=False, safe_serialization=True)
        _describe(draft, name, "fine-tune", settings, dimension, "sentence-transformer")
        _write_trained_on(draft, guarded.pairs)
        draft.details.update(
            origin=GENERIC_TITLE if settings.base == GENERIC else settings.base,
            pairs=len(guarded.pairs),
            left_out=guarded.same_query + guarded.same_document,
            dev={
                "queries": len(dev.query_set.queries),
                "documents": len(dev.ids),
                "ndcg@10": tuned.dev_scores,
                "kept": tuned.kept,
            },
            device=device,
            seconds=round(time.monotonic() - started, 1),
            notes=notes,
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


def _start(project: Project, settings: FineTune) -> Any:
    """A fresh copy of the model to start from: generic, one of the project's, a folder or a hub id."""
    if settings.base == GENERIC:
        return load_sentence_transformer(generic_folder())
    own = [info for info in models(project) if info.name == settings.base]
    if own:
        encoder = load_encoder(project, own[-1])
        if isinstance(encoder, WordVectors):
            raise Refused(f"{settings.base!r} is made of word vectors and cannot be fine-tuned.")
        return encoder
    return load_sentence_transformer(settings.base)


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


def _test_set(project: Project) -> tuple[str, QuerySet] | None:
    manifest = project.newest("queries")
    return (manifest.id, QuerySet.load(project, manifest)) if manifest else None


def _dev_set(project: Project) -> DevSet | None:
    """The dev queries of a project, if it has any with an answer in the corpus."""
    manifest = project.newest("pairs")
    if manifest is None:
        return None
    _, corpus = current_corpus(project)
    dev = DevSet.of(corpus, PairSet.load(project, manifest).dev)
    return dev if dev.query_set.queries else None
