"""Numbers of JSON as they are written: a dose of 1.00 mg is no 1.0, wherever in a list or an object it stands."""

import json
from collections.abc import Mapping
from typing import Any


class AsWritten(float):
    """A number that is shown as the file has it: give it to `json.loads` as `parse_float`.

    >>> str(json.loads("[1.00]", parse_float=AsWritten)[0])
    '1.00'
    """

    _text: str

    def __new__(cls, text: str) -> "AsWritten":
        made = super().__new__(cls, text)
        made._text = text
        return made

    def __str__(self) -> str:
        return self._text


def json_text(value: Any) -> str:
    """A value as JSON with its numbers as they were written; what JSON does not know becomes text.

    >>> json_text({"dose": [AsWritten("1.50"), 2]})
    '{"dose": [1.50, 2]}'
    """
    try:
        return _written(value)
    except RecursionError:  # Deeper than Python goes, though not deeper than the library.
        return json.dumps(value, ensure_ascii=False, default=str)


def list_items(text: str) -> str:
    """A list in JSON with its numbers as texts, so that nothing rounds them; any other text as a list of itself.

    >>> list_items("[1.50, 2, null]"), list_items("[see below]")
    ('["1.50", "2", null]', '["[see below]"]')
    """
    try:
        items = json.loads(text, parse_float=AsWritten)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list):
        return json.dumps([text], ensure_ascii=False)
    return json_text([str(i) if type(i) in (int, AsWritten) else i for i in items])


def _written(value: Any) -> str:
    if isinstance(value, AsWritten):
        return str(value)
    if isinstance(value, Mapping):
        fields = (
            f"{json.dumps(str(k), ensure_ascii=False)}: {_written(v)}" for k, v in value.items()
        )
        return f"{{{', '.join(fields)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)
