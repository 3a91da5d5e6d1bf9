"""No log, run record or error report holds a text of a document or of a question: what is written is grepped for both."""

import json

import pytest
from bad_server import bad_server

from search.judging import prepare
from search.judging.prepare import PreparedQuestions
from search.projects.project import project
from search.projects.runs import runs
from search.projects.unexpected import unexpected
from terminal.printing import aside

DOCUMENT, QUESTION = "Zqxdocument of a patient with gout", "zqxquestion about gout"
MARKS = (b"zqxdocument", b"zqxquestion")
# What must hold texts: what was brought in, what was made of it, and what was asked.
MAY = {
    "corpora", "pairs", "queries", "indexes", "evaluations", "reports", "vocabularies", "maps", "models", "judgments", "uploads",
    "history", "history.jsonl", "votes", "rerankers",
}  # fmt: skip


def found_in(workspace):
    """The files that hold a mark though they must not."""
    return [
        path.relative_to(workspace).as_posix()
        for path in sorted(workspace.rglob("*"))
        if path.is_file()
        and not MAY & set(path.relative_to(workspace).parts)
        and any(mark in path.read_bytes().lower() for mark in MARKS)
    ]


@pytest.fixture
def documents(tmp_path):
    made = tmp_path / "documents.csv"
    rows = [f'd{n},"{DOCUMENT}, number {n} of its kind, seen in ward {n}"' for n in range(12)]
    made.write_text(
        "\n".join(["id,text", *rows, f'd1,"{DOCUMENT} twice"', f'"{DOCUMENT}",', "d99,"])
    )
    return made


def test_the_whole_way_writes_no_text_beside_its_place(workspace, documents, call_cli, tmp_path):
    assert call_cli("add", "lab", documents, "--text-column", "text").status == 0
    queries = tmp_path / "queries.csv"
    queries.write_text(
        "query,document,grade\n" + "".join(f'"{QUESTION} {n}",d{n},1\n' for n in range(12))
    )
    said = [
        call_cli("queries", "lab", queries),
        call_cli("search", "lab", QUESTION, "--model", "bm25"),
    ]
    said.append(call_cli("evaluate", "lab", "--model", "bm25"))
    assert [done.status for done in said] == [0, 0, 0], said
    assert runs(project("lab")), "there are run records to look at"
    held = [path for path in (workspace / "lab").rglob("*") if path.is_file()]
    assert any(MARKS[0] in path.read_bytes().lower() for path in held), "the search sees them"
    assert found_in(workspace) == []


def test_a_question_that_is_typed_as_an_option_is_in_no_record(
    workspace, documents, call_cli, monkeypatch
):
    assert call_cli("add", "lab", documents, "--text-column", "text").status == 0
    lined_up = PreparedQuestions(2, 2, [])
    monkeypatch.setattr(prepare, "prepare_questions", lambda *given: lined_up)
    asked = ("--ask", QUESTION, f"--ask={QUESTION} 2", "--goal", "9")
    done = call_cli("questions", "lab", "--column", "bm25", "--column", "generic", *asked)
    assert done.status == 0, done.err
    assert runs(project("lab"))[0].arguments[-5:] == ["--ask", "…", "--ask=…", "--goal", "9"]
    assert found_in(workspace) == []


def test_what_cannot_be_read_is_quoted_to_who_brings_it_and_in_no_record(
    workspace, documents, call_cli, tmp_path
):
    assert call_cli("add", "lab", documents, "--text-column", "text").status == 0
    queries = tmp_path / "queries.csv"
    rows = [f'"{QUESTION} {n}",d{n},1' for n in range(12)]
    odd = [f'"{QUESTION} 1",d1,2', f'"{QUESTION} 98",d2,"{DOCUMENT}"']
    queries.write_text("\n".join(["query,document,grade", *rows, *odd]))
    done = call_cli("queries", "lab", queries)
    assert done.status == 0 and DOCUMENT in done.err, "the person reads what it was"
    kept = runs(project("lab"))[0].read().notes
    assert any("the grade '…' is not a number" in note for note in kept)
    assert any("different grades" in note and "'d1' for 'q-" in note for note in kept)
    assert found_in(workspace) == []


def test_the_log_of_a_run_that_a_page_started_quotes_nothing(workspace, monkeypatch, capsys):
    aside(f"the grade '{DOCUMENT}' is not a number")
    monkeypatch.setenv("BESPOKE_RUN", str(workspace / "lab" / "runs" / "1"))
    aside(f"the grade '{DOCUMENT}' is not a number")
    assert capsys.readouterr().err.splitlines() == [
        f"the grade '{DOCUMENT}' is not a number",
        "the grade '…' is not a number",
    ]


def test_a_server_that_repeats_what_it_was_sent_is_not_quoted(workspace, documents, call_cli):
    assert call_cli("add", "lab", documents, "--text-column", "text").status == 0
    with bad_server() as server:
        added = call_cli("add-model", "lab", "m", "--base-url", server.url, "--retries", "0")
        assert added.status == 0, added.err
        server.always = f"said:too long, in “{DOCUMENT}, number 1 of its kind”: cut it"
        done = call_cli("index", "lab", "--model", "m")
    assert done.status == 1 and "too long, in “…”: cut it" in done.err
    assert found_in(workspace) == []


@pytest.mark.parametrize("inside", [True, False])
def test_an_error_that_nobody_foresaw_says_where_and_not_what(workspace, inside):
    def fail():
        try:
            float(DOCUMENT)
        except ValueError as error:
            raise KeyError(QUESTION) from error

    with pytest.raises(KeyError) as raised:
        fail()
    folder = workspace / "run"
    folder.mkdir(parents=True)
    failed = unexpected(raised.value, folder if inside else None)
    (path,) = [p for p in workspace.rglob("*.log") if p.is_file()]
    content = path.read_text()
    assert str(path) in str(failed) and "(KeyError)" in str(failed)
    assert content.count("Traceback") == 2 and "builtins.ValueError\n" in content
    assert "in fail" in content and found_in(workspace) == []
    assert json.dumps(str(failed)).lower().find("zqx") < 0
