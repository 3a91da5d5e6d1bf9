"""The backend of a model: asked for, known from before, or measured now; and what is told of it.

Converted transformers are kept in the workspace, made once for each set of weights and version of OpenVINO. They lie in
`<workspace>/.converted/<key>/`, where the key is a hash of the transformer's weights and settings: an adapter and the
model beneath it have the same transformer, and share its conversion.
"""

import json
import platform
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.models.encoding.backends.openvino import (
    OpenVinoBackend,
    Unconvertible,
    attention_window,
    check_convertible,
    convert,
    precisions,
)
from search.models.encoding.backends.pipeline import Backend, TorchBackend
from search.models.encoding.backends.probe import WORTH_IT, Measured, measured
from search.projects.errors import Refused
from search.projects.files import sha256_of, write_atomically, write_json
from search.projects.locks import Owner, is_owned
from search.projects.settings import settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Converting and measuring take some ten seconds, and win a fifth to two thirds of the time of encoding.
PAYS_AFTER_SECONDS = 60.0
# So much faster than PyTorch, no slower precision is worth the time of measuring it.
_SETTLED = 1.5
# What a core of today reaches; it only decides whether measuring can pay.
_OPERATIONS_A_SECOND = 5e10

CONVERTED = ".converted"
_RECORD = "conversion.json"
_CHOICE = "choice.json"


@dataclass(frozen=True)
class Chosen:
    """A backend, why it was chosen, the figures behind the choice, and what the person should know.

    >>> from types import SimpleNamespace
    >>> Chosen(SimpleNamespace(name="torch"), "asked for by BESPOKE_BACKEND").facts()
    {'backend': 'torch', 'why': 'asked for by BESPOKE_BACKEND', 'measured': []}
    """

    backend: Backend
    why: str
    figures: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """What an index's manifest says of it."""
        return {"backend": self.backend.name, "why": self.why, "measured": self.figures}


def choose(
    model: "SentenceTransformer", pieces: int, passages: Callable[[], Sequence[str]]
) -> Chosen:
    """The backend to encode a corpus with.

    :param pieces: about how many word pieces are to be encoded.
    :param passages: gives the passages to measure on, should it come to that.
    """
    torch = TorchBackend(model)
    wish = settings().backend
    if wish == "torch":
        return Chosen(torch, "asked for by BESPOKE_BACKEND")
    try:
        check_convertible(model)
    except Unconvertible as reason:
        return Chosen(torch, f"the only one for this model: {reason}")
    folder = conversion_folder(model)
    known = _known(model, folder)
    if known is not None and (wish == "auto" or known.backend.name != torch.name):
        return known
    if wish == "auto" and _seconds(model, pieces) < PAYS_AFTER_SECONDS:
        return Chosen(torch, "so few texts that no other way was tried")
    try:
        return _measured(model, folder, torch, passages())
    except Unconvertible as reason:
        note = f"Encoded with PyTorch: {reason}."
        return Chosen(torch, f"the only one for this model: {reason}", notes=[note])


def known_backend(model: "SentenceTransformer") -> Backend | None:
    """The backend that was measured to be the best for a model on this machine, unless that is PyTorch."""
    if settings().backend == "torch" or not any_conversion():
        return None
    try:
        check_convertible(model)
    except Unconvertible:
        return None
    known = _known(model, conversion_folder(model))
    return known.backend if known and known.backend.name != TorchBackend(model).name else None


def _known(model: "SentenceTransformer", folder: Path) -> Chosen | None:
    choice = read_choice(folder)
    if choice is None or choice.get("machine") != _machine():
        return None
    why = f"measured on {choice.get('created', '?')}"
    figures = choice.get("measured", [])
    name = str(choice.get("backend"))
    if name == "torch":
        return Chosen(TorchBackend(model), why, figures)
    if not is_sound(folder):
        return None
    try:
        backend = OpenVinoBackend(model, folder, name.rpartition(" ")[2])
    except Unconvertible:
        return None
    return Chosen(backend, why, figures)


def _measured(
    model: "SentenceTransformer", folder: Path, torch: Backend, texts: Sequence[str]
) -> Chosen:
    from search.projects.artifacts import now

    note = converted(model, folder)
    base, reference = measured(model, torch, texts, None)
    figures, best, chosen = [base], base, torch
    for precision in precisions():
        if best.speed >= base.speed * _SETTLED:
            break
        backend = OpenVinoBackend(model, folder, precision)
        result, _ = measured(model, backend, texts, reference)
        figures.append(result)
        forced = settings().backend == "openvino" and chosen is torch
        if result.agrees and (forced or result.speed >= best.speed * WORTH_IT):
            best, chosen = result, backend
    told = [figure.as_json() for figure in figures]
    why = _why(best, base, figures)
    notes = [f"Encoded with {chosen.name}: {why}."] + ([note] if note else [])
    if settings().backend == "auto":
        content = {"backend": chosen.name, "why": why, "machine": _machine(), "created": now()}
        write_choice(folder, {**content, "passages": len(texts), "measured": told})
    return Chosen(chosen, why, told, notes)


def _why(best: Measured, base: Measured, figures: Sequence[Measured]) -> str:
    if best is not base:
        return (
            f"{best.speed / base.speed:.1f} times as fast as PyTorch on these passages, cosine to its vectors "
            f"{best.lowest:.5f} at least, {best.overlap:.1%} of the ten nearest kept"
        )
    others = [
        f"{other.name} was {other.speed / base.speed:.1f} times as fast"
        + ("" if other.agrees else f", with a cosine down to {other.lowest:.5f}")
        for other in figures[1:]
    ]
    return f"nothing that agrees with it was clearly faster ({'; '.join(others)})"


def _seconds(model: "SentenceTransformer", pieces: int) -> float:
    """About how long PyTorch would take: two operations a weight and word piece, embeddings not counted."""
    import torch

    weights: int = sum(
        parameter.numel()
        for name, parameter in model[0].model.named_parameters()
        if "embeddings" not in name
    )
    return 2.0 * weights * pieces / (_OPERATIONS_A_SECOND * max(1, torch.get_num_threads()))


def _machine() -> str:
    """What a measurement holds for: this kind of processor with what it can do, this many threads."""
    import torch

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        first = {line.split(":")[0].strip(): line.split(":", 1)[-1].strip() for line in lines[::-1]}
    except OSError:
        first = {}
    kind = first.get("model name") or platform.processor() or platform.machine()
    able = blake2b(first.get("flags", "").encode(), digest_size=4).hexdigest()
    return f"{kind} ({able}), {torch.get_num_threads()} threads"


def conversion_folder(model: "SentenceTransformer") -> Path:
    """Where the conversion of a model's transformer is, or would be."""
    transformer = model[0].model
    digest = blake2b(transformer.config.to_json_string().encode(), digest_size=16)
    if attention_window(model) is not None:
        digest.update(b"plain attention")
    for name, tensor in sorted(transformer.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(memoryview(tensor.detach().cpu().contiguous().float().numpy()).cast("B"))
    return settings().home / CONVERTED / f"{digest.hexdigest()}-{version('openvino')}"


def any_conversion() -> bool:
    """Whether this workspace holds any: a look that costs nothing."""
    return (settings().home / CONVERTED).is_dir()


def is_sound(folder: Path) -> bool:
    """Whether a conversion is there and is what was written."""
    try:
        record = json.loads((folder / _RECORD).read_bytes())
        return bool(record["files"]) and all(
            sha256_of(folder / name) == wanted for name, wanted in record["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def converted(model: "SentenceTransformer", folder: Path) -> str | None:
    """See that the conversion is there and sound; make it when it is not.

    :param folder: what `conversion_folder` says.
    :returns: a note, when a damaged one was made again.
    :raises Unconvertible: when it cannot be made.
    """
    if is_sound(folder):
        return None
    damaged = folder.exists()
    if damaged:
        _remove(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A draft lives as long as its owner: another container on this volume has process numbers of its own.
    for leftover in folder.parent.glob(".*.tmp"):
        if not is_owned(leftover.with_suffix(".owner")):
            shutil.rmtree(leftover, ignore_errors=True)
    for leftover in folder.parent.glob(".*.owner"):
        if not is_owned(leftover):
            with suppress(OSError, Refused):
                Owner.take(leftover).release()
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.tmp")
    owner = Owner.take(draft.with_suffix(".owner"))
    try:
        draft.mkdir()
        started = time.monotonic()
        convert(model, draft)
        files = {path.name: sha256_of(path) for path in sorted(draft.iterdir())}
        seconds = round(time.monotonic() - started, 1)
        write_json(draft / _RECORD, {"files": files, "seconds": seconds})
        try:
            draft.rename(folder)
        except OSError:
            if not is_sound(folder):  # Another process was faster: then its conversion serves.
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        owner.release()
    return f"The converted model {folder} was damaged and is made again." if damaged else None


def _remove(folder: Path) -> None:
    """Take a conversion away: it vanishes at once, then its files go."""
    grave = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.tmp")
    folder.rename(grave)
    shutil.rmtree(grave)


def read_choice(folder: Path) -> dict[str, Any] | None:
    """The choice that was made for a transformer; None when there is none that can be read."""
    try:
        choice = json.loads((folder / _CHOICE).read_bytes())
    except (OSError, ValueError):
        return None
    return choice if isinstance(choice, dict) else None


def write_choice(folder: Path, choice: dict[str, Any]) -> None:
    """Keep a choice beside the conversion."""
    write_atomically(folder / _CHOICE, json.dumps(choice, indent=2))
