"""What was damaged on disk, or cancelled on its way, as the terminal tells it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


def artifact(workspace, kind):
    return next(p for p in (workspace / "lab" / kind).iterdir() if not p.name.startswith("."))


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def change(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


DAMAGE = {
    "cut corpus": (
        "corpora",
        "corpus.sqlite",
        cut,
        ["search", "lab", "frost", "--model", "bm25"],
        "The corpus {id} is damaged: corpus.sqlite has ",
    ),
    "changed corpus": (
        "corpora",
        "corpus.sqlite",
        change,
        ["evaluate", "lab", "--model", "bm25"],
        "The corpus {id} is damaged: corpus.sqlite was changed. Bring the folder {folder} back from a backup; or delete it, which makes the version before the current one",
    ),
    "changed queries": (
        "queries",
        "queries.jsonl",
        change,
        ["evaluate", "lab", "--model", "bm25"],
        "The query set {id} is damaged: queries.jsonl was changed.",
    ),
    "deleted judgments": (
        "queries",
        "qrels.tsv",
        Path.unlink,
        ["evaluate", "lab", "--model", "bm25"],
        "The query set {id} is damaged: qrels.tsv is missing.",
    ),
    "cut pairs": (
        "pairs",
        "pairs.jsonl",
        cut,
        ["train", "lab", "--recipe", "fine-tune"],
        "The set of pairs {id} is damaged: pairs.jsonl has ",
    ),
    "cut manifest": (
        "corpora",
        "manifest.json",
        cut,
        ["search", "lab", "frost", "--model", "bm25"],
        "{folder}/manifest.json is damaged. Bring the folder {folder} back from a backup; or delete it,",
    ),
    "empty manifest": (
        "pairs",
        "manifest.json",
        lambda path: path.write_bytes(b""),
        ["train", "lab", "--recipe", "fine-tune"],
        "{folder}/manifest.json is damaged. Bring the folder {folder} back from a backup; or delete it,",
    ),
}


@pytest.mark.parametrize(
    ("kind", "name", "damage", "command", "message"), DAMAGE.values(), ids=DAMAGE
)
def test_damage_is_a_failure_that_names_the_file(
    refused, lab, workspace, kind, name, damage, command, message
):
    folder = artifact(workspace, kind)
    damage(folder / name)
    line = refused(*command, status=1, ignore_runs=True)
    assert line.startswith(message.format(id=folder.name, folder=folder))


def test_a_damaged_project_file(refused, lab, workspace):
    (workspace / "lab" / "project.json").write_text('{"name": "lab"')
    line = refused("models", "lab", status=1)
    assert line.startswith(f"{workspace / 'lab' / 'project.json'} is damaged: ")


def test_half_written_artifacts_are_not_there(call_cli, lab, workspace):
    models = workspace / "lab" / "models"
    for name in ("20260101-000000-000000-aaaa", ".20260101-000000-000000-bbbb.999999999.tmp"):
        (models / name).mkdir(parents=True)
        (models / name / "model.safetensors").write_bytes(b"half")
    done = call_cli("models", "lab", "--json")
    assert [model["name"] for model in json.loads(done.out)] == ["generic"]


def test_a_deleted_manifest_is_damage_too(refused, lab, workspace):
    folder = artifact(workspace, "corpora")
    (folder / "manifest.json").unlink()
    line = refused("search", "lab", "frost", "--model", "bm25", status=1, ignore_runs=True)
    assert line.startswith(f"{folder}/manifest.json is missing. Bring the folder {folder} back")


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("number", "exists"),
    [(signal.SIGTERM, False), (signal.SIGINT, True)],
    ids=["new project", "existing project"],
)
def test_a_cancelled_run_publishes_nothing(
    run_cli, tmp_path, workspace, tree, number, exists, write
):
    if exists:
        given = ("add", "lab", write("d.txt", "one\ntwo\nthree\n"), "--document-per", "line")
        assert run_cli(*given).returncode == 0
    before = {name: body for name, body in tree(workspace).items() if "/runs" not in name}
    path = tmp_path / "large.txt"
    path.write_text("".join(f"document number {n} about frost and dust\n" for n in range(200_000)))
    process = subprocess.Popen(
        [sys.executable, "cli.py", "add", "lab", str(path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr.readline() == "reading large.txt: 0 documents\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (1, "", "Cancelled. Nothing was published.\n")
    after = tree(workspace)
    assert {
        name: body for name, body in after.items() if "/runs" not in name and name != "lab"
    } == {name: body for name, body in before.items() if name != "lab"}
    states = [
        json.loads(body)["state"] for name, body in after.items() if name.endswith("status.json")
    ]
    assert sorted(states) == (["cancelled", "done"] if exists else ["cancelled"])
