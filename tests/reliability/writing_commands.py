"""Every command that writes, what has to be there before it, and the files that it reads."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search.evaluation.query_sets.query_set import current_query_set
from search.judging.setup import Setup
from search.judging.store import JudgmentStore
from search.judging.votes import grade, vote
from search.models.pretrained.add import Choices, add_model
from search.projects.project import project
from search.retrieval.history import remember
from tests.bad_server import bad_server
from tests.conftest import tiny_query, tiny_text, write_tiny_beir

Line = tuple[str, ...]
HERE = "tests.reliability.writing_commands"


@dataclass(frozen=True)
class Writing:
    """A command that writes.

    :param name: what the table calls it.
    :param stage: what has to be there before; see `STAGES`.
    :param line: what is asked, after `cli.py`; one that begins with `call` names a function.
    :param together: what it writes appears together; else in steps, each whole.
    :param in_passing: what it writes is no reason to fail where it cannot be written.
    :param points: before how many of its changes it is killed in the whole proof, where it makes so many.
    :param sampled: how many kills, full and broken disks are tried in the slow suite; nothing of what needs a model.
    """

    name: str
    stage: str
    line: Line
    together: bool = True
    points: int = 36
    in_passing: bool = False
    sampled: tuple[int, ...] = ()

    def count(self, share: float) -> int:
        """How many faults of a kind are tried in the whole proof.

        :param share: for one kill.
        """
        return max(1, round(self.points * share))


def judge() -> None:
    """Anna grades and votes on some test questions, and on some of her own."""
    lab = project("lab")
    store, pair = JudgmentStore.of(lab), Setup("bm25", "words").pair
    _, held = current_query_set(lab)
    store.join("Anna")
    for question in list(held.queries)[:6]:
        store.add([vote("Anna", question, pair, "first")])
        store.add([grade("Anna", question, next(iter(held.relevant(question))), 3)])
    for number in range(1, 39, 2):
        own = store.ask_typed(tiny_query(number, 2).replace("caused by", "ever due to"))
        store.add([grade("Anna", own.id, f"d{number}", 3), grade("Anna", own.id, "d9", 0)])


def vote_once() -> None:
    """One vote, as a page keeps it."""
    store = JudgmentStore.of(project("lab"))
    store.add([vote("Anna", "test-1", Setup("bm25", "words").pair, "second", token="t1")])


def take_back() -> None:
    """Take the last thing back that was said."""
    JudgmentStore.of(project("lab")).undo("Anna")


def damage() -> None:
    """Damage an index and the settings."""
    lab = project("lab")
    for path in lab.folder.glob("indexes/*/vectors.npy"):
        path.write_bytes(path.read_bytes()[:-1])
    (lab.folder / ".1234.grave.tmp").mkdir()
    (lab.folder / "project.json").write_text("{")


def add_from_a_server() -> None:
    """Add a model that a server computes; the server is gone afterwards."""
    with bad_server() as server:
        add_model(project("lab"), "far", Choices(name="far", server={"base_url": server.url}))


def search_history() -> None:
    """Note what was asked."""
    remember(project("lab"), "velkorin in the hand")


@dataclass(frozen=True)
class Inputs:
    """The files that commands read; a command's line names them in braces."""

    folder: Path
    tiny_model: Path | None = None
    cross_encoder: Path | None = None

    def write(self) -> None:
        """Write them."""
        self.folder.mkdir(parents=True)
        write_tiny_beir(self.folder / "beir")
        rows = [{"id": f"n{n}", "text": tiny_text(n).replace("the", "a")} for n in range(6)]
        (self.folder / "new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        asked = [
            {
                "query": f"who pays for {n} {word}",
                "response": f"{word} number {n} is paid by the office",
            }
            for n in range(4)
            for word in ("frost", "dust", "noise")
        ]
        (self.folder / "pairs.json").write_text(json.dumps(asked))
        (self.folder / "judged.csv").write_text(
            "query,document,grade\nwho treats frost,d1,3\nwho treats frost,d2,0\nwhat is dust,d3,2\n"
        )
        for source, name in ((self.tiny_model, "model"), (self.cross_encoder, "reader")):
            if source is not None:
                shutil.copytree(source, self.folder / name)

    def fill(self, line: Sequence[str], base: Path) -> list[str]:
        """A command's line with the paths of a case.

        :param base: the case's folder.
        """
        words = {"in": str(self.folder), "out": str(base / "out")}
        return [part.format(**words) for part in line]


_WORDS: Line = ("train", "lab", "--recipe", "word2vec", "--name", "words", "--set", "epochs=2")
_ADAPTER: Line = ("train", "lab", "--recipe", "adapter", "--name", "turned", "--set", "epochs=3")
_TUNE: Line = ("train", "lab", "--recipe", "fine-tune", "--name", "tuned", "--set", "epochs=1")
_COLUMNS: Line = ("--column", "words", "--column", "bm25")
_SEARCH: Line = ("search", "lab", "velkorin in the hand")
_SEAL: Line = ("queries", "lab", "--seal", "0.7")
_BACKUP = "{out}/lab.backup"

STAGES: dict[str, tuple[str | None, tuple[Line, ...]]] = {
    # Which stage comes before, and what is done after it.
    "nothing": (None, ()),
    "imported": ("nothing", (("import", "lab", "{in}/beir"),)),
    "backed up": ("imported", (_SEAL, ("backup", "lab", _BACKUP))),
    "judged": ("imported", (("call", f"{HERE}:judge"),)),
    "versions": ("judged", (("add", "lab", "{in}/new.jsonl"), ("index", "lab", "--model", "bm25"))),
    "tiny": (
        "imported",
        (("add-model", "lab", "{in}/model", "--name", "small", "--default"), ("add", "other", "{in}/new.jsonl")),
    ),
    "served": ("imported", (("call", f"{HERE}:add_from_a_server"),)),
    "members": ("imported", (("members", "lab", "--add", "a@b.example", "--owner"), ("members", "lab", "--add", "c@d.example"))),
    "second": ("tiny", (("add-model", "lab", "static", "--name", "light"),)),
    "reranker": ("tiny", (("add-reranker", "lab", "{in}/reader", "--name", "reader"),)),
    "trained": ("tiny", (_WORDS, _ADAPTER, _TUNE)),
    "sealed": ("trained", (_SEAL,)),
    "indexed": (
        "trained",
        (
            (*_SEARCH, "--model", "words", "--model", "small", "--model", "bm25"),
            ("evaluate", "lab", "--model", "words", "--model", "bm25"),
            ("report", "lab"), ("map", "lab", "--model", "words"), ("call", f"{HERE}:judge"),
        ),
    ),
    "damaged": ("indexed", (("call", f"{HERE}:damage"),)),
}  # fmt: skip

COMMANDS = (
    Writing("import", "nothing", ("import", "lab", "{in}/beir"), points=100, sampled=(12, 3, 1)),
    Writing("add, a new project", "nothing", ("add", "lab", "{in}/new.jsonl"), points=60),
    Writing("add", "imported", ("add", "lab", "{in}/new.jsonl"), points=70),
    Writing("cut", "imported", ("cut", "lab", "--passage-tokens", "16"), points=60),
    Writing("pairs", "imported", ("pairs", "lab", "{in}/pairs.json"), points=60, sampled=(8, 2, 1)),
    Writing("pairs, a new project", "nothing", ("pairs", "lab", "{in}/pairs.json", "--add-responses"), points=60),
    Writing(
        "pairs --add-responses", "imported", ("pairs", "lab", "{in}/pairs.json", "--add-responses"),
        points=80,
    ),
    Writing(
        "queries", "imported", ("queries", "lab", "{in}/beir/queries.jsonl", "--qrels", "{in}/beir/qrels/dev.tsv"), points=60, sampled=(6, 2, 0),
    ),
    Writing("queries --export", "imported", ("queries", "lab", "--export", "{out}/queries"), points=12, sampled=(3, 1, 0)),
    Writing("queries --seal", "imported", _SEAL, points=12),
    Writing("report", "imported", ("report", "lab"), points=50),
    Writing("versions --delete", "versions", ("versions", "lab", "1", "--delete", "--yes")),
    Writing("members --add", "imported", ("members", "lab", "--add", "a@b.example"), points=15, sampled=(4, 1, 1)),
    Writing("add-model", "imported", ("add-model", "lab", "{in}/model", "--name", "small", "--default")),
    Writing("default-model", "tiny", ("default-model", "lab", "all-MiniLM-L6-v2"), points=12),
    Writing("remove-model", "second", ("remove-model", "lab", "light", "--yes"), points=20),
    Writing("add-reranker", "tiny", ("add-reranker", "lab", "{in}/reader", "--name", "reader"), points=20),
    Writing("remove-reranker", "reranker", ("remove-reranker", "lab", "reader"), points=15),
    Writing("index", "tiny", ("index", "lab", "--model", "small"), together=False, points=45),
    Writing("index --type hnsw", "trained", ("index", "lab", "--model", "words", "--type", "hnsw"), points=40),
    Writing("index, keyword", "imported", ("index", "lab", "--model", "bm25"), points=60),
    Writing("index, a later version", "versions", ("index", "lab", "--model", "bm25"), points=30),
    Writing("train word2vec", "tiny", _WORDS, points=50),
    Writing("train fasttext", "tiny", ("train", "lab", "--recipe", "fasttext", "--name", "f", "--set", "epochs=1"), points=20),
    Writing("train adapter", "tiny", _ADAPTER, together=False, points=40),
    Writing("train fine-tune", "tiny", _TUNE, together=False, points=30),
    Writing(
        "train static", "tiny", ("train", "lab", "--recipe", "static", "--name", "quick", "--set", "epochs=1"),
        together=False, points=8,
    ),
    Writing(
        "train auto", "tiny", ("train", "lab", "--recipe", "auto", "--name", "best", "--set", "minutes=0.1"),
        together=False, points=6,
    ),
    Writing("blend", "trained", ("blend", "lab", "turned"), together=False, points=20),
    Writing("blend --share", "trained", ("blend", "lab", "turned", "--share", "0.5", "--name", "half"), points=25, together=False),
    Writing("export", "trained", ("export", "lab", "turned", "{out}/model"), points=15),
    Writing("mine", "imported", ("mine", "lab"), points=40),
    Writing("mine --save", "imported", ("mine", "lab", "--save", "--replace"), points=50, together=False),
    Writing("curve", "tiny", ("curve", "lab", "--set", "epochs=2"), together=False, points=8),
    Writing("advise", "tiny", ("advise", "lab"), together=False, points=12),
    Writing("search, which indexes", "trained", (*_SEARCH, "--model", "words", "--model", "bm25"), together=False, points=45),
    Writing("evaluate", "trained", ("evaluate", "lab", "--model", "words", "--model", "bm25"), together=False, points=40),
    Writing(
        "evaluate --open-seal", "sealed", ("evaluate", "lab", "--open-seal", "--model", "words"), together=False, points=40,
    ),
    Writing("prepare", "trained", ("prepare", "lab", "--model", "words"), together=False, points=30),
    Writing("words", "tiny", ("words", "lab", "small", "frost"), together=False, points=30),
    Writing("explain", "trained", ("explain", "lab", "velkorin hand", "d0", "--model", "turned"), together=False, points=25),
    Writing("map", "trained", ("map", "lab", "--model", "words"), together=False, points=30),
    Writing("questions", "trained", ("questions", "lab", *_COLUMNS, "--goal", "4"), together=False, points=40),
    Writing(
        "judgments --import", "imported", ("judgments", "lab", "--import", "{in}/judged.csv"), together=False,
        points=50, sampled=(5, 1, 0),
    ),
    Writing("judgments --import, later", "judged", ("judgments", "lab", "--import", "{in}/judged.csv"), together=False, points=20),
    Writing("judgments --export", "judged", ("judgments", "lab", "--export", "{out}/votes.csv"), points=8),
    Writing("judgments --to-queries", "judged", ("judgments", "lab", "--to-queries"), points=50, sampled=(5, 1, 1)),
    Writing("judgments --to-pairs", "judged", ("judgments", "lab", "--to-pairs"), points=60),
    Writing("judgments to both", "judged", ("judgments", "lab", "--to-queries", "--to-pairs"), together=False, points=80),
    Writing("a vote", "judged", ("call", f"{HERE}:vote_once"), points=10, sampled=(3, 1, 0)),
    Writing("a vote taken back", "judged", ("call", f"{HERE}:take_back"), points=10),
    Writing("a question noted", "imported", ("call", f"{HERE}:search_history"), points=5, in_passing=True),
    Writing("delete, a project", "indexed", ("delete", "lab", "--yes"), points=40),
    Writing("delete --vectors", "indexed", ("delete", "lab", "--vectors", "--yes"), points=40),
    Writing("delete corpus", "versions", ("delete", "lab", "corpus", "1", "--yes")),
    Writing("delete pairs", "imported", ("delete", "lab", "pairs", "{id}", "--yes"), points=20, sampled=(3, 0, 0)),
    Writing("delete queries", "indexed", ("delete", "lab", "queries", "{id}", "--yes"), points=30),
    Writing("delete model", "indexed", ("delete", "lab", "model", "words", "--yes"), points=30),
    Writing("delete index", "indexed", ("delete", "lab", "index", "{id}", "--yes"), points=20),
    Writing("delete evaluation", "indexed", ("delete", "lab", "evaluation", "{id}", "--yes"), points=20),
    Writing("rename, a project", "judged", ("rename", "lab", "den"), points=25, sampled=(4, 1, 0)),
    Writing("rename --model", "trained", ("rename", "lab", "wordy", "--model", "words"), points=12),
    Writing("backup", "judged", ("backup", "lab", "{out}/lab.backup"), points=50, sampled=(4, 1, 1)),
    Writing("restore", "backed up", ("restore", _BACKUP, "--name", "copy"), points=50, sampled=(3, 1, 0)),
    Writing("members --remove", "members", ("members", "lab", "--remove", "c@d.example"), points=12),
    Writing("change-model", "served", ("change-model", "lab", "far", "--batch-texts", "7"), points=12),
    Writing("index, MiniLM", "imported", ("index", "lab"), together=False, points=12),
    Writing(
        "train adapter, MiniLM", "imported", ("train", "lab", "--recipe", "adapter", "--set", "epochs=2"),
        together=False, points=6,
    ),
    Writing("check --repair", "damaged", ("check", "--repair"), together=False, points=40),
)  # fmt: skip
