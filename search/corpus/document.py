"""What a document is: an id, a title, a text, and where in the text its headings and pages begin."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heading:
    """From `start` (a character of the text) up to the next mark, this heading and page hold.

    `heading` may be empty; `page` counts from 1 and is None where the file has no pages.
    """

    start: int
    heading: str = ""
    page: int | None = None


@dataclass(frozen=True)
class Document:
    """One document: an id that is unique in its corpus, a title (may be empty) and a text.

    `marks` are in order of their start; none for a text without headings and pages. `where` says where in
    its file it stands, for messages.
    """

    id: str
    title: str
    text: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[Heading, ...] = ()
    where: str = field(default="", compare=False)

    @property
    def embedded(self) -> str:
        """What a model sees of it where it is one passage: title and text, as BEIR does."""
        return f"{self.title} {self.text}".strip()
