"""Values inside objects by their paths, as `casebody.data.opinions[].text`: "." goes into an object, "[]" into a list."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_DEPTH = 12
_MOST = 200
_ITEMS = 20
_STEP = re.compile(r"([^\[\].]*)((?:\[\d*\])*)\.?")
_INDEX = re.compile(r"\[(\d*)\]")


def value_at(fields: Mapping[str, Any], path: str) -> Any:
    """The value at a path: that of a column of this very name, else what is inside; None where there is nothing.

    Behind a list stands the list of what is found in each of its items, one list without lists inside. "[]"
    may be left out; "[0]" is the first item.
    """
    if path in fields:
        return fields[path]
    if "." not in path and "[" not in path:
        return None
    values: list[Any] = [fields]
    several = False
    for name, brackets in _STEP.findall(path):
        if name:
            several = several or any(isinstance(value, list) for value in values)
            inner = [item for value in values for item in _items(value)]
            values = [item[name] for item in inner if isinstance(item, Mapping) and name in item]
        for index in _INDEX.findall(brackets):
            lists = [value for value in values if isinstance(value, list)]
            if index:
                values = [value[int(index)] for value in lists if int(index) < len(value)]
            else:
                values, several = [item for value in lists for item in _items(value)], True
    if several:
        return [item for value in values for item in _items(value)] or None
    return values[0] if values else None


def _items(value: Any) -> list[Any]:
    """The items of a list, and of the lists in it; any other value is one. Lists may be nested as deep as JSON allows."""
    items: list[Any] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        else:
            items.append(one)
    return items


def paths_of(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The paths and values of all that is inside the values of some fields, in order; no objects, no lists of them.

    Of a long list the first items are looked at.
    """
    waiting: list[tuple[str, Any, int]] = [
        (str(name), value, 0)
        for name, value in reversed(list(fields.items()))
        if isinstance(value, Mapping | list)
    ]
    count = 0
    while waiting and count < _MOST:
        path, value, depth = waiting.pop()
        if isinstance(value, list):
            if any(isinstance(item, Mapping | list) for item in value[:_ITEMS]):
                if depth >= _DEPTH:
                    continue
                waiting += [(f"{path}[]", item, depth + 1) for item in reversed(value[:_ITEMS])]
            elif depth:
                count += 1
                yield path, value
        elif isinstance(value, Mapping):
            if depth < _DEPTH:
                inner = [(f"{path}.{name}", one, depth + 1) for name, one in value.items()]
                waiting += reversed(inner)
        elif depth and value is not None:
            count += 1
            yield path, value


def nested_columns(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The paths of what stands inside the fields of some rows, each once."""
    paths = dict.fromkeys(path for fields in rows for path, _ in paths_of(fields))
    return tuple(list(paths)[:_MOST])


def joined(value: Any, separator: str) -> Any:
    """A list of texts and numbers as one text; anything else, and a list of anything else, as it is."""
    if not isinstance(value, list):
        return value
    items = [item for item in _items(value) if item is not None]
    if any(not isinstance(item, str | int | float) or isinstance(item, bool) for item in items):
        return value
    return separator.join(text for text in map(str, items) if text.strip())
