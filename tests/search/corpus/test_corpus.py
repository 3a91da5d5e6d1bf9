"""The corpus: versions, ids, what models see of a document."""

import sqlite3
import threading
from dataclasses import replace

import pytest

from search.corpus import ingest
from search.corpus.corpus import Corpus, content_key, current_corpus, stored_keys
from search.corpus.document import Document
from search.corpus.ingest import IngestChoices, add_documents
from search.corpus.readers.documents import DocumentColumns
from search.projects.errors import Cancelled, Failed, Refused
from search.projects.project import project_to_be
from search.projects.settings import LIMITS

LAW = (
    "id,title,text,year\n"
    "a,Torts,A tort is a civil wrong.,1932\n"
    "b,,The court hears the running appeal.,\n"
    "c,Crème brûlée,Not law at all,2001\n"
)


@pytest.fixture
def home():
    return project_to_be("lab")


@pytest.fixture
def law(tmp_path):
    path = tmp_path / "law.csv"
    path.write_text(LAW, encoding="utf-8")
    return path


def test_add(home, law):
    made = add_documents(home, [law])
    assert (made.added.written, made.added.unchanged, made.total) == (3, 0, 3)
    manifest, corpus = current_corpus(home)
    assert manifest.id == made.corpus.id
    assert manifest.details["documents"] == 3
    assert manifest.details["files"][0]["accepted"] == 3
    assert len(corpus) == 3
    assert corpus.ids() == ["a", "b", "c"]
    assert corpus.document("a") == Document(
        "a", "Torts", "A tort is a civil wrong.", {"year": "1932"}
    )
    assert corpus.document("A") is None
    assert [d.id for d in corpus.documents_at([2, 0])] == ["c", "a"]
    assert corpus.embedded_texts(0, 2) == [
        "Torts A tort is a civil wrong.",
        "The court hears the running appeal.",
    ]
    assert corpus.embedded_texts(2, 99) == ["Crème brûlée Not law at all"]
    assert [d.id for d in corpus.sample(2)] == ["a", "b"]


def test_many_positions(home, tmp_path):
    path = tmp_path / "many.txt"
    path.write_text("\n".join(f"document number {n}" for n in range(1200)))
    add_documents(home, [path])
    _, corpus = current_corpus(home)
    places = list(range(1199, -1, -1))
    assert [d.text for d in corpus.documents_at(places)] == [f"document number {p}" for p in places]


def test_add_keeps_the_earlier_version(home, law, tmp_path):
    first = add_documents(home, [law]).corpus
    more = tmp_path / "more.csv"
    more.write_text("id,text\nd,A fourth text\na,Something else\n")
    made = add_documents(home, [more])
    assert (made.added.written, made.added.unchanged, made.total) == (1, 0, 4)
    assert made.corpus.made_from == {"corpus": first.id}
    assert [(r.where, r.reason) for r in made.reports[0].refused] == [
        (
            "row 3",
            "the id 'a' is in the corpus already, with another text (--replace takes the new one)",
        )
    ]
    assert (made.reports[0].accepted, made.reports[0].refused_count) == (1, 1)
    assert Corpus.of(home, first).ids() == ["a", "b", "c"]
    _, corpus = current_corpus(home)
    assert corpus.ids() == ["a", "b", "c", "d"]
    assert corpus.document("a").text == "A tort is a civil wrong."


def test_several_files_at_once_and_what_is_there_already(home, law, tmp_path):
    more = tmp_path / "more.csv"
    more.write_text("id,title,text\na,Torts,A tort is a civil wrong.\nz,,New\n")
    made = add_documents(home, [law, more])
    assert (made.added.written, made.added.unchanged, made.total) == (4, 1, 4)
    assert [r.accepted for r in made.reports] == [3, 2]


def test_nothing_new_is_refused(home, law, tree):
    add_documents(home, [law])
    before = tree(home.folder)
    with pytest.raises(Refused, match="every document is already in the corpus, unchanged"):
        add_documents(home, [law])
    assert tree(home.folder) == before


def test_one_document_is_refused(home, tmp_path, workspace, tree):
    path = tmp_path / "one.txt"
    path.write_text("just one line\n")
    with pytest.raises(Refused) as caught:
        add_documents(home, [path])
    assert str(caught.value) == (
        "one.txt: a corpus needs at least 2 documents to be searched, this one would have 1. "
        "Add more documents in the same step. A text file is one document, unless you say that "
        "each paragraph or line is (--document-per)."
    )
    assert tree(workspace) == {}


def test_one_bad_file_among_good_ones_refuses_all(home, law, tmp_path, workspace, tree):
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b'id,text\n1,"cafe\n')
    with pytest.raises(Refused, match=r"^bad\.csv, row 2 "):
        add_documents(home, [law, bad])
    with pytest.raises(Refused, match="There is no file"):
        add_documents(home, [law, tmp_path / "missing.csv"])
    assert tree(workspace) == {}


def test_cancelling_publishes_nothing(home, law, workspace, tree):
    def stop(done, total, message, metrics=None):
        raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        add_documents(home, [law], progress=stop)
    assert tree(workspace) == {}


def test_chosen_columns(home, law):
    add_documents(
        home, [law], IngestChoices(columns=DocumentColumns(text="title", id="text", title="year"))
    )
    _, corpus = current_corpus(home)
    assert corpus.document("Not law at all").embedded == "2001 Crème brûlée"


def test_two_files_of_one_name_do_not_hide_each_other(home, tmp_path):
    """Without an id column ids come from the file's name; two files may share it."""
    paths = []
    for folder, words in (("one", "alpha beta"), ("two", "gamma delta")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "notes.txt"
        path.write_text("\n".join(f"{words} {n}" for n in range(3)))
        paths.append(path)
    lines = IngestChoices(columns=DocumentColumns(document_per="line"))
    assert add_documents(home, paths, lines).total == 6


def test_no_corpus_says_how_to_get_one(home):
    home.create()
    with pytest.raises(Refused, match=r"no documents yet\. Add some: python cli\.py add lab FILE"):
        current_corpus(home)


def test_damage_is_noticed(home, law):
    made = add_documents(home, [law])
    path = home.folder_of(made.corpus) / "corpus.sqlite"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(
        Failed, match=rf"The corpus {made.corpus.id} is damaged: corpus\.sqlite was"
    ):
        current_corpus(home)


def test_content_key_ignores_case_and_punctuation_only():
    assert content_key("The  Cat, sat!") == content_key("the cat sat")
    assert content_key("the cat sat") != content_key("the cat sits")
    assert content_key("a b") != content_key("ab")
    assert content_key("STRASSE") == content_key("straße")


@pytest.mark.parametrize(
    ("one", "other"),
    [("मेरा दिन", "मेरा दान"), ("किताब", "कताब"), ("กา", "กี"), ("நான்", "நீன்")],
)
def test_vowel_signs_tell_words_apart(one, other):
    """In Indic scripts and Thai vowels are combining marks; without them other words remain."""
    assert content_key(one) != content_key(other)


def test_match(home, law):
    add_documents(home, [law])
    _, corpus = current_corpus(home)
    assert corpus.match("a TORT is a civil wrong") == "a"
    assert corpus.match("Torts: A tort is a civil wrong.") == "a"
    assert corpus.match("Torts") is None
    assert corpus.match("a tort is a civil") is None


def test_texts_with_format_signs_match_in_corpora_of_any_age(home, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,text\na,उच्च न्\u200dयायालय\nb,rent\n", encoding="utf-8")
    add_documents(home, [path])
    _, corpus = current_corpus(home)
    assert corpus.match("उच्च न्यायालय") == corpus.match("उच्च न्\u200dयायालय") == "a"
    assert set(stored_keys("न्\u200dय")) == {content_key("न्य"), content_key("न् य")}
    assert stored_keys("rent") == (content_key("rent"),)


def test_a_text_without_words_matches_nothing(home, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,title,text\na,Title only,\nb,,text\n")
    add_documents(home, [path])
    _, corpus = current_corpus(home)
    assert corpus.match("???") is None


def test_threads_may_read_at_once(home, law):
    add_documents(home, [law])
    _, corpus = current_corpus(home)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append((corpus.ids(), corpus.document("a").title)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(ids == ["a", "b", "c"] and title == "Torts" for ids, title in found)


def test_the_file_is_read_only(home, law):
    add_documents(home, [law])
    _, corpus = current_corpus(home)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        list(corpus._rows("DELETE FROM documents"))


def test_the_least_number_of_documents_is_a_setting(home, law, monkeypatch):
    monkeypatch.setattr(ingest, "LIMITS", replace(LIMITS, min_documents=4))
    with pytest.raises(Refused, match="needs at least 4 documents to be searched"):
        add_documents(home, [law])
