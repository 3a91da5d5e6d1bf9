"""A model whose transformer computes in eight bits, as an encoder: text in, vectors of its own class out.

On disk it is the quantized transformer alone; tokens, pooling and prompts are those of the model it was made of.
"""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoding.backends.openvino import (
    EIGHT_BITS,
    OpenVinoBackend,
    Unconvertible,
)
from search.models.encoding.backends.pipeline import encode
from search.models.prompts import Role
from search.projects.errors import Failed

_PROCESSOR = Path("/proc/cpuinfo")


def products_of_whole_numbers() -> str | None:
    """What this processor multiplies whole numbers of eight bits with, such as AVX-512 VNNI; None for what has nothing for it.

    Read from what Linux says of the processor: elsewhere, and on ARM, there is nothing that this was measured with.
    """
    try:
        lines = _PROCESSOR.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    flags = next((set(line.split()) for line in lines if line.startswith("flags")), set())
    named = {"amx_int8": "AMX", "avx512_vnni": "AVX-512 VNNI", "avx_vnni": "AVX VNNI"}
    return next((word for flag, word in named.items() if flag in flags), None)


class QuantizedEncoder:
    """Computes a model with its transformer in eight bits. Safe to use from several threads.

    No SentenceTransformer, and not to be taken for one: what would ask the model beneath gets vectors of the other class.

    :param model: the model in full, for its tokens and what stands behind its transformer.
    :param folder: of the quantized transformer.

    >>> from tempfile import TemporaryDirectory
    >>> from search.models.encoding.backends.openvino import MODEL_FILE, load_openvino
    >>> openvino = load_openvino()
    >>> import openvino.opset13
    >>> with TemporaryDirectory() as name:
    ...     pieces = openvino.opset13.parameter([-1, -1], np.int64, name="input_ids")
    ...     openvino.save_model(openvino.Model([pieces], [pieces], "as it is"), Path(name) / MODEL_FILE)
    ...     QuantizedEncoder(["a transformer alone"], Path(name)).backend.name
    'openvino i8'
    """

    def __init__(self, model: Any, folder: Path) -> None:
        self.full = model
        try:
            self.backend = OpenVinoBackend(model, folder, EIGHT_BITS)
        except Unconvertible as error:
            raise Failed(f"The quantized model in {folder} cannot be read: {error}.") from error
        self._one_at_a_time = threading.Lock()

    def get_embedding_dimension(self) -> int:
        """How many dimensions its vectors have."""
        return int(self.full.get_embedding_dimension() or 0)

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        return self._encoded(inputs, "query")

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        return self._encoded(inputs, "document")

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[tuple[list[int], Vectors]]:
        """Encode many texts batch by batch: places, and their vectors."""
        with self._one_at_a_time:
            yield from encode(self.full, self.backend, texts, role)

    def _encoded(self, texts: Sequence[str], role: Role) -> Vectors:
        found = np.zeros((len(texts), self.get_embedding_dimension()), dtype=np.float32)
        for places, vectors in self.batches(texts, role):
            found[places] = vectors
        return found
