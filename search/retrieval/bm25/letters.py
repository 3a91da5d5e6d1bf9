"""One spelling for words that people write in several ways: accents, digits, Arabic and Indic letters.

Words only match here, nobody reads them. What is folded follows Lucene's analyzers, which cite their own sources:
ArabicNormalizer (Larkey, Ballesteros and Connell 2002, "Improving Stemming for Arabic Information Retrieval"),
PersianNormalizer, HindiNormalizer (Pingali and Varma 2006, "Word normalization in Indian languages"; Larkey, Connell
and Abduljaleel 2003, "Hindi CLIR in Thirty Days") on Devanagari, IndicNormalizer (vowels typed in two parts; The Unicode
Standard, chapter 12, tables "vowel letters", and the chillus there) and DecimalDigitFilter.
"""

import re
import unicodedata
from functools import lru_cache

_ARABIC = str.maketrans("آأإٱىیےةۀہکٲٳ", "اااايييهههكاا")
_ARABIC_SIGNS = re.compile("[\u0640\u064b-\u0655\u0670]")
_HAS_ARABIC = re.compile("[\u0620-\u06ff]")

_HAS_INDIC = re.compile("[\u0900-\u0d7f]")
# The signs first: of three parts the last two become one, which goes together with the first.
_IN_PARTS = (
    "ाॅ=ॉ ाॆ=ॊ ाे=ो ाै=ौ अा=आ अॅ=ॲ अॆ=ऄ अॉ=ऑ अॊ=ऒ अो=ओ अौ=औ आॅ=ऑ आॆ=ऒ आे=ओ आै=औ उु=ऊ एॅ=ऍ एॆ=ऎ एे=ऐ "
    "অা=আ ৎ=ত্ "
    "ੁੁ=ੂ ਅਾ=ਆ ਅੈ=ਐ ਅੌ=ਔ ੲਿ=ਇ ੲੀ=ਈ ੲੇ=ਏ ੳੁ=ਉ ੳੂ=ਊ ੳੋ=ਓ "
    "ાૅ=ૉ ાે=ો ાૈ=ૌ અા=આ અૅ=ઍ અે=એ અૈ=ઐ અૉ=ઑ અો=ઓ અૌ=ઔ આૅ=ઑ આે=ઓ આૈ=ઔ "
    "ଅା=ଆ ଏୗ=ଐ ଓୗ=ଔ உௗ=ஊ ஔ=ஔ ెౕ=ే ఒౌ=ఔ ఒౕ=ఓ బుు=ఋ ಒೌ=ಔ "
    "െെ=ൈ ഇൗ=ഈ ഉൗ=ഊ എെ=ഐ ഒാ=ഓ ഒൗ=ഔ ൺ=ണ് ൻ=ന് ർ=ര് ൽ=ല് ൾ=ള് ൿ=ക്"
)
_WHOLE = dict(pair.split("=") for pair in _IN_PARTS.split())
_PARTS = tuple(
    re.compile("|".join(sorted(chosen, key=len, reverse=True)))
    for chosen in (
        [parts for parts in _WHOLE if unicodedata.category(parts[0]).startswith("M")],
        [parts for parts in _WHOLE if not unicodedata.category(parts[0]).startswith("M")],
    )
)
# Devanagari: a dead n and the moon dot are the anusvara, long vowels are short, nukta and virama go.
_DEAD_N = "\u0928\u094d"
_DEVANAGARI = str.maketrans(
    "ँऩऱऴॅॆॉॊऍऎऑऒॲऄआईऊॠॡऐऔीूॄॣैौ",
    "ंनरळेेोोएएओओअअअइउऋऌएओिुृॢेो",
    "\u093c\u094d",
)
_NOTE_MARK_BEHIND = (
    4  # Letters: behind a word a raised number is a note's mark, behind a unit a power.
)
_FRACTION_SLASH = "\u2044"


@lru_cache(maxsize=65_536)
def spellings(word: str) -> tuple[str, ...]:
    """The parts of a case-folded word as they are matched: mostly one.

    What people leave out when they type goes: accents of Latin letters, Arabic vowel signs. The marks of other scripts
    stay: Hindi's vowel signs are letters. Small digits behind letters are digits (SpO₂, mm³); behind a digit or a word
    they are a number of their own: 10⁹ is 10 and 9, never 109.

    >>> spellings("mm³"), spellings("10⁹"), spellings("2½")
    (('mm3',), ('10', '9'), ('2', '1', '2'))
    """
    found = [_spelled(part) for part in _apart(word).replace(_FRACTION_SLASH, " ").split()]
    return tuple(filter(None, found)) or (word,)


def _apart(word: str) -> str:
    """The compatibility decomposition of a word, with spaces before numbers that do not belong to what is before them."""
    kept: list[str] = []
    letters, before = 0, ""
    for sign in word:
        category = unicodedata.category(sign)
        small = category == "No" and unicodedata.decomposition(sign).startswith("<")
        if small and before != "small":
            raised = unicodedata.decomposition(sign).startswith("<super>")
            if before == "digit" or (raised and letters >= _NOTE_MARK_BEHIND):
                kept.append(" ")
        elif not small and before == "small" and category == "Nd":
            kept.append(" ")
        if category.startswith("L"):
            letters, before = letters + 1, "letter"
        elif not category.startswith("M"):
            before = "small" if small else "digit"
            letters = 0
        kept.append(str(unicodedata.decimal(sign)) if category == "Nd" else sign)
    return unicodedata.normalize("NFKD", "".join(kept))


def _spelled(word: str) -> str:
    kept = []
    latin = False
    for letter in word:
        if unicodedata.combining(letter):
            if latin and "\u0300" <= letter <= "\u036f":
                continue
        else:
            latin = letter.isascii() or "LATIN" in unicodedata.name(letter, "")
        kept.append(letter)
    plain = unicodedata.normalize("NFC", "".join(kept)).casefold()
    if _HAS_ARABIC.search(plain):
        plain = _ARABIC_SIGNS.sub("", plain.translate(_ARABIC)) or plain
    if _HAS_INDIC.search(plain):
        for parts in _PARTS:
            plain = parts.sub(lambda match: _WHOLE[match.group()], plain)
        plain = plain.replace(_DEAD_N, "\u0902").translate(_DEVANAGARI) or plain
    return plain
