"""The slow line that pages are opened over carries no more than it may, and loses nothing."""

import functools
import threading
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

from slow_line import SlowLine


def test_what_comes_over_it_is_whole_and_is_carried_at_its_rate(tmp_path: Path) -> None:
    sent = Random(0).randbytes(200_000)
    (tmp_path / "sent").write_bytes(sent)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with (
            SlowLine(server.server_port, latency=0.05, down=400_000, up=1_000_000) as line,
            urllib.request.urlopen(f"{line.url}/sent", timeout=20) as answer,
        ):
            got = answer.read()
        server.shutdown()
    assert got == sent
    assert 0.5 <= line.down.busy < 0.51, "200,000 bytes and a head, at 400,000 a second"
    assert 0 < line.up.busy < 0.001
