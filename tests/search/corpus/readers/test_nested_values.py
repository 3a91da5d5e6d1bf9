"""Values inside objects by their paths."""

import pytest

from search.corpus.readers.paths import joined, nested_columns, value_at

CASE = {
    "id": 7,
    "a.b": "exact",
    "court": {"name": "High", "seat": None},
    "body": {"data": {"opinions": [{"text": "One."}, {"text": "Two."}, {"by": "x"}], "tags": ["p", "q"]}},
    "rows": [[{"t": 1}], [{"t": 2}]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("id", 7),
        ("a.b", "exact"),
        ("court.name", "High"),
        ("body.data.opinions[].text", ["One.", "Two."]),
        ("body.data.opinions.text", ["One.", "Two."]),
        ("body.data.opinions[1].text", "Two."),
        ("body.data.opinions[9].text", None),
        ("body.data.tags", ["p", "q"]),
        ("rows[].t", [1, 2]),
        ("court.nope.deeper", None),
        ("nope", None),
    ],
)
def test_value_at(path, expected):
    assert value_at(CASE, path) == expected


def test_nested_columns():
    assert nested_columns([CASE, {"court": {"name": "Low", "year": 1}}, {"x": ["list"]}]) == (
        "court.name", "body.data.opinions[].text", "body.data.opinions[].by", "body.data.tags", "rows[][].t",
        "court.year",
    )  # fmt: skip


def test_what_is_nested_without_end_is_not_followed():
    deep: dict[str, object] = {"t": "x"}
    for _ in range(500):
        deep = {"d": deep, "l": [[deep]]}
    assert len(nested_columns([deep])) <= 200


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["One.", None, "Two.", " "], "One. Two."),
        ([["a"], ["b"]], "a b"),
        ([1, 2.5], "1 2.5"),
        ([{"t": 1}], [{"t": 1}]),
        ([True], [True]),
        ("x", "x"),
        ([], ""),
    ],
)
def test_joined(value, expected):
    assert joined(value, " ") == expected


def test_lists_as_deep_as_json_allows():
    deep: object = "x"
    for _ in range(5_000):
        deep = [deep]
    assert joined(deep, " ") == "x"
    assert value_at({"a": deep}, "a[]") == ["x"]
    assert nested_columns([{"a": deep}]) == ()
