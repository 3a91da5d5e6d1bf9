"""What the address of a page says. Anybody can write a link, so all of it is bounded before it is looked at."""

import streamlit as st

from search.projects.settings import LIMITS

_MOST_VALUES = 20
_MOST_CHARACTERS = (
    LIMITS.filter_characters
)  # the longest that the app itself writes into an address


def values(key: str) -> list[str]:
    """What a key of the address says, several times if it is there several times; what is too long says nothing."""
    said = st.query_params.get_all(key)[:_MOST_VALUES]
    return [value for value in said if len(value) <= _MOST_CHARACTERS]


def value(key: str) -> str | None:
    """What a key of the address says last; None where it says nothing."""
    return next(reversed(values(key)), None)
