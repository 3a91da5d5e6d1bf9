"""What axe-core says of a page: names for screen readers, roles, contrast, keyboard reach. It runs offline."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_GRAVE = ("serious", "critical")
_ORDER = "heading-order"
"""A good practice to axe, and how people who hear a page find their way through it."""


def complaints(page: Page, within: str = "body") -> list[str]:
    """Serious and critical violations of WCAG 2 A and AA, and headings out of order, each in a line with the element.

    :param within: a CSS selector; only what is in it is looked at.
    """
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    options: dict[str, Any] = {
        "runOnly": {"type": "tag", "values": tags},
        "rules": {_ORDER: {"enabled": True}},
        "resultTypes": ["violations"],
    }
    found = Axe().run(page, context=within, options=options).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:200]}"
        for violation in found
        if violation["impact"] in _GRAVE or violation["id"] == _ORDER
        for node in violation["nodes"]
    ]


def accessible(page: Page, name: str, within: str = "body") -> None:
    """Nothing serious or critical is wrong with the page as it stands.

    :param name: what the page is called in the failure.
    """
    found = complaints(page, within)
    assert not found, f"{name}: " + "\n".join(found)
