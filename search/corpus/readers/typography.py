"""What type says beside its letters: raised and lowered characters, and fonts whose letters are other signs.

Raised and lowered digits become Unicode's own, so that a power stays one (10⁹, never 109); fonts of signs (Symbol,
Wingdings) are read by their tables, so that no sign is lost or becomes the letter that lies under it.
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
_ORDINAL = re.compile(r"(st|nd|rd|th|er|e|ème|re|o|a|os|as|ten|ter|te)\Z", re.I)

# The encoding of Adobe's Symbol font, as the Unicode consortium maps it (VENDORS/ADOBE/symbol.txt), from 0x20 on
# and from 0xA0 on. The micro sign stands for its mu: in such a font it is one before a unit.
_SYMBOL_LOW = (
    " !∀#∃%&∋()*+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_"
    "\u203eαβχδεφγηιϕκλµνοπθρστυϖωξψζ{|}∼"
)
_SYMBOL_HIGH = (
    "€ϒ′≤/∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|—↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓"
    "◊〈®©™∑(|([|[{{{|\ufffd〉∫⌠|⌡)|)]|]}}}"
)
SYMBOL = {0x20 + i: sign for i, sign in enumerate(_SYMBOL_LOW)} | {
    0xA0 + i: sign for i, sign in enumerate(_SYMBOL_HIGH)
}
"""The signs of the font Symbol by their codes."""
# Of Microsoft's Wingdings the signs that carry meaning in forms: boxes, ticks, arrows, marks of lists.
WINGDINGS = {
    0x20: " ", 0x21: "✏", 0x22: "✂", 0x28: "☎", 0x2A: "✉", 0x46: "☞", 0x4A: "☺", 0x4C: "☹", 0x4D: "💣",
    0x6C: "●", 0x6D: "❍", 0x6E: "■", 0x6F: "□", 0x70: "□", 0x71: "❑", 0x72: "❒", 0x73: "⬧", 0x75: "◆",
    0x76: "❖", 0x9E: "·", 0x9F: "•", 0xA1: "○", 0xA7: "▪", 0xA8: "☐", 0xD8: "➢", 0xDF: "←", 0xE0: "→",
    0xE1: "↑", 0xE2: "↓", 0xE7: "←", 0xE8: "→", 0xE9: "↑", 0xEA: "↓", 0xEF: "⇦", 0xF0: "⇨", 0xF1: "⇧",
    0xF2: "⇩", 0xF3: "⬄", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
"""Signs of the font Wingdings by their codes."""
_TABLES = {"symbol": SYMBOL, "wingdings": WINGDINGS}
_PRIVATE = 0xF000
UNKNOWN_SIGN = "\ufffd"
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


def is_sign_font(font: str) -> bool:
    """Whether the letters of a font are other signs, of which there is a table."""
    return font.strip().casefold() in _TABLES


def signs(text: str, font: str) -> str:
    """A text set in a font of signs as those signs; one without a known meaning becomes U+FFFD.

    Codes may be plain (0x6D) or in the private area where Word puts them (U+F06D). Outside of the private
    area only what fits into one byte is looked up, and only for a font that has a table.

    :param font: the name of the font; private codes of a font that is not known are read as Symbol.
    """
    table = _TABLES.get(font.strip().casefold())
    given = table if table is not None else SYMBOL
    shown = []
    for character in text:
        code = ord(character)
        if _PRIVATE + 0x20 <= code < _PRIVATE + 0x100:
            shown.append(given.get(code - _PRIVATE, UNKNOWN_SIGN))
        elif table is not None and code < 0x100 and not character.isspace():
            shown.append(table.get(code, UNKNOWN_SIGN))
        else:
            shown.append(character)
    return "".join(shown)


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
