"""A server that speaks OpenAI's embeddings API, and misbehaves on demand; it notes every request.

The vector of a text is made of its hash: the same text has the same vector, in any batch, from any server.
"""

import gzip
import hashlib
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

DIMENSION = 16
KEY = "sk-very-secret-7f3a9c"


def vector(text: str, dimension: int = DIMENSION) -> np.ndarray:
    """The vector of a text, of length 1."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    found = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return found / np.linalg.norm(found)


@dataclass
class Request:
    """What was asked."""

    texts: list[str]
    key: str
    body: dict[str, Any]
    time: float
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class BadServer:
    """`script` holds what to do with the next requests, by name; when it is empty, all goes well.

    `always` is done to every request instead, until it is None again. `most` texts are taken in a request; more are
    refused, or with `slow_over` never answered in time.
    """

    url: str = ""
    key: str = ""
    script: deque[str] = field(default_factory=deque)
    always: str | None = None
    requests: list[Request] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    dimension: int = DIMENSION
    most: int | None = None
    slow_over: float = 0.0
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        """Every text that was sent, in order."""
        return [text for request in self.requests for text in request.texts]


class _Server(ThreadingHTTPServer):
    """A server that says nothing of askers who went away: what it says would stand in another test's output."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def bad_server(key: str = "") -> Iterator[BadServer]:
    """Serve on a free port of this machine."""
    state = BadServer(key=key)
    server = _Server(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: BadServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            given = self.headers.get("authorization", "").removeprefix("Bearer ")
            texts = body["input"]
            state.requests.append(Request(texts, given, body, time.monotonic(), dict(self.headers)))
            if self.path != "/v1/embeddings":
                return self.error(404, "no such path")
            if state.key and given != state.key:
                return self.error(401, f"Incorrect API key provided: {given}")
            if state.most is not None and len(texts) > state.most:
                if not state.slow_over:
                    return self.error(400, f"batch size should not be larger than {state.most}")
                time.sleep(state.slow_over)
            what = state.always or (state.script.popleft() if state.script else "good")
            return self.act(what, texts, body)

        def act(self, what: str, texts: list[str], body: dict[str, Any]) -> None:
            name, _, more = what.partition(":")
            dimension = body.get("dimensions") or state.dimension
            rows = [
                {"object": "embedding", "index": n, "embedding": vector(t, dimension).tolist()}
                for n, t in enumerate(texts)
            ]
            content: dict[str, Any] = {"object": "list", "data": rows, "model": body["model"]}
            content["usage"] = {"prompt_tokens": 3 * len(texts), "total_tokens": 3 * len(texts)}
            if name.isdigit():
                return self.error(
                    int(name), f"scripted {name}", {"Retry-After": more} if more else {}
                )
            if name == "quota":
                return self.error(429, "You exceeded your quota", code="insufficient_quota")
            if name == "echo":
                return self.error(400, f"bad request by {state.requests[-1].key}")
            if name == "held":
                state.released.wait(60)
            elif name == "slow":
                time.sleep(float(more))
            elif name == "few":
                rows.pop()
            elif name == "many":
                rows.append(dict(rows[0], index=len(rows)))
            elif name == "unnumbered":
                for row in rows:
                    del row["index"]
            elif name == "half numbered":
                del rows[-1]["index"]
            elif name == "twice":
                rows[-1]["index"] = 0
            elif name == "backwards":
                rows.reverse()
            elif name == "dimension":
                for row in rows:
                    row["embedding"] = row["embedding"][:-1]
            elif name == "ragged":
                rows[-1]["embedding"] = rows[-1]["embedding"][:-1]
            elif name == "nan":
                rows[-1]["embedding"][3] = float("nan")
            elif name == "infinite":
                rows[-1]["embedding"][3] = float("inf")
            elif name == "null":
                rows[-1]["embedding"][3] = None
            elif name == "words":
                rows[-1]["embedding"] = "no vector"
            elif name == "long":
                for row in rows:
                    row["embedding"] = [7.5 * number for number in row["embedding"]]
            elif name == "uncounted":
                del content["usage"]
            elif name == "other":
                content = {"result": "ok"}
            elif name == "deep":
                return self.answer(200, b"[" * 100_000, {}, "application/json")
            elif name == "huge":
                content["padding"] = "x" * 3_000_000
            elif name == "drip":
                return self.drip(float(more))
            if name == "to":
                return self.answer(307, b"", {"Location": more}, "text/plain")
            if name == "said":
                return self.error(400, more)
            if name == "zipped":
                gzipped = gzip.compress(json.dumps(content).encode())
                return self.answer(200, gzipped, {"Content-Encoding": "gzip"}, "application/json")
            if name == "html":
                return self.answer(200, b"<html>Welcome to nginx</html>", {}, "text/html")
            answer = json.dumps(content).encode()
            if name == "half":
                answer = answer[: len(answer) // 2]
            cut = len(answer) // 2 if name == "dead" else len(answer)
            if name == "good":
                state.answered.extend(texts)
            return self.answer(200, answer, {}, "application/json", cut)

        def drip(self, pause: float) -> None:
            """Answer a byte at a time until the asker has had enough."""
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.close_connection = True
            for _ in range(1_000):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(pause)

        def error(
            self, status: int, said: str, headers: dict[str, str] | None = None, code: str = ""
        ) -> None:
            content = {"error": {"message": said, "type": code or "scripted", "code": code or None}}
            self.answer(status, json.dumps(content).encode(), headers or {}, "application/json")

        def answer(
            self, status: int, content: bytes, headers: dict[str, str], kind: str, cut: int = 10**9
        ) -> None:
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:cut])
            if cut < len(content):
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(2)

    return Handler
