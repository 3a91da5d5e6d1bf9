"""Numbers of a sheet as it shows them: 00123, 25 %, 0.50, 5 mg.

Format codes as in ECMA-376 part 1, 18.8.31, of which what people see in tables is read: padding, decimals,
per cent, literal text, the section for negative numbers. Anything else is left as the plain number.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

_TOKEN = re.compile(
    r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]{0,255}+)[^\]]{0,255}+\]|\[[^\]]{0,255}+\]|([0#?.,]+)|(%)|(.)'
)
_UNREAD = re.compile(r"general|[eE][+-]|/|@|[ymdhs]", re.I)
_SIGN = re.compile(r"[-−–(]")
_WORD = re.compile(r"[^\W\d_]")  # a loss, a debit: words that the positive number does not have
EAST_ASIAN_DATES = frozenset((*range(27, 37), *range(50, 59)))
"""Numbers of built-in formats that are dates in Chinese, Japanese and Korean programs, and have no code."""


def shown(value: float, code: str) -> str | None:
    """A number as its format shows it; None where the format says nothing that is read here.

    A format that would round the number says nothing: no dose is changed. Thousands are not parted, so that
    what is shown can be compared as a number.

    >>> shown(123, "00000"), shown(0.255, "0.0%"), shown(5, '0.0" mg"'), shown(2.5, "0")
    ('00123', '25.5%', '5.0 mg', None)
    """
    sections = _sections(code)
    if sections is None:
        return None
    section = sections[1] if value < 0 and len(sections) > 1 else sections[0]
    if value == 0 and len(sections) > 2:
        section = sections[2]
    before, digits, after, percent = section
    if not digits:
        return None
    number = Decimal(repr(abs(value))) * (100 if percent else 1)
    whole, _, fraction = digits.rpartition(".") if "." in digits else (digits, "", "")
    rounded = number.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    if rounded != number:
        return None
    units, _, decimals = f"{rounded:f}".partition(".")
    while decimals and fraction[len(decimals) - 1] == "#" and decimals.endswith("0"):
        decimals = decimals[:-1]
    units = units.zfill(whole.count("0")) if whole.count("0") > 1 else units
    # A format may show a negative number by its colour alone, which is no text.
    own = _SIGN.search(before + after) or (
        _WORD.search(before + after) and (before, after) != (sections[0][0], sections[0][2])
    )
    sign = "-" if value < 0 and (len(sections) == 1 or not own) else ""
    return f"{sign}{before}{units}{'.' + decimals if decimals else ''}{after}".strip()


@cache
def _sections(code: str) -> tuple[tuple[str, str, str, bool], ...] | None:
    """For each section of a code: the text before the digits, the digits, the text after, whether per cent."""
    plain = re.sub(r'"[^"]*"|\\.|\[[^\]]{0,255}+\]', "", code)
    if _UNREAD.search(plain) or re.search(r"\[[<>=]", code):
        return None
    sections = []
    for section in _parted(code):
        before, digits, after, percent = "", "", "", False
        for quoted, escaped, currency, some, sign, other in _TOKEN.findall(section):
            if some and not digits:
                digits = some
            elif some:
                return None  # digits in two groups: a telephone number
            text = quoted or escaped or currency or sign or other
            percent = percent or bool(sign)
            before, after = (before, after + text) if digits else (before + text, after)
        sections.append((before, digits, after, percent))
    return tuple(sections)


def _parted(code: str) -> list[str]:
    """A code at its semicolons, but those inside quotation marks."""
    return [part.replace("\0", ";") for part in re.sub(r'"[^"]*"', _hidden, code).split(";")]


def _hidden(quoted: re.Match[str]) -> str:
    return quoted[0].replace(";", "\0")
