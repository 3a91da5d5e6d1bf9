"""Files into lines of text, whatever encoding they were saved in: told by a mark or by UTF-8 itself, else guessed."""

import codecs
import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from search.corpus.readers.few_signs import best_fit
from search.corpus.readers.report import Report
from search.projects.errors import Refused
from search.projects.settings import LIMITS

COMMON_ENCODINGS = (
    "utf-8", "cp1252", "iso8859-1", "iso8859-15", "mac-roman", "cp850", "utf-16", "utf-16-le",
    "utf-16-be", "cp1250", "iso8859-2", "cp1251", "koi8-r", "cp1253", "iso8859-7", "cp1254", "cp1255",
    "cp1256", "gb18030", "big5", "cp932", "euc-jp", "cp949",
)  # fmt: skip
"""The encodings that a person may want to choose from, by the names of Python's codecs."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Codecs that Python lists among the text encodings, but in which no file of rows was ever saved.
_NO_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7")
_HEAD = 64 * 1024
_CHUNK = 1024 * 1024
_SAMPLE = 32 * 1024
_TELLING = 64


def find_encoding(stream: BinaryIO, report: Report) -> None:
    """Say in `report.encoding` what a file's text is saved in; one that is set already is only checked.

    A byte order mark decides; then NULs at every second byte (UTF-16); then strict UTF-8 over the whole
    file; else a guess, which is noted in `report.notes`.

    :param stream: seekable; left anywhere.
    :raises Refused: for an unknown encoding, and for files that are not text.
    """
    if report.encoding:
        _check_known(report.encoding, report.source)
        return
    stream.seek(0)
    head = stream.read(_HEAD)
    marked = next((codec for mark, codec in _MARKS if head.startswith(mark)), None)
    if marked:
        report.encoding = marked
    elif b"\x00" in head:
        report.encoding = _utf_16_without_mark(head, report)
    else:
        _refuse_controls(head, report)
        report.encoding = "utf-8" if _is_utf_8(stream) else _guessed(stream, report)


def decoded_lines(stream: BinaryIO, report: Report) -> Iterator[str]:
    """The lines of a file with their line ends, without a byte order mark, each bounded in length.

    Bytes that are not of the encoding become lone surrogates, which `clean_text` refuses row by row.
    The encoding is found first, see `find_encoding`. The stream is closed at the end.

    :raises Refused: naming the line, when it is too long, holds NULs or cannot be decoded.
    """
    limit, number = LIMITS.line_bytes, 0
    with _decoder(stream, report) as text:
        while True:
            try:
                line = text.readline(limit + 1)
            except UnicodeError as error:
                raise _undecodable(f"{report.source}, line {number + 1}", report, error) from None
            if not line:
                return
            number += 1
            if len(line) > limit:
                raise Refused(
                    f"{report.source}, line {number}: longer than {limit:,} characters. "
                    "Is this a text file?"
                )
            if "\x00" in line:
                raise Refused(_nuls(number, report))
            yield line if number > 1 else line.removeprefix("\ufeff")


def decoded(stream: BinaryIO, report: Report) -> str:
    """A whole file as text, decoded as by `decoded_lines`; the stream is closed.

    :raises Refused: as `decoded_lines`, but for its lines.
    """
    with _decoder(stream, report) as text:
        try:
            return text.read().removeprefix("\ufeff")
        except UnicodeError as error:
            raise _undecodable(report.source, report, error) from None


@contextmanager
def _decoder(stream: BinaryIO, report: Report) -> Iterator[io.TextIOWrapper]:
    with stream:
        find_encoding(stream, report)
        assert report.encoding
        wide = codecs.lookup(report.encoding).name.startswith(("utf-16", "utf-32"))
        stream.seek(0)
        head = stream.read(_HEAD)
        stream.seek(0)
        text = io.TextIOWrapper(
            stream,
            encoding=report.encoding,
            errors="surrogatepass" if wide else "surrogateescape",
            # Old Macs end lines with a carriage return; everywhere else it is part of the line.
            newline="\r" if b"\r" in head and b"\n" not in head else "\n",
        )
        yield text


def _nuls(line: int, report: Report) -> str:
    return f"{report.source}, line {line}: holds NUL bytes, so it is not a text file."


def _undecodable(where: str, report: Report, error: UnicodeError) -> Refused:
    reason = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
    return Refused(
        f"{where}: cannot be read as {report.encoding} ({reason}). "
        "Is the file cut off, or saved in another encoding?"
    )


def _check_known(encoding: str, source: str) -> None:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        known = codecs.lookup(encoding).name not in _NO_FILES
    except (LookupError, ValueError):
        known = False
    if not known:
        raise Refused(
            f"{source} cannot be read as {encoding!r}: no such encoding. Common ones are "
            f"{', '.join(COMMON_ENCODINGS)}."
        )


def _utf_16_without_mark(head: bytes, report: Report) -> str:
    """UTF-16 by its NULs: they are the upper halves of the letters, digits and commas of most languages."""
    at = (head[0::2].count(0), head[1::2].count(0))
    for codec, nuls, others in (("utf-16-le", at[1], at[0]), ("utf-16-be", at[0], at[1])):
        mostly = nuls >= len(head) / 4
        if nuls > others and _reads_as_text(head, codec, mostly):
            report.notes.append(
                f"NULs at every second byte: read as {codec}; choose another encoding if letters look wrong"
            )
            return codec
    line = head[: head.index(b"\x00")].count(b"\n") + 1
    raise Refused(_nuls(line, report))


def _reads_as_text(head: bytes, codec: str, mostly_latin: bool) -> bool:
    if len(head) % 2:
        return False
    try:
        text = codecs.getincrementaldecoder(codec)().decode(head)
    except UnicodeDecodeError:
        return False
    # ASCII with a stray NUL reads as UTF-16 too, as Chinese without meaning: but as one endless line.
    if not mostly_latin and ("\n" not in text or len(head) < _TELLING):
        return False
    return all(c in "\t\n\r" or unicodedata.category(c) not in ("Cc", "Cn", "Co") for c in text)


def _refuse_controls(head: bytes, report: Report) -> None:
    controls = sum(head.count(code) for code in range(0x20) if code not in b"\t\n\v\f\r")
    if controls > max(2, len(head) // 20):
        raise Refused(
            f"{report.source} is not a text file: {controls:,} of its first {len(head):,} bytes are "
            "control characters."
        )


def _is_utf_8(stream: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    stream.seek(0)
    try:
        while chunk := stream.read(_CHUNK):
            if decoder.getstate()[0] or not chunk.isascii():
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guessed(stream: BinaryIO, report: Report) -> str:
    total = bad = valid = 0
    sample = b""
    stream.seek(0)
    while line := stream.readline(LIMITS.line_bytes + 1):
        total += 1
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            valid += 1
        except UnicodeDecodeError:
            bad += 1
            sample += line[: max(0, _SAMPLE - len(sample))]
    # Text in another encoding is hardly ever UTF-8 by chance: lines that are prove that the rest is damaged.
    rare = bad * 100 < total and bad <= valid
    if rare or bad * 10 <= valid:
        report.notes.append(
            f"UTF-8 but for {bad:,} of {total:,} lines, which hold bytes that are not"
        )
        return "utf-8"
    encoding = guessed_encoding(sample)
    report.notes.append(
        f"not UTF-8: read as {encoding}; choose another encoding if letters look wrong"
    )
    return encoding


# What charset-normalizer may guess, and what we call it. cp932 and cp949 are Windows's larger Shift-JIS
# and EUC-KR; what it offers beyond these is so rare that it is more often a wrong guess than a right one.
_GUESSES = {
    "cp1252": "cp1252", "cp1250": "cp1250", "cp1251": "cp1251", "koi8_r": "koi8-r", "cp1253": "cp1253",
    "cp1254": "cp1254", "cp1255": "cp1255", "cp1256": "cp1256", "gb18030": "gb18030", "big5": "big5",
    "cp932": "cp932", "euc_jp": "euc-jp", "cp949": "cp949",
}  # fmt: skip
_LATIN = ("cp1250", "cp1254")
# Alphabets of their own: nearly every letter is above ASCII. Where few are, it is western text in an
# encoding that is not offered (of DOS, of old Macs), and cp1252 is the smaller error.
_ALPHABETS = ("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256")
_ALPHABET_SHARE = 0.2
_TELLING_BYTES = 24
# Encodings of two bytes a letter, in which letters follow one another. Western signs that stand alone (a degree
# sign before a C, a cubed behind an m) are read as lone letters of theirs.
_PAIRED = ("gb18030", "big5", "cp932", "euc_jp", "cp949")
_PAIRED_SHARE = 0.3
_PAIRS = re.compile(rb"[\x80-\xff](?=[\x80-\xff])")


def guessed_encoding(sample: bytes) -> str:
    """The encoding of bytes that are not UTF-8: cp1252 where nothing speaks clearly for another.

    Of few such bytes each is looked at where it stands; of more, their language is guessed.

    :param sample: the lines that are not UTF-8, or the first of them.
    :returns: one of `encodings.COMMON_ENCODINGS`.
    """
    from charset_normalizer import from_bytes

    high = sum(byte > 0x7F for byte in sample)
    fits = best_fit(sample)
    if high < _TELLING_BYTES:
        return fits
    # Cut behind a byte that ends no character in any of the encodings, so that none is cut in two.
    end = max((place for place, byte in enumerate(sample) if byte < 0x30), default=len(sample) - 1)
    found = from_bytes(sample[: end + 1], cp_isolation=list(_GUESSES))
    best = found.best()
    share = high / len(sample)
    if best is None or (best.encoding in _ALPHABETS and share < _ALPHABET_SHARE):
        return fits
    if best.encoding in _PAIRED and len(_PAIRS.findall(sample)) < _PAIRED_SHARE * high:
        return fits
    if best.encoding in _LATIN:
        if str(best) == sample[: end + 1].decode("cp1252", "replace"):
            return fits
        western = next((match for match in found if match.encoding == "cp1252"), None)
        if western and western.chaos <= best.chaos and western.coherence >= best.coherence - 0.1:
            return fits
    return _GUESSES[best.encoding]
