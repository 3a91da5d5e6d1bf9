"""A model as a standard SentenceTransformer folder: what most programs read."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from search.models.linear_adapter import LinearAdapter, with_adapter
from search.models.word_vectors import WordVectors
from training.export.formats import ExportFormat, Precision


def standard(encoder: Any) -> Any:
    """An encoder as one SentenceTransformer: word vectors, and adapters on them, become one."""
    if isinstance(encoder, LinearAdapter):
        return with_adapter(standard(encoder.base), encoder.matrix, encoder.side)
    return encoder.as_sentence_transformer() if isinstance(encoder, WordVectors) else encoder


def write(model: Any, target: Path, precision: Precision) -> list[str]:
    """Write a SentenceTransformer."""
    if precision == "fp16":
        model = deepcopy(model).half()  # The built-in one is shared by all that encode with it.
    model.save(str(target), create_model_card=False, safe_serialization=True)
    return []


@contextmanager
def opened(folder: Path, _model: Any = None) -> Iterator[Any]:
    """What `write` wrote, as any other program loads it."""
    from sentence_transformers import SentenceTransformer

    yield SentenceTransformer(str(folder), device="cpu", trust_remote_code=False)


USAGE = """```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
questions = model.encode_query(["a question"])
documents = model.encode_document(["a document"])
print(model.similarity(questions, documents))
```"""
FORMAT = ExportFormat("SentenceTransformer folder", ("fp32", "fp16"), (), write, opened, USAGE)
