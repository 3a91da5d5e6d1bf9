import io
import json
import zipfile
from pathlib import Path

import pytest
from app_help import TINY, files_of_questions, gone, open_page, press, run, shown, upload, write_run

from search.corpus.document import Document
from search.corpus.passages import Chunker, Chunking
from search.evaluation.query_sets.query_set import QuerySet
from search.projects import runs
from search.projects.project import Project
from training.data.pair_sets import PairSet
from training.data.reports import make_report

CSV = "id,title,text\na,Knee,Pain in the knee\nb,,\nc,Hip,Pain in the hip\na,Twice,The same id\n"


def test_what_came_in(data: Project) -> None:
    at = open_page("corpus", TINY)
    assert "**Documents** 40" in shown(at)
    assert "**Questions** 60 + 20 for the proof" in shown(at)
    assert at.button(key="next-step").label == "Train a model"
    documents, pairs = (frame.value for frame in at.dataframe)
    assert list(documents["id"]) == [f"d{n}" for n in range(40)]
    assert documents["title"][0] == "Velkorin"
    assert list(pairs.columns) == ["query", "response"]
    assert len(pairs) == 60
    pair_set = PairSet.load(data, data.newest("pairs"))  # type: ignore[arg-type]
    assert f"60 pairs to train on; 8 more questions ({pair_set.held_answers} answers)" in shown(at)


def test_documents_and_pairs_are_searched(data: Project) -> None:
    at = open_page("corpus", TINY)
    documents, pairs = (frame.value for frame in at.dataframe)
    title, query = documents["title"][3], pairs["query"][5]
    at.text_input(key="find-documents-Tiny").set_value(title.upper())
    at.text_input(key="find-pairs-Tiny").set_value(query.upper())
    documents, pairs = (frame.value for frame in run(at).dataframe)
    assert title in list(documents["title"]) and len(documents) < 40
    assert query in list(pairs["query"]) and len(pairs) < 60


def test_a_document_is_opened_changed_and_taken_out(
    data: Project, started: list[list[str]]
) -> None:
    chosen = {"selection": {"rows": [2], "columns": [], "cells": []}}
    manifest = data.newest("corpora")
    assert manifest is not None
    at = open_page("corpus", TINY)
    at.session_state[f"documents-{manifest.id}-"] = chosen
    press(run(at), "open-document")
    assert not started


def test_documents_only(documents_only: Project) -> None:
    at = open_page("corpus", TINY)
    assert "**Documents** 40" in shown(at) and "A pair is what somebody asked" in shown(at)
    assert at.button(key="next-step").label == "Add questions"


def test_the_preview_of_documents_shows_what_was_understood_and_what_was_refused(
    empty: Project, started: list[list[str]]
) -> None:
    at = upload(open_page("corpus", TINY), "documents-Tiny", "My file.csv", CSV)
    assert "**2 documents** found in My-file.csv (CSV, encoding utf-8, delimiter comma)." in shown(
        at
    )
    refused, documents = (frame.value for frame in at.dataframe)
    assert any(part.label.startswith("2 of 4 rows will be left out: ") for part in at.expander)
    assert documents.to_dict("list") == {
        "id": ["a", "c"],
        "title": ["Knee", "Hip"],
        "text": ["Pain in the knee", "Pain in the hip"],
    }
    assert list(refused["where"]) == ["row 3", "row 5"]
    assert {box.label: box.value for box in at.selectbox if "Column of" in box.label} == {
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


def test_what_was_taken_in_is_not_in_the_box_again(
    empty: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may be over before the page is drawn once while it goes on."""
    monkeypatch.setattr(
        runs, "start", lambda owner, arguments: write_run(owner, arguments, state="done")
    )
    at = upload(open_page("corpus", TINY), "documents-Tiny", "a.csv", CSV)
    assert "**2 documents** found" in shown(at)
    press(at, "add-documents")
    assert [toast.value for toast in at.toast] == ["Adding documents is done"]
    assert not run(at).toast, "once"
    assert "**2 documents** found" not in shown(at)
    assert at.file_uploader(key="documents-Tiny-1").value == []


def test_another_column_can_be_chosen(empty: Project, started: list[list[str]]) -> None:
    rows = "id,text,note\n1,short,the longer note\n2,brief,another long note\n"
    at = upload(open_page("corpus", TINY), "documents-Tiny", "a.csv", rows)
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
        ("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG"),
        ("columns.csv", b"colour,weight\nred,3\n", "no text column"),
        ("broken.json", b'[{"text": "a"', "is not JSON"),
        ("value.json", b'"text"', "not a JSON list"),
        ("binary.txt", b"a\x00b", "NUL bytes"),
        ("quote.csv", b'id,text\n1,"never closed\n', "quotation mark"),
    ],
)
def test_a_bad_file_is_one_clear_message(
    empty: Project, name: str, content: bytes, says: str
) -> None:
    at = upload(open_page("corpus", TINY), "documents-Tiny", name, content)
    assert len(at.error) == 1
    assert says in at.error[0].value
    assert name in at.error[0].value
    assert "add-documents" not in [button.key for button in at.button]


def test_a_nested_text_can_be_chosen(empty: Project, started: list[list[str]]) -> None:
    rows = [
        {"id": n, "body": {"parts": [{"text": f"The text of {n}."}], "note": f"N{n}"}}
        for n in (1, 2)
    ]
    content = "\n".join(map(json.dumps, rows))
    at = upload(open_page("corpus", TINY), "documents-Tiny", "nested.jsonl", content)
    box = next(box for box in at.selectbox if box.label == "Column of the text")
    assert box.value == "body.parts[].text"
    assert list(at.dataframe[0].value["text"]) == ["The text of 1.", "The text of 2."]
    box.set_value("body.note")
    run(at)
    assert list(at.dataframe[0].value["text"]) == ["N1", "N2"]
    press(at, "add-documents")
    assert started[0][3:5] == ["--text-column", "body.note"]


def test_a_file_without_a_text_column_can_still_be_used(
    empty: Project, started: list[list[str]]
) -> None:
    """The message asks for the column, so the page must offer to choose it."""
    rows = "colour,weight\nthe red of roses,3\nthe blue of seas,4\n"
    at = upload(open_page("corpus", TINY), "documents-Tiny", "columns.csv", rows)
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
    at = upload(open_page("corpus", TINY), "pairs-Tiny", "p.csv", rows)
    assert "no query and no response column" in at.error[0].value
    for role, name in (("query", "frage"), ("response", "antwort")):
        next(box for box in at.selectbox if box.label == f"Column of the {role}").set_value(name)
    run(at)
    assert not at.error
    press(at, "add-pairs")
    assert started[0][3:] == ["--query-column", "frage", "--response-column", "antwort"]


def test_markup_in_a_file_is_text(empty: Project) -> None:
    rows = "id,title,text\n<b>,<script>alert(1)</script>,$x$ **y**\n2,t,u\n"
    at = upload(open_page("corpus", TINY), "documents-Tiny", "<img src=x>.csv", rows)
    assert at.dataframe[0].value["title"][0] == "<script>alert(1)</script>"
    assert "<img" not in shown(at)


def test_a_zip_is_offered_as_a_data_set_with_what_it_brings(
    empty: Project, tiny_beir: Path, started: list[list[str]]
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in (p for p in tiny_beir.rglob("*") if p.is_file()):
            archive.write(path, f"set/{path.relative_to(tiny_beir)}")
    at = upload(open_page("corpus", TINY), "documents-Tiny", "beir.zip", content.getvalue())
    train, test = (
        (tiny_beir / "qrels" / f"{part}.tsv").read_text().splitlines()[1:]
        for part in ("train", "test")
    )
    asked, proof = (len({line.split("\t")[0] for line in lines}) for lines in (train, test))
    assert (
        f"A BEIR data set with 40 documents, {len(train)} pairs of {asked} questions to learn from and "
        f"{proof} questions for the proof."
    ) in shown(at)
    press(at, "import")
    assert started[0][:2] == ["import", TINY]
    assert started[0][2].endswith("/beir.zip")


def test_a_broken_data_set_is_a_message(empty: Project) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in ("set/corpus.jsonl", "set/queries.jsonl", "set/qrels/test.tsv"):
            archive.writestr(name, "{}")
    at = upload(open_page("corpus", TINY), "documents-Tiny", "beir.zip", content.getvalue())
    assert len(at.error) == 1 and "import" not in [button.key for button in at.button]


def test_a_refused_run_says_why_after_it_was_started_here(
    documents_only: Project, started: list[list[str]]
) -> None:
    at = upload(open_page("corpus", TINY, add="documents"), "documents-Tiny", "a.csv", CSV)
    press(at, "add-documents")
    (started_here,) = runs.runs(documents_only)
    refused = started_here.read().ended("refused", error="Nothing was added: it is all there.")
    started_here.write(refused)
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
    from search.corpus.ingest import add_documents

    path = tmp_path / "mixed.csv"
    path.write_text(CSV)
    add_documents(empty, [path])
    at = open_page("corpus", TINY)
    said = "2 of 4 rows of mixed.csv were left out: "
    (part,) = [e for e in at.expander if e.label.startswith(said)]
    assert list(part.dataframe[0].value["where"]) == ["row 3", "row 5"]


@pytest.mark.parametrize("file", ["corpus.sqlite", "pairs.jsonl", "qrels.tsv"])
def test_a_damaged_artifact_is_a_message(data: Project, file: str) -> None:
    (path,) = data.folder.glob(f"*/*/{file}")
    path.write_bytes(b"garbage")
    at = open_page("questions" if file == "qrels.tsv" else "corpus", TINY)
    assert any("is damaged" in e.value and file in e.value for e in at.error), shown(at)
    assert any("back from a backup; or delete it" in e.value for e in at.error)


def test_the_cutting_is_chosen_and_shown_on_a_real_document(
    empty: Project, started: list[list[str]]
) -> None:
    text = " ".join(f"The tenant number {n} pays the rent in month {n % 12}." for n in range(60))
    rows = f"id,title,text\na,Lease,{text}\nb,Note,short\n"
    at = upload(open_page("corpus", TINY), "documents-Tiny", "a.csv", rows)
    whole = len(Chunker(Chunking()).cut(Document("a", "Lease", text)))
    assert any(f"makes {whole} passages: Lease" in e.label for e in at.expander)
    at.slider(key="cut-tokens").set_value(100)
    run(at)
    (preview,) = [e for e in at.expander if "passages: Lease" in e.label]
    assert int(preview.label.split("makes ")[1].split()[0]) > 2 * whole
    press(at, "add-documents")
    assert started[0][-4:] == ["--passage-tokens", "100", "--overlap", "30"]


def test_documents_can_stay_whole(empty: Project, started: list[list[str]]) -> None:
    at = upload(open_page("corpus", TINY), "documents-Tiny", "a.csv", CSV)
    at.toggle(key="cut").set_value(False)
    run(at)
    press(at, "add-documents")
    assert started[0][-4:] == ["--passage-tokens", "0", "--overlap", "0"]


def test_metadata_columns_and_tiers_are_chosen(empty: Project, started: list[list[str]]) -> None:
    rows = "id,text,kind,note\na,one,case,x\nb,two,blog,y\nc,three,statute,z\n"
    at = upload(open_page("corpus", TINY), "documents-Tiny", "a.csv", rows)
    (kept,) = [box for box in at.multiselect if box.label == "Columns to filter by and to show"]
    assert kept.value == ["kind", "note"]
    kept.set_value(["kind"])
    run(at)
    at.selectbox(key="tier-column").set_value("kind")
    run(at)
    at.multiselect(key="tier-order-kind").set_value(["case", "statute", "blog"])
    run(at)
    press(at, "add-documents")
    arguments = started[0]
    assert arguments[arguments.index("--metadata-column") + 1] == "kind"
    assert "note" not in arguments
    assert arguments[arguments.index("--tiers") + 1] == "kind=case,statute,blog"


def test_a_wrong_encoding_is_corrected(empty: Project, started: list[list[str]]) -> None:
    rows = "id,text\na,Приговор суда отменён по жалобе\nb,Иск удовлетворён частично\n"
    at = upload(open_page("corpus", TINY), "documents-Tiny", "a.csv", rows.encode("cp1251"))
    at.selectbox(
        key=next(b.key for b in at.selectbox if (b.key or "").startswith("encoding-"))
    ).set_value("cp1251")
    run(at)
    assert at.dataframe[0].value["text"][0] == "Приговор суда отменён по жалобе"
    press(at, "add-documents")
    assert started[0][-2:] == ["--encoding", "cp1251"]


def test_several_files_come_in_together(empty: Project, started: list[list[str]]) -> None:
    at = open_page("corpus", TINY)
    at.file_uploader(key="documents-Tiny-0").set_value(
        [
            ("a.csv", b"id,text\na,one\nb,\n", "text/csv"),
            ("page.html", b"<title>T</title><h1>Rent</h1><p>Pay the rent.</p>", "text/html"),
        ]
    )
    run(at)
    files = at.dataframe[0].value
    assert files["read as"].tolist() == ["CSV", "HTML"]
    assert files["documents"].tolist() == [1, 1]
    assert at.dataframe[1].value["where"].tolist() == ["a.csv, row 3"]
    press(at, "add-documents")
    assert [path.rsplit("/", 1)[-1] for path in started[0][2:]] == ["a.csv", "page.html"]


def test_versions_are_told_and_deleted(documents_only: Project, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from search.corpus.ingest import add_documents

    path = tmp_path / "more.csv"
    path.write_text("id,text\nnew-1,one more\n")
    made = add_documents(documents_only, [path])
    at = open_page("corpus", TINY)
    (line,) = [m.value for m in at.markdown if "added" in m.value]
    assert "1 added, 0 changed, 0 removed" in line.replace("\\", "")
    press(at, f"delete-{made.corpus.id}")
    assert "Other versions stay" in shown(at)
    assert len(documents_only.manifests("corpora")) == 2, "a bin asks first"
    press(at, f"sure-delete-{made.corpus.id}")
    assert len(documents_only.manifests("corpora")) == 1
    assert not [m.value for m in at.markdown if "1 added" in m.value]


def test_the_report_is_drawn(data: Project) -> None:
    make_report(data)
    at = open_page("corpus", TINY)
    assert "parts a word is read in" in shown(at)
    assert "of batches with a false negative" in shown(at)
    assert "How long queries and responses are" in shown(at)
    assert "Words that the generic model takes apart most" in shown(at)


def test_the_report_is_made_by_a_click(data: Project, started: list[list[str]]) -> None:
    at = open_page("corpus", TINY)
    press(at, "make-report")
    assert started == [["report", TINY]]


def test_a_split_that_is_not_clean_is_told_with_examples(data: Project) -> None:
    pairs = data.newest("pairs")
    assert pairs is not None
    known = PairSet.load(data, pairs).pairs[0]
    with data.publish("queries", {"corpus": pairs.made_from["corpus"]}) as draft:
        QuerySet(
            {"leak": known.query, "new": "ombrathal"}, {"leak": {"d0": 1}, "new": {"d38": 1}}
        ).save(draft)
    at = files_of_questions()
    (warning,) = [w.value for w in at.warning]
    assert warning.startswith("This split is not clean: training and test share 1 query")
    assert any(known.query in str(frame.value.values) for frame in at.dataframe[-2:])


def test_a_clean_split_is_called_clean(data: Project) -> None:
    at = files_of_questions()
    assert "Leak check: none of these queries" in shown(at)
