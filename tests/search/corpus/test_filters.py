"""Filters and tiers: what may be typed, and what it means to SQLite."""

import pytest

from search.corpus.filters import (
    Condition,
    Scope,
    Tiers,
    as_number,
    check_columns,
    parse_condition,
    parse_tiers,
)
from search.projects.errors import Refused


@pytest.mark.parametrize(
    ("typed", "condition"),
    [
        ("type=case", Condition("type", "=", ("case",))),
        (" type = case , statute,", Condition("type", "=", ("case", "statute"))),
        ("type!=blog", Condition("type", "!=", ("blog",))),
        ("year>=2015", Condition("year", ">=", ("2015",))),
        ("year<=2015", Condition("year", "<=", ("2015",))),
        ("year>2015", Condition("year", ">", ("2015",))),
        ("date<2024-03-01", Condition("date", "<", ("2024-03-01",))),
        ("court name=High Court, Delhi", Condition("court name", "=", ("High Court", "Delhi"))),
        ("url=a=b", Condition("url", "=", ("a=b",))),
        ('author="Smith, John", Lee', Condition("author", "=", ("Smith, John", "Lee"))),
    ],
)
def test_conditions_as_they_are_typed(typed, condition):
    assert parse_condition(typed) == condition


@pytest.mark.parametrize("typed", ["", "type", "type=", "=case", "type=,", ">=3", "year>="])
def test_half_a_condition_is_refused(typed):
    with pytest.raises(Refused, match="filter"):
        parse_condition(typed)


def test_a_condition_reads_as_it_was_typed():
    assert str(parse_condition("type = case, statute")) == "type=case,statute"
    for values in (("Smith, John",), ('a "b" c', "d"), ("plain",)):
        condition = Condition("author", "=", values)
        assert parse_condition(str(condition)) == condition


@pytest.mark.parametrize("text", ["1", "-2.5", " 3 ", "1e3", ".5", "+7"])
def test_numbers(text):
    assert as_number(text) == float(text)


@pytest.mark.parametrize(
    "text", ["", "-", "2024-03-01", "21-484", "1.2.3", "1e999", "inf", "nan", "1 2", "0x1", "e"]
)
def test_dates_versions_and_the_like_are_no_numbers(text):
    assert as_number(text) is None


def test_a_missing_quotation_mark_is_refused():
    with pytest.raises(Refused, match="quotation mark"):
        parse_condition('author="Smith')


def test_tiers():
    tiers = parse_tiers("type=case, statute,blog")
    assert tiers == Tiers("type", ("case", "statute", "blog"))
    assert [tiers.of(v) for v in ("Case", " statute ", "blog", "tweet", "", None)] == [
        0,
        1,
        2,
        3,
        3,
        3,
    ]
    assert [tiers.name(n) for n in range(4)] == ["case", "statute", "blog", "other"]
    assert str(tiers) == "type=case,statute,blog"


@pytest.mark.parametrize("typed", ["type", "=a,b", "type=", "type=a,A"])
def test_bad_tiers_are_refused(typed):
    with pytest.raises(Refused, match="source tiers"):
        parse_tiers(typed)


def test_an_unknown_column_is_named_with_those_that_exist():
    with pytest.raises(Refused, match=r"no metadata 'color' to filter by\. It has: type, year"):
        check_columns([parse_condition("color=red")], ["type", "year"])


def test_values_never_become_sql():
    evil = "x'); DROP TABLE documents; --"
    sql, values = Scope((parse_condition(f"type={evil}"), parse_condition("n>1"))).sql()
    assert "DROP" not in sql
    assert values == ["type", evil.casefold(), "n", 1.0, "1"]
