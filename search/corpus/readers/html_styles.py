"""What of a web page nobody sees: hidden by an attribute, or by a class that its own style sheet hides."""

import re
from collections.abc import Mapping
from typing import Any

_HIDING = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_SHOWING = re.compile(r"(?:^|;)\s*(?:display\s*:\s*(?!none)|visibility\s*:\s*visible)", re.I)
_COMMENT = re.compile(r"/\*(?:.*?\*/|.*+)", re.S)
# Rules for paper and small windows: one level of rules inside.
_CONDITION = re.compile(r"@[^{};@]*+\{(?:[^{}]*+\{[^{}]*+\})*+[^{}]*+\}")
_RULE = re.compile(r"(?<![^{}])([^{}]++)\{([^{}]*+)\}")
_CLASS = re.compile(r"\w*\.([\w-]+)")
_ANY_CLASS = re.compile(r"\.([\w-]+)")
_LONGEST = 200_000


def hidden_classes(page: Any) -> frozenset[str]:
    """The classes that the style sheets of a page hide, and no rule of theirs shows again.

    :param page: as parsed by selectolax.
    """
    sheets = "\n".join(style.text() or "" for style in page.css("style"))[:_LONGEST]
    hidden: set[str] = set()
    shown: set[str] = set()
    for selectors, rules in _RULE.findall(_CONDITION.sub("", _COMMENT.sub("", sheets))):
        if _HIDING.search(rules):
            alone = (_CLASS.fullmatch(selector.strip()) for selector in selectors.split(","))
            hidden.update(name[1] for name in alone if name)
        elif _SHOWING.search(rules):
            shown.update(_ANY_CLASS.findall(selectors))
    return frozenset(hidden - shown)


def unseen(node: Any, attributes: Mapping[str, str | None], hidden: frozenset[str]) -> str:
    """Why an element is no text of the page ("deleted", "hidden"), if it is none.

    Formulas are hidden where a picture of them is shown: they are read.
    """
    if node.tag == "del":
        return "deleted"
    away = "hidden" in attributes or _HIDING.search(attributes.get("style") or "") is not None
    if hidden:
        away = away or not hidden.isdisjoint((attributes.get("class") or "").split())
    if away and node.css_first("math") is None:
        return "hidden"
    return "readings beside characters" if node.tag in ("rt", "rp") else ""
