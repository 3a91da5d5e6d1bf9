"""Equations of Office documents (OMML) and web pages (MathML) as one line of plain text: P = (a+b)/2, x², √(y)."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from search.corpus.readers.typography import beside, lowered, raised

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
    if name in _READ:
        return _READ[name](element)
    shown = ""
    for child in element.iterchildren():
        if not str(child.tag).endswith(_PROPERTIES):
            part = equation(child)
            shown += beside(shown, part) if child.tag == f"{M}f" else part
    return shown


def _of_fraction(element: Any) -> str:
    kind = element.find(f"{M}fPr/{M}type")
    above, below = _part(element, "num"), _part(element, "den")
    if kind is not None and kind.get(f"{M}val") == "noBar":
        return f"{above} over {below}"
    return _fraction(above, below)


def _of_root(element: Any) -> str:
    degree = _part(element, "deg")
    root = f"√({_part(element, 'e')})"
    return f"{raised(degree, '1')}{root}" if degree else root


def _of_scripts(element: Any) -> str:
    return _scripted(_part(element, "e"), _part(element, "sub"), _part(element, "sup"))


def _of_scripts_before(element: Any) -> str:
    return _power("", _part(element, "sup")) + _index(_part(element, "sub")) + _part(element, "e")


def _of_sum(element: Any) -> str:
    sign = element.find(f"{M}naryPr/{M}chr")
    bounds = _scripted("", _part(element, "sub"), _part(element, "sup"))
    return f"{'∫' if sign is None else sign.get(f'{M}val', '∑')}{bounds} {_part(element, 'e')}"


def _of_brackets(element: Any) -> str:
    opening, between, closing = (
        _sign(element, f"{which}Chr", otherwise)
        for which, otherwise in (("beg", "("), ("sep", "|"), ("end", ")"))
    )
    return opening + between.join(map(equation, element.iterchildren(f"{M}e"))) + closing


def _of_matrix(element: Any) -> str:
    rows = element.iterchildren(f"{M}mr")
    return "[" + "; ".join(", ".join(map(equation, row)) for row in rows) + "]"


_READ: dict[str, Callable[[Any], str]] = {
    "f": _of_fraction,
    "rad": _of_root,
    "sSup": _of_scripts,
    "sSub": _of_scripts,
    "sSubSup": _of_scripts,
    "sPre": _of_scripts_before,
    "nary": _of_sum,
    "d": _of_brackets,
    "m": _of_matrix,
    "eqArr": lambda element: "; ".join(map(equation, element.iterchildren(f"{M}e"))),
    "func": lambda element: f"{_part(element, 'fName')} {_part(element, 'e')}",
    "limLow": lambda element: f"{_part(element, 'e')} ({_part(element, 'lim')})",
    "limUpp": lambda element: f"{_part(element, 'e')} ({_part(element, 'lim')})",
    "acc": lambda element: _part(element, "e") + _sign(element, "chr", "\u0302"),
    "bar": lambda element: _part(element, "e") + "\u0305",
}


def mathml(name: str, text: str, children: Sequence["Node"]) -> str:
    """An element of MathML, given by its name, its text and its children, on one line."""
    parts = [mathml(*child) for child in children]
    if name in ("annotation", "annotation-xml", "mphantom"):
        return ""
    if name == "mfrac" and len(parts) == 2:
        return _fraction(*parts)
    if name in ("msup", "mover") and len(parts) == 2:
        return _scripted(parts[0], "", parts[1])
    if name in ("msub", "munder") and len(parts) == 2:
        return _scripted(parts[0], parts[1], "")
    if name in ("msubsup", "munderover") and len(parts) == 3:
        return _scripted(*parts)
    if name == "mroot" and len(parts) == 2:
        return f"{raised(parts[1], '1')}√({parts[0]})"
    if name == "mtr":
        return ", ".join(parts)
    if name == "mtable":
        return f"[{'; '.join(parts)}]"
    if name == "mfenced":
        return f"({', '.join(parts)})"
    shown = " ".join(text.split())
    for (kind, *_), part in zip(children, parts, strict=True):
        shown += beside(shown, part) if kind == "mfrac" else part
    if name == "msqrt":
        return f"√({shown})"
    return f" {shown} " if name == "mtext" and shown else shown


Node: TypeAlias = tuple[str, str, Sequence["Node"]]
"""An element of MathML: name, text, children."""


def _part(element: Any, name: str) -> str:
    found = element.find(f"{M}{name}")
    return "" if found is None else equation(found)


def _fraction(above: str, below: str) -> str:
    parts = (
        part.strip() if part.strip().isalnum() else f"({part.strip()})" for part in (above, below)
    )
    return "/".join(parts)


def _scripted(base: str, below: str, above: str) -> str:
    """A base with a lowered and a raised part; what Unicode has no raised or lowered letters for is _(...), ^(...)."""
    return base + _index(below) + _power(base, above)


def _index(text: str) -> str:
    if not text.strip():
        return ""
    shown = lowered(text).strip()
    plain = text.strip()
    return shown if shown != plain else f"_{plain}" if plain.isalnum() else f"_({plain})"


def _power(base: str, text: str) -> str:
    if not text:
        return ""
    shown = raised(text, base or "x").strip()
    return shown if shown != text.strip() else f"^{text}" if text.isalnum() else f"^({text})"


def _sign(element: Any, name: str, otherwise: str) -> str:
    """A sign that the properties of an element name."""
    found = element.find(f"*/{M}{name}")
    return otherwise if found is None else str(found.get(f"{M}val", ""))
