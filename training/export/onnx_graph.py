"""A model as one graph of ONNX: model.onnx, or one a side."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoding.backends.openvino import as_it_converts
from search.projects.errors import Failed, first_line
from training.export.formats import ExportFormat, Precision
from training.export.graph import (
    OUTPUT,
    GraphEncoder,
    Run,
    by_side,
    check_one_graph,
    graph_of,
    sides,
    usage,
    write_reading,
)

_ONE_FILE = 1_500_000_000
"""Bytes of weights that fit into one file: protobuf ends at two gigabytes."""


def write(model: Any, target: Path, precision: Precision) -> list[str]:
    """Write a SentenceTransformer as graphs of ONNX.

    :raises Refused: for a model that does not fit into one graph.
    :raises Failed: when PyTorch cannot export it.
    """
    check_one_graph(model)
    files = {}
    for name, role in sides(model).items():
        path = target / f"{name}.onnx"
        try:
            _export(model, role, path)
            _lower(path, precision)
        except (OSError, MemoryError):
            raise
        except Exception as error:
            raise Failed(f"This model cannot be written as ONNX: {first_line(error)}.") from error
        files[name] = path.name
    write_reading(model, target, by_side(files), format="onnx", precision=precision)
    return []


def _export(model: Any, role: Any, path: Path) -> None:
    import torch

    graph, given = graph_of(model, role)
    static = type(model[0]).__name__ == "StaticEmbedding"
    dynamic = torch.export.Dim.DYNAMIC
    weights = sum(part.numel() * part.element_size() for part in graph.parameters())
    exporting: Any = torch.onnx.export
    with (
        nullcontext() if static else as_it_converts(model),
        torch.no_grad(),
        warnings.catch_warnings(),
        _quietly("torch.onnx"),
    ):
        warnings.simplefilter("ignore")  # What it says of its own parts; what it makes is measured.
        program = exporting(
            graph,
            tuple(given.values()),
            dynamo=True,
            input_names=list(given),
            output_names=[OUTPUT],
            dynamic_shapes=(tuple({0: dynamic, 1: dynamic} for _ in given),),
            verbose=False,
        )
        for node in program.model.graph.all_nodes():
            node.metadata_props.clear()  # Where each step stands in the code, with the paths of this machine.
        program.save(str(path), external_data=weights > _ONE_FILE)


def _lower(path: Path, precision: Precision) -> None:
    """Write a graph again with sixteen bits, or with products of eight."""
    if precision == "fp16":
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of each number that is too small for sixteen bits.
            halved = convert_float_to_float16(onnx.load(str(path)), keep_io_types=True)
        onnx.save(halved, str(path))
    elif precision == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        whole = path.with_suffix(".whole")
        path.rename(whole)
        with _quietly(""):
            # A scale a channel: with one a matrix, agreement fell from .99 to .96.
            quantize_dynamic(whole, path, per_channel=True, weight_type=QuantType.QInt8)
        whole.unlink()


@contextmanager
def _quietly(name: str) -> Iterator[None]:
    """Without what a library says of its own parts."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def opened(folder: Path, _model: Any = None) -> Iterator[GraphEncoder]:
    """What `write` wrote, computed by onnxruntime."""
    import onnxruntime

    def run(file: Path) -> Run:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

        def vectors(inputs: Mapping[str, Any]) -> Vectors:
            return np.asarray(session.run([OUTPUT], dict(inputs))[0], dtype=np.float32)

        return vectors

    yield GraphEncoder(folder, run)


USAGE = usage(
    "import onnxruntime",
    'onnxruntime.InferenceSession(folder + "/" + file)',
    'graphs[side].run(["sentence_embedding"], inputs)[0]',
)

FORMAT = ExportFormat(
    "ONNX",
    ("fp32", "fp16", "int8"),
    ("onnx", "onnxscript", "onnxruntime"),
    write,
    opened,
    USAGE,
)
