"""JSONL and JSON: objects as they are, what is no object left out and named."""

import json
from dataclasses import replace

import pytest

from search.corpus.readers import json_rows
from search.projects.errors import Refused
from search.projects.settings import LIMITS
from tests.search.corpus.readers.refused_rows import refusals


def test_json_lines(rows):
    found, report = rows("a.jsonl", '\ufeff{"a": 1}\n\n  \n{"b": "zwei", "a": null}\n')
    assert found == [("line 1", {"a": 1}), ("line 4", {"b": "zwei", "a": None})]
    assert (report.format, report.columns, report.refused_count) == ("JSONL", ("a", "b"), 0)


def test_bad_json_lines_are_left_out_and_named(rows):
    lines = ['{"a": 1}', "{broken", '["list"]', "5", "null", '{"a": 2}', "[" * 3000 + "]" * 3000]
    found, report = rows("a.ndjson", "\n".join(lines))
    assert found == [("line 1", {"a": 1}), ("line 6", {"a": 2})]
    assert [where for where, _ in refusals(report)] == [f"line {n}" for n in (2, 3, 4, 5, 7)]
    assert refusals(report)[0][1].startswith("not JSON (Expecting property name")
    assert refusals(report)[1:4] == [(f"line {n}", "not a JSON object") for n in (3, 4, 5)]
    assert refusals(report)[4][1].startswith(("not JSON", "not a JSON object"))


def test_columns_are_gathered_from_the_first_hundred_rows(rows):
    content = "\n".join(json.dumps({f"c{n}": n}) for n in range(120))
    found, report = rows("a.jsonl", content)
    assert report.columns == tuple(f"c{n}" for n in range(100))
    assert found[119] == ("line 120", {"c119": 119})


def test_json_list(rows):
    found, report = rows("a.json", b"\xef\xbb\xbf" + b'[{"a": "x"}, 3, {"a": "y"}]')
    assert found == [("item 1", {"a": "x"}), ("item 3", {"a": "y"})]
    assert refusals(report) == [("item 2", "not a JSON object")]
    assert report.format == "JSON"


def test_one_object_is_one_row(rows):
    found, report = rows("a.json", '{"query": "x", "response": "y"}')
    assert found == [("item 1", {"query": "x", "response": "y"})]
    assert report.columns == ("query", "response")


@pytest.mark.parametrize("content", ["5", '"text"', "null", "true"])
def test_json_that_is_neither_list_nor_object(rows, content):
    with pytest.raises(Refused, match="is not a JSON list of objects") as caught:
        rows("a.json", content)
    assert "starts as an object" not in str(caught.value)


@pytest.mark.parametrize("content", ["[{]", '[{"a": 1}', "[" * 100_000, "query,response\n", "   "])
def test_broken_json_is_refused(rows, content):
    with pytest.raises(Refused, match=r"^a\.json is not JSON: "):
        rows("a.json", content)


def test_json_over_its_own_limit(rows, monkeypatch):
    monkeypatch.setattr(json_rows, "LIMITS", replace(LIMITS, json_bytes=10))
    with pytest.raises(
        Refused, match=r"^a\.json has 12 bytes; a JSON list may have 10\. Save it as"
    ):
        rows("a.json", '[{"a": "x"}]')


def test_the_only_list_of_an_object_is_read_and_named(rows):
    content = {"version": 2, "tags": ["x"], "data": [{"a": "x"}, {"a": "y"}]}
    found, report = rows("a.json", json.dumps(content))
    assert found == [("item 1", {"a": "x"}), ("item 2", {"a": "y"})]
    assert report.notes == ["the list 'data' was read, not 'version', 'tags'"]
    assert rows("b.json", '{"data": [{"a": 1}]}')[1].notes == ["the list 'data' was read"]


def test_an_object_of_several_lists_is_refused(rows):
    with pytest.raises(Refused, match=r"^a\.json .* holds several: 'train', 'test'\. Save the one"):
        rows("a.json", '{"train": [{"a": 1}], "test": [{"a": 2}]}')


def test_one_object_a_line_under_the_name_of_json(rows):
    found, report = rows("a.json", '\ufeff{"a": 1}\n\n{"a": 2}\n{broken\n')
    assert found == [("line 1", {"a": 1}), ("line 3", {"a": 2})]
    assert (report.format, report.refused_count) == ("JSONL", 1)
    assert report.notes == ["one object a line: read as JSONL"]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_numbers_that_json_does_not_know(rows, name):
    row = '{"a": NaN, "b": Infinity, "c": -Infinity, "d": [NaN]}'
    found, _ = rows(name, f"[{row}]" if name == "a.json" else row)
    assert found[0][1] == {"a": None, "b": "Infinity", "c": "-Infinity", "d": [None]}


def test_nested_values_stay_as_they_are(rows):
    found, _ = rows("a.jsonl", '{"a": {"b": [1, {"c": "d"}]}, "e": true}')
    assert found[0][1] == {"a": {"b": [1, {"c": "d"}]}, "e": True}


def test_json_in_another_encoding(rows):
    found, report = rows("a.json", '[{"a": "caf\xe9"}]'.encode("latin-1"))
    assert (found[0][1], report.encoding) == ({"a": "caf\xe9"}, "cp1252")
    assert rows("b.json", '[{"a": "caf\xe9"}]'.encode("utf-16"))[0][0][1] == {"a": "caf\xe9"}
