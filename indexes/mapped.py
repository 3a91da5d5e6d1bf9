"""Files that are mapped into memory: their length is looked at before each use.

A page of a mapped file that was cut is the end of the process that touches it (SIGBUS). What is written here is
never changed in place; where something else did so all the same, this is a sentence instead.
"""

import os
import weakref
from pathlib import Path

from indexes.vector_index import BrokenIndex


class MappedFile:
    """A file of which pages are mapped; it is the one that was opened, whatever has its name by now.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "x")
    ...     _ = path.write_bytes(b"12345")
    ...     file = MappedFile(path)
    ...     whole = file.is_whole
    ...     os.truncate(path, 3)
    ...     whole, file.is_whole
    (True, False)
    """

    def __init__(self, path: Path) -> None:
        """:raises OSError: when it cannot be opened."""
        self.path = path
        self._handle = os.open(path, os.O_RDONLY)
        self._close = weakref.finalize(self, os.close, self._handle)
        self._size = os.fstat(self._handle).st_size

    @property
    def is_whole(self) -> bool:
        """Whether it is as long as it was."""
        return os.fstat(self._handle).st_size >= self._size

    def check(self) -> None:
        """:raises BrokenIndex: when it was cut since."""
        if not self.is_whole:
            raise BrokenIndex(f"{self.path} was cut while it was open", folder=self.path.parent)
