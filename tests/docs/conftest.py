"""A workspace of ten documents with a tiny model in generic's place, and the files that the pages name."""

import csv
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

import cli
from tests.conftest import tiny_query, tiny_text

IDS = ("1234", *(f"d{number}" for number in range(1, 10)))
TRAIN, DEV, TEST = range(6), range(6, 8), range(8, 10)


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


def here(*arguments: str) -> Done:
    """Run a command of the terminal in this process, as `python cli.py` does."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["cli.py", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        sys.argv = before
    return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())


READY = (
    "import cfpb ../shared/data/ask_cfpb",
    "add-model cfpb tiny --default",
    "judgments cfpb --import grades.tsv --queries own.jsonl --judge Anna",
    "add letters more.csv --text-column body",
    "add tenancy cases.xlsx",
    "add-model tenancy tiny --default",
    "import PROJECT ../shared/data/ask_cfpb",
    "add-model PROJECT tiny --default",
)
TRAINED = ("train cfpb --recipe adapter --name mine --set epochs=2",)


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, tiny_cross_encoder: Path
) -> Path:
    """A folder with `main`, where commands are typed, and the projects and files that they name; made once."""
    folder = tmp_path_factory.mktemp("docs")
    main, beir = folder / "main", folder / "shared" / "data" / "ask_cfpb"
    (main / "leases").mkdir(parents=True)
    shutil.copytree(tiny_model, main / "tiny")
    shutil.copytree(tiny_model, main / "my-bert")
    _ask_otherwise(main / "my-bert")
    shutil.copytree(tiny_cross_encoder, main / "cross-encoder")
    _write_beir(beir)
    _write_files(main)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_DEVICE", "cpu")
        patch.chdir(main)
        _type(READY, main / "workspace", patch)
        shutil.copytree(main / "workspace", main / "trained")
        _type(TRAINED, main / "trained", patch)
    return main


def _type(lines: tuple[str, ...], home: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("BESPOKE_HOME", str(home))
    for line in lines:
        done = here(*line.split())
        assert done.status == 0, f"{line}: {done.err}"


@pytest.fixture
def typist(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bool], Callable[..., Done]]:
    """Runs commands in a copy of what was prepared, one after the other: with the model `mine` there, or not yet."""

    def begin(trained: bool) -> Callable[..., Done]:
        shutil.copytree(prepared.parent, tmp_path / "docs")
        main = tmp_path / "docs" / "main"
        monkeypatch.chdir(main)
        monkeypatch.setenv("BESPOKE_HOME", str(main / ("trained" if trained else "workspace")))
        return here

    return begin


def _ask_otherwise(model: Path) -> None:
    """Make of a copy a model of its own: one that wants a prompt before each query."""
    path = model / "config_sentence_transformers.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["prompts"] = {"query": "query: ", "document": ""}
    path.write_text(json.dumps(settings), encoding="utf-8")


def _write_beir(folder: Path) -> None:
    """Ten documents; two questions for each, in the splits of their documents."""
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "title": "", "text": tiny_text(n)} for n, name in enumerate(IDS)]
    queries = {f"{n}-{shape}": tiny_query(n, shape) for n in range(10) for shape in (0, 1)}
    _write_rows(folder / "corpus.jsonl", corpus)
    _write_rows(folder / "queries.jsonl", [{"_id": q, "text": t} for q, t in queries.items()])
    for split, documents in (("train", TRAIN), ("dev", DEV), ("test", TEST)):
        rows = [f"{n}-{shape}\t{IDS[n]}\t1" for n in documents for shape in (0, 1)]
        _write_qrels(folder / "qrels" / f"{split}.tsv", rows)


def _write_files(main: Path) -> None:
    """The files that the pages name: documents, pairs, judged questions."""
    for name, numbers in (("letters.csv", range(10)), ("more.csv", range(10, 24))):
        _write_table(main / name, [["id", "body"], *([f"n{n}", tiny_text(n)] for n in numbers)])
    pairs = [
        {"query": tiny_query(n, s), "response": tiny_text(n)} for n in range(10) for s in (0, 1)
    ]
    (main / "pairs.json").write_text(json.dumps(pairs), encoding="utf-8")
    asked = {f"q{n}": tiny_query(n, 2) for n in range(10)}
    _write_rows(main / "queries.jsonl", [{"_id": q, "text": t} for q, t in asked.items()])
    _write_qrels(main / "qrels.tsv", [f"q{n}\tn{n}\t1" for n in range(10)])
    own = {f"own{n}-{shape}": (n, shape) for n in range(10) for shape in (2, 3)}
    texts = [{"_id": name, "text": tiny_query(*asked_of)} for name, asked_of in own.items()]
    _write_rows(main / "own.jsonl", texts)
    _write_qrels(main / "grades.tsv", [f"{name}\t{IDS[n]}\t3" for name, (n, _) in own.items()])
    judged = ([text, f"n{name[1:]}", 1] for name, text in asked.items())
    _write_table(main / "judged.csv", [["query", "document_id", "grade"], *judged])
    _write_cases(main)


def _write_cases(main: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "text", "kind", "year"])
    for number, kind in enumerate(("case", "statute", "blog", "case")):
        sheet.append([f"c{number}", tiny_text(number), kind, 2013 + number])
    book.save(main / "cases.xlsx")
    (main / "leases" / "lease.txt").write_text(tiny_text(20), encoding="utf-8")
    with zipfile.ZipFile(main / "opinions.zip", "w") as archive:
        archive.writestr("opinion.txt", tiny_text(21))


def _write_table(path: Path, rows: list[list[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)


def _write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _write_qrels(path: Path, rows: list[str]) -> None:
    path.write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n", encoding="utf-8")
