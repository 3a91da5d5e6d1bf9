"""What a training starts from, and what a project knows of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from search.corpus.corpus import current_corpus
from search.corpus.tokenizer import generic_folder
from search.models.api.encoder import ApiEncoder
from search.models.encoding.quantized.encoder import QuantizedEncoder
from search.models.encoding.texts import transformer_of
from search.models.legibility import illegible, unread_notes
from search.models.linear_adapter import LinearAdapter
from search.models.load import load_encoder
from search.models.pretrained.checkpoints import refuse_folder
from search.models.pretrained.opening import open_checkpoint
from search.models.registry import BUILT_IN, GENERIC, ModelInfo, named
from search.models.sentence_transformer import load_sentence_transformer
from search.models.word_vectors import WordVectors
from search.projects.errors import Refused
from search.projects.project import Project
from training.settings import RecipeSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Settings = TypeVar("Settings", bound=RecipeSettings)


def load_base_model(project: Project, base: str) -> Any:
    """A fresh copy of the model to start from: generic, one of the project's, a folder or a hub id.

    :raises Refused: for an asymmetric model.
    """
    model = load_start(project, named(project, base), base)
    transformer = transformer_of(model)
    if transformer is not None and type(transformer[0]).__name__ == "Router":
        raise Refused(
            f"{base!r} is asymmetric: queries and documents go through two models of their own, and nothing here trains "
            "both. It can be searched and measured as it is; to train, start from a model that reads both alike."
        )
    return model


def reading_notes(project: Project, base: object = None) -> list[str]:
    """What to know before a training of the documents that its start cannot read; nothing where it reads them.

    :param base: the start that was asked for; None for the generic model. Of a folder or hub id all is said that would be
        said of it as a model that is added.
    :raises Refused: for a folder or hub id that cannot be had, or is no embedding model.
    """
    reference = str(base or GENERIC)
    info = named(project, reference)
    corpus = None if project.newest("corpora") is None else current_corpus(project)[1]
    if info is None:
        opened = open_checkpoint(reference)
        name = opened.files.reference.rstrip("/").rsplit("/", maxsplit=1)[-1]
        unread = unread_notes(opened, name, project, corpus) if corpus is not None else []
        return [f"{name}: {note}" for note in opened.notes] + unread
    note = illegible(project, corpus, info) if corpus is not None else None
    return [note] if note else []


def with_absolute_base(project: Project, settings: Settings) -> Settings:
    """Settings with a start that is a folder under its whole path, so that it is the same from everywhere, and later."""
    base = getattr(settings, "base", None)
    if base is None or named(project, base) is not None:
        return settings
    refuse_folder(base)
    folder = Path(base).expanduser()
    return (
        settings.model_copy(update={"base": str(folder.resolve())}) if folder.is_dir() else settings
    )


def refuse_refit_as_start(project: Project, base: str | None) -> None:
    """Refuse a start that learned from the dev and test queries: nothing could steer what begins there, or measure it.

    :raises Refused: naming it.
    """
    info = None if base is None else named(project, base)
    if info is not None and info.refit_of is not None:
        raise Refused(
            f"{base!r} learned from the dev and test queries, so what starts from it could be neither steered nor measured. "
            "Start from the model it came from."
        )


def load_start(project: Project, info: ModelInfo | None, reference: str) -> Any:
    """A fresh copy of a model of the project, or (without `info`) of what a folder or hub id names.

    What is named so gets what `add-model` would give it: prompts, the longest text that it reads, and refusals.
    """
    if info is None:
        return open_checkpoint(reference).model
    if info.id == BUILT_IN:
        return load_sentence_transformer(generic_folder())
    return load_encoder(project, info)


def load_trainable_base(project: Project, base: str) -> "SentenceTransformer":
    """A start whose own weights can be trained.

    :raises Refused: for word vectors, and for what a server computes.
    """
    encoder = load_base_model(project, base)
    beneath = beneath_adapters(encoder)
    adapter = f"Train an adapter on it: python cli.py train {project.name} --recipe adapter --set base={base}."
    if isinstance(beneath, WordVectors):
        raise Refused(f"{base!r} is made of word vectors, and has no layers to be tuned. {adapter}")
    if isinstance(beneath, QuantizedEncoder):
        raise Refused(
            f"{base!r} computes in eight bits, and weights are tuned in full precision: start from the model that it was made "
            f"of. {adapter}"
        )
    if isinstance(beneath, ApiEncoder):
        raise Refused(
            f"{base!r} is computed by a server, so its weights are not here to be tuned. {adapter}"
        )
    model: SentenceTransformer = encoder
    return model


def beneath_adapters(encoder: Any) -> Any:
    """The encoder itself, or what adapters that are no SentenceTransformer stand on."""
    while isinstance(encoder, LinearAdapter):
        encoder = encoder.base
    return encoder


def origin_of(project: Project, base: str) -> str:
    """What a model started from, by a name that stays right when another model is called generic."""
    info = named(project, base)
    return base if info is None or info.kind == "custom" else info.title
