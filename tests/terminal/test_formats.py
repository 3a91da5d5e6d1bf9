"""A project that the code before format numbers made: refused in one sentence, its votes and query sets come out."""

import csv
import json
import zipfile

import pytest
from typer.testing import CliRunner

from cli import app
from search.projects.errors import OtherFormat
from search.projects.info import FORMAT
from search.projects.project import project, project_to_be, projects, unusable_projects
from tests.conftest import REPOSITORY

NAME = "old clinic"
COMMANDS = [
    ["import", NAME, "FILE"],
    ["add", NAME, "FILE"],
    ["pairs", NAME, "FILE"],
    ["queries", NAME, "FILE"],
    ["sample", NAME, "medical"],
    ["report", NAME],
    ["versions", NAME],
    ["index", NAME],
    ["train", NAME, "--recipe", "word2vec"],
    ["models", NAME],
    ["search", NAME, "blood"],
    ["evaluate", NAME],
    ["judgments", NAME],
    ["judgments", NAME, "--json"],
    ["judgments", NAME, "--import", "FILE"],
    ["export", NAME, "generic", "FOLDER"],
]


@pytest.fixture
def old(workspace):
    with zipfile.ZipFile(REPOSITORY / "tests" / "project_of_format_1.zip") as archive:
        archive.extractall(workspace / NAME)
    return workspace / NAME


def test_a_command_refuses_it_in_one_sentence(old, refused):
    assert refused("search", NAME, "blood") == (
        f"The files of the project 'old clinic' are of format 1, and this version of Bespoke reads format {FORMAT}: "
        "take its votes and query sets out (python cli.py judgments 'old clinic' --export FILE.csv; "
        f"python cli.py queries 'old clinic' --export FOLDER), delete the folder {old}, and make the project anew "
        "from its documents."
    )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_so_does_every_command(old, tree, tmp_path, arguments):
    (tmp_path / "file.jsonl").write_text('{"id": "a", "text": "b"}\n')
    places = {"FILE": tmp_path / "file.jsonl", "FOLDER": tmp_path / "folder"}
    before = tree(old)
    done = CliRunner().invoke(app, [str(places.get(argument, argument)) for argument in arguments])
    assert isinstance(done.exception, OtherFormat)
    assert done.stdout == ""
    assert tree(old) == before


def test_its_votes_come_out(old, call_cli, tmp_path):
    assert call_cli("judgments", NAME, "--export", str(tmp_path / "all.csv")).status == 0
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(r["kind"], r["judge"], r["question"], r["vote"] or r["grade"]) for r in rows] == [
        ("vote", "Anna", "what makes blood thinner", "first"),
        ("vote", "Ben", "what makes blood thinner", "both"),
        ("grade", "Anna", "what makes blood thinner", "3"),
        ("grade", "Ben", "what makes blood thinner", "2"),
        ("grade", "Ben", "how is blood sugar lowered", "1"),
    ]
    assert call_cli("judgments", NAME, "--export", str(tmp_path / "all.qrels")).status == 0
    assert (tmp_path / "all.qrels").read_text() == "q1\t0\td1\t2\nq2\t0\td2\t1\n"


def test_its_query_sets_come_out_and_into_a_new_project(old, call_cli, tmp_path):
    folder = tmp_path / "sets"
    done = call_cli("queries", NAME, "--export", str(folder))
    assert (done.status, done.out) == (0, f"2 query sets written to {folder}.\n")
    rows = map(json.loads, (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines())
    assert {row["_id"]: row["text"] for row in rows} == {
        "q1": "what makes blood thinner",
        "q2": "how is blood sugar lowered",
        "q3": "Was senkt Cholesterin – schnell?",
    }
    assert (folder / "qrels" / "test.tsv").read_text() == (
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\nq3\td4\t1\n"
    )
    [earlier] = (folder / "earlier").iterdir()
    assert len((earlier / "queries.jsonl").read_text().splitlines()) == 2
    assert len((earlier / "qrels" / "test.tsv").read_text().splitlines()) == 4

    documents = tmp_path / "documents.jsonl"
    documents.write_text("".join(f'{{"_id": "d{n}", "text": "text {n}"}}\n' for n in range(1, 5)))
    assert call_cli("add", "new", str(documents)).status == 0
    qrels = folder / "qrels" / "test.tsv"
    done = call_cli("queries", "new", str(folder / "queries.jsonl"), "--qrels", str(qrels))
    assert "3 test queries." in done.out


def test_an_export_is_whole_or_not_there(old, call_cli, tmp_path):
    occupied = tmp_path / "occupied"
    occupied.mkdir()
    (occupied / "mine").write_text("stays")
    done = call_cli("queries", NAME, "--export", str(occupied))
    assert done.status == 2 and "exists and is not empty" in done.err
    assert [path.name for path in occupied.iterdir()] == ["mine"]
    newest = max((old / "queries").iterdir())
    (newest / "qrels.tsv").write_text("changed")
    done = call_cli("queries", NAME, "--export", str(tmp_path / "out"))
    assert done.status == 1 and "is damaged: qrels.tsv has " in done.err
    assert sorted(path.name for path in tmp_path.glob("*out*")) == []
    assert list(tmp_path.glob(".bespoke-*")) == []


def test_an_export_goes_alone(old, call_cli, tmp_path):
    done = call_cli("queries", NAME, "FILE", "--export", str(tmp_path / "out"))
    assert done.status == 2 and "goes without QUERIES and --qrels" in done.err
    done = call_cli("queries", NAME)
    assert done.status == 2


def test_other_projects_stay_usable(old, workspace):
    made = project_to_be("new").create()
    assert made.info.format == FORMAT
    assert [one.name for one in projects()] == ["new"]
    [(unusable, error)] = unusable_projects()
    assert unusable.name == NAME and isinstance(error, OtherFormat)


def test_a_project_of_a_later_format_asks_for_the_version_that_wrote_it(workspace):
    folder = project_to_be("ahead").create().folder
    (folder / "project.json").write_text(
        json.dumps({"format": FORMAT + 1, "name": "ahead", "made": 1})
    )
    with pytest.raises(OtherFormat, match=r"are of format 4, .* use the version that wrote them"):
        project("ahead")
