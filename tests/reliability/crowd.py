"""Workers that do everything to one project at once, and write down what was acknowledged, what refused, what failed."""

import json
import multiprocessing
import random
import re
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from search.corpus.ingest import add_documents
from search.corpus.isolated.process import SPARE
from search.judging.store import JudgmentStore, Question
from search.judging.votes import ColumnPair, vote
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.deletion import delete, planned, planned_removal
from search.retrieval.search import compare
from tests.conftest import REPOSITORY
from training.data.intake import add_pairs
from training.train import train

PAIR = ColumnPair.of("generic", "bm25")
GONE = re.compile(r"There is no [a-z ]+ '[^']+' in 'lab'|was deleted meanwhile")
"""The only refusals that are true here: what was asked for was deleted by somebody else."""


class Worker:
    """One of those who work on a project; each makes names and words of its own, so that each thing can be looked for.

    :param log: where each end of an action is written, one JSON a line.
    """

    def __init__(self, project: Project, name: str, folder: Path) -> None:
        self.project, self.name = project, name
        self.log = folder / f"{name}.jsonl"
        self._folder = folder
        self._random = random.Random(f"crowd {name}")
        self._made = 0
        self._mine: list[str] = []
        self._models: list[str] = []

    def work(self, until: float) -> None:
        """Do one thing after another, each kind once before any comes again."""
        waiting: list[Callable[[], None]] = []
        while time.time() < until:
            if not waiting:
                waiting = self.actions()
                self._random.shuffle(waiting)
            action = waiting.pop()
            self.attempt(action.__name__, action)

    def actions(self) -> list[Callable[[], None]]:
        return [
            self.add,
            self.pairs,
            self.train,
            self.search,
            self.delete,
            self.vote,
            self.settings,
        ]

    def attempt(self, kind: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Refused as refusal:
            self.note("refused" if GONE.search(str(refusal)) else "error", kind, str(refusal))
        except BaseException:
            self.note("error", kind, traceback.format_exc())

    def note(self, how: str, kind: str, what: str = "") -> None:
        with self.log.open("a") as stream:
            stream.write(json.dumps([how, kind, what]) + "\n")

    def word(self) -> str:
        """A word that nobody else uses."""
        self._made += 1
        digits = f"{self.name}x{self._made}"
        return "w" + "".join(chr(ord("a") + int(d)) if d.isdecimal() else d for d in digits)

    def documents(self) -> tuple[list[str], Path]:
        """A file of two documents, and their ids."""
        words = [self.word(), self.word()]
        path = self._folder / f"{words[0]}.jsonl"
        rows = [
            {"_id": word, "text": f"The {word} affects the hand after frost."} for word in words
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return words, path

    def add(self) -> None:
        words, path = self.documents()
        add_documents(self.project, [path])
        self._added(words)

    def _added(self, words: list[str]) -> None:
        self._mine += words
        for word in words:
            self.note("done", "add", word)

    def pairs(self) -> None:
        words = [self.word() for _ in range(8)]
        path = self._folder / f"{words[0]}.json"
        rows = [
            {"query": f"{word} and {word}q or {word}r", "response": f"{word} is treated by {word}s"}
            for word in words
        ]
        path.write_text(json.dumps(rows))
        add_pairs(self.project, path, add_responses=True)
        for row in rows:
            self.note("done", "pairs", row["query"])

    def train(self) -> None:
        name = self.word()
        train(self.project, "word2vec", name, {"epochs": 1, "vector_size": 16})
        self._models.append(name)
        self.note("done", "train", name)

    def search(self) -> None:
        word = self._random.choice(self._mine) if self._mine else "velkorin"
        result = compare(self.project, word, ["bm25"], k=3).results[0]
        if self._mine:
            assert result.hits and result.hits[0].id == word, f"{word} was added and is not found"
        self.note("done", "search")

    def delete(self) -> None:
        """A model of one's own, or a version of the corpus that is not the newest (others may delete it first)."""
        if self._models and self._random.random() < 0.5:
            name = self._models.pop(0)
            delete(planned_removal(self.project, name))
            self.note("done", "delete", name)
            return
        old = [folder.name for folder in self.project.folders("corpora")[1:]]
        if old:
            delete(planned(self.project, "corpora", self._random.choice(old)))
            self.note("done", "delete")

    def vote(self) -> None:
        word = self.word()
        store = JudgmentStore.of(self.project)
        store.join(self.name)
        store.ask([Question(word, f"what is {word}", "typed")])
        store.add([vote(self.name, word, PAIR, "first", token=word)])
        self.note("done", "vote", word)

    def settings(self) -> None:
        word = self.word()
        self.project.change(lambda now: {"examples": [*now.examples, word]})
        self.note("done", "settings", word)


class Typist(Worker):
    """Somebody who works by the real command line."""

    def actions(self) -> list[Callable[[], None]]:
        return [self.add, self.search, self.train, self.delete]

    def add(self) -> None:
        words, path = self.documents()
        said = self._typed("add", "lab", str(path))
        assert "2 documents added" in said, said
        self._added(words)

    def search(self) -> None:
        word = self._random.choice(self._mine) if self._mine else "velkorin"
        said = self._typed("search", "lab", word, "--model", "bm25", "-k", "3", "--json")
        hits = json.loads(said)["results"]["bm25"]["hits"]
        if self._mine:
            assert hits and hits[0]["id"] == word, f"{word} was added and is not found"
        self.note("done", "search")

    def train(self) -> None:
        name = self.word()
        settings = ("--set", "epochs=1", "--set", "vector_size=16")
        self._typed("train", "lab", "--recipe", "word2vec", "--name", name, *settings)
        self._models.append(name)
        self.note("done", "train", name)

    def delete(self) -> None:
        if self._models:
            name = self._models.pop(0)
            self._typed("delete", "lab", "model", name, "--yes")
            self.note("done", "delete", name)

    def _typed(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "cli.py", *arguments],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 2:
            raise Refused(done.stderr)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout


def crowd(project: Project, folder: Path, seconds: float) -> dict[str, list[list[str]]]:
    """Let four processes of four threads each, and four who type, work for so long.

    :returns: by how it ended (done, refused, error): what was done, and to what.
    """
    until = time.time() + seconds
    context = multiprocessing.get_context("fork")
    forks = [context.Process(target=_fork, args=(project, folder, n, until)) for n in range(4)]
    for fork in forks:
        fork.start()
    _together([Typist(project, f"t{n}", folder) for n in range(4)], until)
    for fork in forks:
        fork.join()
    assert [fork.exitcode for fork in forks] == [0, 0, 0, 0]
    ended: dict[str, list[list[str]]] = {"done": [], "refused": [], "error": []}
    for log in sorted(folder.glob("*.jsonl")):
        if not log.name.startswith("w"):
            for line in log.read_text().splitlines():
                how, kind, what = json.loads(line)
                ended[how].append([kind, what])
    return ended


def _fork(project: Project, folder: Path, number: int, until: float) -> None:
    # The reader of the process that was forked answers that one.
    SPARE._child, SPARE.reuse = None, True
    _together([Worker(project, f"f{number}{n}", folder) for n in "abcd"], until)
    SPARE.reuse = False
    SPARE.give_back(SPARE.take())


def _together(workers: list[Worker], until: float) -> None:
    threads = [threading.Thread(target=worker.work, args=(until,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def counted(ended: dict[str, list[list[str]]]) -> str:
    """What was done how often, in words."""
    parts = [
        f"{how}: "
        + ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(k for k, _ in all_).items()))
        for how, all_ in ended.items()
    ]
    return "; ".join(parts)
