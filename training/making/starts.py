"""What a training starts from, and what a project knows of it."""

from typing import Any

from search.encoders import load_encoder, load_sentence_transformer
from search.errors import Refused
from search.models import BUILT_IN, generic_folder, named
from search.word_vectors import WordVectors
from search.workspace import Project


def start_of(project: Project, base: str) -> Any:
    """A fresh copy of the model to start from: generic, one of the project's, a folder or a hub id.

    :raises Refused: for word vectors, which are no module that could be trained further.
    """
    info = named(project, base)
    if info is None:
        return load_sentence_transformer(base)
    if info.id == BUILT_IN:
        return load_sentence_transformer(generic_folder())
    encoder = load_encoder(project, info)
    if isinstance(encoder, WordVectors):
        raise Refused(f"{base!r} is made of word vectors and cannot be trained further.")
    return encoder


def origin_of(project: Project, base: str) -> str:
    """What a model started from, by a name that stays right when another model is called generic."""
    info = named(project, base)
    return base if info is None or info.kind == "custom" else info.title
