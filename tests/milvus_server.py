"""A real standalone Milvus server of the tests' own: a random port, a folder under theirs, and an end.

The package `milvus` 2.3.5 holds the server's binary. It listens on all interfaces (it has no setting for that),
so it wants a password; a plain TERM hangs, so it is stopped by its own stop().
"""

import socket
import time
import warnings
from pathlib import Path

from milvus import MilvusServer, MilvusServerConfig

TOKEN = "root:Milvus"
"""What every fresh Milvus server lets in."""


class RealMilvus:
    """One server. It can be killed and started again over the same data."""

    def __init__(self, folder: Path) -> None:
        self._config = MilvusServerConfig(data_dir=str(folder))
        names = [name for name in self._config.configurable_items if name.endswith("_port")]
        ports = _free_ports(len(names) + 1)
        self._web = ports.pop()
        self._config.configs.update(zip(names, ports, strict=True))
        self._config.configurable_items["authorization_enabled"][1] = True
        self._server = MilvusServer(self._config)
        self.uri = f"http://127.0.0.1:{self._config.configs['proxy_port']}"

    def start(self) -> None:
        """Start, and wait until it is healthy: up to 45 s the first time.

        After a kill the system keeps its ports for a minute, and the package does not wait for them.
        """
        self._server.webservice_port = self._web
        deadline = time.monotonic() + 120
        while True:
            # The package forgets the sockets with which it tried the ports.
            with warnings.catch_warnings(action="ignore", category=ResourceWarning):
                try:
                    self._server.start()
                    break
                except RuntimeError as error:
                    if "bind failed" not in str(error) or time.monotonic() > deadline:
                        raise
            time.sleep(2)
        while not self._answers():  # It says that it is healthy a little too early.
            assert time.monotonic() < deadline, "the Milvus server started, but does not answer"
            time.sleep(1)

    def _answers(self) -> bool:
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException

        try:
            MilvusClient(self.uri, token=TOKEN, timeout=5).list_collections(timeout=5)
        except MilvusException:
            return False
        return True

    def kill(self) -> None:
        """End it at once, as a power cut would; returns when it is gone."""
        self._server.server_proc.kill()
        self._server.server_proc.wait(timeout=30)
        self._server.server_proc = None

    def stop(self) -> None:
        """End it."""
        self._server.stop()


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    taken = [socket.socket() for _ in range(count)]
    try:
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]
    finally:
        for one in taken:
            one.close()
