"""The words that people write for judgments, and the scales that they belong to."""

import re
from collections.abc import Sequence

MISSING = frozenset(
    {"", "n/a", "na", "null", "none", "-", "?", "unknown", "unsure", "not sure", "skip", "skipped", "unjudged",
     "cannot tell", "can't tell", "don't know", "undecided", "not judged"}
)  # fmt: skip
_ESCI = {
    "e": 3, "exact": 3, "s": 2, "substitute": 2, "c": 1, "complement": 1, "i": 0, "irrelevant": 0,
}  # fmt: skip
_QUALITY = {"perfect": 4, "excellent": 3, "good": 2, "fair": 1, "bad": 0, "poor": 0}
# Natural language inference: only what follows from a text is answered by it.
_ENTAILMENT = {
    "entailment": 1, "entails": 1, "entailed": 1, "neutral": 0, "contradiction": 0, "contradicts": 0,
    "not entailment": 0,
}  # fmt: skip
_LEVELS = {
    0: ("no", "n", "false", "f", "irrelevant", "not relevant", "non relevant", "nonrelevant", "notrelevant",
        "not at all relevant", "unrelated", "not related", "off topic", "no match", "not match", "not a match", "mismatch",
        "negative", "neg", "incorrect", "wrong", "not duplicate", "not a duplicate", "not useful", "unhelpful", "not helpful",
        "nein", "nicht relevant", "non", "non pertinent", "pas pertinent", "no relevante", "irrelevante", "нет", "नहीं",
        "अप्रासंगिक", "否", "不相关", "✗", "✘", "❌", "👎"),
    1: ("partially relevant", "partially", "partial", "partial match", "partly relevant", "partly", "somewhat relevant",
        "somewhat", "marginally relevant", "marginal", "slightly relevant", "related", "maybe relevant", "borderline",
        "teilweise relevant", "teilweise", "partiellement pertinent", "parcialmente relevante"),
    2: ("yes", "y", "true", "t", "relevant", "rel", "match", "positive", "pos", "correct", "right", "duplicate", "useful",
        "helpful", "ja", "oui", "pertinent", "si", "sí", "relevante", "да", "हाँ", "प्रासंगिक", "是", "相关", "✓", "✔", "✅", "👍"),
    3: ("highly relevant", "very relevant", "fully relevant", "fully", "full match", "exact", "exact match", "key", "vital",
        "sehr relevant", "très pertinent", "muy relevante"),
    4: ("perfectly relevant", "perfect", "perfect match"),
}  # fmt: skip
_WORDS = {word: level for level, words in _LEVELS.items() for word in words}
_NEGATION = re.compile(r"(?:not|non|no|un) ?(.+)")


def folded(value: str) -> str:
    """A value as values are compared: small letters, one space for each of "_-" and blanks."""
    return re.sub(r"[\s_-]+", " ", value.casefold()).strip(" .!") or value.strip()


def by_words(values: Sequence[str], column: str) -> dict[str, int]:
    """The grades of those values that are words of one known scale.

    >>> by_words(["Exact", "Irrelevant"], "label"), by_words(["yes", "no", "perhaps"], "label")
    ({'Exact': 3, 'Irrelevant': 0}, {'yes': 1, 'no': 0})
    """
    said_by = {value: folded(value) for value in values}
    said = set(said_by.values())
    if said <= _ESCI.keys() and (said & {"e", "exact", "substitute"} or "esci" in column.lower()):
        return {value: _ESCI[word] for value, word in said_by.items()}
    for scale in (_ENTAILMENT, _QUALITY):
        if said and said <= scale.keys() and not {"bad", "poor"} <= said:
            return {value: scale[word] for value, word in said_by.items()}
    for one in said if len(said) == 2 else ():
        if (negated := _NEGATION.fullmatch(one)) and negated[1] in said:
            return {value: int(word != one) for value, word in said_by.items()}
    levels = {value: _WORDS[word] for value, word in said_by.items() if word in _WORDS}
    order = {level: n for n, level in enumerate(sorted({0, *levels.values()}))}
    return {value: order[level] for value, level in levels.items()}
