"""The page that says what can be asked: drawn here, so that a browser loads nothing from elsewhere for it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Path(__file__).parent / "templates"


def page(schema: Mapping[str, Any]) -> str:
    """The schema (OpenAPI 3) as a page to read."""
    parts = schema.get("components", {}).get("schemas", {})
    operations = [
        {
            "method": method.upper(),
            "path": path,
            "about": one.get("description", ""),
            "fields": _fields(one, parts),
        }
        for path, methods in schema["paths"].items()
        for method, one in methods.items()
    ]
    about = schema["info"]
    return (
        _environment()
        .get_template("docs.html")
        .render(title=about["title"], description=about["description"], operations=operations)
    )


def _fields(operation: Mapping[str, Any], parts: Mapping[str, Any]) -> list[dict[str, str]]:
    """The fields of the body of a request."""
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    body = parts.get(reference.rsplit("/", maxsplit=1)[-1], {})
    needed = body.get("required", [])
    return [
        {"name": name, "what": " ".join(filter(None, _said(one, name in needed)))}
        for name, one in body.get("properties", {}).items()
    ]


def _said(field: Mapping[str, Any], needed: bool) -> list[str]:
    """What is to be known of a field: whether it must be there, its values, its default, and what it is for."""
    choices = [c for one in (field, *field.get("anyOf", ())) for c in one.get("enum", ())]
    default = field.get("default")
    return [
        "Required." if needed else "",
        f"One of {', '.join(map(str, choices))}." if choices else "",
        f"Default: {default}." if default not in (None, "", []) else "",
        field.get("description", ""),
    ]


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
