"""How indexes grow: build, memory, load, search and recall of every type at 10,000, 100,000 and 1,000,000 vectors.

    python -m benchmarks.growth [--sizes 10000 100000] [--types flat auto ...] [--folder FOLDER]

The vectors are made up: 384 dimensions, n/100 clusters whose sizes fall as the square root of their rank; a
vector is its cluster's centre plus noise of .8 its length. Components shrink as 1/sqrt(rank), so that about as few
directions matter as in vectors of texts. The 200 queries are drawn the same way with another seed and are in no
index. Seeds are fixed. Each index is built in a process of its own, and opened and searched in another one, which
says what it took: wall time, and the most memory that was resident, mapped pages included. Queries come one at a
time; recall is counted against exact search by numpy over all the vectors.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import IndexPlan, Vectors

DIMENSION, QUERIES, K = 384, 200, 10
SIZES = (10_000, 100_000, 1_000_000)
TYPES = ("flat", "ivf", "ivf-sq8", "ivf-pq", "ivf-rabitq", "hnsw", "auto")
HNSW_MOST = 100_000  # Its graph takes too long on two cores beyond.
_PART = 50_000


def clustered(count: int, clusters: int, seed: int, path: Path | None = None) -> Vectors:
    """Made-up vectors, see above: shape (count, 384); written to a file where a path is given."""
    spectrum = (1 / np.sqrt(np.arange(1, DIMENSION + 1))).astype(np.float32)
    centres = np.random.default_rng(7).standard_normal((clusters, DIMENSION), dtype=np.float32)
    weights = 1 / np.sqrt(np.arange(1, clusters + 1))
    rng = np.random.default_rng(seed)
    rows: Vectors = np.empty((0, 0), np.float32)
    if path is None:
        rows = np.empty((count, DIMENSION), np.float32)
    else:
        rows = np.lib.format.open_memmap(path, "w+", dtype=np.float32, shape=(count, DIMENSION))
    for start in range(0, count, _PART):
        size = min(_PART, count - start)
        chosen = rng.choice(clusters, size=size, p=weights / weights.sum())
        noise = rng.standard_normal((size, DIMENSION), dtype=np.float32)
        part = (centres[chosen] + np.float32(0.8) * noise) * spectrum
        rows[start : start + size] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def exact(vectors: Vectors, queries: Vectors) -> Any:
    """The cosine of the tenth nearest of each query, by numpy, a part of the vectors at a time."""
    best = np.full((len(queries), K), -np.inf, np.float32)
    for start in range(0, len(vectors), _PART):
        scores = queries @ np.asarray(vectors[start : start + _PART]).T
        top = np.partition(scores, -K, axis=1)[:, -K:]
        best = np.sort(np.hstack([best, top]), axis=1)[:, -K:]
    return best[:, 0]


def build_here(kind: str, source: Path, folder: Path) -> dict[str, Any]:
    """Build an index in this process; what it took."""
    from indexes.opening import build

    started = time.perf_counter()
    facts = build(np.load(source, mmap_mode="r"), IndexPlan(type=kind), folder)
    seconds = time.perf_counter() - started
    (folder / "facts.json").write_text(json.dumps(facts.details()), encoding="utf-8")
    return {"build_s": seconds, "build_gib": peak()}


def search_here(folder: Path, asked: Path) -> dict[str, Any]:
    """Open an index in this process and search it, one query at a time; what it took."""
    from indexes.opening import open_index

    details = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    queries = np.load(asked / "queries.npy")
    tenth = np.load(asked / "tenth.npy")
    started = time.perf_counter()
    index = open_index(folder, details)
    loaded = time.perf_counter() - started
    index.search(queries[:1], K)
    first = time.perf_counter() - started
    for query in queries[:50]:
        index.search(query[None], K)
    times, hits = [], 0
    for row, query in enumerate(queries):
        moment = time.perf_counter()
        scores = index.search(query[None], K)[1]
        times.append((time.perf_counter() - moment) * 1000)
        hits += int((scores[0] >= tenth[row] - 1e-6).sum())
    return {
        "load_s": loaded,
        "first_s": first,
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
        "recall": hits / (K * len(queries)),
        "gib": peak(),
        "details": details,
        "disk_gib": sum(p.stat().st_size for p in folder.iterdir()) / 2**30,
    }


def faiss_here(source: Path, asked: Path) -> dict[str, Any]:
    """Plain faiss.IndexFlatIP as a script would use it, one thread; and what memory bandwidth there is.

    The bandwidth is that of one thread adding up an array eight times as large as the last cache; of both, the best of several times.
    """
    import faiss

    library: Any = faiss
    library.omp_set_num_threads(1)
    vectors = np.load(source)
    queries = np.load(asked / "queries.npy")
    index = library.IndexFlatIP(DIMENSION)
    index.add(vectors)
    times = []
    for query in queries[:30]:
        moment = time.perf_counter()
        index.search(query[None], K)
        times.append((time.perf_counter() - moment) * 1000)
    block = np.ones(1 << 26, np.float32)
    sums = []
    for _ in range(7):
        for read in (block.max, block.sum, block.view(np.int64).sum):
            moment = time.perf_counter()
            read()
            sums.append(block.nbytes / (time.perf_counter() - moment))
    return {
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
        "gb_per_s": vectors.nbytes / min(times) / 1e6,
        "bandwidth_gb_per_s": max(sums) / 1e9,
        "gib": peak(),
    }


def peak() -> float:
    """The most memory that this process ever had, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def child(*arguments: object) -> dict[str, Any]:
    """Run a part of the benchmark in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", "--child", *map(str, arguments)],
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(size: int, kinds: list[str], home: Path) -> None:
    """Measure all types at one size, and print a table."""
    clusters = max(size // 100, 20)
    source = home / f"vectors-{size}.npy"
    if not source.exists():
        clustered(size, clusters, 1, source)
        queries = clustered(QUERIES, clusters, 2)
        np.save(home / "queries.npy", queries)
        np.save(home / "tenth.npy", exact(np.load(source, mmap_mode="r"), queries))
    plain = child("faiss", source, home)
    print(
        f"\n{size:,} vectors of {DIMENSION} dimensions ({source.stat().st_size / 2**30:.2f} GiB)\n"
    )
    print("| type | build s | build GiB | open s | first answer s | served GiB | p50 ms | p95 ms |"
          " recall@10 (said) | times faiss flat |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    print(
        f"| faiss.IndexFlatIP | | | | | {plain['gib']:.2f} | {plain['p50_ms']:.2f} | "
        f"{plain['p95_ms']:.2f} | 1.000 | 1.0 |"
    )
    for kind in kinds:
        if kind == "hnsw" and size > HNSW_MOST:
            continue
        with tempfile.TemporaryDirectory(dir=home) as folder:
            built = child("build", kind, source, folder)
            found = child("search", folder, home)
        facts = found["details"]
        name = f"auto: {facts['type']}" if kind == "auto" else kind
        said = facts["figures"]["recall@10"]
        ratio = plain["p50_ms"] / found["p50_ms"]
        print(
            f"| {name} | {built['build_s']:.1f} | {built['build_gib']:.2f} | {found['load_s']:.2f} | "
            f"{found['first_s']:.2f} | {found['gib']:.2f} | {found['p50_ms']:.2f} | "
            f"{found['p95_ms']:.2f} | {found['recall']:.3f} ({said:.3f}) | {ratio:.1f} |",
            flush=True,
        )
        print(f"    {facts['parameters']}", file=sys.stderr, flush=True)
    print(
        f"\nExact search read {plain['gb_per_s']:.1f} GB/s, "
        f"{plain['gb_per_s'] / plain['bandwidth_gb_per_s']:.0%} of the "
        f"{plain['bandwidth_gb_per_s']:.1f} GB/s that one thread can read here.",
        flush=True,
    )


def main() -> None:
    """The command line."""
    if sys.argv[1:2] == ["--child"]:
        what, *rest = sys.argv[2:]
        if what == "build":
            result = build_here(rest[0], Path(rest[1]), Path(rest[2]))
        elif what == "search":
            result = search_here(Path(rest[0]), Path(rest[1]))
        else:
            result = faiss_here(Path(rest[0]), Path(rest[1]))
        print(json.dumps(result))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--types", nargs="+", default=list(TYPES))
    parser.add_argument("--folder", type=Path, help="keep the vectors here for the next time")
    given = parser.parse_args()
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as temporary:
            home = given.folder / str(size) if given.folder else Path(temporary)
            home.mkdir(parents=True, exist_ok=True)
            measure(size, given.types, home)


if __name__ == "__main__":
    main()
