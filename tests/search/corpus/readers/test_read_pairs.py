"""Files into query/response pairs."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.corpus.labels import Pair
from search.corpus.readers.pairs import PairColumns, load_pairs, preview_pairs, read_pairs
from search.corpus.readers.report import BadField
from search.corpus.readers.tables import open_report
from search.projects.errors import Refused
from search.projects.settings import LIMITS
from tests.proofs import examples
from tests.search.corpus.readers.refused_rows import refusals

JSON = '[{"query": "runny nose", "response": "Rhinorrhea: excess drainage."}]'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", JSON),
        ("a.jsonl", JSON[1:-1]),
        ("a.csv", "query,response\nrunny nose,Rhinorrhea: excess drainage.\n"),
        ("a.csv", "Question;Answer\nrunny nose;Rhinorrhea: excess drainage.\n"),
        ("a.tsv", "answer\tquestion\nRhinorrhea: excess drainage.\trunny nose\n"),
        ("a.csv", "anchor|positive\nrunny nose|Rhinorrhea: excess drainage.\n"),
    ],
)
def test_shapes(pairs, name, content):
    found, report = pairs(name, content)
    assert found == [Pair("runny nose", "Rhinorrhea: excess drainage.", None)]
    assert (report.accepted, report.refused_count) == (1, 0)
    assert set(report.roles) == {"query", "response"}


def test_chosen_columns(pairs):
    found, report = pairs(
        "a.csv", "lay,term,query\nrunny nose,rhinorrhea,no\n", query="lay", response="term"
    )
    assert found == [Pair("runny nose", "rhinorrhea")]
    assert report.roles == {"query": "lay", "response": "term"}


def test_one_column_cannot_be_both(pairs):
    with pytest.raises(Refused):
        pairs("a.csv", "query,x\na,b\n", query="query", response="query")


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ("query,label\na,b\n", "no response column: its columns are query, label."),
        ("name,answer\na,b\n", "no query column: its columns are name, answer."),
        ("x,y\na,b\n", "no query and no response column: its columns are x, y."),
    ],
)
def test_missing_columns(pairs, content, missing):
    with pytest.raises(Refused) as caught:
        pairs("a.csv", content)
    assert str(caught.value) == (
        f"a.csv has {missing} Say which to use (--query-column, --response-column, or "
        "--document-column for ids of documents)."
    )


def test_pairs_without_responses(pairs):
    with pytest.raises(Refused, match=r"^a\.json holds no usable pairs: all 2 rows were refused"):
        pairs("a.json", '[{"query": "a", "response": ""}, {"query": "b", "response": null}]')
    with pytest.raises(Refused, match=r"^a\.json has no response column"):
        pairs("a.json", '[{"query": "a"}, {"query": "b"}]')


def test_rows_that_are_left_out(pairs):
    found, report = pairs(
        "a.json",
        '[{"query": "a", "response": "b"}, {"query": " a ", "response": "b"},'
        ' {"query": "", "response": "b"}, {"query": "c"}, {"query": ["d"], "response": "e"},'
        ' {"query": "f", "response": "\\udfff"}, "g", {"query": "a", "response": "B"}]',
    )
    assert found == [Pair("a", "b"), Pair("a", "B")]
    assert sorted(refusals(report)) == [
        ("item 2", "the same pair stands in an earlier row"),
        ("item 3", "the query is empty"),
        ("item 4", "the response is empty"),
        ("item 5", "query is not text but a list"),
        ("item 6", "response holds a broken character (an unpaired surrogate)"),
        ("item 7", "not a JSON object"),
    ]


def test_query_limit(pairs):
    found, report = pairs("a.csv", f"query,response\n{'q' * 10_001},r\n{'q' * 10_000},r\n")
    assert [len(pair.query) for pair in found] == [10_000]
    assert refusals(report) == [("row 2", "query has 10,001 characters; the limit is 10,000")]


def test_one_json_object_is_one_pair(pairs):
    found, report = pairs("a.json", '{"query": "a", "response": "b"}')
    assert [(pair.query, pair.response) for pair in found] == [("a", "b")]
    assert report.accepted == 1


def test_plain_text_holds_no_pairs(pairs):
    with pytest.raises(Refused, match="not of a format that can be read as a table"):
        pairs("a.txt", "query response\n")


# --- negatives --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "negatives"),
    [
        ("a.csv", "anchor,positive,negative\nq,r,n\n", ("n",)),
        ("a.csv", "query,answer,neg\nq,r,n\n", ("n",)),
        ("a.csv", "query,answer,negative_1,negative_2\nq,r,n,m\n", ("n", "m")),
        ("a.csv", "query,answer,Hard Negative 1,x,hard-negative-2\nq,r,n,no,m\n", ("n", "m")),
        ("a.csv", "query,answer,negative1,negative2\nq,r,n,\n", ("n",)),
        ("a.csv", "query,answer,negative1,negative2\nq,r,n, n \n", ("n",)),
        ("a.csv", 'query,answer,negatives\nq,r,"[""n"", ""m""]"\n', ("n", "m")),
        ("a.csv", "query,answer,negatives\nq,r,[n] is no list\n", ("[n] is no list",)),
        ("a.csv", "query,answer,negatives\nq,r,[1]\n", ("[1]",)),
        ("a.json", '[{"query": "q", "answer": "r", "negatives": ["n", "m"]}]', ("n", "m")),
        ("a.json", '[{"query": "q", "answer": "r", "negatives": []}]', ()),
        ("a.json", '[{"query": "q", "answer": "r", "negative": null}]', ()),
        (
            "a.jsonl",
            '{"query": "q", "answer": "r", "negative": "n", "negatives": ["m"]}',
            ("n", "m"),
        ),
        ("a.csv", "query,answer,negligence,negative_label_score\nq,r,n,m\n", ()),
    ],
)
def test_negatives(pairs, name, content, negatives):
    found, report = pairs(name, content)
    assert found == [Pair("q", "r", None, negatives)]
    assert report.refused_count == 0
    assert hash(found[0]) == hash(Pair("q", "r", None, negatives))


def test_roles_name_all_columns_of_negatives(pairs):
    _, report = pairs("a.csv", "query,answer,negative_1,negative_2\nq,r,n,m\n")
    assert report.roles == {
        "query": "query", "response": "answer", "negative": "negative_1, negative_2"
    }  # fmt: skip


def test_chosen_negatives(file):
    path = file("a.csv", "query,answer,wrong,worse,negative\nq,r,n,m,x\n")
    for columns, negatives in (
        (PairColumns(negative="wrong"), ("n",)),
        (PairColumns(negative=("wrong", "WORSE")), ("n", "m")),
        (PairColumns(negative=""), ()),
        (PairColumns(), ("x",)),
    ):
        assert preview_pairs(path, columns)[0] == [Pair("q", "r", None, negatives)]
    with pytest.raises(Refused, match=r"^a\.csv has no column 'wronger'\. Its columns are: query,"):
        preview_pairs(path, PairColumns(negative="wronger"))


def test_contradictions_and_bad_negatives_are_refused(pairs):
    found, report = pairs(
        "a.json",
        '[{"query": "a", "answer": "It is.", "negative": "it IS"},'
        ' {"query": "b", "answer": "?!", "negatives": ["x", "?!"]},'
        ' {"query": "c", "answer": "?!", "negatives": ["x", "!"]},'
        ' {"query": "d", "answer": "r", "negatives": [["x"]]},'
        ' {"query": "e", "answer": "r", "negatives": ["\\ud800"]}]',
    )
    assert found == [Pair("c", "?!", None, ("x", "!"))]
    assert refusals(report) == [
        ("item 1", "a negative says the same as the response"),
        ("item 2", "a negative says the same as the response"),
        ("item 4", "negatives is not text but a list"),
        ("item 5", "negatives holds a broken character (an unpaired surrogate)"),
    ]


def test_a_pair_with_another_negative_is_another_pair(pairs):
    found, report = pairs("a.csv", "query,answer,negative\nq,r,n\nq,r,m\nq,r,n\n")
    assert [pair.negatives for pair in found] == [("n",), ("m",)]
    assert refusals(report) == [("row 4", "the same pair stands in an earlier row")]


# --- ids of documents -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["document_id", "Doc ID", "corpus-id", "docno", "doc_id"])
def test_pairs_may_point_to_documents(pairs, name):
    found, report = pairs("a.csv", f"query,{name}\nq,d1\nr, 7 \n")
    assert found == [Pair("q", "", "d1"), Pair("r", "", "7")]
    assert report.roles == {"query": "query", "document": name}


def test_ids_beside_responses(pairs):
    content = "query,answer,document_id\nq,r,d1\nq,r,d2\nq,,d3\nq,r,\nq,,\n,r,d1\n"
    found, report = pairs("a.csv", content)
    assert found == [
        Pair("q", "r", "d1"),
        Pair("q", "r", "d2"),
        Pair("q", "", "d3"),
        Pair("q", "r"),
    ]
    assert refusals(report) == [
        ("row 6", "the response and the document id are empty"),
        ("row 7", "the query is empty"),
    ]
    assert pairs("a.csv", content, document="")[0] == [Pair("q", "r")]
    assert pairs("a.csv", content, response="")[0][0] == Pair("q", "", "d1")


def test_rows_with_an_empty_id(pairs):
    _, report = pairs("a.csv", f"query,document_id\nq,\nr,d1\ns,{'x' * 513}\n")
    assert refusals(report) == [
        ("row 2", "the document id is empty"),
        ("row 4", "document_id has 513 characters; the limit is 512"),
    ]


def test_who_completes_a_pair_may_refuse_it(file):
    def complete(pair):
        if pair.document == "gone":
            raise BadField("no such document")
        return Pair(pair.query, f"text of {pair.document}", pair.document, pair.negatives)

    path = file("a.csv", "query,doc_id,negative\nq,d1,x\nq,gone,x\nr,d2,Text of d2.\n")
    report = open_report(path)
    assert list(read_pairs(path, report, complete=complete)) == [
        Pair("q", "text of d1", "d1", ("x",))
    ]
    assert refusals(report) == [
        ("row 3", "no such document"),
        ("row 4", "a negative says the same as the response"),
    ]


# --- previews, encodings, storage -------------------------------------------------------------------------


def test_a_preview_of_a_large_file_stops_and_says_so(file, monkeypatch):
    monkeypatch.setattr("search.corpus.readers.pairs.LIMITS", type(LIMITS)(preview_rows=10))
    path = file("a.csv", "query,answer\n" + "".join(f"q{n},r{n}\n" for n in range(30)))
    found, report = preview_pairs(path)
    assert (len(found), report.accepted) == (5, 10)
    assert report.notes == [
        "only the first 10 rows were looked at; all are read when the file is added"
    ]
    whole = open_report(path)
    assert len(list(read_pairs(path, whole))) == 30
    assert whole.notes == []
    exact = file("b.csv", "query,answer\n" + "".join(f"q{n},r{n}\n" for n in range(10)))
    assert preview_pairs(exact)[1].notes == []


def test_chosen_encoding_and_delimiter(file):
    path = file("a.csv", "query;answer\nWas hei\xdft das,;so\n".encode("cp1252"))
    found, report = preview_pairs(path, encoding="cp1252", delimiter=";")
    assert found == [Pair("Was hei\xdft das,", "so")]
    assert (report.encoding, report.delimiter) == ("cp1252", ";")
    with pytest.raises(Refused, match="no such encoding"):
        preview_pairs(path, encoding="klingon")


def test_stored_pairs_come_back_with_or_without_negatives(file):
    path = file(
        "pairs.jsonl",
        '{"query": "q", "response": "r", "document": null}\n'
        '{"query": "q", "response": "r\u2028s", "document": "d", "negatives": ["n", "m"]}\n',
    )
    assert load_pairs(path) == [Pair("q", "r"), Pair("q", "r\u2028s", "d", ("n", "m"))]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["a", '["a"]', "[["]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
FIELDS = st.sampled_from(["query", "answer", "negative", "hard_negatives", "doc_id"])


@pytest.mark.longer
@settings(max_examples=examples(200), deadline=None, derandomize=True, database=None)
@given(st.lists(st.dictionaries(FIELDS, VALUES), max_size=6))
def test_any_fields_give_sound_pairs_or_one_refusal(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(json.dumps(rows))
        try:
            found, report = preview_pairs(path, rows=100)
        except Refused as error:
            assert str(error).strip()
            return
        assert len(set(found)) == len(found) == report.accepted
        assert report.accepted + report.refused_count >= len(rows), "a list holds several answers"
        for pair in found:
            assert pair.query
            assert pair.response or pair.document
            assert pair.document != ""
            assert all(text and text != pair.response for text in pair.negatives)
            repr(pair).encode()
