"""Query sets: saved and read back, restricted to what can be answered, added from files."""

import json

import pytest

from search.corpus import add_documents
from search.errors import Failed, Refused
from search.query_sets import QuerySet, add_query_set, current_query_set
from search.workspace import project_to_be


@pytest.fixture
def home(tmp_path):
    home = project_to_be("lab")
    path = tmp_path / "docs.csv"
    path.write_text("id,text\nd1,one tort\nd2,two courts\nd3,three appeals\n")
    add_documents(home, [path])
    return home


@pytest.fixture
def add(home, tmp_path):
    def run(queries: dict[str, str], qrels: str):
        (tmp_path / "queries.jsonl").write_text(
            "".join(json.dumps({"_id": q, "text": t}) + "\n" for q, t in queries.items())
        )
        (tmp_path / "qrels.tsv").write_bytes(qrels.encode())
        return add_query_set(home, tmp_path / "queries.jsonl", tmp_path / "qrels.tsv")

    return run


HEADER = "query-id\tcorpus-id\tscore\n"


def test_relevant_is_above_zero():
    queries = QuerySet({"q": "x", "r": "y"}, {"q": {"a": 2, "b": 0, "c": 1}})
    assert queries.relevant("q") == {"a": 2, "c": 1}
    assert queries.relevant("r") == {}


def test_restricted_to_counts_the_unanswerable():
    whole = QuerySet(
        {"q1": "x", "q2": "y", "q3": "z", "q4": "w"},
        {"q1": {"a": 1, "gone": 1}, "q2": {"a": 0}, "q3": {"gone": 1}},
    )
    kept, unanswered = whole.restricted_to({"a", "b"})
    assert dict(kept.queries) == {"q1": "x"}
    assert kept.judgments["q1"]["a"] == 1
    assert unanswered == 3


def test_save_and_load(home):
    queries = QuerySet(
        {"q1": "naïve?", "q 2": 'x "y"\tz'}, {"q1": {"d1": 2, "d2": 0}, "q 2": {"d3": 1}}
    )
    with home.publish("queries") as draft:
        queries.save(draft)
    manifest, again = current_query_set(home)
    assert again == queries
    assert manifest.details == {"queries": 2, "judgments": 3}


def test_add(home, add):
    made = add(
        {"q1": "what is a tort", "q2": "who hears", "q3": "nobody knows", "q4": "only zero"},
        HEADER + "q1\td1\t2\nq1\td2\t0\nq2\td3\t1\nq3\tgone\t1\nq4\td1\t0\nq9\td1\t1\n",
    )
    assert made.queries == 2
    assert made.notes == [
        "2 queries left out: no document of the corpus is judged relevant",
        "judgments of 1 unknown query ids left out",
    ]
    manifest, queries = current_query_set(home)
    assert queries.queries == {"q1": "what is a tort", "q2": "who hears"}
    assert queries.judgments == {"q1": {"d1": 2, "d2": 0}, "q2": {"d3": 1}}
    assert manifest.made_from == {"corpus": home.newest("corpora").id}


def test_bad_rows_are_noted(add):
    made = add({"q1": "what is a tort", "": "no id"}, HEADER + "q1\td1\t1\nq1\td2\tmany\n")
    assert made.notes == [
        "queries.jsonl: 1 rows left out (line 2: the id or the text is empty)",
        "qrels.tsv: 1 rows left out (line 3: the grade 'many' is not a number)",
    ]


def test_no_judged_document_in_the_corpus(home, add, tree):
    before = tree(home.folder)
    with pytest.raises(Refused) as caught:
        add({"q1": "x"}, HEADER + "q1\tD1\t1\n")
    assert str(caught.value) == (
        "No query of queries.jsonl has a relevant document in this corpus. Do the document ids in "
        "qrels.tsv match those of the corpus (for example 'd1')?"
    )
    assert tree(home.folder) == before


def test_whatever_was_accepted_can_be_read_back(home, add):
    """Judgments of documents that are not in the corpus may hold odd characters."""
    add({"q1": "what is a tort"}, HEADER + "q1\td1\t1\nq1\todd\rid\t1\nq1\todd\x85id\t1\n")
    _, queries = current_query_set(home)
    assert queries.queries == {"q1": "what is a tort"}
    assert queries.relevant("q1")["d1"] == 1


def test_ids_match_in_every_unicode_form(tmp_path):
    """Ids of documents and queries are normalised when read, so those of judgments must be too."""
    home = project_to_be("unicode")
    (tmp_path / "d.jsonl").write_text(
        '{"id": "cafe\\u0301", "text": "a"}\n{"id": "b", "text": "c"}\n'
    )
    add_documents(home, [tmp_path / "d.jsonl"])
    (tmp_path / "q.jsonl").write_text('{"_id": "e\\u0301", "text": "query"}\n')
    (tmp_path / "r.tsv").write_text(f"{HEADER}e\u0301\tcafe\u0301\t1\n", encoding="utf-8")
    assert add_query_set(home, tmp_path / "q.jsonl", tmp_path / "r.tsv").queries == 1


def test_none_yet_says_how_to_get_one(home):
    with pytest.raises(
        Refused, match=r"has no query set.*cli\.py pairs lab FILE.*cli\.py queries lab"
    ):
        current_query_set(home)


def test_needs_a_corpus(tmp_path):
    empty = project_to_be("empty").create()
    with pytest.raises(Refused, match="no documents yet"):
        add_query_set(empty, tmp_path / "q", tmp_path / "r")


def test_damage_is_noticed(home, add):
    made = add({"q1": "what is a tort"}, HEADER + "q1\td1\t1\n")
    path = home.folder_of(made.manifest) / "qrels.tsv"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(
        Failed, match=r"The query set .* is damaged: qrels\.tsv has \d+ bytes instead"
    ):
        current_query_set(home)
