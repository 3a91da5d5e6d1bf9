"""What a format of an export is: how a model is written in it, and how it is opened again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from search.models.encoder import Encoder
from search.projects.errors import Refused

Form = Literal["sentence-transformers", "onnx", "openvino", "gguf", "word2vec", "faiss", "parquet"]
Precision = Literal["fp32", "fp16", "int8"]
FULL: Precision = "fp32"
INSTALLED = "make formats"


@dataclass(frozen=True)
class ExportFormat:
    """One format: `title` for people, the precisions it has, the packages it needs beside those of the app.

    `write` writes an encoder into an empty folder and returns notes on what does not travel; `opened` reads that folder
    again by the format's own runtime; `usage` is what the card says of how to use it.

    >>> from contextlib import nullcontext
    >>> ExportFormat("Notes", ("fp32",), (), lambda *_: [], nullcontext, "").missing()
    []
    """

    title: str
    precisions: tuple[Precision, ...]
    packages: tuple[str, ...]
    write: Callable[[Any, Path, Precision], list[str]]
    opened: Callable[[Path, Any], AbstractContextManager[Encoder]]
    usage: str

    def missing(self) -> list[str]:
        """The packages that it needs and that are not installed."""
        return [name for name in self.packages if find_spec(name) is None]


def see_that_it_is_installed(form: Form, known: ExportFormat) -> None:
    """Refuse a format whose packages are not here.

    :raises Refused: naming them, and how they are installed.
    """
    if missing := known.missing():
        raise Refused(
            f"--format {form} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed. "
            f"Run: {INSTALLED}."
        )
