"""How much memory and time the reading of one file may take, and the refusal of what takes more."""

from dataclasses import dataclass
from typing import Literal

from search.projects.errors import Refused

Limit = Literal["memory", "processor time", "time", "answer"]
"""What a reader ran over; "answer": it ended, or said what nobody understands, without a limit being reached."""

_MB = 1_000_000
_SLOWER = 4  # times the processor time a reader may take by the clock: a busy machine, a slow disk


@dataclass(frozen=True)
class Allowance:
    """What a child may take for one request.

    :ivar memory: bytes that are resident, of the child and its own children together.
    :ivar seconds: of processor time, of all of them together.
    :ivar waiting: seconds by the clock that somebody waited for it: one that sleeps takes no processor time.
    """

    memory: int
    seconds: float
    waiting: float


def for_file(size: int) -> Allowance:
    """What a file of so many bytes may take: 500 MB and twice its size, 10 s and 2 s a MB."""
    seconds = 10 + 2 * size / _MB
    return Allowance(min(500 * _MB + 2 * size, 4_000 * _MB), seconds, _SLOWER * seconds)


PREVIEW = Allowance(500 * _MB, 10, 4 * 10)
"""What the beginning of any file may take."""


class OverLimit(Refused):
    """A file was not read on, since its reader took too much or ended; the other files are unharmed.

    :ivar limit: which limit it was.
    """

    def __init__(self, message: str, limit: Limit) -> None:
        super().__init__(message)
        self.limit = limit


def over(source: str, limit: Limit, allowed: Allowance, what: str = "") -> OverLimit:
    """The refusal of a file, as one sentence: what, which limit, what to do.

    :param what: how the reader ended, where no limit was reached.
    """
    small = "Save it as JSONL, CSV or plain text, or split it, and add it again."
    said = {
        "memory": f"reading it took more than {allowed.memory / _MB:,.0f} MB of memory, the limit for it",
        "processor time": f"reading it took more than {allowed.seconds:,.0f} s of processor time, the limit for it",
        "time": f"its reader gave no answer within {allowed.waiting:,.0f} s, the limit for it",
        "answer": f"its reader {what}",
    }[limit]
    if allowed is PREVIEW and limit != "answer":
        small = f"{small[:-1]}; a preview may take less than python cli.py add, which may read it as it is."
    return OverLimit(f"{source} was not read: {said}. {small}", limit)
