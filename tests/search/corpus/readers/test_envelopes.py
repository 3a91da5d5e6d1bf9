"""Which objects of a JSON file are its records."""

import pytest

from search.corpus.readers.envelopes import records_of
from search.corpus.readers.report import Report
from search.projects.errors import Refused

ROWS = [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("value", "records", "notes"),
    [
        (ROWS, ROWS, []),
        ({"count": 2, "results": ROWS}, ROWS, ["the list 'results' was read, not 'count'"]),
        ({"facets": [{"x": 1}], "docs": ROWS}, ROWS, ["the list 'docs' was read, not 'facets'"]),
        ({"took": 1, "hits": {"total": 2, "hits": ROWS}}, ROWS, ["the list 'hits.hits' was read, not 'total'"]),
        ({"response": {"docs": ROWS}}, ROWS, ["the list 'response.docs' was read"]),
        ({"laws": ROWS}, ROWS, ["the list 'laws' was read"]),
        ({"name": "a case", "queries": ROWS}, ROWS, ["the list 'queries' was read, not 'name'"]),
        ({"results": []}, [], ["the list 'results' was read"]),
        ({"id": 1, "cites": ROWS}, [{"id": 1, "cites": ROWS}], []),
        ({"data": {"title": "T", "parts": ROWS}}, [{"title": "T", "parts": ROWS}], []),
        ({"protocol": {"x": ROWS}}, [{"protocol": {"x": ROWS}}], ["one object was read, as one record"]),
        ({"columns": ["a", "b"], "index": [0], "data": [[1, 2]]}, [{"a": 1, "b": 2}], ["rows beside the names of their columns"]),
        ({"a": [1, 2, 3, 4, 5], "b": list("vwxyz")}, [{"a": n, "b": c} for n, c in zip(range(1, 6), "vwxyz", strict=True)],
         ["lists of one length: each a column"]),
        ({"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}, [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
         ["objects with the numbers of rows: each a column"]),
        ({"d1": {"text": "x"}, "d2": {"text": "y", "id": "own"}}, [{"id": "d1", "text": "x"}, {"id": "own", "text": "y"}],
         ["objects by their ids: each a record"]),
        ({"d1": "Long enough to be a text.", "d2": "This is another of them."},
         [{"id": "d1", "text": "Long enough to be a text."}, {"id": "d2", "text": "This is another of them."}],
         ["texts by their ids: each a record"]),
        ({"description": ["One.", "Two."], "warnings": ["Three.", "Four."]},
         [{"description": ["One.", "Two."], "warnings": ["Three.", "Four."]}], ["one object was read, as one record"]),
        ({"patient": {"id": 1}, "visit": {"id": 2}}, [{"patient": {"id": 1}, "visit": {"id": 2}}],
         ["one object was read, as one record"]),
        ({"resourceType": "Patient", "name": ROWS}, [{"resourceType": "Patient", "name": ROWS}], []),
    ],
)  # fmt: skip
def test_records(value, records, notes):
    report = Report("a.json")
    assert records_of(value, report) == records
    assert report.notes == notes


def test_several_lists_are_refused():
    with pytest.raises(Refused, match=r"holds several: 'train', 'test'\. Save the one to read"):
        records_of({"train": ROWS, "test": ROWS}, Report("a.json"))
