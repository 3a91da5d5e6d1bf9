"""llama.cpp in a process of its own: what it does not like of a file ends that process, not this one."""

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from indexes.vector_index import Vectors
from search.projects.errors import Failed
from search.projects.settings import reader_environment

_ROOT = Path(__file__).resolve().parents[2]
_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from training.export.llama_child import main; main(sys.argv[2], int(sys.argv[3]))"
)
_ANSWER = "VECTORS "
_PATIENCE = 30.0


class LlamaChild:
    """A process that encodes texts with a GGUF, for as long as the block runs.

    :param file: the GGUF.
    :param longest: tokens of a text at most.

    >>> LlamaChild(Path("model.gguf"), 512).longest
    512
    """

    def __init__(self, file: Path, longest: int) -> None:
        self.file = file
        self.longest = longest

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CODE, str(_ROOT), str(self.file), str(self.longest)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=reader_environment(),
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()  # It serves until nobody holds its standard input.
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts: shape (texts, dimension); NaN for a text that llama.cpp does not take.

        :raises Failed: when it takes none of them, in its own words.
        """
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(list(texts)) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise _ended(self.file) from None
        for line in self._process.stdout:
            if line.startswith(_ANSWER):
                answer = json.loads(line.removeprefix(_ANSWER))
                rows = answer["vectors"]
                if not any(rows):
                    raise Failed(f"llama.cpp cannot read the export: {answer['refused']}.")
                missing = [math.nan] * len(next(filter(None, rows)))
                return np.array([row or missing for row in rows], dtype=np.float32)
        raise _ended(self.file)


def _ended(file: Path) -> Failed:
    return Failed(f"llama.cpp ended while it read {file.name}: it cannot read this model.")


def main(file: str, longest: int) -> None:
    """Answer each line of standard input, a JSON list of texts, with their vectors; the child's side."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = file
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.embedding = True
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = longest
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    server = xllamacpp.Server(parameters)
    for line in sys.stdin:
        rows: list[list[float] | None] = []
        refused = ""
        for text in json.loads(line):
            given = server.handle_embeddings({"input": [text]})
            if "error" in given:
                refused = str(given["error"].get("message", "no reason given"))[:300]
            rows.append(None if "error" in given else given["data"][0]["embedding"])
        answer = json.dumps({"vectors": rows, "refused": refused})
        sys.stdout.write(f"{_ANSWER}{answer}\n")
        sys.stdout.flush()
