"""A model out of the workspace: a standard SentenceTransformer folder for other programs."""

import shutil
from pathlib import Path
from typing import Any

from search.corpus.tokenizer import generic_folder
from search.evaluation.evaluate import TRAINED_ON
from search.models.api.encoder import ApiEncoder
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.linear_adapter import LinearAdapter
from search.models.load import load_encoder
from search.models.registry import BUILT_IN, find_model
from search.models.word_vectors import WordVectors
from search.projects.artifacts import MANIFEST
from search.projects.errors import Refused
from search.projects.files import new_folder
from search.projects.project import Project
from training.adapter.matrix import with_adapter
from training.base_model import beneath_adapters
from training.card import CARD, model_card


def export(project: Project, name: str, folder: Path) -> list[str]:
    """Write a model as a standard SentenceTransformer folder that works anywhere, with its model card.

    :param folder: must not exist, or be empty.
    :returns: notes on what does not travel.
    :raises Refused: for an unknown model, or a folder with something in it.
    """
    info = find_model(project, name)
    notes: list[str] = []
    with new_folder(folder) as target:
        encoder = load_encoder(project, info)
        if isinstance(words := beneath_adapters(encoder), WordVectors):
            _standard(encoder).save(str(target), create_model_card=False)
            if words.subwords is not None:
                notes.append(
                    "Only words of the corpus have vectors in the exported model: the word parts by "
                    "which FastText reads unseen words do not fit the standard format."
                )
        elif info.id == BUILT_IN or (info.kind == "custom" and info.format != MATRIX):
            own = project.folder / "models" / info.id
            source = generic_folder() if info.id == BUILT_IN else own
            ignored = shutil.ignore_patterns(MANIFEST, TRAINED_ON, "__pycache__")
            shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
        elif isinstance(encoder, LinearAdapter):
            raise Refused(
                f"{name!r} is a matrix over vectors that a server computes: no model to load elsewhere. Take "
                f"the matrix: it is in {project.folder / 'models' / info.id}."
            )
        elif isinstance(encoder, ApiEncoder):
            raise Refused(f"{name!r} is computed by a server, so there is no model to take away.")
        else:
            model: Any = encoder  # A SentenceTransformer: nothing else is left.
            model.save(str(target), create_model_card=False, safe_serialization=True)
        if info.kind == "custom":
            (target / CARD).write_text(model_card(project, info), encoding="utf-8")
    return notes


def _standard(encoder: Any) -> Any:
    """Word vectors, and adapters on them, as one SentenceTransformer."""
    if isinstance(encoder, LinearAdapter):
        return with_adapter(_standard(encoder.base), encoder.matrix, encoder.side)
    return encoder.as_sentence_transformer()
