"""Files into query/response pairs."""

import pytest

from search.errors import Refused
from search.readers.pairs import Pair

JSON = '[{"query": "runny nose", "response": "Rhinorrhea: excess drainage."}]'


def refusals(report):
    return [(row.where, row.reason) for row in report.refused]


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
        f"a.csv has {missing} Say which to use (--query-column, --response-column)."
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


def test_json_object_instead_of_list(pairs):
    with pytest.raises(Refused, match="is not a JSON list of objects"):
        pairs("a.json", '{"query": "a", "response": "b"}')


def test_plain_text_holds_no_pairs(pairs):
    with pytest.raises(Refused, match="not of a format that can be read as a table"):
        pairs("a.txt", "query response\n")
