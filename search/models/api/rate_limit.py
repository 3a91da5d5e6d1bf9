"""Not more requests and tokens a minute than a server allows."""

import time
from collections import deque
from collections.abc import Callable

_MINUTE = 60.0


class Pace:
    """Waits before a request until the last minute has room for it.

    :param requests: the most requests in any minute; None for no bound.
    :param tokens: the most tokens in any minute; None for no bound.
    :param clock: seconds, running on.
    :param sleep: waits for so many seconds.
    """

    def __init__(
        self,
        requests: int | None = None,
        tokens: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._requests = requests
        self._tokens = tokens
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[tuple[float, int]] = deque()

    def wait(self, tokens: int) -> None:
        """Wait until a request of so many tokens may be sent, and count it as sent.

        A request larger than a whole minute allows goes when the minute is empty.
        """
        while not self._has_room(tokens):
            self._sleep(max(self._sent[0][0] + _MINUTE - self._clock(), 0.01))
        self._sent.append((self._clock(), tokens))

    def _has_room(self, tokens: int) -> bool:
        now = self._clock()
        while self._sent and self._sent[0][0] <= now - _MINUTE:
            self._sent.popleft()
        if not self._sent:
            return True
        if self._requests is not None and len(self._sent) >= self._requests:
            return False
        used = sum(count for _, count in self._sent)
        return self._tokens is None or used + tokens <= self._tokens
