"""Pairs and judgments that cannot be used are refused, by row where there is one."""

import json

import making
import pytest

PAIRS = {
    "0 bytes": ("p.json", b"", "is empty (0 bytes)"),
    "a value": ("p.json", '"query"', "not a JSON list"),
    "an object": ("p.json", '{"query": "a", "response": "b"}', "None of the 1 responses"),
    "no columns that fit": ("p.csv", "frage,antwort\na,b\n", "no query and no response"),
    "no response": ("p.csv", "query,note\na,b\n", "no response"),
    "every row empty": ("p.json", '[{"query": "", "response": ""}]', "no usable pairs"),
    "one pair nine times": (
        "p.json",
        json.dumps([{"query": "a", "response": "b"}] * 9),
        "None of the 1 responses",
    ),
    "too few": ("p.json", making.pairs(3), "None of the 3 responses"),
    "contradictions only": (
        "p.json",
        json.dumps([{"query": f"q{n}", "response": "r", "negative": "R!"} for n in range(9)]),
        "item 1",
    ),
    "ids that nobody knows": (
        "p.csv",
        "query,document_id\n" + "".join(f"question {n},nobody{n}\n" for n in range(12)),
        "nobody0",
    ),
    "lone surrogates": ("p.json", '[{"query": "\\ud800", "response": "x"}]', "surrogate"),
    "an Excel file by another name": ("p.csv", making.xlsx(), "is an Excel"),
    "cut Excel": ("p.xlsx", making.half(making.xlsx()), "p.xlsx"),
    "cut Parquet": ("p.parquet", making.half(making.parquet()), "p.parquet"),
    "a picture": ("p.json", making.PNG, "p.json"),
}


@pytest.mark.parametrize(("name", "content", "says"), PAIRS.values(), ids=PAIRS)
def test_pairs(refused, lab, write, name, content, says):
    line = refused("pairs", lab, write(name, content))
    assert says in line, line


QUERIES = '{"_id": "q", "text": "rent"}\n'
JUDGED = {
    "junk": (QUERIES, "hello\nworld and more\n", "r.tsv"),
    "unknown documents": (QUERIES, "q\t0\tnobody\t1\n", "document ids"),
    "grades that are words": (QUERIES, "q\t0\tx\thigh\nq\t0\ty\tlow\n", "not a"),
    "no judgments": (QUERIES, "", "is empty"),
    "binary judgments": (QUERIES, making.PNG, "r.tsv"),
    "no queries": ("", "q\t0\tx\t1\n", "is empty"),
    "queries without ids": ('{"text": "rent"}\n', "q\t0\tx\t1\n", "_id"),
    "a picture for queries": (making.PNG, "q\t0\tx\t1\n", "q.jsonl"),
    "only grades of 0": (QUERIES, "q\t0\tx\t0\n", "No query"),
}


@pytest.mark.parametrize(("queries", "qrels", "says"), JUDGED.values(), ids=JUDGED)
def test_judgments(refused, lab, write, queries, qrels, says):
    line = refused("queries", lab, write("q.jsonl", queries), "--qrels", write("r.tsv", qrels))
    assert says in line, line


TABLES = {
    "no document column": ("j.csv", "query,note\nrent,x\n"),
    "unknown documents": ("j.csv", "query,document_id\nrent,nobody\n"),
    "fractional grades": ("j.csv", "query,document_id,grade\nrent,x,0.5\n"),
    "a topics file that is none": ("topics.txt", "just a line\n"),
}


@pytest.mark.parametrize(("name", "content"), TABLES.values(), ids=TABLES)
def test_tables_of_judgments(refused, lab, write, name, content):
    assert name in refused("queries", lab, write(name, content))


@pytest.mark.parametrize(
    ("count", "says"), [(3, "3 pairs are too few"), (1, "1 pairs are too few")]
)
def test_too_few_pairs_for_a_new_project(command, write, workspace, count, says):
    done = command("pairs", "new", write("p.json", making.pairs(count)))
    assert done.status == 2
    assert says in done.err.splitlines()[-1] or "at least 2 documents" in done.err
    assert not (workspace / "new").exists()
