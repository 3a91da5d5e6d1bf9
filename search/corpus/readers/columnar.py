"""Parquet: typed columns, read batch by batch."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from search.corpus.readers.cells import check_header, plain
from search.corpus.readers.compressed import unpacked_limit
from search.corpus.readers.report import Report, Row, Unusable
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused, first_line
from search.projects.settings import LIMITS

_ROWS = 128
_BUFFER = 1024 * 1024


def parquet_rows(stream: BinaryIO, report: Report) -> Iterator[Row]:
    """The rows of a Parquet file; sets the format and the columns first.

    :param stream: the file, seekable; closed at the end.
    :raises Refused: when the file is something else, encrypted, truncated or damaged.
    """
    report.format = "Parquet"
    kind = kind_of(stream)
    if kind != "a Parquet file":
        refuse_other_kind(kind, report.source, "Parquet")
        raise Refused(f"{report.source} is not a Parquet file, although its name says so.")
    size = stream.seek(-4, 2) + 4
    if size < 12 or stream.read(4) != b"PAR1":
        raise Refused(
            f"{report.source} ends in the middle: the Parquet file is truncated. "
            "Copy or download it again."
        )
    stream.seek(0)
    file, names = _opened(stream, report)
    check_header(names, report)
    report.columns = tuple(names)
    return _rows(stream, file, names, report)


def _opened(stream: BinaryIO, report: Report) -> tuple[Any, list[str]]:
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(stream, buffer_size=_BUFFER, page_checksum_verification=True)
        names = list(file.schema_arrow.names)
        groups = range(file.metadata.num_row_groups)
        unpacked = sum(file.metadata.row_group(n).total_byte_size for n in groups)
    except Exception as error:
        raise _unreadable(error, report) from None
    limit = unpacked_limit(stream.seek(0, 2))
    if unpacked > limit:
        raise Refused(
            f"{report.source} unpacks to {unpacked:,} bytes, which is far more than its size or over "
            f"the limit ({limit:,}): not read."
        )
    return file, names


def _rows(stream: BinaryIO, file: Any, names: list[str], report: Report) -> Iterator[Row]:
    cells = (row for columns in _batches(file, report) for row in zip(*columns, strict=True))
    with stream:
        for number, values in enumerate(cells, start=1):
            yield Row(f"row {number}", dict(zip(names, values, strict=True)))


def _batches(file: Any, report: Report) -> Iterator[list[list[Any]]]:
    batches = file.iter_batches(batch_size=_ROWS)
    total = 0
    while True:
        # Damaged pages raise errors of many kinds, from Arrow's own to those of zstd.
        try:
            batch = next(batches, None)
            if batch is None:
                return
            total += batch.nbytes
            if total > LIMITS.upload_bytes:  # One long text that many rows point to is stored once.
                break
            columns = [column_values(column) for column in batch.columns]
        except Exception as error:
            raise _unreadable(error, report) from None
        yield columns
    raise Refused(
        f"{report.source} holds more than {LIMITS.upload_bytes:,} bytes of data. Split the file."
    )


def column_values(column: Any) -> list[Any]:
    """The cells of a column as plain values; those that Python cannot hold are `Unusable`."""
    import pyarrow

    if pyarrow.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python's datetime ends at microseconds; else pandas would be loaded for its own.
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    try:
        return [plain(value) for value in column.to_pylist()]
    except (ValueError, OverflowError):
        return [_value(cell) for cell in column]


def _value(cell: Any) -> Any:
    try:
        return plain(cell.as_py())
    except UnicodeDecodeError:
        return Unusable("holds bytes that are not UTF-8")
    except (ValueError, OverflowError) as error:
        return Unusable(f"cannot be read ({error})")


def _unreadable(error: Exception, report: Report) -> Refused:
    return Refused(
        f"{report.source} is not a Parquet file that can be read: {first_line(error, 200)}"
    )
