"""A model out of the workspace: a standard SentenceTransformer folder for other programs."""

import shutil
import tempfile
from pathlib import Path

from search.encoders import load_encoder
from search.errors import Refused
from search.evaluation import TRAINED_ON
from search.models import find_model, generic_folder
from search.word_vectors import WordVectors
from search.workspace import MANIFEST, Project
from training.card import CARD, model_card


def export(project: Project, name: str, folder: Path) -> list[str]:
    """Write a model as a standard SentenceTransformer folder that works anywhere, with its model card.

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
        if info.kind == "custom":
            (target / CARD).write_text(model_card(project, info), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        target.rename(folder)
    return notes
