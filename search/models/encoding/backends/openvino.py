"""OpenVINO on the processor: the transformer converted straight from PyTorch, the modules behind it as they are.

The conversion goes through OpenVINO's PyTorch frontend itself: `openvino.convert_model` does the same and also
reports to its makers over the network.
"""

import sys
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoding.backends.pipeline import Features, finished
from search.models.prompts import Role

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
MODEL_FILE = "model.xml"
EIGHT_BITS = "i8"
"""The precision of a quantized transformer (`search.models.encoding.quantized`): its vectors stand in for no others."""
_EXAMPLES = ["one text", "another text that is a little longer"]
_LEAST = np.float32(1e-9)  # As Pooling has it: a text without pieces divides by this.
_KNOWN = {"Pooling", "Dense", "Normalize", "LayerNorm", "Router"}


class Unconvertible(ValueError):
    """A model that this backend cannot run; why, as half a sentence."""


def load_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which would write to the home folder and report over the network.

    It takes the absence of that package for an answer.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    module: ModuleType = openvino
    return module


def check_convertible(model: "SentenceTransformer") -> None:
    """See that a model is a text transformer on the processor with well-known modules behind it.

    :raises Unconvertible: when it is not.
    """
    first, *rest = list(model)
    text = getattr(first, "modality_config", {}).get("text", {})
    plain = (
        text.get("method") == "forward" and text.get("method_output_name") == "last_hidden_state"
    )
    if type(first).__name__ != "Transformer" or not plain:
        raise Unconvertible("it is no plain text transformer")
    rest += [
        module for behind in rest if type(behind).__name__ == "Router" for module in _routed(behind)
    ]
    strange = [type(module).__name__ for module in rest if type(module).__name__ not in _KNOWN]
    if strange:
        raise Unconvertible(f"it has a module {strange[0]}")
    if model.device.type != "cpu":
        raise Unconvertible(f"it runs on {model.device.type}")


def _routed(router: Any) -> list[Any]:
    """The modules that queries or documents go through, on whichever way."""
    return [module for way in router.sub_modules.values() for module in way]


def attention_window(model: "SentenceTransformer") -> int | None:
    """How many word pieces around each the transformer looks at, where some of its layers look at no more; else None.

    So do ModernBERT, Mistral, Gemma and what is built on them.
    """
    config = model[0].model.config
    window = getattr(config, "sliding_window", None) or getattr(config, "local_attention", None)
    return int(window) if isinstance(window, int) and window > 0 else None


@contextmanager
def as_it_converts(model: "SentenceTransformer") -> Iterator[None]:
    """While it is converted, a transformer with a window has plain attention.

    A row of padding far from any word has nothing in its window. PyTorch's fused attention gives zeros for it, OpenVINO's
    NaN, which the next layer spreads over the whole text.
    """
    transformer = model[0].model
    before = transformer.config._attn_implementation
    if attention_window(model) is None or before == "eager":
        yield
        return
    transformer.set_attn_implementation("eager")
    try:
        yield
    finally:
        transformer.set_attn_implementation(before)


def convert(model: "SentenceTransformer", folder: Path) -> None:
    """Write the transformer of a model into a folder in OpenVINO's format, full precision.

    :raises Unconvertible: when OpenVINO does not know how.
    """
    import torch

    check_convertible(model)
    example = model.preprocess(_EXAMPLES)
    given = {name: example[name] for name in INPUTS if name in example}
    transformer = model[0].model.eval()

    class Plain(torch.nn.Module):
        """Takes the inputs one by one, gives the hidden states of the last layer."""

        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            named = dict(zip(given, inputs, strict=True))
            hidden: torch.Tensor = self.transformer(**named, return_dict=True).last_hidden_state
            return hidden

    try:
        with as_it_converts(model):
            converted = traced(Plain(), given)
        load_openvino().save_model(converted, folder / MODEL_FILE, compress_to_fp16=False)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [repr(error)])[-1][:200]
        raise Unconvertible(f"OpenVINO cannot convert it: {reason}") from error


def traced(module: "torch.nn.Module", given: Mapping[str, "torch.Tensor"]) -> Any:
    """A module of PyTorch as a model of OpenVINO, for any number of texts of any length.

    :param given: examples of its inputs by name, each of shape (texts, pieces).
    """
    import torch

    openvino = load_openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with torch.no_grad(), warnings.catch_warnings():
        # Tracing tells what it makes constant; whoever converts measures that.
        warnings.simplefilter("ignore")
        trace: Any = torch.jit.trace
        script = trace(module, tuple(given.values()), check_trace=False)
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(script, example_input=tuple(given.values()))
        converted = frontend.convert(frontend.load(decoder))
    for place, name in enumerate(given):
        converted.inputs[place].get_tensor().set_names({name})
    converted.reshape({name: openvino.PartialShape([-1, -1]) for name in given})
    return converted


def precisions() -> list[str]:
    """What the processor computes with, the fastest first."""
    able = load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ["bf16", "f32"] if "BF16" in able else ["f32"]


def _pools_plainly(model: "SentenceTransformer") -> bool:
    """Whether the transformer is followed by the mean over all pieces, and nothing behind that reads the pieces."""
    first, *rest = list(model)
    if not rest or type(rest[0]).__name__ != "Pooling":
        return False
    behind = [
        *rest[1:],
        *(part for m in rest if type(m).__name__ == "Router" for part in _routed(m)),
    ]
    pieces = first.module_output_name
    reads = any(
        type(module).__name__ == "Pooling" or getattr(module, "module_input_name", "") == pieces
        for module in behind
    )
    return rest[0].pooling_mode == "mean" and bool(rest[0].include_prompt) and not reads


def _with_mean(transformer: Any) -> Any:
    """The transformer with the mean of its pieces' vectors as its result, in full precision.

    PyTorch would read all of them again for it: a tenth to a quarter of the time (benchmarks/encoding.py).
    """
    openvino = load_openvino()
    import openvino.opset13 as ops

    hidden = transformer.get_results()[0].input_value(0)
    mask = ops.convert(transformer.input("attention_mask"), "f32")
    weighted = ops.multiply(hidden, ops.unsqueeze(mask, ops.constant(2)))
    counts = ops.reduce_sum(mask, ops.constant(1), keep_dims=True)
    mean = ops.divide(
        ops.reduce_sum(weighted, ops.constant(1)), ops.maximum(counts, ops.constant(_LEAST))
    )
    return openvino.Model([mean], transformer.get_parameters(), "pooled")


class OpenVinoBackend:
    """A converted transformer, one stream of work for each core.

    >>> from tempfile import TemporaryDirectory
    >>> openvino = load_openvino()
    >>> import openvino.opset13
    >>> with TemporaryDirectory() as name:
    ...     pieces = openvino.opset13.parameter([-1, -1], np.int64, name="input_ids")
    ...     openvino.save_model(openvino.Model([pieces], [pieces], "as it is"), Path(name) / MODEL_FILE)
    ...     backend = OpenVinoBackend(["a transformer alone"], Path(name), "f32")
    >>> backend.name, backend.rows
    ('openvino f32', 32)
    """

    def __init__(self, model: "SentenceTransformer", folder: Path, precision: str) -> None:
        import torch

        self.name = f"openvino {precision}"
        self.is_exact = precision != EIGHT_BITS
        # What is not in eight bits is in what else the processor is fastest with.
        self.precision = precision = precision if self.is_exact else precisions()[0]
        # Each stream is one thread with one batch. Small ones have little padding and keep all cores busy; where
        # sixteen bits make the products fast, what a batch costs beside them asks for larger ones.
        self.budget, self.rows = (2_048, 64) if precision == "bf16" else (512, 32)
        self._model = model
        self._pools = _pools_plainly(model)
        threads = max(1, torch.get_num_threads())
        wanted = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
        }
        core = load_openvino().Core()
        # Read, not mapped: a mapped file that is cut ends the process.
        core.set_property({"ENABLE_MMAP": False})
        try:
            transformer = core.read_model(folder / MODEL_FILE)
            pooled = _with_mean(transformer) if self._pools else transformer
            self.compiled: Any = core.compile_model(pooled, "CPU", wanted)
        except RuntimeError as error:
            raise Unconvertible("OpenVINO cannot read the converted model") from error
        self._inputs = [port.get_any_name() for port in self.compiled.inputs]
        self._free = [self.compiled.create_infer_request() for _ in range(2 * threads)]

    def vectors(self, batches: Iterator[Features], role: Role) -> Iterator[Vectors]:
        """The vectors of each batch, in order."""
        self._model.eval()
        free, running = list(self._free), deque[tuple[Any, Features]]()
        try:
            for features in batches:
                if not free:
                    yield self._behind(running, free, role)
                request = free.pop()
                request.start_async([features[name].numpy() for name in self._inputs])
                running.append((request, features))
            while running:
                yield self._behind(running, free, role)
        finally:
            for request, _ in running:
                request.wait()

    def _behind(self, running: deque[tuple[Any, Features]], free: list[Any], role: Role) -> Vectors:
        """Wait for the oldest request, and run the modules behind the transformer on what it gives."""
        import torch

        request, features = running.popleft()
        request.wait()
        with torch.inference_mode():
            found = torch.from_numpy(request.get_output_tensor(0).data.copy())
            free.append(request)
            first = self._model[0].module_output_name
            features["sentence_embedding" if self._pools else first] = found
            for module in list(self._model)[2 if self._pools else 1 :]:
                routed = type(module).__name__ == "Router"
                features = module(features, task=role) if routed else module(features)
            return finished(self._model, features)
