"""Which objects of a JSON file are its records: those of a list, of the list that an object is wrapped around, or one."""

from collections.abc import Mapping
from typing import Any

from search.corpus.readers.report import Report
from search.projects.errors import Refused

# What answers of servers and exports call the list of their records, and what is around it.
_LISTS = frozenset((
    "data", "results", "result", "items", "records", "rows", "documents", "docs", "hits", "entries", "entry", "studies",
    "articles", "cases", "questions", "objects", "values", "response", "message", "list", "papers", "works",
    "resultlist", "content", "_embedded", "value", "payload",
))  # fmt: skip
# What an object that is a record itself says of itself.
_OWN = frozenset((
    "id", "_id", "title", "name", "case_name", "casename", "uid", "pmid", "doi", "paper_id", "resourcetype", "subject",
    "text", "abstract", "plain_text",
))  # fmt: skip
_DEEP = 4


def records_of(value: Any, report: Report) -> list[Any]:
    """The records of a parsed file; what else is beside a list is named in the notes.

    :raises Refused: when it is no list and no object, or an object of several lists.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise Refused(f"{report.source} is not a JSON list of objects: it is a single value.")
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
