"""What a chat server answered, in a file of the project: on disk before it is used, and never asked for twice."""

import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from typing import Any

from search.models.api.chat import ChatAnswer, Messages
from search.models.api.settings import ChatSettings
from search.projects.errors import Failed, in_words
from search.projects.files import PRIVATE_FOLDER, append_line, flush
from search.projects.project import Project
from search.retrieval.deletion import ANSWERS

FILE = f"{ANSWERS}/chat/answers.jsonl"


def key_of(settings: ChatSettings, messages: Messages) -> str:
    """What an answer is found again by: a hash over the server, the model, the longest answer and what was said."""
    said: list[Any] = [settings.base_url, settings.model, settings.answer_tokens]
    said += [dict(message) for message in messages]
    return hashlib.sha256(
        json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
    ).hexdigest()


class AnswerFile:
    """The answers of a project: a line each, with its checksum. A line that was cut off or changed is asked for again.

    >>> from pathlib import Path
    >>> AnswerFile(Project(Path("workspace/Law"))).read()
    {}
    """

    def __init__(self, project: Project) -> None:
        self._path = project.folder / FILE

    def read(self) -> dict[str, ChatAnswer]:
        """All answers by their keys."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Failed(f"{self._path} cannot be read: {in_words(error)}.") from None
        found: dict[str, ChatAnswer] = {}
        for line in lines:
            if line[-8:] == _sum(line[:-9]):
                content: Mapping[str, Any] = json.loads(line[:-9])
                found[content["key"]] = ChatAnswer(**content["answer"])
        return found

    def add(self, key: str, document: str, answer: ChatAnswer) -> None:
        """Hold an answer; it is on disk when this returns.

        :param document: the id of the document that it is about.
        :raises Failed: when it cannot be written: then no more should be paid for.
        """
        content = {"key": key, "document": document, "answer": answer._asdict()}
        line = json.dumps(content, ensure_ascii=True).encode()
        try:
            fresh = not os.path.lexists(self._path)
            self._path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            append_line(self._path, line + b" " + _sum(line))
            flush(self._path)
            if fresh:
                flush(self._path.parent)
        except OSError as error:
            raise Failed(
                f"An answer cannot be written into {self._path}: {in_words(error)}. Nothing more was asked."
            ) from None


def _sum(line: bytes) -> bytes:
    return f"{zlib.crc32(line):08x}".encode()
