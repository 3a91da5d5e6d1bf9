"""What a training needs of the disk, of memory and of time, estimated before it begins."""

from pathlib import Path

from search.corpus.corpus import CORPUS_FILE
from search.corpus.tokenizer import generic_folder
from search.models.registry import BUILT_IN, generic_info, named
from search.projects.project import Project
from search.projects.room import see_that_it_fits
from training.advice.facts import CorpusFacts
from training.advice.recommending import seconds_of
from training.probe import ORDINARY, remembered_speed
from training.settings import RecipeSettings

_STATES = 3
"""A model that is trained is on the disk up to so many times: the best so far, the last, and what is published."""
_IN_MEMORY = {"adapter": 2, "static": 6, "auto": 6, "fine-tune": 6}
"""Weights in memory, in sizes of the model: itself, its best state, gradients, and two moments of AdamW."""
_BESIDE = 400e6  # Batches, activations and libraries.


def see_that_training_fits(project: Project, recipe: str, settings: RecipeSettings) -> str | None:
    """Refuse a training that has no room; say what a long one needs.

    :param recipe: its name.
    :returns: the sentence, where it will take more than ten minutes.
    :raises Refused: naming the disk, what is needed, and what is free.
    """
    manifest = project.newest("corpora")
    if manifest is None:
        return None  # Refused elsewhere, with what to do.
    info = named(project, str(getattr(settings, "base", None) or "")) or generic_info(project)
    passages = int(manifest.details["passages"])
    text = manifest.files[CORPUS_FILE].size
    vectors = passages * max(info.dimension, 64) * 4
    weights = _weights(project, info.id, str(getattr(settings, "base", None) or ""))
    if recipe in _IN_MEMORY:
        disk = _STATES * weights + 2 * vectors
        memory = _IN_MEMORY[recipe] * weights + min(vectors, 512e6) + _BESIDE
    else:  # Word vectors: as many words as the text has different ones, at the very most.
        disk, memory = text // 2, text // 2 + _BESIDE
    pairs = project.newest("pairs")
    count = int(pairs.details["pairs"]) if pairs else 0
    length = text / max(passages, 1)
    facts = CorpusFacts(
        passages,
        passages,
        length,
        round(text / 6),
        None,
        1.0,
        0.0,
        0.0,
        count,
        response_characters=length,
    )
    speed = remembered_speed(generic_info(project)) or ORDINARY
    seconds = seconds_of(facts, speed).get(recipe)
    return see_that_it_fits("the training", project.folder, disk, memory, seconds)


def _weights(project: Project, identity: str, reference: str) -> int:
    """Bytes of a model's weights."""
    folder = Path(reference) if reference and Path(reference).is_dir() else None
    if folder is None and identity == BUILT_IN:
        folder = generic_folder()
    if folder is not None:
        return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
    files = project.artifact("models", identity).files
    return sum(record.size for record in files.values())
