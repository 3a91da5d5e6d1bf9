"""The texts that a server is asked for: what servers are known to read in ways of their own, on both sides of a search."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from search.models.prompts import Role
from search.projects.errors import Refused

PLAIN, SHORT, LONG = "usual texts", "short texts", "long texts"
IDENTIFIERS = "identifiers of more than 100 characters"
KOREAN, INDIC, SPACE = "Korean", "Indic scripts", "white space"
_COUNTS = {PLAIN: 40, SHORT: 20, LONG: 12, IDENTIFIERS: 7, KOREAN: 7, INDIC: 8, SPACE: 6}
_LEAST_WORDS = 24
_LONG_WORDS = 700
_GENERAL = (
    "The tenant shall keep the roof in good repair and give notice of any leak within ten days.",
    "A swelling of the eyelid with pain and fever needs to be seen by a doctor on the same day.",
    "How do I dispute a charge on my credit card that I have already reported as fraud?",
    "The court held that the contract was void because one of the parties was under age.",
    "Interest is added at the end of each month to whatever has not been paid by then.",
    "Which vaccines do children need before they travel to a country with yellow fever?",
    "The pump is switched off before its cover is opened, and the valve is closed by hand.",
    "Minutes of the meeting are sent to all members, who may ask for changes within a week.",
)
_SHORT_TEXTS = (
    "rent", "frost damage", "who pays?", "fever", "late fee", "Blood pressure", "notice period", "refund", "how to appeal",
    "knee pain", "tax", "lease", "water meter", "school meals", "left turn", "open data", "bus times", "Art. 21", "A4",
    "3.5 mg",
)  # fmt: skip
_KOREAN_TEXTS = (
    "임대료는 매월 말일까지 지급하여야 한다.",
    "지붕 수리는 누가 부담합니까?",
    "환자는 열이 나고 눈꺼풀이 부었다.",
    "계약을 해지하려면 서면으로 알려야 합니다.",
    "신용카드 청구에 이의를 제기하는 방법",
    "서울시 교통 요금 안내",
    "보험금 청구 서류",
)
_INDIC_TEXTS = (
    "किराया हर महीने के अंत तक देना होगा।",
    "छत की मरम्मत का खर्च कौन देगा?",
    "मरीज को बुखार है और पलक सूजी हुई है।",
    "வாடகை மாத இறுதிக்குள் செலுத்தப்பட வேண்டும்.",
    "கூரையை யார் பழுது பார்க்க வேண்டும்?",
    "মাসের শেষে ভাড়া দিতে হবে।",
    "ఒప్పందాన్ని రద్దు చేయడం ఎలా?",
    "ಬಾಡಿಗೆ ಯಾರು ಪಾವತಿಸಬೇಕು?",
)
_SPACES = ("  {}", "{}  \n", "\t{}\t", "{}\n\n\n{}", "{}   {}", "\r\n{} \u00a0 {}")


@dataclass(frozen=True)
class Probe:
    """A text, what is special about it, and the side of a search on which it is asked.

    >>> Probe("frost", SHORT, "query").role
    'query'
    """

    text: str
    kind: str
    role: Role


def probes(texts: Sequence[str], window: int | None) -> list[Probe]:
    """A hundred texts, each on both sides.

    :param texts: of documents; general ones fill up where they are few.
    :param window: how many tokens the model reads; None for all.

    >>> asked = probes([], window=256)
    >>> len(asked), len({probe.text for probe in asked})
    (200, 100)
    """
    usual = _usual(texts)
    whole = max(3 * (window or 0) // 2, _LONG_WORDS)
    # Where a model reads a book, a few books are enough: what cuts sooner shows in less.
    long = [whole if whole < 3 * _LONG_WORDS or i % 4 == 0 else _LONG_WORDS for i in range(12)]
    of_kind = {
        PLAIN: usual,
        SHORT: list(_SHORT_TEXTS),
        LONG: [_joined(usual, i, words) for i, words in enumerate(long)],
        IDENTIFIERS: [_identifier(i) for i in range(_COUNTS[IDENTIFIERS])],
        KOREAN: list(_KOREAN_TEXTS),
        INDIC: list(_INDIC_TEXTS),
        SPACE: [form.format(*usual[2 * i : 2 * i + 2]) for i, form in enumerate(_SPACES)],
    }
    return [
        Probe(text, kind, role)
        for kind, count in _COUNTS.items()
        for text in of_kind[kind][:count]
        for role in _ROLES
    ]


_ROLES: tuple[Role, Role] = ("query", "document")


def _usual(texts: Sequence[str]) -> list[str]:
    """Forty different texts of a few words to a few sentences."""
    words = (" ".join(text.split()[: _LEAST_WORDS + 4 * (i % 7)]) for i, text in enumerate(texts))
    own = [text for text in dict.fromkeys(words) if len(text) > _LEAST_WORDS]
    general = [f"{text} ({n})" for n in range(1, 6) for text in _GENERAL]
    found = [*own, *general][: _COUNTS[PLAIN]]
    if len(found) < _COUNTS[PLAIN]:
        raise Refused("There are too few texts to ask a server for.")
    return found


def _joined(texts: Sequence[str], start: int, words: int) -> str:
    """A text of so many words, each with another beginning."""
    every = (word for text in islice(cycle(texts), start, None) for word in text.split())
    return " ".join(islice(every, words + 7 * start))


def _identifier(number: int) -> str:
    """A sentence with an identifier that no tokenizer has as a whole."""
    parts = "-".join(f"{(number + 3) * (i + 11) ** 2:06d}x{i:02d}" for i in range(12))
    return f"The record is {parts.replace('-', '' if number % 2 else '_')}."
