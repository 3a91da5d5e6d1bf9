"""Equations of Office documents (OMML) as one line of plain text: P = (a+b)/2, x^2, √(y)."""

from typing import Any

from search.corpus.readers.typography import lowered, raised

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
"""The namespace of equations, as lxml writes it before their names."""
_PROPERTIES = "Pr"


def equation(element: Any) -> str:
    """An element of an equation, and all inside it, on one line.

    Fractions, roots, powers, indices, sums and brackets are written as people type them; anything else is
    its letters in their order.
    """
    name = str(element.tag).removeprefix(M) if isinstance(element.tag, str) else ""
    if name == "t":
        return element.text or ""
    if name == "f":
        return f"{_grouped(element, 'num')}/{_grouped(element, 'den')}"
    if name == "rad":
        degree = _part(element, "deg")
        root = f"√({_part(element, 'e')})"
        return f"{raised(degree, '1')}{root}" if degree else root
    if name in ("sSup", "sSub", "sSubSup"):
        base = _part(element, "e")
        return base + lowered(_part(element, "sub")) + _power(base, _part(element, "sup"))
    if name == "nary":
        sign = element.find(f"{M}naryPr/{M}chr")
        bounds = lowered(_part(element, "sub")) + _power("∑", _part(element, "sup"))
        return f"{'∫' if sign is None else sign.get(f'{M}val', '∑')}{bounds} {_part(element, 'e')}"
    if name == "d":
        opening, closing = (_sign(element, which) for which in ("beg", "end"))
        inside = ", ".join(equation(part) for part in element.iterchildren(f"{M}e"))
        return f"{opening}{inside}{closing}"
    if name == "m":
        rows = element.iterchildren(f"{M}mr")
        return "[" + "; ".join(", ".join(map(equation, row)) for row in rows) + "]"
    parts = [equation(c) for c in element.iterchildren() if not str(c.tag).endswith(_PROPERTIES)]
    return "".join(parts)


def _part(element: Any, name: str) -> str:
    found = element.find(f"{M}{name}")
    return "" if found is None else equation(found)


def _grouped(element: Any, name: str) -> str:
    text = _part(element, name)
    return text if text.isalnum() else f"({text})"


def _power(base: str, text: str) -> str:
    if not text:
        return ""
    shown = raised(text, base or "x").strip()
    return shown if shown != text.strip() else f"^{text}" if text.isalnum() else f"^({text})"


def _sign(element: Any, which: str) -> str:
    found = element.find(f"{M}dPr/{M}{which}Chr")
    return {"beg": "(", "end": ")"}[which] if found is None else str(found.get(f"{M}val", ""))
