"""What `serve` takes from a model's own speed: many texts, one question at a time, and 64 clients for a minute.

Run it with `make bench`, or choose: python -m benchmarks.serving --texts 600 --seconds 60. The server is a process of its own
on this machine; the bare encoder runs here, in turns with it, on the same texts. Data sets in BEIR layout are looked for in
BESPOKE_DATA (default ../shared/data).
"""

import argparse
import base64
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import numpy as np

from benchmarks.common import empty_workspace, json_lines, machine
from indexes.vector_index import Vectors, normalised
from search.models.encoder import Encoder
from search.models.encoding.texts import accelerated
from search.models.load import load_encoder
from search.models.registry import generic_info
from search.projects.project import project_to_be

_SET = "ask_cfpb"
_CLIENTS = 64
_REQUEST = 64
_ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1_024)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    passages = [f"{d['title']} {d['text']}".strip() for d in json_lines(_SET, "corpus.jsonl")]
    questions = [q["text"] for q in json_lines(_SET, "queries.jsonl")][: chosen.questions]
    with empty_workspace():
        project = project_to_be("served").create()
        bare = accelerated(load_encoder(project, generic_info(project)))
        bare.encode_query(questions[:8])
        with _served() as url:
            print(f"Machine: {machine()}; {_SET}, all-MiniLM-L6-v2\n")
            _many(url, bare, passages[: chosen.texts])
            _one_by_one(url, bare, questions)
            _for_a_while(url, questions, chosen.seconds)


@contextmanager
def _served() -> Iterator[str]:
    """The address of a server that runs as a person starts it."""
    command = [sys.executable, "cli.py", "serve", "served", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        assert process.wait(60) == 0, "it ends as it should"


def _ask(client: httpx2.Client, url: str, texts: Sequence[str], side: str) -> Vectors:
    body = {"model": f"generic:{side}", "input": list(texts), "encoding_format": "base64"}
    answer = client.post(f"{url}/embeddings", json=body)
    assert answer.status_code == 200, answer.text
    rows = [base64.b64decode(row["embedding"]) for row in answer.json()["data"]]
    return np.stack([np.frombuffer(row, "<f4") for row in rows])


def _many(url: str, bare: Encoder, texts: list[str]) -> None:
    """Throughput: eight clients with requests of 64 texts, against one call with all of them."""
    parts = [texts[i : i + _REQUEST] for i in range(0, len(texts), _REQUEST)]
    served, alone = [], []
    with httpx2.Client(trust_env=False, timeout=600) as client, ThreadPoolExecutor(8) as pool:
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            wanted = bare.encode_document(texts)
            alone.append(len(texts) / (time.perf_counter() - started))
            started = time.perf_counter()
            found = list(pool.map(lambda part: _ask(client, url, part, "document"), parts))
            served.append(len(texts) / (time.perf_counter() - started))
    cosines = np.sum(
        np.concatenate(found) * normalised(np.asarray(wanted, dtype=np.float32)), axis=1
    )
    ratios = np.array(served) / np.array(alone)
    print(
        f"{len(texts):,} passages: {np.median(alone):.0f} a second bare, {np.median(served):.0f} served; served by bare "
        f"{np.median(ratios):.2f} ({', '.join(f'{r:.2f}' for r in ratios)}); lowest cosine {cosines.min():.6f}."
    )


def _one_by_one(url: str, bare: Encoder, questions: list[str]) -> None:
    """One question at a time, each asked here and there in turns."""
    alone, served = [], []
    with httpx2.Client(trust_env=False, timeout=60) as client:
        for question in [*questions[:10], *questions]:
            started = time.perf_counter()
            bare.encode_query([question])
            alone.append(time.perf_counter() - started)
            started = time.perf_counter()
            _ask(client, url, [question], "query")
            served.append(time.perf_counter() - started)
    figures = [
        1_000 * np.percentile(side[10:], share) for share in (50, 95) for side in (alone, served)
    ]
    print(
        f"{len(questions)} questions one by one: p50 {figures[0]:.1f} ms bare, {figures[1]:.1f} served; p95 {figures[2]:.1f} "
        f"bare, {figures[3]:.1f} served: {figures[3] / figures[2]:.2f} times."
    )


def _for_a_while(url: str, questions: list[str], seconds: float) -> None:
    """64 clients that each ask again as soon as they are answered."""
    until = time.monotonic() + seconds
    spent: list[float] = []
    errors: list[str] = []

    def ask(number: int) -> None:
        with httpx2.Client(trust_env=False, timeout=60) as client:
            while time.monotonic() < until:
                started = time.perf_counter()
                try:
                    _ask(client, url, [questions[(number + len(spent)) % len(questions)]], "query")
                except Exception as error:
                    errors.append(repr(error))
                spent.append(time.perf_counter() - started)

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(_CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    print(
        f"{_CLIENTS} clients for {seconds:.0f} s: {len(spent):,} questions, {len(spent) / seconds:.0f} a second, p50 "
        f"{1_000 * np.percentile(spent, 50):.0f} ms, p95 {1_000 * np.percentile(spent, 95):.0f} ms, {len(errors)} errors."
    )
    for error in errors[:3]:
        print(f"  {error}")


if __name__ == "__main__":
    main()
