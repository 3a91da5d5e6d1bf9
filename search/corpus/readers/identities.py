"""Ids of queries and documents as people's files hold them: one a cell, and alike but for what a spreadsheet drops."""

import json
import re
from collections.abc import Iterable
from typing import Any

from search.corpus.readers.report import BadField, clean_text
from search.projects.settings import LIMITS

_TORN = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")


def clean_id(value: Any, name: str) -> str:
    """An id as clean text, which no file of lines and tabs can tear.

    :param name: what it is called in messages.
    :raises BadField: for a line break or a tab in it, and as `clean_text`.
    """
    identity = clean_text(value, name, LIMITS.id_characters)
    if "\n" in identity or "\t" in identity:
        raise BadField(
            f"{name} {identity!r} holds a line break or a tab: are these several ids in one cell? Give each a row"
        )
    return identity


def clean_ids(value: Any, name: str) -> list[str]:
    """The ids of a field: one, or those of a list, which a CSV holds as JSON.

    :raises BadField: as `clean_id`.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            items = json.loads(value)
        except (ValueError, RecursionError):
            items = None
        value = items if isinstance(items, list) else value
    if isinstance(value, list):
        return list(dict.fromkeys(filter(None, (clean_id(item, name) for item in value))))
    return [clean_id(value, name)]


def ids_in_lines(ids: Iterable[str]) -> dict[str, str]:
    r"""Ids as files of lines and tabs can hold them: line breaks and tabs become spaces, and no two become one.

    >>> ids_in_lines(["d1", "d2\nd3", "d2 d3"])
    {'d1': 'd1', 'd2\nd3': 'd2 d3 (2)', 'd2 d3': 'd2 d3'}
    """
    known = dict.fromkeys(ids)
    made = {identity: identity for identity in known if not _TORN.search(identity)}
    taken = set(made)
    for identity in known:
        if identity not in made:
            number, stem = 1, _TORN.sub(" ", identity).strip()
            name = stem
            while name in taken or not name:
                number += 1
                name = f"{stem} ({number})".strip()
            made[identity] = name
            taken.add(name)
    return {identity: made[identity] for identity in known}


class NearIds:
    """Known ids, to find those that others differ from only by what programs drop or add.

    >>> NearIds(["007", "012"]).of("7")
    ('leading zeros', '007')
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known: dict[str, str] = {}
        for identity in known:
            for key in (_without_zeros(identity), identity.casefold()):
                self._known.setdefault(key, identity)

    def of(self, identity: str) -> tuple[str, str] | None:
        """By what an id differs from a known one, and that one; None where there is none."""
        whole = identity.removesuffix(".0") if identity[:-2].isdecimal() else identity
        for why, key in (
            ("leading zeros", _without_zeros(identity)),
            ("a decimal point", _without_zeros(whole)),
            ("capitals", identity.casefold()),
        ):
            if key in self._known:
                return why, self._known[key]
        return None


def near_miss(unknown: Iterable[str], known: Iterable[str]) -> str | None:
    """In words by what ids differ from the known ones, where all that differs is what programs drop or add.

    >>> near_miss(["7"], ["007", "012"]).split(":")[0]
    "1 of them differ only by leading zeros ('7' is '007' there)"
    """
    near = NearIds(known)
    said: dict[str, list[tuple[str, str]]] = {}
    for identity in unknown:
        if (match := near.of(identity)) is not None:
            said.setdefault(match[0], []).append((identity, match[1]))
    if not said:
        return None
    why, pairs = max(said.items(), key=lambda item: len(item[1]))
    one, other = pairs[0]
    return (
        f"{len(pairs):,} of them differ only by {why} ({one!r} is {other!r} there): a spreadsheet may have changed them; "
        "save the column of ids as text, and as it was"
    )


def _without_zeros(identity: str) -> str:
    return identity.lstrip("0") or "0"
