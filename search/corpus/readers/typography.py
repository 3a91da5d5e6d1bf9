"""What type says beside its letters: raised and lowered characters, fractions, fonts from before Unicode.

Raised and lowered digits become Unicode's own, so that a power stays one (10⁹, never 109). Fonts whose letters are
other signs are read by the tables of `sign_fonts`.
"""

import re
from collections.abc import Iterable

_RAISED = str.maketrans("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-−–=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_CAN_RAISE = re.compile(r"[0-9+\-−–=()ni]+")
_CAN_LOWER = re.compile(r"[0-9+\-−–=()aehijklmnoprstuvx]+")
# What stands before a power: a digit, a bracket, or a unit of at most three letters (mm², s⁻¹) that is no word.
_BASE = re.compile(
    r"(\d|[)\]}]|(?<![^\W\d_])(?:[µμ]?[a-zA-Z]|[cdkmnµμ][gmlLs]|min|mol|Da)|[²³⁰-⁹])\Z"
)
_GREEK = re.compile(r"[Α-Ωα-ω]+")
_FRACTION = re.compile("(?<![⁰¹²³⁴-⁹])([⁰¹²³⁴-⁹]++) ?[/⁄∕] ?([₀-₉]++)")
_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")
_ORDINAL = re.compile(r"(st|nd|rd|th|er|e|ème|re|o|a|os|as|ten|ter|te)\Z", re.I)

# Fonts of Indian scripts from before Unicode, whose letters lie under Latin ones.
_LEGACY = re.compile(
    r"kruti\s?dev|dev\s?lys|chanakya|shusha|shivaji|aps-?dv|walkman|agra\b|bhasha|shree-?\s?(lipi|dev)|"
    r"dv-?ttsurekh|akruti|kiran|preeti|himalb|sutonny|bijoy|nudi|baraha|vakil|bamini|tscu?_|anu\s?fonts?",
    re.I,
)


def raised(text: str, before: str) -> str:
    """A raised text as it goes on behind what stands before it.

    A power or a charge keeps its place (10⁹, mm³, Na⁺), an ordinal is part of its number (1st), anything
    else is a mark of a note and stands apart, so that the word before it stays whole.

    :param before: the text of the line so far.
    """
    content = text.strip()
    if not content or not before or before[-1].isspace():
        return content.translate(_RAISED) if _CAN_RAISE.fullmatch(content) else text
    if _ORDINAL.fullmatch(content) and before[-1].isdigit():
        return content
    can = _CAN_RAISE.fullmatch(content)
    if _BASE.search(before) or (can and content[-1] in "+-−–"):
        if _GREEK.fullmatch(content):  # IL-1β: part of a name
            return content
        return content.translate(_RAISED) if can else f"^{content}"
    return " " + (content.translate(_RAISED) if can else content)


def lowered(text: str) -> str:
    """A lowered text: Unicode's own digits and letters where it has all of them (H₂O), else as it is."""
    content = text.strip()
    return content.translate(_LOWERED) if _CAN_LOWER.fullmatch(content) else text


def fractions(text: str) -> str:
    """Fractions that were set as a raised and a lowered number, as people type them.

    >>> fractions("2¹/₂ tablets, ³⁄₄ cup, 10⁹/L")
    '2 1/2 tablets, 3/4 cup, 10⁹/L'
    """
    return _FRACTION.sub(_typed, text) if max(text, default="") >= "₀" else text


def _typed(matched: re.Match[str]) -> str:
    both = f"{matched[1]}/{matched[2]}".translate(_PLAIN)
    return beside(matched.string[: matched.start()], both)


def beside(before: str, number: str) -> str:
    """A number as it goes on behind a text: two and a half is "2 1/2", never "21/2"."""
    return f" {number}" if before[-1:].isdigit() and number[:1].isdigit() else number


def is_legacy_font(font: str) -> bool:
    """Whether a font is one of those whose text is no Unicode: its letters mean others of an Indian script."""
    return bool(_LEGACY.search(font))


def legacy_note(fonts: Iterable[str]) -> str:
    """What a report says of text in such fonts."""
    named = ", ".join(sorted(set(fonts)))
    return (
        f"text in the font {named} is not Unicode: what is shown and searched are other letters. "
        "Convert it to Unicode first, and add the file again"
    )
