"""Which objects of a JSON file are its records: those of a list, of the list that an object is wrapped around, or one."""

from collections.abc import Mapping
from typing import Any

from search.corpus.readers.report import Report
from search.projects.errors import Refused

# What answers of servers and exports call the list of their records, and what is around it.
_LISTS = frozenset((
    "data", "results", "result", "items", "records", "rows", "documents", "docs", "hits", "entries", "entry", "studies",
    "articles", "cases", "questions", "objects", "values", "response", "message", "list", "papers", "works",
    "resultlist", "content", "_embedded", "value", "payload", "queries", "pairs", "topics", "examples", "samples",
    "tasks", "judgments",
))  # fmt: skip
# What an object that is a record itself says of itself.
_OWN = frozenset((
    "id", "_id", "title", "name", "case_name", "casename", "uid", "pmid", "doi", "paper_id", "resourcetype", "subject",
    "text", "abstract", "plain_text",
))  # fmt: skip
_DEEP = 4
_FEW = 5
_PROSE = 20


def records_of(value: Any, report: Report) -> list[Any]:
    """The records of a parsed file; what else is beside a list is named in the notes.

    :raises Refused: when it is no list and no object, or an object of several lists.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise Refused(f"{report.source} is not a JSON list of objects: it is a single value.")
    reshaped = _reshaped(value)
    if reshaped is not None:
        records, note = reshaped
        report.notes.append(note)
        return records
    path, holder = "", value
    for _ in range(_DEEP):
        name = _list_name(holder, report)
        if name is not None:
            items = holder[name]
            others = [repr(other) for other in holder if other != name]
            report.notes.append(
                f"the list {path + name!r} was read"
                + (f", not {', '.join(others)}" if others else "")
            )
            return list(items)
        inner = [
            name for name, one in holder.items() if _is_wrapping(name) and isinstance(one, dict)
        ]
        if len(inner) != 1 or _is_record(holder):
            break
        path, holder = f"{path}{inner[0]}.", holder[inner[0]]
    if not _is_record(holder):
        report.notes.append("one object was read, as one record")
        return [value]
    return [holder]


def _list_name(holder: Mapping[str, Any], report: Report) -> str | None:
    """The member of an object that is the list of records; None where the object is a record, or has no list.

    :raises Refused: when there are several.
    """
    lists = [
        name
        for name, items in holder.items()
        if isinstance(items, list) and any(isinstance(item, dict) for item in items)
    ]
    if holder.get("resourceType", "Bundle") != "Bundle":  # A resource of FHIR is full of lists.
        return None
    named = [name for name in lists if _is_wrapping(name)]
    if not named and not lists:
        named = [name for name, items in holder.items() if items == [] and _is_wrapping(name)][:1]
    if len(named) == 1:
        return named[0]
    if _is_record(holder):
        return None
    if len(lists) > 1:
        raise Refused(
            f"{report.source} is not a JSON list of objects but holds several: "
            f"{', '.join(map(repr, lists))}. Save the one to read as a file of its own."
        )
    return lists[0] if lists else None


def _is_wrapping(name: str) -> bool:
    return name.casefold() in _LISTS


def _is_record(holder: Mapping[str, Any]) -> bool:
    """Whether an object says something of itself, as records do and wrappings of lists do not."""
    return any(
        name.casefold() in _OWN and value not in (None, "", [], {})
        for name, value in holder.items()
    )


def _reshaped(value: Mapping[str, Any]) -> tuple[list[Any], str] | None:
    """The records of an object that holds them by key or column by column, as pandas and others write them.

    :returns: the records, and what to say about it; None where it is no such object.
    """
    columns, data = value.get("columns"), value.get("data")
    if isinstance(columns, list) and _all_are(data, list) and _all_are(columns, str):
        return [
            dict(zip(columns, row, strict=False)) for row in data or ()
        ], "rows beside the names of their columns"
    inner = list(value.values())
    if len(inner) > 1 and _all_are(inner, list):
        lengths = set(map(len, inner))
        plain = not any(isinstance(item, dict) for items in inner for item in items)
        if len(lengths) == 1 and lengths.pop() >= _FEW and plain:
            rows = zip(*inner, strict=True)
            return [
                dict(zip(value, row, strict=True)) for row in rows
            ], "lists of one length: each a column"
    if _all_are(inner, dict):
        names = [set(one) for one in inner]
        numbered = all(str(key).isdecimal() for keys in names for key in keys)
        if len(names[0]) > 1 and numbered and all(keys == names[0] for keys in names):
            rows_of = ({name: one[key] for name, one in value.items()} for key in inner[0])
            return list(rows_of), "objects with the numbers of rows: each a column"
        if _are_keys(value) and any(
            sum(key in one for one in inner) * 5 >= len(inner) * 4 for key in inner[0]
        ):
            return [
                {"id": key, **one} for key, one in value.items()
            ], "objects by their ids: each a record"
    if _all_are(inner, str) and _are_keys(value) and sum(map(len, inner)) > _PROSE * len(inner):
        return [
            {"id": key, "text": text} for key, text in value.items()
        ], "texts by their ids: each a record"
    return None


def _all_are(values: Any, kind: type) -> bool:
    return (
        isinstance(values, list) and bool(values) and all(isinstance(one, kind) for one in values)
    )


def _are_keys(value: Mapping[str, Any]) -> bool:
    """Whether the names of an object are ids rather than names of fields: several, and with digits."""
    return len(value) > 1 and sum(any(map(str.isdigit, key)) for key in value) * 5 >= len(value) * 4
