"""A model as one graph of OpenVINO: model.xml and model.bin, or one pair a side."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoding.backends.openvino import as_it_converts, load_openvino, traced
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

_LEAST_WEIGHTS = 1_024  # A smaller matrix of eight bits saves nothing.


def write(model: Any, target: Path, precision: Precision) -> list[str]:
    """Write a SentenceTransformer as graphs of OpenVINO.

    :raises Refused: for a model that does not fit into one graph.
    :raises Failed: when OpenVINO cannot convert it.
    """
    check_one_graph(model)
    openvino = load_openvino()
    files = {}
    for name, role in sides(model).items():
        graph, given = graph_of(model, role)
        try:
            static = type(model[0]).__name__ == "StaticEmbedding"
            with nullcontext() if static else as_it_converts(model):
                made = traced(graph, given)
        except Exception as error:
            raise Failed(f"OpenVINO cannot convert this model: {first_line(error)}.") from error
        made.outputs[0].get_tensor().set_names({OUTPUT})
        if precision == "int8":
            _to_eight_bits(made)
        openvino.save_model(made, target / f"{name}.xml", compress_to_fp16=precision == "fp16")
        files[name] = f"{name}.xml"
    write_reading(model, target, by_side(files), format="openvino", precision=precision)
    return []


@contextmanager
def opened(folder: Path, _model: Any = None) -> Iterator[GraphEncoder]:
    """What `write` wrote, computed by OpenVINO."""
    core = load_openvino().Core()
    core.set_property({"ENABLE_MMAP": False})

    def run(file: Path) -> Run:
        compiled = core.compile_model(core.read_model(file), "CPU", _AS_WRITTEN)

        def vectors(inputs: Mapping[str, Any]) -> Vectors:
            result: Vectors = np.array(compiled(dict(inputs))[0], dtype=np.float32)
            return result

        return vectors

    yield GraphEncoder(folder, run)


_AS_WRITTEN = {"INFERENCE_PRECISION_HINT": "f32"}
"""Without it, a processor that has bf16 computes with that, whatever was exported."""


def _to_eight_bits(graph: Any) -> None:
    """Give the weights of all large products and tables eight bits, each row its own scale; what is computed stays float.

    OpenVINO's plugins know this pattern (a constant of i8, converted and multiplied) and keep it packed. It is what nncf's
    `compress_weights` makes in its symmetric mode.
    """
    import openvino.opset13 as ops

    for node in graph.get_ops():
        if node.get_type_name() not in ("MatMul", "Gather"):
            continue
        for port in range(2 if node.get_type_name() == "MatMul" else 1):
            source = node.input(port).get_source_output()
            constant = source.get_node()
            if constant.get_type_name() != "Constant":
                continue
            weights = np.array(constant.data, dtype=np.float32)
            if weights.ndim != 2 or weights.size < _LEAST_WEIGHTS:
                continue
            by_row = node.get_type_name() == "Gather" or node.get_attributes()["transpose_b"]
            axis = 1 if by_row else 0
            scale = np.abs(weights).max(axis=axis, keepdims=True) / 127
            scale[scale == 0] = 1
            packed = ops.constant(np.rint(weights / scale).astype(np.int8))
            scaled = ops.multiply(ops.convert(packed, "f32"), ops.constant(scale))
            node.input(port).replace_source_output(scaled.output(0))


USAGE = usage(
    "import openvino",
    'openvino.compile_model(folder + "/" + file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})',
    "graphs[side](inputs)[0]",
)

FORMAT = ExportFormat("OpenVINO", ("fp32", "fp16", "int8"), (), write, opened, USAGE)
