"""Bad input at the terminal: one clear line, the right exit status, and nothing changed.

All of these run cli.py in a process of its own, as a person does. None loads a model.
"""

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PROGRESS = re.compile(
    r"(reading|splitting|keeping|searching|indexing|loading) |\d+ pairs read from "
)


@pytest.fixture
def lab(run_cli, tiny_beir):
    """A project with a corpus, pairs and a query set."""
    made = run_cli("import", "lab", tiny_beir)
    assert (made.returncode, made.stdout) == (
        0,
        "40 documents, 60 pairs to train on, 8 dev queries, 20 test queries.\n",
    )
    return "lab"


@pytest.fixture
def write(tmp_path):
    def run(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return run


@pytest.fixture
def refused(run_cli, workspace, tree):
    """Runs a command that must be refused: exit status 2, one line, the workspace as it was."""

    def run(*arguments, status=2, ignore_runs=False):
        before = tree(workspace)
        done = run_cli(*arguments)
        after = tree(workspace)
        if ignore_runs:
            before, after = (
                {name: content for name, content in photo.items() if "/runs/" not in name}
                for photo in (before, after)
            )
        assert done.returncode == status, done.stderr
        assert after == before
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        lines = [line for line in done.stderr.splitlines() if not PROGRESS.match(line)]
        assert len(lines) == 1, done.stderr
        assert not any(name in lines[0] for name in ("Error", "Exception", "Errno"))
        return lines[0]

    return run


# --- files ------------------------------------------------------------------------------------------------

GOOD_PAIRS = [{"query": f"question {n} of{n}", "response": f"reply{n} to{n}"} for n in range(20)]
FILES = {
    "empty": ("a.csv", b"", "a.csv is empty (0 bytes)."),
    "another file": (
        "a.csv",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "a.csv is a PNG image, not CSV: rename it or give the right file.",
    ),
    "binary": (
        "a.csv",
        b"\x7fELF\x00\n",
        "a.csv, line 1: holds NUL bytes, so it is not a text file.",
    ),
    "no text column": (
        "a.csv",
        b"colour,size\nred,1\nblue,2\n",
        "a.csv has no text column: its columns are colour, size. Say which one holds the text "
        "(--text-column).",
    ),
    "broken quotes": (
        "a.csv",
        b'id,text\n1,"a\n2,b\n',
        "a.csv, row 2 (line 3): unexpected end of data. Is a quotation mark missing?",
    ),
    "JSON object": (
        "a.json",
        b'{"text": "x"}',
        "a.json is not a JSON list of objects: it starts as an object.",
    ),
    "one document": (
        "a.txt",
        b"just one line\n",
        "a.txt: a corpus needs at least 2 documents to be searched, this one would have 1. Add more "
        "documents in the same step.",
    ),
    "format": (
        "a.docx",
        b"PK",
        "a.docx is not a Word file that can be read: File is not a zip file.",
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), FILES.values(), ids=FILES)
def test_bad_documents(refused, write, workspace, name, content, message):
    assert refused("add", "new", write(name, content)) == message
    assert not (workspace / "new").exists()


def test_bad_documents_for_a_project_that_is_there(refused, lab, write):
    good = write("good.csv", "id,text\nx,one\ny,two\n")
    assert refused("add", lab, good, write("bad.csv", b'id,text\n1,"x\n')).startswith(
        "bad.csv, row 2"
    )
    assert refused("add", lab, good, "--text-column", "body") == (
        "good.csv has no column 'body'. Its columns are: id, text."
    )


def test_missing_files(refused, lab, tmp_path):
    missing = tmp_path / "missing.csv"
    assert refused("add", lab, missing) == f"There is no file or folder {missing}."
    assert refused("pairs", lab, missing) == f"There is no file {missing}."
    assert refused("import", lab, missing) == f"There is no file or folder {missing}."
    assert refused("queries", lab, missing, "--qrels", missing) == f"There is no file {missing}."
    empty = tmp_path / "folder"
    empty.mkdir()
    assert refused("add", "new", empty) == "folder holds no file that can be read."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            GOOD_PAIRS[:3],
            "p.json: 3 pairs are too few to train on and to prove anything with: at least 8 are ",
        ),
        ([{"query": "a"}, {"query": "b"}], "p.json has no response column: its columns are query."),
        (
            [{"query": "a", "response": " "}] * 9,
            "p.json holds no usable pairs: all 9 rows were refused",
        ),
        ([], "p.json holds no pairs: it is empty."),
        ({"query": "a", "response": "b"}, "p.json is not a JSON list of objects"),
        (
            [dict(p, response="same") for p in GOOD_PAIRS],
            "p.json: a corpus needs at least 2 documents",
        ),
    ],
    ids=["three", "no responses", "empty responses", "none", "object", "one response"],
)
def test_bad_pairs(refused, write, workspace, content, message):
    assert refused("pairs", "new", write("p.json", json.dumps(content))).startswith(message)
    assert not (workspace / "new").exists()


def test_pairs_about_other_documents(refused, run_cli, write):
    """A project that has documents but no pairs, and pairs that fit none of them."""
    assert run_cli("add", "docs", write("d.txt", "one\ntwo\nthree\n")).returncode == 0
    path = write("p.json", json.dumps(GOOD_PAIRS))
    assert refused("pairs", "docs", path).startswith(
        "None of the 20 responses in p.json is a document"
    )


def test_bad_queries(refused, lab, write):
    queries = write("q.jsonl", '{"_id": "1", "text": "x"}\n')
    assert refused("queries", lab, queries, "--qrels", write("r.tsv", "1\tnope\t1\n")).startswith(
        "No query of q.jsonl has a relevant document in this corpus."
    )
    assert refused("queries", lab, write("e.jsonl", "x\n"), "--qrels", queries).startswith(
        "e.jsonl holds no usable queries: all 1 rows were refused (line 1: not JSON"
    )


def test_bad_data_sets(refused, tiny_beir, tmp_path, write, workspace):
    (tiny_beir / "queries.jsonl").unlink()
    expected = (
        "is not a BEIR data set: queries.jsonl is missing. Expected corpus.jsonl, queries.jsonl, "
        "qrels/train.tsv and qrels/test.tsv."
    )
    assert refused("import", "new", tiny_beir) == f"tiny-beir {expected}"
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.write(tiny_beir / "corpus.jsonl", "../../corpus.jsonl")
        stream.write(tiny_beir / "corpus.jsonl", "corpus.jsonl")
    assert refused("import", "new", archive) == f"set.zip {expected}"
    assert refused("import", "new", write("not.zip", "PK")).startswith(
        "not.zip is not a zip that can be"
    )
    assert not (workspace / "new").exists()


def test_a_broken_character_in_the_name_of_a_field(run_cli, write, workspace, tree):
    """Done or refused, but never a traceback: JSON may name a field with half a character."""
    path = write("a.jsonl", '{"text": "one", "\\ud800": "x"}\n{"text": "two", "\\ud800": "y"}\n')
    done = run_cli("add", "new", path)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)
    if done.returncode == 2:
        assert tree(workspace) == {}


def test_a_file_name_that_is_not_utf_8(run_cli, tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    with open(path, "wb") as stream:  # noqa: PTH123
        stream.write(b"one\ntwo\n")
    done = subprocess.run(
        [sys.executable, "cli.py", "add", "new", path],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (
        0,
        b"2 documents added; the corpus has 2 in 2 passages.\n",
    )


# --- names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "name"),
    [("import", "a/b"), ("add", "../up"), ("models", "/abs"), ("train", ".hidden"), ("import", "")],
)
def test_project_names(refused, tiny_beir, command, name):
    rest = {
        "import": [tiny_beir],
        "add": [tiny_beir],
        "models": [],
        "train": ["--recipe", "word2vec"],
    }
    assert refused(command, name, *rest[command]) == (
        f"{name!r} cannot name a project: use 1 to 80 letters, digits, spaces, or . _ - + ( ), starting "
        "with a letter or digit."
    )


def test_unknown_project(refused, lab, write):
    path = write("q.jsonl", "x")
    for arguments in (
        ["models", "nope"],
        ["train", "nope", "--recipe", "word2vec"],
        ["search", "nope", "frost"],
        ["queries", "nope", path, "--qrels", path],
    ):
        assert refused(*arguments) == "There is no project 'nope'. Known projects: lab."


def test_unknown_model(refused, lab, tmp_path):
    for arguments in (
        ["search", lab, "frost", "--model", "nope"],
        ["evaluate", lab, "--model", "nope"],
        ["export", lab, "nope", tmp_path / "out"],
    ):
        assert refused(*arguments) == "There is no model 'nope' in 'lab'. Its models are: generic."
    assert not (tmp_path / "out").exists()


def test_unknown_recipe_and_settings(refused, lab):
    assert refused("train", lab, "--recipe", "magic").startswith(
        "There is no recipe 'magic'. The recipes"
    )
    cases = (
        ("epochs=none", "word2vec: epochs=none cannot be used"),
        ("colour=red", "word2vec has no setting 'colour'. Its settings are:"),
        ("epochs", "--set epochs is not of the form KEY=VALUE."),
    )
    for setting, message in cases:
        assert refused("train", lab, "--recipe", "word2vec", "--set", setting).startswith(message)
    line = refused("train", lab, "--recipe", "word2vec", "--name", "generic")
    assert line == "The name 'generic' is taken. Choose another one."


def test_work_without_its_material(refused, run_cli, write, tiny_beir):
    assert run_cli("add", "docs", write("d.txt", "one\ntwo\nthree\n")).returncode == 0
    assert refused("train", "docs", "--recipe", "fine-tune").startswith(
        "The project 'docs' has no query/response pairs, and this recipe learns from pairs."
    )
    assert refused("evaluate", "docs", "--model", "bm25").startswith(
        "The project 'docs' has no query set"
    )


@pytest.mark.parametrize("query", ["   ", "x" * 10_001])
def test_bad_query(refused, lab, query):
    assert refused("search", lab, query, "--model", "bm25").startswith("The query ")


def test_bad_number_of_hits(refused, lab):
    for k in ("0", "1001"):
        assert k.lstrip("-") in refused("search", lab, "frost", "-k", k, "--model", "bm25").replace(
            ",", ""
        )


def test_export_into_a_folder_with_something_in_it(refused, lab, write, tmp_path):
    write("something", "x")
    assert refused("export", lab, "generic", tmp_path) == (
        f"{tmp_path} exists and is not empty. Choose a new folder."
    )
    line = refused("export", lab, "generic", tmp_path / "no" / "such" / "parent")
    assert line.startswith("There is no folder ")


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ([], "Missing command"),
        (["nonsense"], "'nonsense'"),
        (["import", "lab", "x", "--nope"], "--nope"),
        (["search", "lab", "x", "-k", "many"], "'-k'"),
        (["index", "lab", "--engine", "nope"], "'faiss'"),
    ],
)
def test_usage_errors_are_one_line(run_cli, workspace, tree, arguments, wrong):
    done = run_cli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert wrong in line
    assert line.endswith(". See: python cli.py --help.")
    assert tree(workspace) == {}


# --- damage -----------------------------------------------------------------------------------------------


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
        "The corpus {id} is damaged: corpus.sqlite was changed. Delete the folder {folder} and make",
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
        "{folder}/manifest.json is damaged. Delete the folder {folder} and make it again.",
    ),
    "empty manifest": (
        "pairs",
        "manifest.json",
        lambda path: path.write_bytes(b""),
        ["train", "lab", "--recipe", "fine-tune"],
        "{folder}/manifest.json is damaged. Delete the folder {folder} and make it again.",
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


def test_half_written_artifacts_are_not_there(run_cli, lab, workspace):
    models = workspace / "lab" / "models"
    for name in ("20260101-000000-000000-aaaa", ".20260101-000000-000000-bbbb.999999999.tmp"):
        (models / name).mkdir(parents=True)
        (models / name / "model.safetensors").write_bytes(b"half")
    done = run_cli("models", "lab", "--json")
    assert [model["name"] for model in json.loads(done.stdout)] == ["generic"]


def test_a_deleted_manifest_means_no_artifact(refused, lab, workspace):
    (artifact(workspace, "corpora") / "manifest.json").unlink()
    assert refused("search", "lab", "frost", "--model", "bm25").startswith(
        "The project 'lab' has no documents yet."
    )


# --- cancelling -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "exists"),
    [(signal.SIGTERM, False), (signal.SIGINT, True)],
    ids=["new project", "existing project"],
)
def test_a_cancelled_run_publishes_nothing(
    run_cli, tmp_path, workspace, tree, number, exists, write
):
    if exists:
        assert run_cli("add", "lab", write("d.txt", "one\ntwo\nthree\n")).returncode == 0
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


# --- what comes out ---------------------------------------------------------------------------------------


def test_models_as_json(run_cli, lab):
    done = run_cli("models", lab, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (generic,) = json.loads(done.stdout)
    created = generic.pop("created")
    assert generic == {"name": "generic", "kind": "generic", "recipe": None, "dim": 384}
    assert created.startswith("20")


def test_search_as_json(run_cli, lab):
    done = run_cli("search", lab, "dromirin in the knee", "--model", "bm25", "-k", "3", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert set(found) == {"query", "k", "results"}
    assert (found["query"], found["k"], list(found["results"])) == (
        "dromirin in the knee",
        3,
        ["bm25"],
    )
    result = found["results"]["bm25"]
    assert set(result) == {"hits", "ms", "encode_ms", "search_ms"}
    assert isinstance(result["ms"], float)
    assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3]
    first = result["hits"][0]
    assert set(first) == {"rank", "id", "score", "title", "text"}
    assert (first["id"], first["title"]) == ("d1", "Dromirin")
    assert first["text"].startswith("Dromirin affects the knee after dust.")
    scores = [hit["score"] for hit in result["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_evaluate_as_json(run_cli, lab):
    done = run_cli("evaluate", lab, "--model", "bm25", "--json")
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert set(result) == {"queries", "models", "comparisons"}
    assert (result["queries"], list(result["models"]), result["comparisons"]) == (20, ["bm25"], [])
    scores = result["models"]["bm25"]
    assert list(scores) == ["ndcg@10", "mrr@10", "recall@10", "recall@100", "map@100"]
    # Every test query names its document's sign, which occurs in no other document.
    assert scores == dict.fromkeys(scores, 1.0)


def test_add_pairs_and_queries_say_what_they_did(run_cli, write, tiny_pairs):
    added = run_cli("add", "p", write("d.csv", "id,text\na,one\nb,two\nb,three\n"))
    assert (added.returncode, added.stdout) == (
        0,
        "2 documents added; the corpus has 2 in 2 passages.\n",
    )
    assert (
        "d.csv: CSV, utf-8, 2 documents (id from 'id', text from 'text')."
        in added.stderr.splitlines()
    )
    assert (
        "d.csv: 1 row refused (row 4: the id 'b' was used by an earlier row)"
        in added.stderr.splitlines()
    )
    paired = run_cli("pairs", "p", tiny_pairs, "--add-responses")
    assert paired.returncode == 0
    assert paired.stdout == "56 pairs to train on, 8 dev queries, 16 held-out test queries.\n"
    assert "40 responses became documents of the corpus" in paired.stderr.splitlines()
    queries = write("q.jsonl", '{"_id": "1", "text": "first"}\n{"_id": "2", "text": "lost"}\n')
    judged = run_cli("queries", "p", queries, "--qrels", write("r.tsv", "1\ta\t1\n2\tz\t1\n"))
    assert (judged.returncode, judged.stdout) == (0, "1 test queries.\n")
    assert run_cli("projects").stdout == "p\n"


def test_a_zip_imports_like_its_folder(run_cli, tiny_beir, tmp_path):
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as stream:
        for path in sorted(p for p in tiny_beir.rglob("*") if p.is_file()):
            stream.write(path, f"tiny/{path.relative_to(tiny_beir)}")
    done = run_cli("import", "zipped", archive)
    assert (done.returncode, done.stdout) == (
        0,
        "40 documents, 60 pairs to train on, 8 dev queries, 20 test queries.\n",
    )
