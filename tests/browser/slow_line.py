"""A slow line before a server: every connection through it waits, and all share what it carries a second.

Chromium can pretend a slow line itself, but then sometimes stops reading what has long arrived: the server had sent
everything, it lay unread in Chromium's own sockets, and the page never came. This one is real.
"""

import asyncio
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

CHUNK = 16_384


class _Pipe:
    """One direction of the line: a delay of its own for each chunk, bytes a second for all connections together."""

    def __init__(self, latency: float, rate: float) -> None:
        self._latency, self._rate = latency, rate
        self._free = 0.0
        self.busy = 0.0
        """Seconds for which it carried something, by its rate."""

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Hand on what comes until there is no more."""
        underway: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        arriving = asyncio.create_task(self._deliver(underway, target))
        try:
            while chunk := await source.read(CHUNK):
                self.busy += len(chunk) / self._rate
                self._free = max(self._free, time.monotonic()) + len(chunk) / self._rate
                sent = self._free
                await asyncio.sleep(sent - time.monotonic())
                await underway.put((sent + self._latency, chunk))
        finally:
            await underway.put((0.0, b""))
            await arriving

    async def _deliver(
        self, underway: "asyncio.Queue[tuple[float, bytes]]", target: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while (item := await underway.get())[1]:
                await asyncio.sleep(max(0.0, item[0] - time.monotonic()))
                target.write(item[1])
                await target.drain()
            target.close()


class SlowLine:
    """A port of its own that leads to a server's port, slowly.

    :param latency: seconds in each direction.
    :param down: bytes a second from the server, all connections together.
    :param up: bytes a second to it.
    """

    def __init__(self, port: int, latency: float, down: float, up: float) -> None:
        self._to = port
        self.down, self.up = _Pipe(latency, down), _Pipe(latency, up)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._join, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.close()
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def _run(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(20)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
            try:
                await asyncio.gather(
                    self.up.carry(reader, to_server), self.down.carry(from_server, writer)
                )
            finally:
                to_server.close()
                writer.close()

    async def _end(self) -> None:
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        await asyncio.sleep(0)  # What was closed says goodbye in the loop's next round.
