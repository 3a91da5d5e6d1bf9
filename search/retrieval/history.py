"""What was asked in a project: the latest questions, kept beside its artifacts and found again after a restart.

One line of JSON a question, appended in one write, so that two people who search at once lose nothing. A file
that grew is written anew with its latest lines.
"""

import json
import os
import time
import zlib
from contextlib import suppress

from search.projects.damage import notice
from search.projects.errors import Failed, in_words
from search.projects.files import append_line, whole_lines, write_atomically
from search.projects.project import Project

FILE = "searches.jsonl"
_KEPT = 300
_BYTES = 512 * 1024
_PAUSE = (
    20.0  # Seconds within which a longer or shorter question is the same one, still being typed.
)


def remember(project: Project, query: str) -> None:
    """Note a question; what went before it and is a part of it, a moment ago, will not be listed.

    A workspace that cannot be written to is no reason not to search.
    """
    path = project.folder / FILE
    said = json.dumps({"time": round(time.time(), 3), "query": query}, ensure_ascii=False)
    with suppress(OSError):
        append_line(path, f"{said} {_sum(said)}".encode("utf-8", "replace"))
        if path.stat().st_size > _BYTES:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-_KEPT:]
            half = (
                _BYTES // 2
            )  # Long questions leave fewer, or the file would be written anew each time.
            while len(lines) > 1 and sum(len(entry.encode()) for entry in lines) > half:
                lines = lines[len(lines) // 2 :]
            write_atomically(path, "".join(f"{entry}\n" for entry in lines))


def recent(project: Project, count: int = 20) -> list[str]:
    """The latest questions, the newest first, each once."""
    asked = _entries(project)
    said: list[str] = []
    for place, (moment, query) in enumerate(asked):
        if place + 1 < len(asked):
            later, following = asked[place + 1]
            typed = following.startswith(query) or query.startswith(following)
            if typed and 0 <= later - moment <= _PAUSE:
                continue
        said.append(query)
    return list(dict.fromkeys(reversed(said)))[:count]


def forget(project: Project) -> None:
    """Forget every question."""
    (project.folder / FILE).unlink(missing_ok=True)


def problem_with(project: Project) -> str | None:
    """What is wrong with the list of questions, in words; a last line that was cut short is not."""
    path = project.folder / FILE
    if os.path.lexists(path) and not path.is_file():
        return "The list of what was asked is no file: questions are not noted. Delete it."
    with suppress(OSError):
        lines = [line.decode("utf-8", "replace") for line in whole_lines(path.read_bytes())]
        if wrong := sum(line[-8:] != _sum(line[:-9]) for line in lines):
            return f"{wrong:,} lines of what was asked are damaged: they are left out."
    return None


def _sum(line: str) -> str:
    """What a line ends with: one that was changed since is passed over."""
    return f"{zlib.crc32(line.encode('utf-8', 'replace')):08x}"


def _entries(project: Project) -> list[tuple[float, str]]:
    """What can be read of the file, oldest first; a line cut off by a crash is passed over."""
    path = project.folder / FILE
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        notice(Failed(f"{path} cannot be read: {in_words(error)}. Delete it to begin a new list."))
        return []
    found = []
    for line in lines[-_KEPT:]:
        with suppress(ValueError, KeyError, TypeError):
            entry = json.loads(line[:-9])
            if isinstance(entry["query"], str) and line[-8:] == _sum(line[:-9]):
                found.append((float(entry["time"]), entry["query"]))
    return found
