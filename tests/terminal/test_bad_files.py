"""Bad files at the terminal: one clear line, the right exit status, and nothing changed."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import REPOSITORY

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
    "JSON value": (
        "a.json",
        b'"text"',
        "a.json is not a JSON list of objects: it is a single value.",
    ),
    "one document": (
        "a.txt",
        b"just one line\n",
        "a.txt: a corpus needs at least 2 documents to be searched, this one would have 1. Add more "
        "documents in the same step. A text file is one document, unless you say that each "
        "paragraph or line is (--document-per).",
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
        ("query", "p.json is not a JSON list of objects"),
        (
            [dict(p, response="same") for p in GOOD_PAIRS],
            "p.json: a corpus needs at least 2 documents",
        ),
    ],
    ids=["three", "no responses", "empty responses", "none", "value", "one response"],
)
def test_bad_pairs(refused, write, workspace, content, message):
    assert refused("pairs", "new", write("p.json", json.dumps(content))).startswith(message)
    assert not (workspace / "new").exists()


def test_pairs_about_other_documents(refused, call_cli, write):
    """A project that has documents but no pairs, and pairs that fit none of them."""
    assert (
        call_cli(
            "add", "docs", write("d.txt", "one\ntwo\nthree\n"), "--document-per", "line"
        ).status
        == 0
    )
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
        [sys.executable, "cli.py", "add", "new", path, "--document-per", "line"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (
        0,
        b"2 documents added; the corpus has 2 in 2 passages.\n",
    )
