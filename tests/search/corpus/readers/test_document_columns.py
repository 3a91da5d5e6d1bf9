"""Which column is the text, the title, the id: found by name, by length, or as a person says."""

import pytest

from search.corpus.document import Document
from search.corpus.readers.documents import DocumentColumns, preview_documents
from search.projects.errors import Refused


def test_columns_are_found_by_name(documents):
    found, report = documents("a.csv", "_id,Heading,Body,year\nx1,On Frost,Frost bites.,1999\n")
    assert found == [Document("x1", "On Frost", "Frost bites.", {"year": "1999"})]
    assert report.roles == {"id": "_id", "title": "Heading", "text": "Body"}
    assert found[0].embedded == "On Frost Frost bites."


def test_columns_may_be_chosen(documents):
    found, report = documents(
        "a.csv", "text,better,key,label\nno,yes,k1,L1\n", text="better", title="label", id="key"
    )
    assert found == [Document("k1", "L1", "yes", {"text": "no"})]
    assert report.roles == {"id": "key", "title": "label", "text": "better"}


def test_a_single_column_is_the_text(documents):
    found, _ = documents("notes.csv", "whatever\nfirst\nsecond\n")
    assert found == [Document("notes-1", "", "first"), Document("notes-2", "", "second")]


def test_no_text_column_names_the_columns(documents):
    with pytest.raises(Refused) as caught:
        documents("a.csv", "colour,size\nred,1\n")
    assert str(caught.value) == (
        "a.csv has no text column: its columns are colour, size. "
        "Say which one holds the text (--text-column)."
    )


@pytest.mark.parametrize("role", ["text", "title", "id"])
def test_chosen_column_that_is_missing(documents, role):
    with pytest.raises(Refused, match=r"a\.csv has no column 'nope'\. Its columns are: "):
        documents("a.csv", "id,title,text\n1,a,b\n", **{role: "nope"})


LONG = "A text of more than twenty characters"


def test_the_longest_column_is_the_text_where_no_name_says_so(documents):
    found, report = documents("a.csv", f"key,note,story\n1,short,{LONG}\n2,,{LONG} too\n")
    assert [(d.text, dict(d.metadata)) for d in found] == [
        (LONG, {"key": "1", "note": "short"}),
        (f"{LONG} too", {"key": "2"}),
    ]
    assert report.roles == {"text": "story"}
    assert report.notes == [
        "no column is named like a text: 'story' was taken, its texts are the longest; choose another if "
        "that is wrong"
    ]


def test_an_id_or_a_title_is_never_guessed_to_be_the_text(documents):
    with pytest.raises(
        Refused, match=r"^a\.csv has no text column: its columns are id, title, n\."
    ):
        documents("a.csv", f"id,title,n\n{LONG},{LONG},1\n")


def test_the_guess_is_by_the_first_hundred_rows_and_loses_none(documents):
    rows = "".join(f"{LONG} {n},{'x' * 200 if n > 99 else ''}\n" for n in range(150))
    found, report = documents("a.csv", f"story,late\n{rows}")
    assert report.roles == {"text": "story"}
    assert [d.text for d in found] == [f"{LONG} {n}" for n in range(150)]


def test_metadata_columns_may_be_chosen(file):
    path = file("a.csv", "id,text,Year,kind\n1,x,1999,a\n")
    columns = DocumentColumns(metadata=("year",))
    assert preview_documents(path, columns)[0][0].metadata == {"Year": "1999"}
    assert preview_documents(path, DocumentColumns(metadata=()))[0][0].metadata == {}
    with pytest.raises(Refused, match=r"^a\.csv has no column 'month'\. Its columns are: id, text"):
        preview_documents(path, DocumentColumns(metadata=("year", "month")))


def test_a_file_may_have_no_title_and_no_id_although_names_say_so(documents):
    found, report = documents("a.csv", "id,title,text\n1,t,x\n", id="", title="")
    assert found == [Document("a-1", "", "x", {"id": "1", "title": "t"})]
    assert report.roles == {"text": "text"}
