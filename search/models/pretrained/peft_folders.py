"""Folders that PEFT saved: weights beside another model's layers (LoRA and its kin), which are added into them on loading.

Such a folder is read as the model that it makes: the files of the model beneath with the folder's own files over them.
What is added into the layers is plain from then on: it is trained, converted and exported like any other model.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from search.models.pretrained.kinds import (
    ADAPTER_FILE,
    MODULES_FILE,
    module_rows,
    read_settings,
    transformer_folder,
)
from search.projects.errors import Refused, first_line
from search.projects.scratch import scratch_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

WEIGHTS_FILE = "adapter_model.safetensors"
# Those that put vectors before a text, or are asked which of them counts, have nothing to add into layers.
_UNMERGEABLE = {
    "PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "ADAPTION_PROMPT", "CPT", "XLORA", "POLY",
    "CARTRIDGE",
}  # fmt: skip
_HEADS = {
    "SEQ_CLS": "a classifier or cross-encoder",
    "TOKEN_CLS": "a tagger of words",
    "QUESTION_ANS": "a model that marks answers in a text",
}


class Beneath(NamedTuple):
    """What an adapter's settings say of the model beneath it: a folder or hub id, and which version.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     settings = '{"peft_type": "LORA", "base_model_name_or_path": "intfloat/e5-small-v2"}'
    ...     written = (folder / ADAPTER_FILE).write_text(settings), (folder / WEIGHTS_FILE).touch()
    ...     beneath(folder)
    Beneath(reference='intfloat/e5-small-v2', revision=None)
    """

    reference: str
    revision: str | None


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds weights beside another model's layers."""
    return _adapter_folder(folder) is not None


def beneath(folder: Path) -> Beneath:
    """The model that the weights of such a folder were learned on.

    :raises Refused: when it does not say, or its weights cannot be added into layers.
    """
    inner = _adapter_folder(folder)
    assert inner is not None
    settings = read_settings(inner / ADAPTER_FILE)
    kind, task = str(settings.get("peft_type")), str(settings.get("task_type"))
    if task in _HEADS:
        raise Refused(f"{folder} is no embedding model but {_HEADS[task]}, saved by PEFT.")
    if kind in _UNMERGEABLE:
        raise Refused(
            f"{folder} was saved by PEFT as {kind}, which cannot be added into a model's layers. Give a model that stands "
            "alone."
        )
    if not (inner / WEIGHTS_FILE).is_file():
        raise Refused(
            f"{inner} holds no {WEIGHTS_FILE}. Save the adapter again (save_pretrained writes it)."
        )
    base = settings.get("base_model_name_or_path")
    if not base:
        raise Refused(
            f"{inner / ADAPTER_FILE} does not say which model it was trained on (base_model_name_or_path)."
        )
    revision = settings.get("revision")
    return Beneath(str(base), str(revision) if revision else None)


@contextmanager
def whole_folder(folder: Path, base: Path) -> Iterator[Path]:
    """A folder of links that reads like the whole model, before the adapter's weights are added.

    Where the adapter's folder does not say how the vectors of word pieces become one, the model beneath does.
    """
    with scratch_folder("model") as name:
        view = Path(name)
        inner, own = transformer_folder(base), _adapter_folder(folder)
        assert own is not None
        if inner is None:
            raise Refused(
                f"The adapter {folder} stands on {base}, which does not begin with a transformer."
            )
        if (folder / MODULES_FILE).is_file():
            target = view / own.relative_to(folder)
            _link(inner, target, {MODULES_FILE})
            _link(folder, view, set())
        else:
            _link(base, view, set())
            _link(folder, view / inner.relative_to(base), set())
        yield view


def merge(model: "SentenceTransformer", folder: Path) -> None:
    """Add the weights of a folder that PEFT saved into the layers of the model that they were learned on.

    :raises Refused: when they do not fit it.
    """
    from peft import PeftModel

    inner: Any = model[0]
    try:
        merged = PeftModel.from_pretrained(inner.model, str(_adapter_folder(folder)))
        inner.model = merged.merge_and_unload()
    except Exception as error:
        raise Refused(
            f"The adapter {folder} does not fit the model that it names ({first_line(error)})."
        ) from error
    for parameter in model.parameters():
        parameter.requires_grad_(True)


def _adapter_folder(folder: Path) -> Path | None:
    """Where in a folder PEFT's files are; None where there are none."""
    places = [folder, *(folder / str(row.get("path", "")) for row in module_rows(folder)[:1])]
    return next((place for place in places if (place / ADAPTER_FILE).is_file()), None)


def _link(source: Path, target: Path, left: set[str]) -> None:
    """Link every file of a folder into another one, over what is there; the adapter's own files are left."""
    for path in sorted(source.rglob("*")):
        if not path.is_file() or path.name in {ADAPTER_FILE, WEIGHTS_FILE, *left}:
            continue
        link = target / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
