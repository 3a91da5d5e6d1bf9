"""Files, folders and archives as a list of plain files to read, each with the name to show for it."""

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

from search.corpus.readers import hl7, references
from search.corpus.readers.archives import Budget, copy_out, opened_zip, refused_damage, tar_members
from search.corpus.readers.arrow import saved_arrow_files
from search.corpus.readers.blocks import Prose
from search.corpus.readers.compressed import inner_name
from search.corpus.readers.html import read_html
from search.corpus.readers.mail import read_mail
from search.corpus.readers.pdf import read_pdf
from search.corpus.readers.plain_text import read_markdown
from search.corpus.readers.report import RefusedRow, Report, is_folder, printable, source_of
from search.corpus.readers.tables import TABLE_SUFFIXES
from search.corpus.readers.word import read_word
from search.projects.errors import Refused
from search.projects.scratch import scratch_folder
from search.projects.settings import LIMITS

PROSE: dict[str, Callable[[Path, Report], Prose]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf,
    ".docx": read_word,
    ".eml": read_mail,
}
"""The formats of which each file is one document."""
TABLES = TABLE_SUFFIXES
PLAIN_TEXT = (".txt", ".text")
XML = (".xml", ".tei")
MAILBOXES = (".mbox", ".mbx")
RELEASES = (".rrf",)
REFERENCES = references.SUFFIXES
HL7 = hl7.SUFFIXES
READABLE = (*TABLES, *PLAIN_TEXT, *PROSE, *XML, *MAILBOXES, *RELEASES, *REFERENCES, *HL7)
"""Every ending that can be read as documents, in small letters; each may be followed by .gz."""

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_KINDS = "CSV, TSV, JSON, JSONL, XLSX, Parquet, TXT, Markdown, HTML, PDF, DOCX, XML, EML, MBOX, RIS, NBIB, BibTeX and HL7"
_INSTEAD = {
    "Open it and save it as DOCX or PDF.": ".doc .rtf .odt .pages .wpd .dot .dotx .docm .wps",
    "Open it and save it as PDF.": ".ppt .pptx .odp .key .pps .ppsx .vsd .vsdx .djvu .xps .ps .tex",
    "Open it and save it as XLSX or CSV.": ".xls .xlsb .ods .numbers",
    "Save the message as .eml.": ".msg .oft .pst",
    "Convert it to HTML or PDF.": ".epub .mobi .azw .azw3 .chm .mht .mhtml",
    "Run OCR (text recognition) over it, and save it as PDF.": (
        ".png .jpg .jpeg .tif .tiff .gif .bmp .webp .heic"
    ),
    "Unpack it, and pack the files as ZIP or TAR.GZ.": ".7z .rar .zst .lz4 .bz2 .xz .cab",
}
_ADVICE = {ending: advice for advice, endings in _INSTEAD.items() for ending in endings.split()}


def suffix_of(name: str) -> str:
    """The ending that decides how a file is read, in small letters; that before .gz, if there is one."""
    return PurePath(inner_name(PurePath(name))).suffix.lower()


def is_archive(name: str) -> bool:
    """Whether a file's name says that it holds other files."""
    return name.lower().endswith(ARCHIVES)


def unreadable(name: str) -> str | None:
    """Why a file cannot be read, by its name, and what to do; None where it can."""
    suffix = suffix_of(name)
    if suffix in READABLE:
        return None
    what = f"files ending in {suffix} cannot be read" if suffix else "its name has no ending"
    return f"{what}. {_ADVICE.get(suffix, f'What can be read: {_KINDS}.')}"


_SYSTEM = frozenset(("__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"))
_DRIVE = re.compile(r"[A-Za-z]:")
_NAME_CHARACTERS = 400
_LINK, _OTHER = "a link: not followed", "not a plain file"


@dataclass(frozen=True)
class SourceFile:
    """A file to read, and its name for ids and messages: in an archive or folder, its path inside.

    What is refused of a `member` is one row of what was given; other files are refused as a whole.
    """

    path: Path
    name: str
    member: bool = False


@dataclass
class SourceFiles:
    """The files to read, the members that cannot be read and why, and what else is worth knowing."""

    files: list[SourceFile] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, more: "SourceFiles") -> None:
        """Add what was found elsewhere."""
        self.files += more.files
        self.refused += more.refused
        self.notes += more.notes


@contextmanager
def opened_sources(paths: Sequence[Path]) -> Iterator[SourceFiles]:
    """All files that are in files, archives and folders; archives are unpacked for the block.

    Names out of archives are never paths: what is unpacked gets a number. Links are not followed.

    :raises Refused: when a path is missing, an archive is damaged, has too many entries or unpacks to far
        more than its size, and when nothing in one can be read.
    """
    sources = SourceFiles()
    with scratch_folder("sources") as scratch:
        for number, path in enumerate(paths):
            folder = Path(scratch) / str(number)
            sources.add(collect(path, folder))
        yield sources


def collect(path: Path, folder: Path) -> SourceFiles:
    """All files that are in one file, archive or folder.

    :param folder: where an archive is unpacked to; made then.
    :raises Refused: see `opened_sources`.
    """
    sources = SourceFiles()
    folder_given = is_folder(path)
    if not folder_given and not is_archive(path.name):
        sources.files.append(SourceFile(path, source_of(path)))
        return sources
    collected = _Collection(source_of(path.resolve()))
    if folder_given:
        _walk(path, collected)
    else:
        folder.mkdir()
        unpack = _unpack_zip if path.name.lower().endswith(".zip") else _unpack_tar
        unpack(path, folder, collected)
    collected.hand_over(sources)
    return sources


class _Collection:
    """What was found in one folder or archive; `skipped` counts the files that programs left and nobody wrote."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.files: dict[str, Path] = {}
        self.refused: list[RefusedRow] = []
        self._names: set[str] = set()
        self.skipped = 0

    def refuse(self, name: str, reason: str) -> None:
        """List a member that is not read; a very long name is cut."""
        where = f"{self.source}/{printable(name[:_NAME_CHARACTERS])}"
        self.refused.append(RefusedRow(where, reason))

    def takes(self, name: str, reason: str | None, size: int) -> bool:
        """Whether a member is read: there is no reason against it, and it is not empty; else it is refused."""
        if reason or not size:
            self.refuse(name, reason or "is empty (0 bytes)")
        return not reason and size > 0

    def wanted(self, raw: str) -> str | None:
        """The name under which a member is read, or None: it was refused or skipped."""
        shown = printable(raw.replace("\\", "/"))
        path = PurePosixPath(shown)
        name = str(path)
        leaves = path.is_absolute() or _DRIVE.match(shown) or ".." in path.parts
        if not leaves and any(map(is_hidden, path.parts)):
            self.skipped += 1
            return None
        if leaves:
            reason: str | None = "the name leaves the archive"
        elif len(name) > _NAME_CHARACTERS:
            reason = f"the name has more than {_NAME_CHARACTERS} characters"
        elif is_archive(name):
            reason = "an archive inside another: unpack it and add it by itself"
        elif name in self._names:
            reason = "the name is there twice"
        else:
            reason = unreadable(name)
        if reason is not None:
            self.refuse(shown, reason)
            return None
        self._names.add(name)
        return name

    def hand_over(self, sources: SourceFiles) -> None:
        """Add what was found to the others.

        :raises Refused: when nothing can be read.
        """
        if not self.files:
            reasons = "; ".join(f"{row.where}: {row.reason}" for row in self.refused[:3])
            raise Refused(
                f"{self.source} holds no file that can be read{f' ({reasons})' if reasons else ''}."
            )
        if self.skipped:
            sources.notes.append(
                f"{self.source}: {self.skipped:,} hidden and system files were left out"
            )
        for folder in {name.rpartition("/")[0] for name in self.files if name.endswith(".arrow")}:
            self._leave_arrow(f"{folder}/" if folder else "", sources)
        for corpus in [name for name in self.files if PurePosixPath(name).name == "corpus.jsonl"]:
            folder = corpus.removesuffix("corpus.jsonl")
            if f"{folder}queries.jsonl" not in self.files:
                continue
            others = [name for name in self.files if name.startswith(folder) and name != corpus]
            for name in others:
                del self.files[name]
            sources.notes.append(
                f"{self.source} is a BEIR data set: only {corpus} was read; import it to bring its "
                "queries and judgments, too"
            )
        sources.refused += self.refused
        sources.files += [
            SourceFile(path, name, member=True) for name, path in sorted(self.files.items())
        ]

    def _leave_arrow(self, folder: str, sources: SourceFiles) -> None:
        """Of a folder that Hugging Face's `datasets` wrote, leave the files that hold its rows."""
        beside = [name for name in self.files if name.rpartition("/")[0] == folder.rstrip("/")]
        state = self.files.get(f"{folder}state.json")
        rows = saved_arrow_files(state) if state is not None else set()
        arrow = [name for name in beside if name.endswith(".arrow")]
        data = [name for name in arrow if PurePosixPath(name).name in rows] or arrow
        above = f"{folder.rstrip('/').rpartition('/')[0]}/dataset_dict.json".lstrip("/")
        described = {f"{folder}state.json", f"{folder}dataset_info.json", above}
        gone = (described | set(arrow)) - set(data)
        if gone & self.files.keys():
            sources.notes.append(
                f"{self.source}: the rows of {', '.join(data[:3])} were read; what describes them was not"
            )
        for name in gone:
            self.files.pop(name, None)


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one that systems and programs leave behind."""
    return (
        (name.startswith(".") and name not in (".", ".."))
        or name.startswith("~$")
        or name.lower() in _SYSTEM
    )


def _walk(folder: Path, collected: _Collection) -> None:
    """Collect the files below a folder, in the order of their names."""
    count = 0

    def unreadable_folder(error: OSError) -> None:
        name = Path(error.filename).relative_to(folder).as_posix()
        collected.refuse(name, f"the folder cannot be opened: {error.strerror}")

    for here, folders, files in os.walk(folder, onerror=unreadable_folder):
        place = Path(here)
        for name in list(folders):
            if is_hidden(name) or (place / name).is_symlink():
                folders.remove(name)
                if is_hidden(name):
                    collected.skipped += 1
                else:
                    inside = (place / name).relative_to(folder).as_posix()
                    collected.refuse(inside, _LINK)
        folders.sort()
        for file in sorted(files):
            inside = (place / file).relative_to(folder).as_posix()
            count += 1
            if count > LIMITS.folder_files:
                raise Refused(f"{collected.source} has more than {LIMITS.folder_files:,} files.")
            wanted = collected.wanted(inside)
            if wanted is None:
                continue
            status = (place / file).lstat()
            if collected.takes(wanted, _kind(status.st_mode), status.st_size):
                collected.files[wanted] = place / file


def _unpack_zip(path: Path, folder: Path, collected: _Collection) -> None:
    budget = Budget(path, collected.source)
    with opened_zip(path, collected.source) as archive:
        for number, entry in enumerate(archive.infolist()):
            name = None if entry.is_dir() else collected.wanted(entry.filename)
            if name is None:
                continue
            locked = "is locked with a password" if entry.flag_bits & 0x1 else None
            kind = _kind(entry.external_attr >> 16)
            if collected.takes(name, kind or locked, entry.file_size):
                target = folder / _numbered(number, name)
                with archive.open(entry) as stream:
                    copy_out(stream, target, budget)
                collected.files[name] = target


def _unpack_tar(path: Path, folder: Path, collected: _Collection) -> None:
    budget = Budget(path, collected.source)
    with refused_damage(collected.source, "a tar archive"):
        for number, (member, stream) in enumerate(tar_members(path, collected.source, budget)):
            name = None if member.isdir() else collected.wanted(member.name)
            if name is None:
                continue
            link = member.issym() or member.islnk()
            kind = _LINK if link else _OTHER if stream is None else None
            if collected.takes(name, kind, member.size) and stream is not None:
                target = folder / _numbered(number, name)
                copy_out(stream, target, budget)
                collected.files[name] = target


def _numbered(number: int, name: str) -> str:
    """A name of our own for an unpacked file: only its ending, which decides the format, is the person's."""
    packed = ".gz" if name.lower().endswith(".gz") else ""
    return f"{number:06}{suffix_of(name)}{packed}"


def _kind(mode: int) -> str | None:
    """What a file is, by its mode, when it is not a plain one; archives made on Windows have none."""
    if stat.S_ISLNK(mode):
        return _LINK
    return None if stat.S_ISREG(mode) or not stat.S_IFMT(mode) else _OTHER


_NOTES = 50
_ALIKE = 3


def combined_report(path: Path, sources: SourceFiles, reports: Iterable[Report]) -> Report:
    """What was understood of all files together.

    Members that cannot be read count as refused rows; each refused row and each note names its file.
    Columns are those of all tables; the roles, the encoding and the delimiter are those of the first.

    :param path: the archive or folder that was given.
    :param sources: what `opened_sources` found in it.
    :param reports: one for each file that was read.
    """
    reports = list(reports)
    report = Report(source=source_of(path.resolve()))
    kinds = Counter(part.format for part in reports if part.format)
    report.format = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    report.columns = tuple(dict.fromkeys(name for part in reports for name in part.columns))
    report.roles = next((part.roles for part in reports if part.roles), {})
    report.encoding = next((part.encoding for part in reports if part.encoding), None)
    report.delimiter = next((part.delimiter for part in reports if part.delimiter), None)
    for row in sources.refused:
        report.refuse(row.where, row.reason)
    notes = list(sources.notes)
    for part in reports:
        report.accepted += part.accepted
        for row in part.refused:
            report.refuse(f"{part.source}, {row.where}", row.reason)
        report.refused_count += part.refused_count - len(part.refused)  # those not listed
    same = Counter(note for part in reports for note in part.notes)
    for note, count in dict.fromkeys(
        (note, same[note]) for part in reports for note in part.notes if same[note] > _ALIKE
    ):
        notes.append(f"{count:,} files: {note}")
    notes += [
        f"{part.source}: {note}" for part in reports for note in part.notes if same[note] <= _ALIKE
    ]
    report.notes = notes[:_NOTES]
    if len(notes) > _NOTES:
        report.notes.append(f"… and {len(notes) - _NOTES:,} more notes")
    return report
