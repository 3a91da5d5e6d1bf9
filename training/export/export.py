"""A model out of the workspace: written in one of the formats that other programs read, loaded again, held against the
model, and only then published, with its card.
"""

import shutil
from pathlib import Path
from typing import Any, get_args

from search.corpus.tokenizer import generic_folder
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.models.api.encoder import ApiEncoder
from search.models.encoding.quantized.encoder import QuantizedEncoder
from search.models.linear_adapter import BEHIND, LinearAdapter
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.load import load_encoder
from search.models.registry import BUILT_IN, ModelInfo, find_model, to_be_used
from search.models.similarity import COSINE
from search.models.word_vectors import WordVectors
from search.projects import audit
from search.projects.artifacts import MANIFEST
from search.projects.errors import Failed, Refused, in_words
from search.projects.files import new_folder
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.projects.room import see_that_it_fits
from training.base_model import beneath_adapters
from training.export import (
    gguf_file,
    onnx_graph,
    openvino_graph,
    sentence_transformers_folder,
    word2vec_text,
)
from training.export.agreement import held_against
from training.export.card import CARD, card_of_export
from training.export.formats import FULL, ExportFormat, Form, Precision, see_that_it_is_installed
from training.export.index_files import INDEX_FORMS, write_index
from training.export.older_readers import respell
from training.export.sentence_transformers_folder import standard

FORMATS: dict[str, ExportFormat] = {
    "sentence-transformers": sentence_transformers_folder.FORMAT,
    "onnx": onnx_graph.FORMAT,
    "openvino": openvino_graph.FORMAT,
    "gguf": gguf_file.FORMAT,
    "word2vec": word2vec_text.FORMAT,
}
_WORDS_ONLY = "word2vec"
_FULL = "No space left on device"
_UNREAD_WORDS = (
    "Only words of the corpus have vectors in the exported model: the word parts by "
    "which FastText reads unseen words do not fit the standard format."
)


def export(
    project: Project,
    name: str,
    folder: Path,
    measured: bool = False,
    form: Form = "sentence-transformers",
    precision: Precision = FULL,
    progress: Progress = silent,
) -> list[str]:
    """Write a model into a folder that works anywhere, with its model card, or the vectors of its index; whole or not at all.

    A model that was trained once more on everything gives way to what came of that.

    :param folder: must not exist, or be empty.
    :param measured: write the model itself in any case.
    :returns: notes on what does not travel, on which model was taken, and on how it agrees with the model.
    :raises Refused: for an unknown model, a folder with something in it, a format that cannot hold this model or lacks a
        package, and for an export that is not the same model.
    :raises Failed: when it cannot be written, or the model's base is gone.
    """
    known = None if form in INDEX_FORMS else _format(form, precision)
    if known is None and precision != FULL:
        raise Refused(
            f"--format {form} has no {precision}: it holds vectors, as they are in the index."
        )
    wanted = find_model(project, name)
    info = wanted if measured else to_be_used(project, wanted)
    notes: list[str] = []
    if info is not wanted:
        notes.append(
            f"Taken is {info.name}, which is {wanted.name} trained once more on everything (--measured takes that one)."
        )
    try:
        with new_folder(folder) as target:
            if known is None:
                audit.note("exported", project.name, f"index of {info.name}")
                return notes + write_index(project, info, form, target, progress)
            audit.note("exported", project.name, f"model {info.name}")
            notes += _written(project, info, target, form, precision, known, progress)
    except Exception as error:
        # Libraries that write on their own wrap what the system said.
        if not isinstance(error, OSError) and _FULL not in str(error):
            raise
        said = in_words(error) if isinstance(error, OSError) else _FULL
        raise Failed(f"{folder} cannot be written: {said}. Nothing was left there.") from error
    return notes


def _format(form: Form, precision: Precision) -> ExportFormat:
    """The format of that name, where it has that precision and can be had.

    :raises Refused: where not.
    """
    known = FORMATS.get(form)
    if known is None:
        raise Refused(f"There is no format {form!r}. There are: {', '.join(get_args(Form))}.")
    if precision not in known.precisions:
        there = [name for name, other in FORMATS.items() if precision in other.precisions]
        instead = (
            f"{precision} is in {' and '.join(there)}"
            if there
            else f"there are {', '.join(get_args(Precision))}"
        )
        raise Refused(
            f"--format {form} has no {precision}, only {' and '.join(known.precisions)}; {instead}."
        )
    see_that_it_is_installed(form, known)
    return known


def _written(
    project: Project,
    info: ModelInfo,
    target: Path,
    form: Form,
    precision: Precision,
    known: ExportFormat,
    progress: Progress,
) -> list[str]:
    encoder = load_encoder(project, info)  # What cannot be loaded is said before anything else.
    progress(0, 1, f"writing {info.name}")
    model = _to_take_away(project, info, encoder, form)
    as_it_lies = _files_of(project, info)
    see_that_it_fits("the export", target, 2 * _bytes_of(project, info, model), 0)
    notes: list[str] = []
    if form == "sentence-transformers" and precision == FULL and as_it_lies is not None:
        ignored = shutil.ignore_patterns(MANIFEST, TRAINED_ON, "__pycache__")
        shutil.copytree(as_it_lies, target, ignore=ignored, dirs_exist_ok=True)
    else:
        notes += known.write(model, target, precision)
    if form == "sentence-transformers":
        respell(target)
    words = beneath_adapters(encoder)
    if form != _WORDS_ONLY and isinstance(words, WordVectors) and words.subwords is not None:
        notes.append(_UNREAD_WORDS)
    with known.opened(target, encoder) as again:
        agreed = held_against(project, encoder, again, precision, Stage(progress, 0.3, 1.0))
    notes.append(agreed.sentence)
    card = card_of_export(project, info, known, precision, agreed)
    if card is not None:
        (target / CARD).write_text(card, encoding="utf-8")
    return notes


def _to_take_away(project: Project, info: ModelInfo, encoder: Any, form: Form) -> Any:
    """What is written: a SentenceTransformer, or word vectors where their own format is asked for.

    :raises Refused: for what a server computes.
    """
    beneath = beneath_adapters(encoder)
    if isinstance(beneath, ApiEncoder):
        if isinstance(encoder, LinearAdapter):
            raise Refused(
                f"{info.name!r} is a matrix over vectors that a server computes: no model to load elsewhere. Take "
                f"the matrix: it is in {project.folder / 'models' / info.id}."
            )
        raise Refused(f"{info.name!r} is computed by a server, so there is no model to take away.")
    if isinstance(beneath, QuantizedEncoder):
        raise Refused(
            f"{info.name!r} computes in eight bits, made for this application alone. Take it in full: python cli.py full "
            f"{project.name} {info.name} makes an adapter's twin in full precision; a ready-made model is there in full already."
        )
    if form == _WORDS_ONLY:
        return encoder
    model = standard(encoder)
    if info.kind == "custom":
        model.similarity_fn_name = COSINE
    return model


def _files_of(project: Project, info: ModelInfo) -> Path | None:
    """The folder of a model that is stored as others read it; None where it is put together."""
    if info.id == BUILT_IN:
        return generic_folder()
    if info.kind == "custom" and info.format not in (BEHIND, MATRIX, "word-vectors"):
        return project.folder / "models" / info.id
    return None


def _bytes_of(project: Project, info: ModelInfo, model: Any) -> int:
    """How large a model is, about."""
    parameters = getattr(model, "parameters", None)
    if parameters is not None:
        return sum(int(part.numel()) * 4 for part in parameters())
    return sum(record.size for record in project.artifact("models", info.id).files.values()) * 4
