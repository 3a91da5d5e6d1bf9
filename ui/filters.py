"""Filters over metadata and the source-tier switch: what part of the corpus a search may find."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from search.corpus.corpus import Column, Corpus
from search.corpus.filters import Condition, Scope, check_columns, parse_condition
from search.projects.errors import BespokeError
from ui import address, navigation
from ui.rendering import literal

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
    before = list(_from_address(columns))
    with st.popover("Filters", icon=":material/filter_list:", key="tool-filters"):
        tiers_first = False
        if rule is not None:
            tiers_first = st.toggle(
                f"{' before '.join(map(literal, rule.order))}",
                value=address.value(_TIERS) == "first",
                key=f"tiers-{key}",
                help="Among documents that answer the question, the better source comes first.",
            )
        conditions: list[Condition] = []
        for column in offered:
            held = [condition for condition in before if condition.column == column.name]
            conditions += _chosen(key, column, held)
    navigation.hold(_ADDRESS, list(map(str, conditions)))
    navigation.hold(_TIERS, "first" if tiers_first else "")
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


def _chosen(key: str, column: Column, before: Sequence[Condition]) -> list[Condition]:
    """The conditions on one column, as chosen.

    :param before: those that the address holds.
    """
    if column.low is not None and column.high is not None and column.distinct > _FEW:
        return _range(key, column, before, column.low, column.high)
    counts = dict(column.values)
    known = [value for held in before[-1:] for value in held.values if value in counts]
    values = st.multiselect(
        literal(column.name),
        list(counts),
        default=known,
        format_func=lambda value: f"{value} ({counts[value]:,})",
        key=f"filter-{key}-{column.name}",
        placeholder="all",
    )
    return [Condition(column.name, "=", tuple(values))] if values else []


def _range(
    key: str, column: Column, before: Sequence[Condition], low: float, high: float
) -> list[Condition]:
    whole = low.is_integer() and high.is_integer()
    ends: tuple[Any, Any] = (int(low), int(high)) if whole else (low, high)
    start, stop = ends
    for condition in before:
        try:
            number = type(start)(float(condition.values[0]))
        except (ValueError, OverflowError):  # An address can be typed by hand.
            continue
        if condition.sign == ">=":
            start = min(max(number, ends[0]), ends[1])
        if condition.sign == "<=":
            stop = max(min(number, ends[1]), start)
    label = literal(column.name)
    chosen = st.slider(label, *ends, value=(start, stop), key=f"filter-{key}-{column.name}")
    made = []
    if chosen[0] > ends[0]:
        made.append(Condition(column.name, ">=", (str(chosen[0]),)))
    if chosen[1] < ends[1]:
        made.append(Condition(column.name, "<=", (str(chosen[1]),)))
    return made


def _from_address(columns: Sequence[Column]) -> Iterator[Condition]:
    """The conditions that the address holds and the corpus knows."""
    for text in address.values(_ADDRESS):
        with suppress(BespokeError):
            condition = parse_condition(text)
            check_columns([condition], [column.name for column in columns])
            yield condition
