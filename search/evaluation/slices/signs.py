"""What a question holds that embeddings are known to miss: negations, numbers, doses and measures.

Negation: Ravichander, Gardner and Marasović, "CONDAQA", EMNLP 2022; Weller, Lawrie and Van Durme, "NevIR", EACL 2024.
Numbers: Wallace et al., "Do NLP Models Know Numbers?", EMNLP 2019.
"""

import re

from search.text.languages import ENGLISH, UNKNOWN
from search.text.words import folded_words

# Only words that deny and little else: "no" of Spanish is one, "die" of German is none.
_NEGATIONS = {
    "en": "not no never none nobody nothing nowhere neither nor without cannot cant dont doesnt didnt isnt arent wasnt "
    "werent wont wouldnt shouldnt couldnt hasnt havent hadnt mustnt except unless",
    "de": "nicht nie niemals kein keine keinen keinem keiner keines nichts niemand ohne weder außer",
    "fr": "ne pas jamais sans aucun aucune rien personne ni sauf",
    "es": "no nunca sin ningún ninguno ninguna nada nadie ni jamás excepto",
    "it": "non mai senza nessun nessuno nessuna niente nulla né eccetto",
    "pt": "não nunca sem nenhum nenhuma nada ninguém nem exceto",
    "nl": "niet nooit geen niets niemand zonder noch behalve",
    "hi": "नहीं मत ना बिना नही कभी nahi nahin nahee mat bina",
}  # fmt: skip
_NEGATION_SIGNS = re.compile(r"(?<=n)['’]t\b|[不没沒無无未非]|ません|ない(?![\w])", re.IGNORECASE)
_NUMBER = re.compile(r"\d")
_UNITS = (
    "mg|mcg|µg|μg|ug|g|kg|ml|cl|dl|l|iu|units?|mmol|mol|meq|kcal|cal|joules?|kj|mm|cm|m|km|inch|inches|ft|feet|miles?|"
    "oz|lbs?|pounds?|grams?|milligrams?|micrograms?|millilit(?:er|re)s?|lit(?:er|re)s?|percent|per ?cent|pct|°c|°f|"
    "degrees?|hz|khz|mhz|ghz|kb|mb|gb|tb|watts?|kw|kwh|volts?|mah|bpm|mmhg|dollars?|euros?|usd|eur|gbp|inr|rupees?"
)
_DOSE = re.compile(rf"[$€£₹]\s?\d|\d\s?(?:%|‰|(?:{_UNITS})\b)", re.IGNORECASE)


def has_negation(text: str, language: str) -> bool:
    """Whether a text denies something, by the words of its language; of English where that is not known or not listed.

    >>> has_negation("Is it safe without food?", "en"), has_negation("Ist das nicht schlimm?", "de")
    (True, True)
    >>> has_negation("It isn't due", "unknown"), has_negation("Notes on nobility", "en")
    (True, False)
    """
    known = _NEGATIONS.get(language, _NEGATIONS[ENGLISH])
    if language == UNKNOWN:  # Of code-mixed questions, too.
        known += " nahi nahin"
    words = known.split()
    return not set(words).isdisjoint(folded_words(text)) or bool(_NEGATION_SIGNS.search(text))


def has_number(text: str) -> bool:
    """Whether a text holds a digit of any script."""
    return bool(_NUMBER.search(text))


def has_dose(text: str) -> bool:
    """Whether a text holds a number with a unit or a currency.

    >>> has_dose("40 mg a day"), has_dose("a fee of $35"), has_dose("section 40 of the act")
    (True, True, False)
    """
    return bool(_DOSE.search(text))
