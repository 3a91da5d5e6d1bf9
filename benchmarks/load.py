"""Thirty people at once: how long each waits for the page's answer, beside one person's time of the same run.

It starts the app as `make app` does, with a project of its own (the legal sample and a small adapter), and opens real
sessions: each speaks what a browser's page speaks with its server, types questions that nobody asked before into
Compare, and waits until the answer is drawn. Run it with `make bench`, or: python -m benchmarks.load --people 30.

The clients run on the same cores as the app, as browsers do not; what they need is part of all times.
"""

import argparse
import asyncio
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.common import empty_workspace, machine
from search.models.registry import GENERIC
from search.projects.project import Project, project_to_be
from search.retrieval.indexing.build import index_model
from training.samples import SAMPLES, bring_in
from training.train import train

_PROJECT = "Load"
_WARM, _ALONE = 10, 20
_APART = 0.01
_SEARCHES, _RETRAININGS = 2_000, 20
_WORDS = (
    "notice", "tenant", "appeal", "duty", "court", "damage", "contract", "minor", "property", "witness", "arrest",
    "salary", "divorce", "licence", "vote", "tax", "school", "road", "fire", "debt", "employer", "weapon", "water",
)  # fmt: skip


class Session:
    """One person's page of Compare, over the connection that a browser would have."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._page = ""
        self._box = ""
        self._fragment = ""

    async def open(self) -> None:
        """Draw the page for the first time."""
        await self._send(BackMsg(), "compare")
        while True:
            said = await self._hear()
            if said.WhichOneof("type") == "new_session":
                self._page = said.new_session.page_script_hash
            element = said.delta.new_element
            if (
                element.WhichOneof("type") == "text_input"
                and element.text_input.label == "Your question"
            ):
                self._box, self._fragment = element.text_input.id, said.delta.fragment_id
            if said.WhichOneof("type") == "script_finished":
                assert self._box, "the page has no box for a question"
                return

    async def ask(self, question: str, model: str = "") -> float:
        """Type a question; returns the moment at which its answer was there.

        :param model: what the address names; "" leaves the page's own choice.
        """
        asked = BackMsg()
        asked.rerun_script.fragment_id = self._fragment
        asked.rerun_script.page_script_hash = self._page
        state = asked.rerun_script.widget_states.widgets.add()
        state.id, state.string_value = self._box, question
        await self._send(asked, "", f"&model={model}" if model else "")
        answered = 0.0
        while True:
            said = await self._hear()
            body = said.delta.new_element.html.body
            if not answered and "data-rank=" in body:
                answered = time.perf_counter()
            if said.WhichOneof("type") == "script_finished":
                assert answered, f"no answer to {question!r}"
                return answered

    async def _send(self, message: BackMsg, page: str, more: str = "") -> None:
        message.rerun_script.query_string = f"project={_PROJECT}{more}"
        message.rerun_script.page_name = page
        await self._connection.send(message.SerializeToString())

    async def _hear(self) -> ForwardMsg:
        said = ForwardMsg()
        said.ParseFromString(await self._connection.recv(decode=False))
        return said


class Questions:
    """Questions that were not asked before: whoever asks again would be answered from memory."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self._asked: set[str] = set()

    def next(self) -> str:
        """A question of some words of law."""
        while True:
            question = "what about " + " and ".join(self._random.sample(_WORDS, 4))
            if question not in self._asked:
                self._asked.add(question)
                return question


@dataclass
class Times:
    """Seconds: of one person alone; of people who ask at chance moments; of people who ask at once, as they came."""

    alone: list[float]
    spread: list[float]
    burst: list[float]
    late: int
    """How many of the burst were answered before somebody who had come earlier."""


async def measure(url: str, people: int, seconds: float) -> Times:
    """Open so many sessions and let them ask: one by one, within some seconds, and at once."""
    questions = Questions()
    sessions = [await _opened(url) for _ in range(people)]

    async def one(session: Session, wait: float = 0) -> tuple[float, float]:
        await asyncio.sleep(wait)
        started = time.perf_counter()
        return started, await session.ask(questions.next())

    async def alone(count: int) -> list[float]:
        return _waits([await one(sessions[number % people]) for number in range(count)])

    await alone(_WARM)
    # Before, between and after: the machine may have other work meanwhile.
    single = await alone(_ALONE)
    waits = np.random.default_rng(7).uniform(0, seconds, people)
    spread = await asyncio.gather(*(one(s, w) for s, w in zip(sessions, waits, strict=True)))
    single += await alone(_ALONE)
    burst = await asyncio.gather(*(one(s, _APART * i) for i, s in enumerate(sessions)))
    single += await alone(_ALONE)
    answered = [moment for _, moment in burst]
    late = sum(moment < max(answered[:i], default=0.0) for i, moment in enumerate(answered))
    return Times(single, _waits(spread), _waits(burst), late)


def _waits(asked: Sequence[tuple[float, float]]) -> list[float]:
    return [answered - started for started, answered in asked]


async def resident(url: str, process: psutil.Process, project: Project) -> list[float]:
    """The app's resident memory in MB while there are 2,000 searches and 20 retrainings: after each hundred."""
    questions = Questions()
    session = await _opened(url)
    seen = []
    for number in range(_RETRAININGS):
        name = f"again-{number}"
        train(project, "word2vec", name, {"epochs": 1, "vector_size": 32})
        index_model(project, name)
        for _ in range(_SEARCHES // _RETRAININGS):
            await session.ask(questions.next(), name)
        seen.append(process.memory_info().rss / 1e6)
    return seen


async def _opened(url: str) -> Session:
    session = Session(await connect(url, subprotocols=[Subprotocol("streamlit")], max_size=None))
    await session.open()
    return session


def main() -> None:
    """Build a project, start the app, measure, and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument(
        "--parts", nargs="+", choices=("times", "memory"), default=["times", "memory"]
    )
    chosen = parser.parse_args()
    with empty_workspace() as home:
        project = project_to_be(_PROJECT)
        bring_in(project, SAMPLES["legal"])
        train(project, "adapter", "clauses", {"epochs": 5})
        for name in (GENERIC, "clauses"):
            index_model(project, name)
        with _server(home / "server.log") as (process, port):
            url = f"ws://localhost:{port}/_stcore/stream"
            print(f"Machine: {machine()}\n")
            if "times" in chosen.parts:
                _print_times(asyncio.run(measure(url, chosen.people, chosen.seconds)))
            if "memory" in chosen.parts:
                _print_memory(asyncio.run(resident(url, psutil.Process(process.pid), project)))


def _print_times(times: Times) -> None:
    person = float(np.median(times.alone))
    p95 = float(np.percentile(times.spread, 95))
    waits = sorted(times.burst)
    print(f"One person: {person * 1000:.0f} ms (median of {len(times.alone)})\n")
    print("| | times one person's | at most |\n|---|---|---|")
    rows = (
        (f"{len(waits)} people within some seconds, p95", p95, 8),
        (f"{len(waits)} at once, the first five", waits[min(4, len(waits) - 1)], 5),
        (f"{len(waits)} at once, the last", waits[-1], 16),
    )
    for title, seconds, most in rows:
        print(f"| {title} | {seconds / person:.1f} | {most} |")
    print(f"\nAnswered before somebody who had come earlier: {times.late}\n", flush=True)


def _print_memory(seen: Sequence[float]) -> None:
    half = len(seen) // 2
    print("| searches, retrainings | resident memory |\n|---|---|")
    for number in (0, half - 1, len(seen) - 1):
        searches = (number + 1) * _SEARCHES // _RETRAININGS
        print(f"| {searches:,}, {number + 1} | {seen[number]:.0f} MB |")
    growth = np.polyfit(range(half, len(seen)), seen[half:], 1)[0] * (len(seen) - half)
    print(f"\nTrend of the second half: {growth:+.0f} MB ({growth / seen[half]:+.1%})", flush=True)


@contextmanager
def _server(log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The app on a port of its own, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        while not _answers(port):
            if process.poll() is not None:
                sys.exit(f"The app did not start: {log.read_text()}")
            time.sleep(0.2)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _answers(port: int) -> bool:
    with (
        suppress(OSError),
        urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2),
    ):
        return True
    return False


if __name__ == "__main__":
    main()
