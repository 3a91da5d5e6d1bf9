"""Query sets: saved and read back, restricted to what can be answered, added from files."""

import json

import pytest

from search.corpus.ingest import add_documents
from search.corpus.labels import Pair, query_id
from search.corpus.readers.judged import RELEVANT
from search.corpus.readers.qrels import read_judgments
from search.corpus.readers.queries import read_queries
from search.evaluation.query_sets.add_query_set import add_query_set
from search.evaluation.query_sets.query_set import QuerySet, current_query_set, export_query_sets
from search.projects.errors import Failed, Refused
from search.projects.project import project_to_be
from training.data.pair_sets import PairSet


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


def left_out(made):
    return [f"{report.source}: {row.reason}" for report in made.reports for row in report.refused]


CAPITALS = (
    "1 of them differ only by capitals ('D1' is 'd1' there): a spreadsheet may have changed them; save the column of ids "
    "as text, and as it was."
)
HEADER = "query-id\tcorpus-id\tscore\n"


def test_relevant_is_above_zero():
    queries = QuerySet({"q": "x", "r": "y"}, {"q": {"a": 2, "b": 0, "c": 1}})
    assert queries.relevant("q") == {"a": 2, "c": 1}
    assert queries.relevant("r") == {}


def test_graded_adds_what_is_known_and_loses_nothing():
    queries = QuerySet({"a": "what", "b": "who"}, {"a": {"d1": 1, "new": 1}, "b": {"d2": 1}})
    made = queries.graded({"what": {"d1": 3, "d3": 2}, "where": {"d9": 1}})
    assert made.queries == queries.queries
    assert made.judgments == {"a": {"d1": 3, "new": 3, "d3": 2}, "b": {"d2": 1}}


def test_both_have_the_queries_of_each_and_what_the_second_says_of_those_in_both():
    one = QuerySet({"q1": "one", "q2": "two"}, {"q1": {"a": 1}, "q2": {"b": 1}})
    other = QuerySet({"q2": "second", "q3": "three"}, {"q2": {"c": 2}, "q3": {"d": 1}})
    assert one | other == QuerySet(
        {"q1": "one", "q2": "second", "q3": "three"},
        {"q1": {"a": 1}, "q2": {"c": 2}, "q3": {"d": 1}},
    )


def test_only_some_of_the_queries():
    whole = QuerySet({"q1": "one", "q2": "two"}, {"q1": {"a": 1}, "q2": {"b": 1}})
    assert whole.only(["q2"]) == QuerySet({"q2": "two"}, {"q2": {"b": 1}})
    with pytest.raises(KeyError):
        whole.only(["q3"])


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
        "1 judgments point to documents that are not in the corpus ('gone'): they stay, and where they "
        "are relevant they count as not found",
    ]
    manifest, queries = current_query_set(home)
    assert queries.queries == {"q1": "what is a tort", "q2": "who hears"}
    assert queries.judgments == {"q1": {"d1": 2, "d2": 0}, "q2": {"d3": 1}}
    assert manifest.made_from == {"corpus": home.newest("corpora").id}


def test_bad_rows_are_noted(add):
    made = add({"q1": "what is a tort", "": "no id"}, HEADER + "q1\td1\t1\nq1\td2\tmany\n")
    assert left_out(made) == [
        "queries.jsonl: the id or the text is empty",
        "qrels.tsv: the grade 'many' is not a number",
    ]


def test_no_judged_document_in_the_corpus(home, add, tree):
    before = tree(home.folder)
    with pytest.raises(Refused) as caught:
        add({"q1": "x"}, HEADER + "q1\tD1\t1\n")
    assert str(caught.value) == (
        "No query of queries.jsonl has a relevant document in this corpus. Do the document ids in "
        "qrels.tsv match those of the corpus (for example 'd1')? " + CAPITALS
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


# --- one table, topics, what is missing -------------------------------------------------------------------


def test_one_table_of_queries_and_judgments(home, tmp_path):
    path = tmp_path / "judged.csv"
    path.write_text(
        "query,document_id,grade\nwhat is a tort,d1,2\nwhat is a tort,d2,-3\nwho hears,d3,\n"
        "who hears,d2,1\nlost,gone,1\n"
    )
    made = add_query_set(home, path)
    assert made.queries == 2
    assert made.notes == [
        "1 queries left out: no document of the corpus is judged relevant",
        "1 judgments point to documents that are not in the corpus ('gone'): they stay, and where they "
        "are relevant they count as not found",
    ]
    assert left_out(made) == ["judged.csv: the grade is empty"]
    manifest, queries = current_query_set(home)
    tort, hears = (query_id(text) for text in ("what is a tort", "who hears"))
    assert queries.queries == {tort: "what is a tort", hears: "who hears"}
    assert queries.judgments == {tort: {"d1": 2, "d2": 0}, hears: {"d2": 1}}
    assert manifest.details["source"] == "judged.csv"
    assert [file["accepted"] for file in manifest.details["files"]] == [4]
    assert "leaks" not in manifest.details, "there are no pairs to hold it against"


def test_topics_with_qrels(home, tmp_path):
    (tmp_path / "topics.txt").write_text(
        "<top>\n<num> Number: 301\n<title> what is a tort\n<desc> Description:\nmore\n</top>\n"
        "<top>\n<num> Number: 302\n<title> who hears\n</top>\n"
    )
    (tmp_path / "qrels.txt").write_text("301 0 d1 2\n301 0 d9 1\n302 0 d3 1\n302 0 d8 0\n")
    made = add_query_set(home, tmp_path / "topics.txt", tmp_path / "qrels.txt")
    assert made.queries == 2
    assert made.notes == [
        "2 judgments point to documents that are not in the corpus ('d9', 'd8'): they stay, and where "
        "they are relevant they count as not found"
    ]
    _, queries = current_query_set(home)
    assert queries.queries == {"301": "what is a tort", "302": "who hears"}
    assert queries.judgments == {"301": {"d1": 2, "d9": 1}, "302": {"d3": 1, "d8": 0}}


def test_what_was_guessed_of_a_file_is_told(home, tmp_path):
    (tmp_path / "q.csv").write_bytes("query,doc_id\nStra\xdfe,d1\n".encode("cp1252"))
    made = add_query_set(home, tmp_path / "q.csv")
    assert made.reports[0].notes == [
        "not UTF-8: read as cp1252; choose another encoding if letters look wrong",
        RELEVANT,
    ]
    assert list(current_query_set(home)[1].queries.values()) == ["Stra\xdfe"]


def test_a_table_without_a_document_of_the_corpus(home, tmp_path, tree):
    before = tree(home.folder)
    (tmp_path / "q.csv").write_text("query,doc_id\none,D1\n")
    with pytest.raises(Refused) as caught:
        add_query_set(home, tmp_path / "q.csv")
    assert str(caught.value) == (
        "No query of q.csv has a relevant document in this corpus. Do the document ids in q.csv match "
        "those of the corpus (for example 'd1')? " + CAPITALS
    )
    assert tree(home.folder) == before


def test_a_query_set_is_held_against_the_pairs_of_the_project(home, tmp_path):
    with home.publish("pairs") as draft:
        PairSet(
            [Pair("What is a TORT?", "anything"), Pair("new", "Two courts!"), Pair("x", "y")],
            QuerySet({"v": "steering"}, {"v": {"d3": 1}}),
        ).save(draft)
    path = tmp_path / "q.csv"
    path.write_text("query,doc_id\nwhat is a tort,d1\nwho hears,d2\nwho else,d3\n")
    made = add_query_set(home, path)
    stored = made.manifest.details["leaks"]
    assert stored == {
        "against": home.newest("pairs").id,
        "queries": 1,
        "documents": 2,
        "query_examples": [[query_id("what is a tort"), "what is a tort", "What is a TORT?"]],
        "document_examples": [["d2", 1], ["d3", 1]],
        "seen": 3,
    }
    assert made.manifest.details["question"] == "new_documents", (
        "a third of the queries is trained on"
    )
    assert made.notes == [
        f"this split is not clean: training and test share 1 query (for example "
        f"{query_id('what is a tort')!r}) and 2 relevant documents (for example 'd2'), near-duplicates "
        "included. Pairs that share them are kept out of training here, so models trained here are "
        "measured fairly; figures of a model that was trained elsewhere on this split would be too good"
    ]
    path.write_text("query,doc_id\nsomething else,d1\n")
    again = add_query_set(home, path)
    assert again.notes == []
    assert again.manifest.details["leaks"]["documents"] == 0
    assert again.manifest.details["question"] == "new_questions"
    strict = add_query_set(home, path, question="new_documents")
    assert strict.manifest.details["question"] == "new_documents"


@pytest.mark.parametrize(
    ("qrels", "says"),
    [
        (
            "q1\t1\t1\n",
            r"\(for example '0001'\)\? 1 of them differ only by leading zeros \('1' is '0001' there\)",
        ),
        ("q1\t2.0\t1\n", r"differ only by a decimal point \('2\.0' is '0002' there\)"),
        (
            "Q1\t0001\t1\n",
            r"No query id in qrels\.tsv is one of queries\.jsonl .* capitals \('Q1' is 'q1' there\).*Give both",
        ),
    ],
)
def test_ids_that_a_spreadsheet_changed_are_named_as_that(tmp_path, qrels, says):
    home = project_to_be("zeros")
    (tmp_path / "d.csv").write_text("id,text\n0001,one tort\n0002,two courts\n")
    add_documents(home, [tmp_path / "d.csv"])
    (tmp_path / "queries.jsonl").write_text('{"_id": "q1", "text": "tort"}\n')
    (tmp_path / "qrels.tsv").write_text(HEADER + qrels)
    with pytest.raises(Refused, match=says):
        add_query_set(home, tmp_path / "queries.jsonl", tmp_path / "qrels.tsv")


def test_some_ids_that_a_spreadsheet_changed_are_noted(home, add):
    made = add({"q1": "what is a tort"}, HEADER + "q1\td1\t1\nq1\tD2\t1\nq01\td1\t1\n")
    assert "'D2' is 'd2' there" in made.notes[-1]
    assert made.notes[0].startswith("judgments of 1 unknown query ids left out")


def test_query_sets_that_hold_torn_ids_are_read(home):
    """Earlier versions let ids with a line break or a tab in: nothing may end in a traceback."""
    whole = QuerySet(
        {"q1": "one", "q 2": "two"}, {"q1": {"d1\nd2": 2, "d3": 0}, "q 2": {"d\t1": 1, "d1": 3}}
    )
    with home.publish("queries") as draft:
        whole.save(draft)
    assert current_query_set(home)[1] == whole


def test_torn_ids_are_mended_where_query_sets_are_taken_out(home, tmp_path):
    torn = QuerySet(
        {"q\t1": "one", "q 1": "two"}, {"q\t1": {"d1\nd2": 2, "d1": 0}, "q 1": {"d1 d2": 3}}
    )
    with home.publish("queries") as draft:
        torn.save(draft)
    assert export_query_sets(home, tmp_path / "out") == (1, 2)
    texts, _ = read_queries(tmp_path / "out" / "queries.jsonl")
    judgments, _ = read_judgments(tmp_path / "out" / "qrels" / "test.tsv")
    assert texts == {"q 1 (2)": "one", "q 1": "two"}
    assert judgments == {"q 1 (2)": {"d1 d2 (2)": 2, "d1": 0}, "q 1": {"d1 d2": 3}}


def test_each_of_two_files_has_a_delimiter_of_its_own(home, tmp_path):
    queries, qrels = tmp_path / "q.csv", tmp_path / "r.txt"
    queries.write_text("id;text\nq1;what is a tort\nq2;which court, and when\n")
    qrels.write_text("q1,d1,1\nq2,d2,1\n")
    made = add_query_set(home, queries, qrels, delimiter=";")
    assert made.queries == 2, "what is said of the first is not held against the second"
    qrels.write_text("q1~d1~1\nq2~d2~0\nq2~d3~1\n")
    made = add_query_set(home, queries, qrels, qrels_as=(None, "~"))
    assert made.queries == 2
    assert [report.delimiter for report in made.reports] == [";", "~"]


def test_tags_of_questions_come_in_stay_and_are_held_by_every_part(home, add, tmp_path):
    add({"q1": "wrongs", "q2": "benches"}, HEADER + "q1\td1\t1\nq2\td2\t1\n")
    tags = tmp_path / "tags.tsv"
    tags.write_text("query-id\ttag\nq2\tcivil law\nq2\tcourts\nq1\tcivil law\nq9\tcourts\n")
    files = (tmp_path / "queries.jsonl", tmp_path / "qrels.tsv")
    made = add_query_set(home, *files, tags=tags)
    assert made.notes == ["tags of 1 unknown query ids left out"]
    _, query_set = current_query_set(home)
    assert query_set.tags == {"q1": ("civil law",), "q2": ("civil law", "courts")}
    assert query_set.only(["q1"]).tags == {"q1": ("civil law",)}
    assert (query_set.only(["q1"]) | query_set.only(["q2"])) == query_set
    assert query_set.graded({}).tags == query_set.tags == query_set.mended()[0].tags
    export_query_sets(home, tmp_path / "out")
    rows = (tmp_path / "out" / "queries.jsonl").read_text().splitlines()
    assert json.loads(rows[1])["tags"] == ["civil law", "courts"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("query-id,tag\nQ1,civil law\n", "No query id in tags.csv is one of the queries'"),
        ("query-id,topic\nq1,civil law\n", "no column 'tag'"),
    ],
)
def test_tags_of_nothing_known_are_refused(home, add, tmp_path, tree, text, says):
    add({"q1": "wrongs", "q2": "benches"}, HEADER + "q1\td1\t1\nq2\td2\t1\n")
    (tmp_path / "tags.csv").write_text(text)
    before = tree(home.folder)
    with pytest.raises(Refused, match=says):
        add_query_set(
            home, tmp_path / "queries.jsonl", tmp_path / "qrels.tsv", tags=tmp_path / "tags.csv"
        )
    assert tree(home.folder) == before
