"""A model hub on this machine: as much of the Hugging Face hub's address as a download needs."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "1" * 40
NEWER = "2" * 40
TOKEN = "hf_a_token_that_may_write"


@dataclass
class FakeHub:
    """`models` holds the folder of each model by its id; `asked` what was asked of it; `moved` what it sends on; what is sent goes into `folder`."""

    url: str = ""
    models: dict[str, Path] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    commit: str = COMMIT
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    folder: Path = Path("hub")


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Serve on a free port of this machine."""
    state = FakeHub()
    released = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state, released))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: FakeHub, released: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET(head=True)

        def do_GET(self, head: bool = False) -> None:
            path = urlsplit(self.path).path
            state.asked.append(f"{self.command} {path}")
            if path in state.moved:
                self.send_response(302)
                self.send_header("Location", state.moved[path])
                self.send_header("Content-Length", "0")
                return self.end_headers()
            if state.silent:
                released.wait(60)
                return None
            parts = path.strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                model, rest = "/".join(parts[2:4]), parts[4:]
            else:
                model, rest = "/".join(parts[:2]), parts[2:]
            if model in state.gated:
                return self.error(403, "GatedRepo")
            if model not in state.models:
                return self.error(404, "RepoNotFound")
            folder = state.models[model]
            if rest[:1] == ["tree"]:
                rows = [self.row(folder, file) for file in self.files(folder)]
                return self.answer(json.dumps(rows).encode(), head)
            if rest[:1] == ["resolve"]:
                file = folder / "/".join(rest[2:])
                if not file.is_file():
                    return self.error(404, "EntryNotFound")
                content = file.read_bytes()
                etag = hashlib.sha1(content).hexdigest()
                return self.answer(content, head, {"ETag": f'"{etag}"'})
            siblings = [{"rfilename": f.relative_to(folder).as_posix()} for f in self.files(folder)]
            info = {"id": model, "modelId": model, "sha": state.commit, "siblings": siblings}
            info |= {"private": model in state.private, "tags": [], "downloads": 0, "likes": 0}
            return self.answer(json.dumps(info).encode(), head)

        def do_POST(self) -> None:
            """As much as a folder needs that is sent in one commit: a repository, how files go, the commit."""
            path = urlsplit(self.path).path
            content = self.rfile.read(int(self.headers["Content-Length"]))
            state.asked.append(f"POST {path}")
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self.error(401, "Unauthorized")
            parts = path.strip("/").split("/")
            if path == "/api/repos/create":
                wanted = json.loads(content)
                model = f"{wanted['organization']}/{wanted['name']}"
                state.models[model] = state.folder / model
                state.models[model].mkdir(parents=True)
                if wanted.get("private") or wanted.get("visibility") == "private":
                    state.private.add(model)
                said: dict[str, object] = {"url": f"{state.url}/{model}"}
            elif path == "/api/validate-yaml":
                said = {"errors": [], "warnings": []}
            elif parts[4] == "preupload":
                files = json.loads(content)["files"]
                how = {"uploadMode": "regular", "shouldIgnore": False}
                said = {"files": [{"path": file["path"], **how} for file in files]}
            else:
                assert parts[4] == "commit", path
                folder = state.models["/".join(parts[2:4])]
                for line in map(json.loads, content.splitlines()):
                    if line["key"] == "file":
                        file = folder / line["value"]["path"]
                        file.parent.mkdir(parents=True, exist_ok=True)
                        file.write_bytes(base64.b64decode(line["value"]["content"]))
                said = {
                    "commitUrl": f"{state.url}/{'/'.join(parts[2:4])}/commit/1",
                    "commitOid": "1",
                }
            return self.answer(json.dumps(said).encode(), False)

        def files(self, folder: Path) -> list[Path]:
            return [file for file in sorted(folder.rglob("*")) if file.is_file()]

        def row(self, folder: Path, file: Path) -> dict[str, object]:
            content = file.read_bytes()
            return {
                "type": "file",
                "path": file.relative_to(folder).as_posix(),
                "size": len(content),
                "oid": hashlib.sha1(content).hexdigest(),
            }

        def error(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self, content: bytes, head: bool, headers: dict[str, str] | None = None) -> None:
            self.send_response(200)
            self.send_header("X-Repo-Commit", state.commit)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if not head:
                self.wfile.write(content)

    return Handler
