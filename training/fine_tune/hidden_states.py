"""What the frozen layers make of a text, computed once: in memory up to a bound, then on the disk, then not at all."""

import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

IN_MEMORY = 1_000_000_000
"""Bytes of hidden states that are held in memory."""
_LEFT_FREE = 1_000_000_000  # Bytes of the disk that others may need.

States = NDArray[np.float16]


class HiddenStates:
    """Hidden states by the subword tokens that they are of, each of shape (tokens, size), in half precision.

    :param folder: where the file lies that takes what memory does not; it has no name there, so that nothing is left
        of it however the process ends. None for the system's folder for such files.
    :param memory: how many bytes are held in memory.

    >>> states = HiddenStates(memory=8)
    >>> for number in range(3):
    ...     states.put(bytes([number]), np.full((1, 4), number, dtype=np.float16))
    >>> states.in_memory, states.on_disk, states.get(bytes([2])).tolist(), states.get(b"new")
    (8, 16, [[2.0, 2.0, 2.0, 2.0]], None)
    """

    def __init__(self, folder: Path | None = None, memory: int = IN_MEMORY) -> None:
        self._folder = folder
        self._memory = memory
        self._held: dict[bytes, States] = {}
        self._placed: dict[bytes, tuple[int, tuple[int, int]]] = {}
        self._file: BinaryIO | None = None
        self.in_memory = 0
        self.on_disk = 0

    def get(self, tokens: bytes) -> States | None:
        """The states of a text; None where there are none."""
        if tokens in self._held:
            return self._held[tokens]
        if tokens not in self._placed or self._file is None:
            return None
        start, shape = self._placed[tokens]
        self._file.seek(start)
        read = self._file.read(2 * shape[0] * shape[1])
        return np.frombuffer(bytearray(read), dtype=np.float16).reshape(shape)

    def put(self, tokens: bytes, states: States) -> None:
        """Keep the states of a text, where there is room for them."""
        if self.in_memory + states.nbytes <= self._memory:
            self._held[tokens] = states
            self.in_memory += states.nbytes
            return
        with suppress(OSError):  # Without room it is computed again.
            if self._fits(states.nbytes):
                assert self._file is not None
                self._file.seek(self.on_disk)
                self._file.write(states.tobytes())
                self._placed[tokens] = self.on_disk, (states.shape[0], states.shape[1])
                self.on_disk += states.nbytes

    def _fits(self, size: int) -> bool:
        if self._file is None:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, path = tempfile.mkstemp(dir=self._folder)
            Path(path).unlink()
            self._file = os.fdopen(descriptor, "w+b")
            weakref.finalize(self, self._file.close)
        return shutil.disk_usage(self._folder or tempfile.gettempdir()).free > size + _LEFT_FREE
