"""In which languages texts are written, claimed only where it can be told, and how often words stand in them.

The shares of words in ordinary text are those of the package wordfreq (Speer 2022).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from search.text.words import WORD

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNKNOWN = "unknown"
ENGLISH = "en"
# Measured on the shared sets: of 5,190 short English requests at 0.9 or more, 2 were called something
# else; of 4,860 code-mixed Hindi-English ones 51, all but a few called English. Below 0.9 the code-mixed
# ones are called Haitian, Hausa, Somali, Fula.
_SURE = 0.9
# Where a language is at home in the corpus, its short texts need less: half of the probability.
_LIKELY = 0.5
_AT_HOME = 0.05
_LEAST_AT_HOME = 3
# 400 letters decide as well as a whole text.
_LETTERS = 400
_NO_LANGUAGE = "zxx"
# wordfreq files these under the name of a macrolanguage or a neighbour written alike.
_FILED_UNDER = {"no": "nb", "nn": "nb", "hr": "sh", "bs": "sh", "sr": "sh", "tl": "fil"}

_NAMES = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian",
    "bg": "Bulgarian", "bn": "Bengali", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "eo": "Esperanto", "es": "Spanish",
    "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish",
    "gl": "Galician", "gu": "Gujarati", "ha": "Hausa", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "ht": "Haitian Creole", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "ig": "Igbo",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh", "km": "Khmer",
    "kn": "Kannada", "ko": "Korean", "la": "Latin", "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian",
    "mk": "Macedonian", "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay",
    "mt": "Maltese", "my": "Burmese", "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian Nynorsk",
    "no": "Norwegian", "or": "Odia", "pa": "Punjabi", "pcm": "Nigerian Pidgin", "pl": "Polish",
    "ps": "Pashto", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sa": "Sanskrit",
    "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "so": "Somali", "sq": "Albanian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "xh": "Xhosa",
    "yo": "Yoruba", "yue": "Cantonese", "zh": "Chinese", "zu": "Zulu",
}  # fmt: skip


@dataclass(frozen=True)
class Language:
    """A language, by its ISO 639 code ("unknown" where none can be told) and name, and how many texts are in it.

    `share` is that number over all texts, 0 to 1.
    """

    code: str
    name: str
    texts: int
    share: float


def languages(texts: Sequence[str]) -> tuple[Language, ...]:
    """The languages of texts, the most frequent first, and last those of which it cannot be told.

    A text that mixes languages, is very short or holds no language at all is unknown.
    """
    counts = Counter(language_of_each(texts))
    order = sorted(counts.items(), key=lambda item: (item[0] == UNKNOWN, -item[1], item[0]))
    return tuple(
        Language(code, language_name(code), count, count / len(texts)) for code, count in order
    )


def language_of_each(texts: Sequence[str]) -> list[str]:
    """The code of each text's language; `UNKNOWN` where none can be told."""
    guesses = [_guess(text[:_LETTERS]) for text in texts]
    sure = Counter(code for code, confidence in guesses if confidence >= _SURE)
    least = max(_LEAST_AT_HOME, _AT_HOME * sure.total())
    home = {code for code, count in sure.items() if count >= least}
    return [
        code if confidence >= (_LIKELY if code in home else _SURE) else UNKNOWN
        for code, confidence in guesses
    ]


def main_language(spoken: Iterable[Language]) -> str | None:
    """The code of the language that most texts with a known language are in; None where none is known."""
    return next((language.code for language in spoken if language.code != UNKNOWN), None)


def language_name(code: str) -> str:
    """The English name of a language; its code where the name is not listed here."""
    return _NAMES.get(code, code)


def listed(language: str | None) -> str:
    """The language to compare with: the given one where its words are listed, else English."""
    from wordfreq import available_languages

    code = _FILED_UNDER.get(language or ENGLISH, language or ENGLISH)
    return code if code in available_languages("best") else ENGLISH


@lru_cache(maxsize=2)
def ordinary_words(language: str, wordlist: str = "best") -> Mapping[str, float]:
    """Shares (0 to 1) of all words, the most frequent first; words are cut as everywhere here ("don't" is two).

    :param wordlist: of wordfreq: "small" has no word under a millionth, and is read in a tenth of the time.
    """
    from wordfreq import get_frequency_dict

    shares: dict[str, float] = {}
    for word, share in get_frequency_dict(language, wordlist).items():
        if word.isalnum():
            shares[word] = shares.get(word, 0.0) + share
            continue
        for part in WORD.findall(word):
            shares[part] = shares.get(part, 0.0) + share
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _guess(text: str) -> tuple[str, float]:
    """The code of the likeliest language, and how likely it is among all (0 to 1)."""
    code, confidence = _identifier().classify(text)
    return (UNKNOWN, 0.0) if code == _NO_LANGUAGE else (str(code), float(confidence))


@lru_cache(maxsize=1)
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
