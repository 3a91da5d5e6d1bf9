"""Reading and writing FAISS's own files: bounded, mapped into memory, a full disk noticed."""

import threading
from pathlib import Path
from typing import Any

from indexes.vector_index import BrokenIndex


class _Late:
    def __getattr__(self, name: str) -> Any:
        import faiss

        return getattr(faiss, name)


faiss: Any = _Late()
"""FAISS, imported when it is first used; untyped, since its type stubs do not know its Python layer."""
INDEX_FILE = "index.faiss"
_READING = threading.Lock()  # The byte limit of reading belongs to the whole process.


def write_faiss(index: Any, folder: Path) -> int:
    """Write a FAISS index into a folder, through Python: FAISS's own writer takes no notice of a disk that is full
    when it closes the file.

    :returns: how many bytes it has.
    :raises OSError: when the disk is full, or the folder cannot be written to.
    """
    path = folder / INDEX_FILE
    failed: list[OSError] = []
    with path.open("wb") as stream:

        def put(data: bytes) -> None:
            try:
                stream.write(data)
            except OSError as error:
                failed.append(error)
                raise

        try:
            faiss.write_index(index, faiss.PyCallbackIOWriter(put))
        except RuntimeError:
            if failed:
                raise failed[0] from None
            raise
    return path.stat().st_size


def read_faiss(folder: Path, kind: str, size: int, mapped: bool = True) -> Any:
    """Read a FAISS index.

    :param kind: the name of the class that it must be of.
    :param size: how many bytes were written; FAISS itself maps a file that was cut short.
    :param mapped: leave its large parts in the file and map them; they cannot be changed then.
    :raises BrokenIndex: when the file is missing, damaged or of another kind.
    """
    path = folder / INDEX_FILE
    try:
        with _READING:
            found = path.stat().st_size
            if found != size:
                raise OSError(f"it has {found:,} bytes instead of {size:,}")
            # Tables that only serve another distance would break the limit: one is left out, and one is never made but
            # counted all the same, with sixteen numbers for each one of the centroids in the file.
            most = 16 * size if kind == "IndexIVFPQFastScan" else size
            faiss.set_deserialization_vector_byte_limit(max(most, 1))
            flags = faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE
            index = faiss.read_index(str(path), flags | (faiss.IO_FLAG_MMAP_IFC if mapped else 0))
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1][:200]
        raise BrokenIndex(f"{path} cannot be read as a FAISS index: {reason}") from None
    if type(index).__name__ != kind:
        raise BrokenIndex(
            f"{path} cannot be read as this index: it is {type(index).__name__} instead of {kind}"
        )
    if index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise BrokenIndex(f"{path} cannot be read as this index: it measures another distance")
    return index
