"""The pages that people read, taken apart: commands in fenced blocks, links, headings."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY

PAGES = (
    REPOSITORY / "README.md",
    REPOSITORY / "ARCHITECTURE.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
)
_BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
_ASSIGNED = re.compile(r"[A-Z_]+=\S*$")


@dataclass(frozen=True)
class Command:
    """A line of a block that is marked `sh`; `server` where the mark says that it needs a server."""

    page: str
    words: tuple[str, ...]
    server: bool

    @property
    def own(self) -> tuple[str, ...] | None:
        """What `cli.py` is given, if the line starts it: by python, by torchrun, with variables before it."""
        starts = self.words and (
            self.words[0] in ("python", "torchrun") or _ASSIGNED.match(self.words[0])
        )
        if not starts or "cli.py" not in self.words:
            return None
        return self.words[self.words.index("cli.py") + 1 :]


def name_of(page: Path) -> str:
    """A page as its path in the project."""
    return page.relative_to(REPOSITORY).as_posix()


def infos(page: Path) -> list[str]:
    """What the fenced blocks of a page are marked with."""
    return [block["info"].strip() for block in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def bodies(page: Path, info: str) -> list[str]:
    """What the fenced blocks with this mark hold."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [block["body"] for block in found if block["info"].strip() == info]


def commands(page: Path) -> list[Command]:
    """The commands of a page, in its order."""
    found = []
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        kind, *marks = block["info"].split() or [""]
        if kind != "sh":
            continue
        for line in block["body"].splitlines():
            if words := shlex.split(line, comments=True):
                found.append(Command(name_of(page), tuple(words), "server" in marks))
    return found


def links(page: Path) -> list[str]:
    """The targets of a page's links that lead to files of the project."""
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    found = [match["target"] for match in _LINK.finditer(prose)]
    return [target for target in found if "://" not in target]


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may end in, as GitHub makes it."""
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", m["text"].lower()) for m in _HEADING.finditer(prose))
    return {text.strip().replace(" ", "-") for text in plain}
