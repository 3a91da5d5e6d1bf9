"""A chat server of this machine that says what it is told to, and a writer for it that is as good as people were."""

import json
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from search.corpus.corpus import current_corpus
from search.projects.project import Project
from training.data.pair_sets import current_pairs
from training.synthetic.chat.prompt import QUESTION_KINDS

_BEGINNING = 60
_FEW = 4


@dataclass(frozen=True)
class Reply:
    """What goes back over the wire; a body that is no text is sent as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    """How many bytes of the body are sent before the line goes dead; None for all."""


Answer = Callable[[str, Mapping[str, Any], Mapping[str, str]], Reply]
"""What a server does: path, body and headers of a request into a reply."""


def said(text: str | None, finish: str = "stop", **more: Any) -> Reply:
    """An answer of a chat model in words."""
    message = {"role": "assistant", "content": text, **more}
    words = len((text or "").split())
    return Reply(
        {
            "object": "chat.completion",
            "model": "scripted",
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            "usage": {
                "prompt_tokens": 200,
                "completion_tokens": words,
                "total_tokens": 200 + words,
            },
        }
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Serve on a free port; yields the address, which ends in /v1."""
    server = _Server(("127.0.0.1", 0), _handler(answer))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            self.reply(
                answer(self.path, {}, {name.title(): value for name, value in self.headers.items()})
            )

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.reply(
                answer(
                    self.path, body, {name.title(): value for name, value in self.headers.items()}
                )
            )

        def reply(self, reply: Reply) -> None:
            content = (
                reply.body.encode()
                if isinstance(reply.body, str)
                else json.dumps(reply.body).encode()
            )
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: reply.length])
            if reply.length is not None:
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(2)

    return Handler


class GoodWriter:
    """Answers as a good model would: it knows what people asked about a document in training, never in dev or test.

    About a document of which it knows no question it says a few words of its beginning.

    :param queries: what people asked, by the text of the passage.
    """

    def __init__(self, queries: Mapping[str, Sequence[str]]) -> None:
        self._known: dict[str, list[tuple[str, Sequence[str]]]] = {}
        for text, asked in queries.items():
            line = " ".join(text.split())
            self._known.setdefault(line[:_BEGINNING], []).append((line, asked))
        self.asked = 0
        self._one_at_a_time = threading.Lock()

    @classmethod
    def of(cls, project: Project) -> "GoodWriter":
        """The writer that knows the training pairs that people wrote in a project."""
        pairs = current_pairs(project)[1].pairs
        ids = {pair.document for pair in pairs}
        corpus = current_corpus(project)[1]
        documents = {i: d.embedded for i in ids if i and (d := corpus.document(i)) is not None}
        queries: dict[str, list[str]] = {}
        for pair in pairs:
            text = documents.get(pair.document or "", pair.response)
            queries.setdefault(text, []).append(pair.query)
        return cls(queries)

    @property
    def queries(self) -> set[str]:
        """All that it may say of what people asked."""
        return {query for known in self._known.values() for _, asked in known for query in asked}

    def __call__(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        if path.endswith("/models"):
            return Reply({"object": "list", "data": [{"id": "good", "object": "model"}]})
        with self._one_at_a_time:
            self.asked += 1
        passage = body["messages"][-1]["content"]
        return said(json.dumps(self.written(passage), ensure_ascii=False))

    def written(self, content: str) -> dict[str, str]:
        """Up to four questions about a passage, one of each kind."""
        line = " ".join(content.removeprefix("<passage>").removesuffix("</passage>").split())
        for text, asked in self._known.get(line[:_BEGINNING], ()):
            if text.startswith(line):
                return dict(zip(QUESTION_KINDS, dict.fromkeys(asked), strict=False))
        words = [word for word in line.split()[:40] if len(word) > _FEW]
        chance = random.Random(line)
        return {"keyword": " ".join(chance.sample(words, min(_FEW, len(words))))}
