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
        ({"results": []}, [], ["the list 'results' was read"]),
        ({"id": 1, "cites": ROWS}, [{"id": 1, "cites": ROWS}], []),
        ({"data": {"title": "T", "parts": ROWS}}, [{"title": "T", "parts": ROWS}], []),
        ({"protocol": {"x": ROWS}}, [{"protocol": {"x": ROWS}}], ["one object was read, as one record"]),
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
