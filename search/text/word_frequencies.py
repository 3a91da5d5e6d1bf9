"""How often words stand in the ordinary text of a language, by the package wordfreq (Speer 2022)."""

from collections.abc import Mapping
from functools import lru_cache

from search.text.languages import ENGLISH
from search.text.words import WORD

# wordfreq files these under the name of a macrolanguage or a neighbour written alike.
_FILED_UNDER = {"no": "nb", "nn": "nb", "hr": "sh", "bs": "sh", "sr": "sh", "tl": "fil"}


def listed(language: str | None) -> str:
    """The language to compare with: the given one where its words are listed, else English."""
    from wordfreq import available_languages

    code = _FILED_UNDER.get(language or ENGLISH, language or ENGLISH)
    return code if code in available_languages("best") else ENGLISH


@lru_cache(maxsize=2)
def ordinary_words(language: str) -> Mapping[str, float]:
    """Shares (0 to 1) of all words, the most frequent first; words are cut as everywhere here ("don't" is two)."""
    from wordfreq import get_frequency_dict

    shares: dict[str, float] = {}
    for word, share in get_frequency_dict(language).items():
        if word.isalnum():
            shares[word] = shares.get(word, 0.0) + share
            continue
        for part in WORD.findall(word):
            shares[part] = shares.get(part, 0.0) + share
    return dict(sorted(shares.items(), key=lambda item: -item[1]))
