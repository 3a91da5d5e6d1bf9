"""Where the time of encoding goes: tokens, products and all else of each engine and class, beside plain sentence-transformers.

Run it with python -m benchmarks.encoding_parts [--texts 64]. One process, one thread, processor time: a shared machine keeps
no other promise. Which kernels computed is printed from what OpenVINO says of the compiled model. One short query is asked of
plain `encode` and of each engine in turn.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import empty_workspace, json_lines, machine
from benchmarks.encoding import operations, timed
from indexes.vector_index import Vectors, normalised
from search.models.encoding.backends.choice import conversion_folder, converted
from search.models.encoding.backends.openvino import (
    EIGHT_BITS,
    MODEL_FILE,
    OpenVinoBackend,
    load_openvino,
    precisions,
)
from search.models.encoding.backends.pipeline import TorchBackend
from search.models.encoding.backends.probe import encoded, neighbours_shared
from search.models.encoding.batching import batched
from search.models.encoding.quantized.graph import Quantizer, observed
from search.models.sentence_transformer import load_generic

_SET = "medquad_small"
_LONG = 1_300  # Characters of which 256 word pieces are made.
_CALIBRATING = 100
_IN_FULL = 4  # What the gates leave in full of the generic model on this set.
_QUESTIONS = 60


def main() -> None:
    """Measure and print."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=64, help="long texts, and as many passages")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = load_generic()
    passages = [
        f"{row.get('title', '')} {row['text']}".strip() for row in json_lines(_SET, "corpus.jsonl")
    ]
    long = [text for text in passages if len(text) > _LONG][: chosen.texts]
    spread = passages[:: len(passages) // chosen.texts][: chosen.texts]
    with empty_workspace() as scratch:
        engines = engines_of(model, passages[5 :: len(passages) // _CALIBRATING], scratch)
        peak = peak_of_processor()
        print(f"Machine: {machine()}; one thread; matrix peak {peak / 1e9:.0f} GFLOP/s in float32")
        for name, engine in engines.items():
            encoded(model, engine, spread[:2])  # Kernels are chosen at the first inference.
            print(f"  {name}: {kernels(engine)}", flush=True)
        for called, texts in (
            (f"{len(long)} long texts", long),
            (f"{len(spread)} passages", spread),
        ):
            print(f"\n{called} of {_SET}\n")
            compare(model, engines, texts, peak)
        short_queries(model, engines, [row["text"] for row in json_lines(_SET, "queries.jsonl")])


def engines_of(model: Any, calibrating: list[str], scratch: Path) -> dict[str, Any]:
    """Each engine and precision by its name; eight bits as the gates leave them."""
    folder = conversion_folder(model)
    converted(model, folder)
    plan = batched(calibrating, 1_024, model.max_seq_length, 32)
    chosen = [[calibrating[place] for place in places] for places in plan]
    batches = [dict(model.preprocess(batch, prompt=None, task="document")) for batch in chosen]
    quantizer = Quantizer(folder, observed(folder, batches, 1))
    in_full = quantizer.by_loss()[:_IN_FULL]
    load_openvino().save_model(
        quantizer.model(in_full), scratch / MODEL_FILE, compress_to_fp16=False
    )
    engines: dict[str, Any] = {"torch": TorchBackend(model)}
    for precision in precisions():
        engines[f"openvino {precision}"] = OpenVinoBackend(model, folder, precision)
    engines["fast (eight bits)"] = OpenVinoBackend(model, scratch, EIGHT_BITS)
    return engines


def peak_of_processor() -> float:
    """Operations a second of processor time of large float32 products in PyTorch, the best of ten."""
    import torch

    size = 1_024
    one = torch.randn(size, size)
    seconds = [timed(lambda: [one @ one for _ in range(4)]).processor for _ in range(10)]
    return float(4 * 2 * size**3 / min(seconds))


def kernels(engine: Any) -> str:
    """What computes the products of an engine."""
    if isinstance(engine, TorchBackend):
        import torch

        return (
            f"{torch.backends.cpu.get_cpu_capability()} (dispatch of PyTorch; products by its BLAS)"
        )
    found: Counter[str] = Counter()
    for node in engine.compiled.get_runtime_model().get_ordered_ops():
        about = node.get_rt_info()
        if about["layerType"].astype(str).startswith("FullyConnected"):
            found[about["primitiveType"].astype(str)] += 1
    return ", ".join(f"{count} products by {name}" for name, count in found.most_common())


def compare(model: Any, engines: dict[str, Any], texts: list[str], peak: float) -> None:
    """A table of plain encode and each engine."""
    work = operations(model, texts)
    model.encode(texts[:8])
    plain = timed(lambda: model.encode(texts))
    tokens = timed(lambda: [model.preprocess(texts[n : n + 8]) for n in range(0, len(texts), 8)])
    reference = normalised(np.asarray(plain.result))
    print(
        "| | processor s | times plain | share of peak | tokens, s | lowest cosine | ten nearest kept |"
    )
    print("|---|---|---|---|---|---|---|")
    print(
        line("plain encode", plain.processor, plain.processor, work / peak, tokens.processor, None)
    )
    for name, engine in engines.items():
        encoded(model, engine, texts[:8])
        run = timed(partial(encoded, model, engine, texts))
        vectors = normalised(run.result)
        agreed = (
            float(np.einsum("nd,nd->n", vectors, reference).min()),
            neighbours_shared(vectors, reference),
        )
        print(line(name, run.processor, plain.processor, work / peak, tokens.processor, agreed))


def line(
    name: str,
    seconds: float,
    plain: float,
    least: float,
    tokens: float,
    agreed: tuple[float, float] | None,
) -> str:
    """A row: `least` are the seconds that the products take at the matrix peak."""
    told = "1 | 1" if agreed is None else f"{agreed[0]:.5f} | {agreed[1]:.3f}"
    share = f"{least / (seconds - tokens):.0%}"
    return f"| {name} | {seconds:.2f} | {plain / seconds:.2f} | {share} | {tokens:.2f} | {told} |"


def _alone(model: Any, engine: Any, text: str) -> Vectors:
    return encoded(model, engine, [text])


def short_queries(model: Any, engines: dict[str, Any], asked: list[str]) -> None:
    """One short query at a time, plain encode and each engine in turns; warm."""
    ways: dict[str, Callable[[str], Vectors]] = {"plain encode": lambda text: model.encode([text])}
    for name, engine in engines.items():
        ways[name] = partial(_alone, model, engine)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for text in asked[:_QUESTIONS]:
        for name, way in ways.items():
            started = time.process_time()
            way(text)
            taken[name].append(1_000 * (time.process_time() - started))
    print("\nOne short query, processor time, milliseconds\n")
    print("| | median | p95 | p95 by plain |")
    print("|---|---|---|---|")
    plain = float(np.percentile(taken["plain encode"][5:], 95))
    for name, times in taken.items():
        median, slow = (float(np.percentile(times[5:], at)) for at in (50, 95))
        print(f"| {name} | {median:.2f} | {slow:.2f} | {slow / plain:.2f} |")


if __name__ == "__main__":
    main()
