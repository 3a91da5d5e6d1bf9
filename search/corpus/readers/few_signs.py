"""Which encoding a few bytes above ASCII speak for: the one in which each is a letter or a sign where such may stand.

A guesser of languages needs paragraphs. Notes have a degree sign, a micro sign, a name with an accent: in the wrong
encoding these are signs inside words, letters behind numbers, boxes of DOS.
"""

import re

_NUMBERED = "½¼¾²³"
_OPENING, _CLOSING, _DASHES = "“‘«„‚¡¿", "”’»", "–—-…•·"
_LATIN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøœùúûüßÿšžÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜŸŠŽ")
_ICELANDIC = frozenset("ðýþÐÝÞ")
_VOWELS = frozenset("áéíóúæÁÉÍÓÚÆ")
_TURKISH = frozenset("çöüğışĞİŞÇÖÜâîû")
_CENTRAL = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽäöüßőűÄÖÜŐŰâîșțăşţĂŞŢÂÎđĐ")
_CANDIDATES: dict[str, frozenset[str]] = {
    "cp1252": _LATIN | _ICELANDIC,
    "mac-roman": _LATIN,
    "cp850": _LATIN,
    "cp1250": _CENTRAL,
    "cp1254": _TURKISH,
    "cp1251": frozenset(map(chr, range(0x410, 0x450))) | frozenset("ёЁ"),
}
_CYRILLIC = "cp1251"
_CLEARLY = 0.75
_UNIT = re.compile(r"[gmlLsMkKVAUICF]")


def best_fit(sample: bytes) -> str:
    """Of the encodings of Europe the one in which all, or by far the most, of the bytes above ASCII make sense.

    >>> best_fit("125 µg at 38°C".encode("cp850")), best_fit("125 µg at 38°C".encode("cp1252"))
    ('cp850', 'cp1252')

    :returns: cp1252 where none is clearly better.
    """
    shares = {name: _share(sample, name) for name in _CANDIDATES}
    usual = shares.pop("cp1252")
    best = max(shares, key=lambda name: shares[name])
    return best if usual < _CLEARLY <= shares[best] and shares[best] > usual + 0.2 else "cp1252"


def _share(sample: bytes, encoding: str) -> float:
    """The share of characters above ASCII that may stand where they do."""
    text = f" {sample.decode(encoding, 'replace')} "
    letters = _CANDIDATES[encoding]
    if encoding == "cp1252" and _VOWELS.isdisjoint(text):  # else it is Turkish
        letters -= _ICELANDIC
    total = good = 0
    for i in range(1, len(text) - 1):
        character = text[i]
        if character.isascii() or character == "\xa0":
            continue
        total += 1
        good += _may_stand(text[i - 1], character, text[i + 1], letters, encoding == _CYRILLIC)
    return good / total if total else 1.0


def _may_stand(before: str, sign: str, after: str, letters: frozenset[str], cyrillic: bool) -> bool:
    if sign in letters:
        neighbours = [one for one in (before, after) if one.isalpha()]
        if sign.isupper() and before.islower():
            return False
        if before.isdigit() or after.isdigit():
            return False
        latin = [one.isascii() for one in neighbours]
        return not any(latin) if cyrillic else any(latin) or not neighbours
    if sign == "°":
        return before.isdigit() or (before.isspace() and after in "CF")
    if sign in "µμ":
        return not before.isalpha() and bool(_UNIT.match(after))
    if sign in "±×÷":
        return not before.isalpha() and not after.isalpha()
    if sign in _NUMBERED:
        return before in " \n(" or before.isdigit() or (before in "m)" and sign in "²³")
    if sign in _OPENING:
        return not before.isalnum() and not after.isspace()
    if sign in _CLOSING:
        return not before.isspace()
    return sign in _DASHES or sign in "§©®€£™"
