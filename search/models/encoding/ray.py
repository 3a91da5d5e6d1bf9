"""Encoding on a Ray cluster, with Ray Data: the same vectors, computed by many machines.

    python cli.py index PROJECT --encode-with ray

Connects to the cluster of RAY_ADDRESS, or starts one on this machine. Passages go out in rounds, so that neither
this machine nor the cluster's object store ever holds a whole large corpus; in a round each worker loads the
model once. The model's files travel with the work: a worker machine needs sentence-transformers, not this
program and not this project. https://docs.ray.io/en/latest/data/batch_inference.html
"""

import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from indexes.vector_index import Vectors
from search.projects.errors import Failed, Refused, first_line
from search.projects.outgoing import note_contact
from search.projects.settings import send_no_usage_statistics, settings

ROUND = 100_000
"""Passages that are sent out at a time."""
_BATCH = 64
_BLOCK = 1_024
_MANY_CORES = 8
_THREADS = 4
_GRACE = 5.0
_INSTALL = "pip install --no-deps --require-hashes -r requirements-cluster.lock"


@dataclass(frozen=True)
class Workers:
    """How many workers encode, and what each takes of a cluster.

    >>> Workers.of(cpus=17, gpus=0)
    Workers(count=4, cpus=4.0, gpus=0.0, threads=4)
    """

    count: int
    cpus: float
    gpus: float
    threads: int

    @classmethod
    def of(cls, cpus: float, gpus: float) -> "Workers":
        """The workers for a cluster of so many processors: one a GPU, else one for each four cores.

        Where cores are few, a worker claims half of one: Ray needs some for itself, and waits for ever where
        all are taken.
        """
        if gpus >= 1:
            return cls(int(gpus), min(1.0, cpus / (2 * int(gpus))), 1.0, 1)
        if cpus < _MANY_CORES:
            return cls(max(1, int(cpus)), 0.5, 0.0, 1)
        return cls(int((cpus - 1) // _THREADS), float(_THREADS), 0.0, _THREADS)


class RayEncoding:
    """A cluster that is ready to encode with one model.

    >>> RayEncoding(ray=None, files=None, workers=Workers.of(cpus=17, gpus=0)).facts
    {'backend': 'ray', 'workers': 4}
    """

    def __init__(self, ray: Any, files: Any, workers: Workers) -> None:
        self._ray = ray
        self._files = files
        self._workers = workers
        self.window = ROUND
        self.facts = {"backend": "ray", "workers": workers.count}

    def batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Vectors of texts, batch by batch as they come back: the places of a batch's texts, and their vectors.

        :raises Failed: when the cluster could not do it.
        """
        import pyarrow as pa
        from ray.data import ActorPoolStrategy

        # Texts of like length share a batch: it is padded to its longest, and padding is work for nothing.
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        block_size = max(1, min(_BLOCK, -(-len(order) // (2 * self._workers.count))))
        blocks = [order[start : start + block_size] for start in range(0, len(order), block_size)]
        tables = [
            pa.table({"place": block, "text": [texts[place] for place in block]})
            for block in blocks
        ]
        work = self._ray.data.from_arrow(tables).map_batches(
            _worker(),
            batch_size=_BATCH,
            batch_format="numpy",
            compute=ActorPoolStrategy(size=min(self._workers.count, len(blocks))),
            num_cpus=self._workers.cpus,
            num_gpus=self._workers.gpus or None,
            fn_constructor_args=(self._files, self._workers.threads),
        )
        try:
            for batch in work.iter_batches(batch_size=None, batch_format="numpy"):
                yield batch["place"].tolist(), np.asarray(batch["vector"], dtype=np.float32)
        except self._ray.exceptions.RayError as error:
            last = (str(error).strip() or repr(error)).splitlines()[-1][:300]
            raise Failed(
                f"The Ray cluster could not encode: {last}. What was encoded so far is kept; start it again."
            ) from None


@contextmanager
def ray_encoding(encoder: Any) -> Iterator[RayEncoding]:
    """Connect to a cluster, or start one here, for as long as the block lasts.

    :param encoder: a SentenceTransformer.
    :raises Refused: when Ray is not installed, or the model is not one that has to be computed.
    :raises Failed: when the cluster does not answer.
    """
    if not hasattr(encoder, "save") or not hasattr(encoder, "encode_document"):
        raise Refused(
            "Only transformer models are encoded with Ray; this one is computed elsewhere, or in no time. "
            "Leave --encode-with out."
        )
    address = settings().ray_address
    if address:
        note_contact(f"ray://{address.removeprefix('ray://')}", "texts of documents (Ray)")
    _require_answer(address)
    send_no_usage_statistics()
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ImportError:
        raise Refused(f"Ray is not installed. Install it: {_INSTALL}.") from None
    before = set(_below())
    with _own_signals():
        try:
            ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
            where = f"at {address} (RAY_ADDRESS)" if address else "on this machine"
            raise Failed(
                f"No Ray cluster answers or starts {where}: {first_line(error, 200)}"
            ) from None
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        found = ray.cluster_resources()
        workers = Workers.of(found.get("CPU", 1.0), found.get("GPU", 0.0))
        yield RayEncoding(ray, ray.put(_files_of(encoder)), workers)
    finally:
        # Of a cluster that was started here; others go on.
        started = [] if address else [process for process in _below() if process not in before]
        ray.shutdown()
        _end(started)


def _below() -> list[psutil.Process]:
    """The processes that this one started, and those that they started."""
    return psutil.Process().children(recursive=True)


def _end(processes: list[psutil.Process]) -> None:
    """See that processes are gone: a worker of Ray sometimes waits for ever at its end, with the model in memory."""
    _, alive = psutil.wait_procs(processes, timeout=_GRACE)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE)


def _require_answer(address: str) -> None:
    """Ray itself would try for minutes before it says that nobody is there."""
    host, sign, port = address.removeprefix("ray://").rpartition(":")
    if not sign or not port.isdecimal():
        return  # "auto" and "local", which Ray understands by itself.
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5):
            pass
    except OSError as error:
        raise Failed(
            f"No Ray cluster answers at {address} (RAY_ADDRESS): {error.strerror or error}."
        ) from None


def _files_of(encoder: Any) -> dict[str, bytes]:
    """The files of a model as it would be saved (weights as safetensors), by their names."""
    with tempfile.TemporaryDirectory(prefix="bespoke-ray-") as name:
        folder = Path(name)
        encoder.save(str(folder), create_model_card=False, safe_serialization=True)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def _worker() -> type:
    """What runs on a worker. It is made in a function so that it travels whole, not as the name of a module."""

    class Worker:
        """Holds the model, loaded once, and encodes batch after batch."""

        def __init__(self, sent: Any, threads: int) -> None:
            import tempfile
            from pathlib import Path

            import ray
            import torch
            from sentence_transformers import SentenceTransformer

            torch.set_num_threads(threads)
            with tempfile.TemporaryDirectory(prefix="bespoke-worker-") as name:
                for file, content in ray.get(sent).items():
                    path = Path(name) / file
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                self.model = SentenceTransformer(
                    name,
                    device="cuda" if torch.cuda.is_available() else "cpu",
                    trust_remote_code=False,
                    model_kwargs={"use_safetensors": True},
                )

        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            texts = [str(text) for text in batch["text"]]
            vectors = self.model.encode_document(texts, batch_size=len(texts))
            return {"place": batch["place"], "vector": vectors}

    return Worker


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; a run's cancel needs it back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
