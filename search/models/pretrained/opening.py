"""A checkpoint as it is used here: what it is, with which prompts, how long its texts may be, and what it was made for.

A model that is added and a start that is given as a folder or hub id go through the same door, so that both read the same
texts in the same way, and what cannot work is refused before anything is done with it.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.pretrained import checkpoints
from search.models.pretrained.checkpoints import ModelFiles
from search.models.pretrained.kinds import SETTINGS_FILE, read_settings, transformer_folder
from search.models.pretrained.longest_text import fit_longest, longest_read
from search.models.pretrained.multilingual import folder as multilingual
from search.models.prompts import Prompts, other_prompts
from search.models.similarity import made_for, note_of
from search.projects.errors import BespokeError, Refused, first_line
from search.projects.progress import Progress, silent

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TRIAL = ("a question", "The answer to it, in a document.")
_HALF = {"bfloat16", "float16"}


@dataclass(frozen=True)
class OpenedCheckpoint:
    """A checkpoint, loaded and tried.

    `similarity` is the one that it was made for, where that is not cosine; `notes` are what a person should know.

    >>> from pathlib import Path
    >>> from sentence_transformers import SentenceTransformer
    >>> from sentence_transformers.sentence_transformer.modules import Normalize
    >>> files = ModelFiles("intfloat/e5-small-v2", Path("/models/1a2b"), content="f00d", commit="1a2b")
    >>> prompts = Prompts("query: ", "passage: ", "E5 models")
    >>> model = SentenceTransformer(modules=[Normalize()], device="cpu")
    >>> opened = OpenedCheckpoint(files, model, prompts, 384, 512, None, [])
    >>> facts_of(opened)["origin"], facts_of(opened)["max_length"]
    ('intfloat/e5-small-v2', 512)
    """

    files: ModelFiles
    model: "SentenceTransformer"
    prompts: Prompts
    dimension: int
    max_length: int | None
    similarity: str | None
    notes: list[str]


def open_checkpoint(
    reference: str,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    max_length: int | None = None,
    progress: Progress = silent,
    commit: str | None = None,
) -> OpenedCheckpoint:
    """Load a checkpoint by folder or hub id, and try it: a short text, and the longest that it reads.

    :param query_prompt: the person's choice; None leaves it to the model, "" means none. The same for `document_prompt`.
    :param max_length: the longest text in the model's own word pieces; None for what the model says.
    :param commit: the version of a hub id; see `find_checkpoint`.
    :raises Refused: when it cannot be had or loaded, is no embedding model, or reads no texts so long.
    """
    if max_length is not None and max_length < 1:
        raise Refused(f"--max-length is {max_length}; it must be at least 1.")
    files = checkpoints.find_checkpoint(reference, commit)
    prompts = checkpoints.own_prompts(files, query_prompt, document_prompt)
    progress(1, 2, f"loading {reference}")
    model = checkpoints.load(files, prompts, None)
    checkpoints.check_transformer(files, model)
    vectors = tried(model, reference)
    try:
        promised = fit_longest(model, max_length)
    except Refused as error:
        raise Refused(f"The model {reference} cannot be used as it is. {error}") from None
    said = read_settings(files.parts[-1].folder / SETTINGS_FILE) | read_settings(
        files.folder / SETTINGS_FILE
    )
    similarity = made_for(said.get("similarity_fn_name"), reference, vectors)
    longest = longest_read(model)
    notes = _notes_on_files(files)
    if promised is not None:
        notes.append(
            f"Its settings speak of texts of {promised:,} word pieces, but it has positions for {longest:,}: longer texts "
            "are cut there."
        )
    notes += prompt_notes(prompts) + _other_prompts(files, prompts)
    if similarity is not None:
        notes.append(note_of(similarity))
    size = int(vectors.shape[1])
    return OpenedCheckpoint(files, model, prompts, size, longest, similarity, notes)


def facts_of(opened: OpenedCheckpoint) -> dict[str, Any]:
    """What a manifest says of a checkpoint."""
    files = opened.files
    facts: dict[str, Any] = {
        "format": checkpoints.FORMAT,
        "reference": files.reference,
        "origin": files.folder.name if files.commit is None else files.reference,
        "dimension": opened.dimension,
        "prompts": asdict(opened.prompts),
        "max_length": opened.max_length,
        "content": files.content,
        "commit": files.commit,
        "bytes": sum(
            path.stat().st_size
            for part in files.parts
            for path in part.folder.rglob("*.safetensors")
        ),
        "notes": opened.notes,
    }
    if files.base is not None:
        facts["base"] = files.base.as_json()
    if opened.similarity is not None:
        facts["similarity"] = opened.similarity
    return facts


def _notes_on_files(files: ModelFiles) -> list[str]:
    """What a person should know of the files, and what is done with them that was not asked for."""
    notes = list(multilingual.NOTES) if files.reference == multilingual.REFERENCE else []
    if files.base is not None:
        notes.append(
            f"What PEFT learned on {files.base.reference} is added into that model's layers; both must stay as they are."
        )
    if checkpoints.without_pooling(files):
        notes.append(
            "It does not say how the vectors of its word pieces become one, so their mean is taken."
        )
    inner = transformer_folder(files.parts[-1].folder)
    config = read_settings(inner / "config.json") if inner else {}
    kept = str(config.get("dtype") or config.get("torch_dtype"))
    if kept in _HALF:
        notes.append(f"Its weights are kept in {kept} and computed in float32 here.")
    return notes


def prompt_notes(prompts: Prompts) -> list[str]:
    """What a person should know of prompts that they did not give."""
    if prompts.source in ("none", "you"):
        return []
    return [
        f"Put before each query: “{prompts.query}”; before each document: “{prompts.document}” "
        f"(from {prompts.source}). Change it with --query-prompt and --document-prompt."
    ]


def _other_prompts(files: ModelFiles, prompts: Prompts) -> list[str]:
    """What a person should know of prompts under names that say neither query nor document."""
    others = other_prompts(checkpoints.named_prompts(files))
    if not others or prompts.source == "you":
        return []
    named = "; ".join(f"{name}: “{text}”" for name, text in others.items())
    return [
        f"Its settings hold prompts that are not used, for their names say neither query nor document ({named}). Where one "
        "of them is right for your texts, give it with --query-prompt or --document-prompt."
    ]


def tried(model: Any, reference: str) -> Vectors:
    """The vectors of a question and an answer: shape (2, dimension).

    :raises Refused: when the model gives none that can be used.
    """
    try:
        question = np.asarray(model.encode_query([TRIAL[0]], show_progress_bar=False))
        document = np.asarray(model.encode_document([TRIAL[1]], show_progress_bar=False))
    except BespokeError:
        raise
    except Exception as error:  # Whatever its modules raise: they are of many libraries.
        raise Refused(
            f"The model {reference} cannot read a text, so it is no embedding model for texts ({first_line(error)})."
        ) from error
    if question.ndim != 2 or question.shape[1:] != document.shape[1:] or not question.size:
        raise Refused(f"The model {reference} does not give one vector a text.")
    both = np.vstack([question, document])
    if not np.isfinite(both).all() or not both.any(axis=1).all():
        raise Refused(
            f"The model {reference} gives vectors that are not finite, or zero: its weights are damaged."
        )
    return both
