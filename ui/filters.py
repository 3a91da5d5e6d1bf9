"""Filters over metadata and the source-tier switch: what part of the corpus a search may find."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from search.corpus.corpus import Column, Corpus
from search.corpus.filters import Condition, Scope, check_columns, parse_condition
from search.projects.errors import BespokeError
from ui import state, widgets

_CHOICES = 200
_FEW = 12
_SHOWN = 10
_ADDRESS = "filter"
_TIERS = "tiers"


def scope(key: str, corpus: Corpus, columns: Sequence[Column]) -> Scope:
    """Draw the filters; the address holds them. `describe_scope` says in words what they allow.

    :param key: what tells this project's widgets from another's.
    :param columns: what the corpus can be filtered by.
    """
    offered = [column for column in columns if _useful(column)][:_SHOWN]
    rule = corpus.tiers
    if not offered and rule is None:
        return Scope()
    before = {condition.column: condition for condition in _from_address(columns)}
    with st.popover("Filters", icon=":material/filter_list:", key="tool-filters"):
        tiers_first = False
        if rule is not None:
            tiers_first = st.toggle(
                f"{' before '.join(map(widgets.literal, rule.order))}",
                value=st.query_params.get(_TIERS) == "first",
                key=f"tiers-{key}",
                help="Among documents that answer the question, the better source comes first.",
            )
        conditions: list[Condition] = []
        for column in offered:
            conditions += _chosen(key, column, before.get(column.name))
    _to_address(conditions, tiers_first)
    return Scope(tuple(conditions), tiers_first=tiers_first)


def describe_scope(scope: Scope, corpus: Corpus) -> list[str]:
    """What a scope allows, each condition in words."""
    said = [f"only {condition}" for condition in scope.conditions]
    rule = corpus.tiers
    if rule is not None and scope.tiers_first:
        said.append(f"{' before '.join(rule.order)}, where they answer the question")
    return said


def _useful(column: Column) -> bool:
    """Whether choosing among the values narrows anything down, and can be shown."""
    if column.low is not None and column.high is not None:
        return column.low < column.high
    return 1 < column.distinct <= _CHOICES and column.values[0][1] > 1


def _chosen(key: str, column: Column, before: Condition | None) -> list[Condition]:
    """The conditions on one column, as chosen."""
    name = widgets.literal(column.name)
    if column.low is not None and column.high is not None and column.distinct > _FEW:
        return _range(f"{key}-{column.name}", name, column, column.low, column.high)
    counts = dict(column.values)
    known = [value for value in before.values if value in counts] if before else []
    values = st.multiselect(
        name,
        list(counts),
        default=known,
        format_func=lambda value: f"{value} ({counts[value]:,})",
        key=f"filter-{key}-{column.name}",
        placeholder="all",
    )
    return [Condition(column.name, "=", tuple(values))] if values else []


def _range(key: str, name: str, column: Column, low: float, high: float) -> list[Condition]:
    whole = low.is_integer() and high.is_integer()
    ends: tuple[Any, Any] = (int(low), int(high)) if whole else (low, high)
    start, stop = ends
    for condition in map(_parsed, st.query_params.get_all(_ADDRESS)):
        if condition is None or condition.column != column.name:
            continue
        try:
            number = type(start)(float(condition.values[0]))
        except (ValueError, OverflowError):  # An address can be typed by hand.
            continue
        if condition.sign == ">=":
            start = min(max(number, ends[0]), ends[1])
        if condition.sign == "<=":
            stop = max(min(number, ends[1]), start)
    chosen = st.slider(name, *ends, value=(start, stop), key=f"filter-{key}")
    made = []
    if chosen[0] > ends[0]:
        made.append(Condition(column.name, ">=", (str(chosen[0]),)))
    if chosen[1] < ends[1]:
        made.append(Condition(column.name, "<=", (str(chosen[1]),)))
    return made


def _from_address(columns: Sequence[Column]) -> list[Condition]:
    """The conditions that the address holds and the corpus knows."""
    known = []
    for condition in map(_parsed, st.query_params.get_all(_ADDRESS)):
        if condition is not None:
            try:
                check_columns([condition], [column.name for column in columns])
            except BespokeError:
                continue
            known.append(condition)
    return known


def _parsed(text: str) -> Condition | None:
    try:
        return parse_condition(text)
    except BespokeError:
        return None


def _to_address(conditions: list[Condition], tiers_first: bool) -> None:
    state.hold(_ADDRESS, list(map(str, conditions)))
    state.hold(_TIERS, "first" if tiers_first else "")
