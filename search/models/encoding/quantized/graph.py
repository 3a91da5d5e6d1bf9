"""A converted transformer in eight bits: products of its layers with weights and activations of whole numbers (W8A8, static).

Weights have a scale for each output channel, activations one range for each place, set on calibration passages. Three known
methods keep what is lost small: outlying channels of the activations are made smaller and their weights larger (SmoothQuant,
Xiao et al. 2023, arXiv:2211.10438), weights are rounded one column after another so that later ones make up for earlier
ones (GPTQ, Frantar et al. 2023, arXiv:2210.17323), and the mean error of each channel goes into a bias (Nagel et al. 2019,
arXiv:1906.04721). All else, attention between them and the layers that are named, stays as it was.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.models.encoding.backends.openvino import MODEL_FILE, load_openvino

_SMOOTHING = 0.9
"""How far outlying channels are moved from activations into weights (SmoothQuant's alpha): of .25, .5, .6, .75, .9 and .95
this kept most of the ten nearest on passages of medquad_small."""
_MOST_SMOOTHED = 50.0
_CLIPS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
_ROWS = 4_096
_BYTES = 400_000_000
_LEVELS, _LARGEST = 255, 127
_DAMPING = 0.01
_BLOCK = 128
_TINY = 1e-4
_SEED = 5


@dataclass(frozen=True)
class Seen:
    """What went into a layer on the calibration passages: some rows, shape (rows, channels), and the least and most of each
    channel, shape (channels,).

    >>> Seen(np.ones((2, 3), np.float32), np.zeros(3), np.ones(3)).rows.shape
    (2, 3)
    """

    rows: Vectors
    least: Vectors
    most: Vectors


def layers(transformer: Any) -> dict[str, Any]:
    """The matrix products of a transformer of OpenVINO with weights that it learned, by name, in their order."""
    return {
        node.get_friendly_name(): node
        for node in transformer.get_ordered_ops()
        if node.get_type_name() == "MatMul" and _constant(node) is not None
    }


def _constant(product: Any) -> Any:
    node = product.input_value(1).get_node()
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    matrix = node.get_type_name() == "Constant" and len(node.get_output_shape(0)) == 2
    return node if matrix and not product.get_attributes()["transpose_a"] else None


def _weights(product: Any) -> Vectors:
    """The weights of a product: shape (outputs, inputs)."""
    weights: Vectors = _constant(product).get_data().astype(np.float32)
    return weights if product.get_attributes()["transpose_b"] else weights.T.copy()


def _source(product: Any) -> str:
    """Names what goes into a product: products that read the same share its range."""
    output = product.input_value(0)
    return f"{output.get_node().get_friendly_name()}:{output.get_index()}"


def read_converted(folder: Path) -> Any:
    """The converted transformer in a folder, as a model of OpenVINO; read, not mapped."""
    core = load_openvino().Core()
    core.set_property({"ENABLE_MMAP": False})
    return core.read_model(folder / MODEL_FILE)


def observed(folder: Path, batches: Iterable[Mapping[str, Any]], threads: int) -> dict[str, Seen]:
    """What goes into each layer on calibration passages.

    :param folder: of the converted transformer.
    :param batches: tokens, as the transformer takes them, each of shape (texts, pieces).
    """
    openvino = load_openvino()
    import openvino.opset13 as ops

    transformer = read_converted(folder)
    products = layers(transformer).values()
    places = {_source(product): product.input_value(0) for product in products}
    width = sum({_source(product): _weights(product).shape[1] for product in products}.values())
    looking = openvino.Model(
        [ops.result(output) for output in places.values()], transformer.get_parameters(), "seen"
    )
    hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    compiled = openvino.Core().compile_model(looking, "CPU", hints)
    batches = list(batches)
    each = max(1, min(_ROWS, _BYTES // (4 * width)) // max(1, len(batches)))
    rng = np.random.default_rng(_SEED)
    rows: dict[str, list[Vectors]] = {name: [] for name in places}
    ends: dict[str, list[Vectors]] = {name: [] for name in places}
    for features in batches:
        given = [np.asarray(features[port.get_any_name()]) for port in compiled.inputs]
        outputs = compiled(given)
        words = np.asarray(features["attention_mask"]).astype(bool)
        picked = rng.permutation(int(words.sum()))[:each]
        for number, name in enumerate(places):
            found = outputs[number][words]
            rows[name].append(found[picked])
            ends[name] += [found.min(axis=0), found.max(axis=0)]
    return {
        name: Seen(np.vstack(rows[name]), np.min(ends[name], axis=0), np.max(ends[name], axis=0))
        for name in places
    }


@dataclass(frozen=True)
class _Range:
    """How activations of one place become whole numbers: divided by `divisor` of their channel, then in steps from `low`."""

    divisor: Vectors
    low: float
    step: float

    @property
    def high(self) -> float:
        return self.low + _LEVELS * self.step

    def rounded(self, divided: Vectors) -> Vectors:
        steps = np.clip(np.rint((divided - self.low) / self.step), 0, _LEVELS)
        rounded: Vectors = (steps * self.step + self.low).astype(np.float32)
        return rounded


@dataclass(frozen=True)
class _Layer:
    """A layer in eight bits: whole weights, shape (outputs, inputs), scales and bias of each output, and what is lost."""

    whole: NDArray[np.int8]
    scales: Vectors
    bias: Vectors
    loss: float


class Quantizer:
    """Eight-bit versions of a converted transformer, of which some layers may be kept as they are.

    :param folder: of the converted transformer.
    :param seen: what `observed` saw.

    >>> from tempfile import TemporaryDirectory
    >>> openvino = load_openvino()
    >>> import openvino.opset13 as ops
    >>> with TemporaryDirectory() as name:
    ...     words = ops.parameter([-1, 2], np.float32, name="words")
    ...     product = ops.matmul(words, ops.constant(np.eye(2, dtype=np.float32)), False, True, name="turn")
    ...     openvino.save_model(openvino.Model([product], [words], "one"), Path(name) / MODEL_FILE)
    ...     seen = Seen(np.eye(2, dtype=np.float32), np.zeros(2), np.ones(2))
    ...     made = Quantizer(Path(name), {"words:0": seen})
    ...     made.by_loss(), len(layers(made.model())), len(layers(made.model(["turn"])))
    (['turn'], 0, 1)
    """

    def __init__(self, folder: Path, seen: Mapping[str, Seen]) -> None:
        self._folder = folder
        self._seen = seen

    @cached_property
    def _made(self) -> tuple[dict[str, _Range], dict[str, _Layer]]:
        products = layers(read_converted(self._folder))
        readers: dict[str, list[str]] = {}
        for name, product in products.items():
            readers.setdefault(_source(product), []).append(name)
        ranges, made = {}, {}
        for source, names in readers.items():
            weights = {name: _weights(products[name]) for name in names}
            seen = self._seen[source]
            ranges[source] = found = _range(seen, np.vstack(list(weights.values())))
            divided = seen.rows / found.divisor
            rounded = found.rounded(divided)
            for name, plain in weights.items():
                made[name] = _layer(plain * found.divisor, divided, rounded)
        return ranges, made

    def by_loss(self) -> list[str]:
        """The layers, the one first whose products lose most of their size in eight bits."""
        _, made = self._made
        return sorted(made, key=lambda name: -made[name].loss)

    def model(self, in_full: Collection[str] = ()) -> Any:
        """The transformer in eight bits, as a model of OpenVINO.

        :param in_full: names of layers that stay as they are.
        """
        load_openvino()
        import openvino.opset13 as ops

        ranges, made = self._made
        transformer = read_converted(self._folder)
        rounded: dict[str, Any] = {}
        for name, product in layers(transformer).items():
            if name in in_full:
                continue
            source, layer = _source(product), made[name]
            if source not in rounded:
                place = ranges[source]
                shape = (1,) * (
                    product.input_value(0).get_partial_shape().rank.get_length() - 1
                ) + (-1,)
                divided = ops.multiply(
                    product.input_value(0), ops.constant((1 / place.divisor).reshape(shape))
                )
                ends = [ops.constant(np.float32(end)) for end in (place.low, place.high)]
                rounded[source] = ops.fake_quantize(divided, *ends, *ends, _LEVELS + 1)
            whole = ops.convert(ops.constant(layer.whole), "f32")
            weights = ops.multiply(whole, ops.constant(layer.scales[:, None]))
            found = ops.matmul(rounded[source], weights, False, True)
            product.output(0).replace(ops.add(found, ops.constant(layer.bias)).output(0))
        transformer.validate_nodes_and_infer_types()
        return transformer


def _range(seen: Seen, weights: Vectors) -> _Range:
    """The range of a place: of those tried, the one that changes the products least.

    :param weights: of all layers that read it, shape (outputs, inputs).
    """
    largest = np.maximum(np.abs(seen.least), np.abs(seen.most))
    heavy = np.abs(weights).max(axis=0)
    divisor = np.maximum(largest, _TINY) ** _SMOOTHING / np.maximum(heavy, _TINY) ** (
        1 - _SMOOTHING
    )
    divisor = np.clip(divisor / np.median(divisor), 1 / _MOST_SMOOTHED, _MOST_SMOOTHED)
    divisor = divisor.astype(np.float32)
    divided, weighed = seen.rows / divisor, (weights * divisor).T
    low = min(0.0, float((seen.least / divisor).min()))
    high = max(_TINY, float((seen.most / divisor).max()))
    tried = []
    for clip in _CLIPS:
        step = clip * (high - low) / _LEVELS
        place = _Range(divisor, float(-np.rint(-clip * low / step) * step), float(step))
        lost = (divided - place.rounded(divided)) @ weighed
        tried.append((float(np.mean(lost**2)), place))
    return min(tried, key=lambda one: one[0])[1]


def _layer(weights: Vectors, divided: Vectors, rounded: Vectors) -> _Layer:
    """A layer in eight bits.

    :param weights: times the divisors of its channels, shape (outputs, inputs).
    :param divided: what goes in, divided, shape (rows, inputs); `rounded` is the same in whole steps.
    """
    whole, scales = rounded_weights(weights, rounded)
    wanted, found = divided @ weights.T, rounded @ (whole * scales[:, None]).T
    bias = (wanted - found).mean(axis=0).astype(np.float32)
    lost = np.mean((wanted - found - bias) ** 2) / max(float(np.var(wanted)), 1e-12)
    return _Layer(whole, scales, bias, float(lost))


def rounded_weights(weights: Vectors, inputs: Vectors) -> tuple[NDArray[np.int8], Vectors]:
    """Weights as whole numbers from -127 to 127, rounded so that their products with the inputs change little (GPTQ).

    :param weights: shape (outputs, inputs).
    :param inputs: what they are multiplied with, shape (rows, inputs).
    :returns: the whole numbers, and the scale of each output.
    """
    scales = np.maximum(np.abs(weights).max(axis=1), 1e-8) / _LARGEST
    second = (inputs.T @ inputs).astype(np.float64) / len(inputs)
    places = np.diag_indices_from(second)
    second[places] += _DAMPING * max(float(second[places].mean()), 1e-12)
    later = np.linalg.cholesky(np.linalg.inv(second)).T
    left = weights.astype(np.float64)
    whole = np.empty(weights.shape)
    for start in range(0, left.shape[1], _BLOCK):
        stop = min(start + _BLOCK, left.shape[1])
        errors = np.empty((len(left), stop - start))
        for column in range(start, stop):
            steps = np.rint(left[:, column] / scales)
            whole[:, column] = np.clip(steps, -_LARGEST, _LARGEST)
            error = (left[:, column] - whole[:, column] * scales) / later[column, column]
            left[:, column:stop] -= np.outer(error, later[column, column:stop])
            errors[:, column - start] = error
        left[:, stop:] -= errors @ later[start:stop, stop:]
    return whole.astype(np.int8), scales.astype(np.float32)
