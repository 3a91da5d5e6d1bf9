"""Nothing calls home: the whole story where there is no network but this machine's own, and nothing tries to leave."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
# Every look-up of a name and every connection that is not to this machine is written down, and refused.
WATCH = """
import os, sys

def _watch(event, given):
    if event == "socket.getaddrinfo":
        where = given[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        where = given[1][0] if isinstance(given[1], tuple) else None
    elif event in ("socket.gethostbyname", "socket.gethostbyaddr"):
        where = given[0]
    else:
        return
    where = where.decode() if isinstance(where, bytes) else where
    if where in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"):
        return
    with open(os.environ["TRIED"], "a") as stream:
        stream.write(f"{event} {where}\\n")
    raise OSError(f"nothing leaves this machine: {event} {where}")

sys.addaudithook(_watch)
"""
UP = "import fcntl,socket,struct;fcntl.ioctl(socket.socket(),0x8914,struct.pack('16sh14s',b'lo',1|64,b''))"
TRIES = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"


def in_namespace(tmp_path, *arguments):
    """Python in a network namespace of its own, loopback up, each try to leave noted."""
    watch = tmp_path / "watch"
    watch.mkdir(exist_ok=True)
    (watch / "sitecustomize.py").write_text(WATCH)
    environment = {
        name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")
    }
    root = HERE.parents[1]
    environment |= {
        "PYTHONPATH": f"{watch}{os.pathsep}{root}", "TRIED": str(tmp_path / "tried"), "BESPOKE_HOME": str(tmp_path / "home"),
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    inside = f'"$0" -S -c "{UP}" && exec "$0" "$@"'
    return subprocess.run(
        ["unshare", "-rn", "sh", "-c", inside, sys.executable, *arguments],
        cwd=root, env=environment, capture_output=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip


def test_the_whole_story_without_a_network(tmp_path, tiny_beir):
    tried = tmp_path / "tried"
    seen = in_namespace(tmp_path, "-c", TRIES)
    assert seen.returncode == 1 and "nothing leaves" in seen.stderr
    assert tried.read_text() == "socket.getaddrinfo 192.0.2.1\n", "a try is seen"
    tried.unlink()
    done = in_namespace(tmp_path, str(HERE / "no_network_story.py"), str(tiny_beir))
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.rstrip().endswith("the story is told")
    assert not tried.exists(), tried.read_text()
    assert not (tmp_path / "home" / ".logs" / "hosts.jsonl").exists()
