"""OpenVINO on the processor: the transformer converted straight from PyTorch, the modules behind it as they are.

The conversion goes through OpenVINO's PyTorch frontend itself: `openvino.convert_model` does the same and also
reports to its makers over the network.
"""

import warnings
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexes.vector_index import Vectors
from search.encoding.backends.pipeline import Features, Role, finished
from search.encoding.backends.quiet import load_openvino

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
MODEL_FILE = "model.xml"
_EXAMPLES = ["one text", "another text that is a little longer"]
_KNOWN = {"Pooling", "Dense", "Normalize", "LayerNorm", "Router"}


class Unconvertible(ValueError):
    """A model that this backend cannot run; why, as half a sentence."""


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


def convert(model: "SentenceTransformer", folder: Path) -> None:
    """Write the transformer of a model into a folder in OpenVINO's format, full precision.

    :raises Unconvertible: when OpenVINO does not know how.
    """
    import torch

    openvino = load_openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

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
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Tracing tells what it makes constant; the probe judges that.
            trace: Any = torch.jit.trace
            traced = trace(Plain(), tuple(given.values()), check_trace=False)
            frontend = FrontEndManager().load_by_framework("pytorch")
            decoder = TorchScriptPythonDecoder(traced, example_input=tuple(given.values()))
            converted = frontend.convert(frontend.load(decoder))
        for place, name in enumerate(given):
            converted.inputs[place].get_tensor().set_names({name})
        converted.reshape({name: openvino.PartialShape([-1, -1]) for name in given})
        openvino.save_model(converted, folder / MODEL_FILE, compress_to_fp16=False)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [repr(error)])[-1][:200]
        raise Unconvertible(f"OpenVINO cannot convert it: {reason}") from error


def precisions() -> list[str]:
    """What the processor computes with, the fastest first."""
    able = load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ["bf16", "f32"] if "BF16" in able else ["f32"]


class OpenVinoBackend:
    """A converted transformer, one stream of work for each core."""

    def __init__(self, model: "SentenceTransformer", folder: Path, precision: str) -> None:
        import torch

        self.name = f"openvino {precision}"
        # Each stream is one thread with one batch: small batches, little padding, all cores busy.
        self.budget, self.rows = 512, 32
        self._model = model
        threads = max(1, torch.get_num_threads())
        wanted = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
        }
        try:
            self._compiled: Any = (
                load_openvino().Core().compile_model(folder / MODEL_FILE, "CPU", wanted)
            )
        except RuntimeError as error:
            raise Unconvertible("OpenVINO cannot read the converted model") from error
        self._inputs = [port.get_any_name() for port in self._compiled.inputs]
        self._free = [self._compiled.create_infer_request() for _ in range(2 * threads)]

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
            hidden = torch.from_numpy(request.get_output_tensor(0).data.copy())
            free.append(request)
            features[self._model[0].module_output_name] = hidden
            for module in list(self._model)[1:]:
                routed = type(module).__name__ == "Router"
                features = module(features, task=role) if routed else module(features)
            return finished(self._model, features)
