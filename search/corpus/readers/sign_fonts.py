"""Fonts whose letters are other signs: Symbol, Wingdings and their like, read by their tables.

No sign is lost, and none becomes the letter that lies under it: what has no known meaning is U+FFFD.
"""

import re

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
    0x20: " ", 0x21: "✏", 0x22: "✂", 0x28: "☎", 0x2A: "✉", 0x43: "👍", 0x44: "👎", 0x46: "☞", 0x4A: "☺",
    0x4C: "☹", 0x4D: "💣",
    0x6C: "●", 0x6D: "❍", 0x6E: "■", 0x6F: "□", 0x70: "□", 0x71: "❑", 0x72: "❒", 0x73: "⬧", 0x75: "◆",
    0x76: "❖", 0x78: "☒", 0x9E: "·", 0x9F: "•", 0xA1: "○", 0xA7: "▪", 0xA8: "☐", 0xD8: "➢", 0xDF: "←", 0xE0: "→",
    0xE1: "↑", 0xE2: "↓", 0xE7: "←", 0xE8: "→", 0xE9: "↑", 0xEA: "↓", 0xEF: "⇦", 0xF0: "⇨", 0xF1: "⇧",
    0xF2: "⇩", 0xF3: "⬄", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
    **{0x80 + i: sign for i, sign in enumerate("⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿")},
}  # fmt: skip
"""Signs of the font Wingdings by their codes."""
# Of the others the ticks, crosses, boxes and arrows, by Microsoft's charts of these fonts; fonts without any that is
# known here have an empty table, so that their letters are not taken for letters.
_WINGDINGS_2 = {
    0x20: " ", 0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x97: "●", 0x98: "●", 0xA2: "■",
    0xA3: "☐",
}  # fmt: skip
_WINGDINGS_3 = {
    0x20: " ", 0x66: "←", 0x67: "→", 0x68: "↑", 0x69: "↓", 0x70: "▲", 0x71: "▼", 0x74: "◀", 0x75: "▶",
}  # fmt: skip
_WEBDINGS = {0x20: " ", 0x61: "✓", 0x63: "☐", 0x67: "■", 0x6E: "●", 0x72: "✗"}
_DINGBATS = {
    0x20: " ", 0x33: "✓", 0x34: "✔", 0x35: "✕", 0x36: "✖", 0x37: "✗", 0x38: "✘", 0x6C: "●", 0x6E: "■", 0x6F: "❏",
    0x71: "❑",
}  # fmt: skip
_TABLES: dict[str, dict[int, str]] = {
    "symbol": SYMBOL, "wingdings": WINGDINGS, "wingdings2": _WINGDINGS_2, "wingdings3": _WINGDINGS_3,
    "webdings": _WEBDINGS, "zapfdingbats": _DINGBATS, "itczapfdingbats": _DINGBATS, "monotypesorts": _DINGBATS,
    "mtextra": {}, "marlett": {},
}  # fmt: skip
_STYLE = re.compile(r"(?:regular|mt|std|ps)$")
_PRIVATE = 0xF000
UNKNOWN_SIGN = "\ufffd"
MARKS = frozenset("☐☑☒✓✔✗✘✕✖□❏❑❒▢◻⬜")
"""Boxes and ticks: signs that say yes or no of what they stand before."""


def is_sign_font(font: str) -> bool:
    """Whether the letters of a font are other signs."""
    return _table(font) is not None


def sign_of(code: int, font: str) -> str:
    """The sign of a code that is inserted by its number: of such a font, or any character of another.

    >>> sign_of(0x6D, "Symbol"), sign_of(0x2612, "MS Gothic")
    ('µ', '☒')
    """
    return signs(chr(_PRIVATE | code if code < 0x100 else code), font)


def signs(text: str, font: str) -> str:
    """A text set in a font of signs as those signs; one without a known meaning becomes U+FFFD.

    Codes may be plain (0x6D) or in the private area where Word puts them (U+F06D). Outside of the private
    area only what fits into one byte is looked up, and only for a font that has a table.

    :param font: the name of the font; private codes of a font that is not known are read as Symbol.
    """
    table = _table(font)
    given = SYMBOL if table is None else table
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


def _table(font: str) -> dict[int, str] | None:
    plain = font.casefold()
    if plain not in _TABLES:
        plain = _STYLE.sub("", re.sub(r"[^a-z0-9]", "", plain))
    return _TABLES.get(plain)
