"""Arrow files, as Hugging Face's `save_to_disk` writes them: typed columns, read batch by batch."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from search.corpus.readers.cells import check_header
from search.corpus.readers.columnar import column_values
from search.corpus.readers.report import Report, Row
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused, first_line
from search.projects.settings import LIMITS

_ROWS = 128
_MAGIC = b"ARROW1\x00\x00"
_STATE_BYTES = 8 * 1024 * 1024


def arrow_rows(stream: BinaryIO, report: Report) -> Iterator[Row]:
    """The rows of an Arrow stream or file that is not compressed; sets the format and the columns first.

    :param stream: the file, seekable; closed at the end.
    :raises Refused: when the file is something else, compressed, truncated or damaged.
    """
    report.format = "Arrow"
    refuse_other_kind(kind_of(stream), report.source, "Arrow")
    start = (
        len(_MAGIC) if stream.read(len(_MAGIC)) == _MAGIC else 0
    )  # a file is a stream with a head
    _refuse_compressed(stream, start, report)
    stream.seek(start)
    reader = _opened(stream, report)
    names = list(reader.schema.names)
    check_header(names, report)
    report.columns = tuple(names)
    return _rows(stream, reader, names, report)


def saved_arrow_files(state: Path) -> set[str]:
    """The names of the files that hold the rows of a data set, by its state.json; none where it says none."""
    if state.stat().st_size > _STATE_BYTES:
        return set()
    try:
        value = json.loads(state.read_bytes())
        return {str(file["filename"]) for file in value["_data_files"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()


def _opened(stream: BinaryIO, report: Report) -> Any:
    from pyarrow import ipc

    try:
        return ipc.open_stream(stream)
    except Exception as error:
        raise _unreadable(error, report) from None


def _rows(stream: BinaryIO, reader: Any, names: list[str], report: Report) -> Iterator[Row]:
    number = 0
    with stream:
        for columns in _batches(reader, report):
            for values in zip(*columns, strict=True):
                number += 1
                yield Row(f"row {number}", dict(zip(names, values, strict=True)))


def _batches(reader: Any, report: Report) -> Iterator[list[list[Any]]]:
    total = 0
    while True:
        # Damaged files raise errors of many kinds; what Arrow reads without checking is checked here.
        try:
            batch = reader.read_next_batch()
            batch.validate(full=True)
        except StopIteration:
            return
        except Exception as error:
            raise _unreadable(error, report) from None
        for start in range(0, batch.num_rows, _ROWS):
            try:
                part = batch.slice(start, _ROWS)
                total += part.get_total_buffer_size() if not start else 0
                columns = [column_values(column) for column in part.columns]
            except Exception as error:
                raise _unreadable(error, report) from None
            if total > LIMITS.upload_bytes:
                raise Refused(
                    f"{report.source} holds more than {LIMITS.upload_bytes:,} bytes of data. Split the file."
                )
            yield columns


def _refuse_compressed(stream: BinaryIO, start: int, report: Report) -> None:
    """Refuse a stream of compressed batches: Arrow would unpack each whole, whatever its size.

    :raises Refused: as said, and when the stream is damaged.
    """
    from pyarrow import ipc

    stream.seek(start)
    try:
        messages = ipc.MessageReader.open_stream(stream)
        compressed = any(_is_compressed(message.metadata.to_pybytes()) for message in messages)
    except Exception as error:
        raise _unreadable(error, report) from None
    if compressed:
        raise Refused(f"{report.source} is a compressed Arrow file. Save it as Parquet.")


def _is_compressed(metadata: bytes) -> bool:
    """Whether a message holds a compressed batch: the field `compression` of the flatbuffer RecordBatch is set.

    After Arrow's format/Message.fbs: a Message has version, header_type, header, ...; a RecordBatch has length,
    nodes, buffers, compression; a DictionaryBatch has id, data (a RecordBatch).
    """

    def number(at: int, size: int, signed: bool = False) -> int:
        if not 0 <= at <= len(metadata) - size:
            raise ValueError("the metadata of a message is damaged")
        return int.from_bytes(metadata[at : at + size], "little", signed=signed)

    def slot(table: int, field: int) -> int:
        """Where a field of a table stands; 0 where it is not set."""
        entries = table - number(table, 4, signed=True)
        at = 4 + 2 * field
        offset = number(entries + at, 2) if at < number(entries, 2) else 0
        return table + offset if offset else 0

    def inner(at: int) -> int:
        return at + number(at, 4)

    root = inner(0)
    kind_at, header_at = slot(root, 1), slot(root, 2)
    kind = number(kind_at, 1) if kind_at else 0
    if kind not in (2, 3) or not header_at:
        return False
    batch = inner(header_at)
    if kind == 2:
        data = slot(batch, 1)
        if not data:
            return False
        batch = inner(data)
    return slot(batch, 3) != 0


def _unreadable(error: Exception, report: Report) -> Refused:
    return Refused(
        f"{report.source} is not an Arrow file that can be read: {first_line(error)[:200]}"
    )
