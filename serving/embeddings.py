"""Vectors as they go out: of length 1, cut where that was asked for, as JSON in the order of the texts."""

import base64
import json

import numpy as np
from pydantic import TypeAdapter

from indexes.vector_index import Vectors, normalised
from search.projects.errors import Refused
from serving.batcher import EncodedTexts

_NUMBERS = TypeAdapter(list[float])


def check_dimensions(dimensions: int | None, of: int) -> None:
    """See that a model's vectors can be cut so.

    :raises Refused: where they have fewer numbers.
    """
    if dimensions is not None and dimensions > of:
        raise Refused(f"The model's vectors have {of} dimensions, fewer than {dimensions}.")


def sent(vectors: Vectors, dimensions: int | None) -> Vectors:
    """Vectors of length 1, as the index has them; a zero vector stays zero.

    :param dimensions: only the first so many numbers; None for all.
    """
    return normalised(np.ascontiguousarray(vectors[:, :dimensions], dtype=np.float32))


def answer(encoded: EncodedTexts, model: str, dimensions: int | None, as_base64: bool) -> bytes:
    """The body of an answer.

    Row by row, so that whoever else is waiting has a turn in between.
    """
    rows = [
        b'{"object":"embedding","index":%d,"embedding":%b}' % (i, _number(row, as_base64))
        for i, row in enumerate(sent(encoded.vectors, dimensions))
    ]
    usage = b'{"prompt_tokens":%d,"total_tokens":%d}' % (encoded.tokens, encoded.tokens)
    name = json.dumps(model).encode()
    return b'{"object":"list","data":[%b],"model":%b,"usage":%b}' % (b",".join(rows), name, usage)


def _number(row: Vectors, as_base64: bool) -> bytes:
    if as_base64:
        return b'"%b"' % base64.b64encode(row.astype("<f4").tobytes())
    return _NUMBERS.dump_json(row.tolist())
