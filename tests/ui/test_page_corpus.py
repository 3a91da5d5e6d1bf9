import json

import pytest
from app_help import TINY, gone, labels, open_page, press, run, shown, write_run
from streamlit.testing.v1 import AppTest

from search.workspace import Project


def _upload(at: AppTest, key: str, name: str, content: str | bytes) -> AppTest:
    raw = content.encode() if isinstance(content, str) else content
    at.file_uploader(key=key).set_value((name, raw, "application/octet-stream"))
    return run(at)


CSV = "id,title,text\na,Knee,Pain in the knee\nb,,\nc,Hip,Pain in the hip\na,Twice,The same id\n"


def test_what_came_in(data: Project) -> None:
    at = open_page("corpus", TINY)
    assert "Everything is here: documents to search, pairs to learn from" in shown(at)
    assert "40 documents 60 pairs to train on 20 test queries" in shown(at)
    documents, pairs, queries = (frame.value for frame in at.dataframe)
    assert list(documents["id"]) == [f"d{n}" for n in range(40)]
    assert documents["title"][0] == "Velkorin"
    assert list(pairs.columns) == ["query", "response"]
    assert len(pairs) == 50
    assert len(queries) == 20
    assert queries["relevant documents"][0] == "d28"
    assert "The first 50 of 60 pairs to train on. 8 more queries are held out" in shown(at)
    assert labels(at)[-1] == "Train a model"


def test_documents_only(documents_only: Project) -> None:
    at = open_page("corpus", TINY)
    assert "Documents are in. Pairs of a query and its answer let a model learn" in shown(at)
    assert "40 documents 0 pairs to train on 0 test queries" in shown(at)
    assert labels(at)[-1] == "Search it with the generic model"


def test_pairs_but_no_query_set(no_query_set: Project) -> None:
    at = open_page("corpus", TINY)
    assert "A query set is missing, so nothing can be proved yet." in shown(at)


def test_the_preview_of_documents_shows_what_was_understood_and_what_was_refused(
    empty: Project, started: list[list[str]]
) -> None:
    at = _upload(open_page("corpus", TINY), "documents-Tiny", "My file.csv", CSV)
    assert "**2 documents** found (CSV)." in shown(at)
    assert [w.value for w in at.warning] == ["2 rows will be left out."]
    documents, refused = (frame.value for frame in at.dataframe)
    assert documents.to_dict("list") == {
        "id": ["a", "c"],
        "title": ["Knee", "Hip"],
        "text": ["Pain in the knee", "Pain in the hip"],
    }
    assert list(refused["where"]) == ["row 3", "row 5"]
    assert {box.label: box.value for box in at.selectbox if "Column" in box.label} == {
        "Column of the text": "text",
        "Column of the title": "title",
        "Column of the id": "id",
    }
    press(at, "add-documents")
    (arguments,) = started
    assert arguments[:2] == ["add", TINY]
    assert arguments[2].endswith("/My-file.csv")
    assert arguments[3:] == [
        "--text-column",
        "text",
        "--title-column",
        "title",
        "--id-column",
        "id",
    ]
    assert "**Adding documents** · starting" in shown(at)
    assert str(empty.folder / "uploads") in arguments[2]


def test_another_column_can_be_chosen(empty: Project, started: list[list[str]]) -> None:
    rows = "id,text,note\n1,short,the longer note\n2,brief,another long note\n"
    at = _upload(open_page("corpus", TINY), "documents-Tiny", "a.csv", rows)
    box = next(box for box in at.selectbox if box.label == "Column of the text")
    assert box.value == "text"
    box.set_value("note")
    run(at)
    assert list(at.dataframe[0].value["text"]) == ["the longer note", "another long note"]
    press(at, "add-documents")
    assert started[0][3:5] == ["--text-column", "note"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "empty.csv is empty (0 bytes)."),
        ("header.csv", b"id,text\n", "header.csv holds no documents: it is empty."),
        ("utf16.csv", "id,text\na,b\n".encode("utf-16"), "UTF-16"),
        ("latin.csv", "id,text\n1,caf\u00e9\n".encode("latin-1"), "not UTF-8"),
        ("columns.csv", b"colour,weight\nred,3\n", "no text column"),
        ("broken.json", b'[{"text": "a"', "is not JSON"),
        ("object.json", b'{"text": "a"}', "not a JSON list"),
        ("binary.txt", b"a\x00b", "NUL bytes"),
        ("quote.csv", b'id,text\n1,"never closed\n', "quotation mark"),
    ],
)
def test_a_bad_file_is_one_clear_message(
    empty: Project, name: str, content: bytes, says: str
) -> None:
    at = _upload(open_page("corpus", TINY), "documents-Tiny", name, content)
    assert len(at.error) == 1
    assert says in at.error[0].value
    assert name in at.error[0].value
    assert "add-documents" not in [button.key for button in at.button]


def test_a_file_without_a_text_column_can_still_be_used(
    empty: Project, started: list[list[str]]
) -> None:
    """The message asks for the column, so the page must offer to choose it."""
    rows = "colour,weight\nthe red of roses,3\nthe blue of seas,4\n"
    at = _upload(open_page("corpus", TINY), "documents-Tiny", "columns.csv", rows)
    box = next((box for box in at.selectbox if box.label == "Column of the text"), None)
    assert box is not None, "there is nothing to choose the column with"
    box.set_value("colour")
    run(at)
    assert not at.error
    press(at, "add-documents")
    assert started[0][3:5] == ["--text-column", "colour"]


def test_pairs_with_columns_of_other_names_can_still_be_used(
    documents_only: Project, started: list[list[str]]
) -> None:
    rows = "frage,antwort\nworan,daran\nwozu,dazu\n"
    at = _upload(open_page("corpus", TINY), "pairs-Tiny", "p.csv", rows)
    assert "no query and no response column" in at.error[0].value
    for role, name in (("query", "frage"), ("response", "antwort")):
        next(box for box in at.selectbox if box.label == f"Column of the {role}").set_value(name)
    run(at)
    assert not at.error
    press(at, "add-pairs")
    assert started[0][3:] == ["--query-column", "frage", "--response-column", "antwort"]


def test_markup_in_a_file_is_text(empty: Project) -> None:
    rows = "id,title,text\n<b>,<script>alert(1)</script>,$x$ **y**\n2,t,u\n"
    at = _upload(open_page("corpus", TINY), "documents-Tiny", "<img src=x>.csv", rows)
    assert at.dataframe[0].value["title"][0] == "<script>alert(1)</script>"
    assert "<img" not in shown(at)


def test_a_zip_is_offered_as_a_data_set(empty: Project, started: list[list[str]]) -> None:
    at = _upload(open_page("corpus", TINY), "documents-Tiny", "beir.zip", b"PK")
    press(at, "import")
    assert started[0][:2] == ["import", TINY]
    assert started[0][2].endswith("/beir.zip")


def test_the_preview_of_pairs(documents_only: Project, started: list[list[str]]) -> None:
    rows = [{"query": f"question {n}", "response": f"answer {n}"} for n in range(9)]
    rows += [{"query": "", "response": "x"}, {"query": "question 1", "response": "answer 1"}]
    at = _upload(open_page("corpus", TINY), "pairs-Tiny", "p.json", json.dumps(rows))
    assert "**9 pairs** found (JSON)." in shown(at)
    assert [w.value for w in at.warning] == ["2 rows will be left out."]
    refused = at.dataframe[-1].value
    assert dict(zip(refused["where"], refused["why"], strict=True)) == {
        "item 10": "the query is empty",
        "item 11": "the same pair stands in an earlier row",
    }
    at.checkbox[0].check()
    run(at)
    press(at, "add-pairs")
    assert started[0][:2] == ["pairs", TINY]
    assert started[0][3:] == [
        "--query-column", "query", "--response-column", "response", "--add-responses"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.json", b'{"query": "a", "response": "b"}', "not a JSON list"),
        ("p.json", b"[]", "holds no pairs"),
        ("p.json", b'[{"query": "", "response": ""}]', "no usable pairs"),
        ("p.json", b'[{"question": 1}]', "no response column"),
        ("p.csv", b"a,b\n1,2\n", "no query and no response column"),
    ],
)
def test_bad_pairs_are_one_clear_message(
    documents_only: Project, name: str, content: bytes, says: str
) -> None:
    at = _upload(open_page("corpus", TINY), "pairs-Tiny", name, content)
    assert len(at.error) == 1
    assert says in at.error[0].value


def test_judgments_take_two_files(documents_only: Project, started: list[list[str]]) -> None:
    at = _upload(open_page("corpus", TINY), "queries-Tiny", "q.jsonl", '{"_id": "1", "text": "a"}')
    assert "add-queries" not in [button.key for button in at.button]
    at = _upload(at, "qrels-Tiny", "r.tsv", "query-id\tcorpus-id\tscore\n1\td0\t1\n")
    press(at, "add-queries")
    (arguments,) = started
    assert arguments[:2] == ["queries", TINY]
    assert arguments[2].endswith("/q.jsonl")
    assert arguments[3] == "--qrels"
    assert arguments[4].endswith("/r.tsv")


def test_a_refused_run_says_why_after_it_was_started_here(
    documents_only: Project, started: list[list[str]]
) -> None:
    at = _upload(open_page("corpus", TINY), "documents-Tiny", "a.csv", CSV)
    press(at, "add-documents")
    (folder,) = (documents_only.folder / "runs").iterdir()
    status = json.loads((folder / "status.json").read_text())
    status |= {"state": "refused", "error": "Nothing was added: it is all there."}
    (folder / "status.json").write_text(json.dumps(status))
    run(at)
    assert [e.value for e in at.error] == [
        "Adding documents did not finish: Nothing was added: it is all there."
    ]


@pytest.mark.parametrize("state", ["failed", "refused", "cancelled", "interrupted"])
def test_a_run_that_ended_badly_while_nobody_looked_is_told(
    documents_only: Project, state: str
) -> None:
    """A new session, or another browser, finds how the last import ended."""
    if state == "interrupted":
        write_run(documents_only, ["add", TINY, "x.csv"], state="running", **gone())
    else:
        write_run(documents_only, ["add", TINY, "x.csv"], state=state, error="The reason.")
    at = open_page("corpus", TINY)
    expected = {
        "failed": "Adding documents did not finish: The reason.",
        "refused": "Adding documents did not finish: The reason.",
        "cancelled": "Adding documents was cancelled",
        "interrupted": "Its process ended without a word",
    }[state]
    assert expected in shown(at)


def test_rows_that_were_left_out_stay_readable(empty: Project, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from search.corpus import add_documents

    path = tmp_path / "mixed.csv"
    path.write_text(CSV)
    add_documents(empty, [path])
    at = open_page("corpus", TINY)
    assert "2 rows of mixed.csv were left out: see why" in [e.label for e in at.expander]
    assert list(at.dataframe[1].value["where"]) == ["row 3", "row 5"]


@pytest.mark.parametrize("file", ["corpus.sqlite", "pairs.jsonl", "qrels.tsv"])
def test_a_damaged_artifact_is_a_message(data: Project, file: str) -> None:
    (path,) = data.folder.glob(f"*/*/{file}")
    path.write_bytes(b"garbage")
    at = open_page("corpus", TINY)
    assert any("is damaged" in e.value and file in e.value for e in at.error), shown(at)
    assert any("Delete the folder" in e.value for e in at.error)
