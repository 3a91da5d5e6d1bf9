"""Tables that people do have: what is meant is read, what cannot be known is said, nothing is lost unseen."""

import json

import making
import pytest

from search.corpus.corpus import current_corpus
from search.projects.project import project

PAIRS = json.loads(making.pairs(20))


def _lines(*rows: object) -> str:
    return "\n".join(map(json.dumps, rows))


REFUSED = {
    "too few documents, and why": (
        "a.csv",
        "id,text\na,one\na,two\nb,\n",
        [],
        "a.csv: a corpus needs at least 2 documents to be searched, this one would have 1. Add more "
        "documents in the same step. Left out: a.csv, row 3: the id 'a' was used by an earlier row; "
        "a.csv, row 4: the text is empty.",
    ),
    "texts that nobody can see": (
        "a.csv",
        "text\n\u200b\u200b\n\ufeff\n\u200d\n",
        [],
        "a.csv holds no usable documents: all 3 rows were refused (row 2: the text is empty; row 3: "
        "the text is empty; row 4: the text is empty).",
    ),
    "too many kinds of fields": (
        "a.jsonl",
        _lines({"text": "one", **{f"c{n}": "x" for n in range(10_000)}}, {"text": "two"}),
        [],
        "a.jsonl has 10,001 kinds of fields; the limit is 1,000.",
    ),
    "lists inside lists": (
        "a.json",
        "[" * 100_000,
        [],
        "a.json is not JSON: lists or objects inside one another, too deep to read.",
    ),
    "one column for two things": (
        "a.csv",
        "id,text\na,one\nb,two\n",
        ["--title-column", "text"],
        "a.csv: the column 'text' was given, or guessed, for two things.",
    ),
    "a column that is not there": (
        "a.csv",
        "id,text\na,one\nb,two\n",
        ["--title-column", "name"],
        "a.csv has no column 'name'. Its columns are: id, text.",
    ),
    "an encoding of no files": (
        "a.csv",
        "id,text\na,one\n",
        ["--encoding", "rot13"],
        "a.csv cannot be read as 'rot13': no such encoding. Common ones are utf-8, ",
    ),
    "an encoding that is wrong": (
        "a.csv",
        "id,text\na,one\n",
        ["--encoding", "utf-16"],
        "a.csv, line 1: cannot be read as utf-16 (",
    ),
    "a delimiter of two characters": (
        "a.csv",
        "id,text\na,one\n",
        ["--delimiter", "::"],
        "a.csv cannot be read with the delimiter '::': give one character.",
    ),
}


@pytest.mark.parametrize(("name", "content", "options", "says"), REFUSED.values(), ids=REFUSED)
def test_documents_refused(command, write, workspace, name, content, options, says):
    done = command("add", "new", write(name, content), *options)
    assert (done.status, done.out) == (2, "")
    assert done.err.splitlines()[-1].startswith(says)
    assert not (workspace / "new").exists()


PAIRS_REFUSED = {
    "a column for two things": (
        _lines(*PAIRS),
        ["--query-column", "query", "--response-column", "query"],
        "p.jsonl: the column 'query' was given, or guessed, for two things.",
    ),
    "negatives that are not there": (
        _lines(*PAIRS),
        ["--negative-column", "wrong"],
        "p.jsonl has no column 'wrong'. Its columns are: query, response.",
    ),
    "too few": (_lines(*PAIRS[:3]), [], "p.jsonl: 3 pairs are too few to train on"),
    "one query for all": (
        _lines(*({"query": "what is it", "response": f"reply {n}"} for n in range(500))),
        [],
        "p.jsonl: The 500 pairs form only 1 independent groups",
    ),
    "every negative is the response": (
        _lines(*({**pair, "negative": pair["response"].upper()} for pair in PAIRS)),
        [],
        "p.jsonl holds no usable pairs: all 20 rows were refused (line 1: a negative says the same "
        "as the response;",
    ),
    "questions as long as books": (
        _lines(*({**pair, "query": "why " * 5_000} for pair in PAIRS)),
        [],
        "p.jsonl holds no usable pairs: all 20 rows were refused (line 1: query has 20,000 "
        "characters; the limit is 10,000;",
    ),
}


@pytest.mark.parametrize(("content", "options", "says"), PAIRS_REFUSED.values(), ids=PAIRS_REFUSED)
def test_pairs_refused(command, write, workspace, content, options, says):
    done = command("pairs", "new", write("p.jsonl", content), *options)
    assert (done.status, done.out) == (2, "")
    assert done.err.splitlines()[-1].startswith(says)
    assert not (workspace / "new").exists()


GRADES = {
    "a line that is no header": (
        "this is no file of judgments\n",
        "r.tsv holds no usable judgments: all 1 rows were refused (line 1: has 6 fields instead of 3 "
        "(BEIR) or 4 (TREC)).",
    ),
    "grades beyond numbers": (
        "q\tx\tinf\nq\ty\tnan\nq\tz\t1e999\n",
        "r.tsv holds no usable judgments: all 3 rows were refused (line 1: the grade 'inf' is not a "
        "number; line 2: the grade 'nan' is not a number; line 3: the grade '1e999' is not a number).",
    ),
    "a grade beyond all grades": (
        "q\tx\t99999999999999999999\n",
        "r.tsv holds no usable judgments: all 1 rows were refused (line 1: the grade "
        "'99999999999999999999' is over the limit of 1,000,000).",
    ),
    "NUL bytes": ("q\tx\x00\t1\n", "r.tsv, line 1: holds NUL bytes, so it is not a text file."),
}


@pytest.mark.parametrize(("qrels", "says"), GRADES.values(), ids=GRADES)
def test_judgments_refused(refused, lab, write, qrels, says):
    queries = write("q.jsonl", '{"_id": "q", "text": "rent"}\n')
    assert refused("queries", lab, queries, "--qrels", write("r.tsv", qrels)) == says


def test_a_field_that_is_there_twice_is_neither_of_the_two(command, write):
    rows = '{"text": "one", "text": "two"}\n{"text": "three"}\n{"text": "four"}\n'
    done = command("add", "new", write("a.jsonl", rows))
    assert done.status == 0, done.err
    assert [d.text for d in current_corpus(project("new"))[1].sample(9)] == ["three", "four"]
    assert "1 row refused (line 1: text is there twice in one object)" in done.err


def test_a_field_that_is_there_twice_inside_of_metadata_is_shown_as_that(command, write):
    rows = '{"text": "one", "court": [{"a": 1, "a": 2}]}\n{"text": "two"}\n'
    assert command("add", "new", write("a.jsonl", rows)).status == 0
    first = current_corpus(project("new"))[1].sample(1)[0]
    assert first.metadata["court"] == '[{"a": "(is there twice in one object)"}]'


def test_a_page_that_word_or_a_program_left_its_instructions_in(command, write):
    page = (
        "<html><body><?xml:namespace prefix = o /><h1>Rent<?php echo 1; ?> law</h1>"
        "<p>Pay<?x y?> now.</p></body></html>"
    )
    done = command("add", "new", write("a.html", page), write("b.md", "text"))
    assert done.status == 0, done.err
    found = current_corpus(project("new"))[1].sample(9)[0]
    assert (found.title, found.text) == ("Rent law", "Rent law\n\nPay now.")


def test_visible_letters_keep_what_is_invisible(command, write):
    text = "\u200fשכר\u200d דירה"
    assert command("add", "new", write("a.csv", f"text\n{text}\nb\n")).status == 0
    assert current_corpus(project("new"))[1].sample(1)[0].text == text
