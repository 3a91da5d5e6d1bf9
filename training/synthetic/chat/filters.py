"""Which written questions are left out: in another language, copied from the passage, asked before, or of another document.

That a question must find its passage again is the round trip of Promptagator (Dai et al. 2022); here the first `AMONG`
documents of the generic model or of keyword search will do: a question in lay words, which only the one or the other
finds, and not at once, is what a model has to learn.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from search.text.languages import UNKNOWN, language_of_each
from search.text.near_duplicates import NearDuplicates, shingles
from search.text.words import folded_words
from training.synthetic.chat.asking import AskedPassage
from training.synthetic.chat.parsing import ParsedQuestion
from training.synthetic.chat.prompt import Style

AMONG = 20
_COPIED_WORDS = 6
_COPIED = 0.9
_LONG = 3  # Times the words of the person's own queries.
_LONGEST = 60

Ranks = Callable[[Sequence[str]], Sequence[Sequence[int]]]
"""The positions of the first documents for each of some questions."""


@dataclass(frozen=True)
class WrittenQuestion:
    """A question that a model wrote about a passage."""

    question: ParsedQuestion
    about: AskedPassage


@dataclass(frozen=True)
class Filtered:
    """What is left, and how many were left out, by reason."""

    left: list[WrittenQuestion]
    out: Counter[str] = field(default_factory=Counter)

    def without(self, reason: str, is_out: Sequence[bool]) -> "Filtered":
        """The same without those of which `is_out` says so."""
        left = [one for one, out in zip(self.left, is_out, strict=True) if not out]
        counted = Counter({reason: sum(is_out)}) if any(is_out) else Counter[str]()
        return Filtered(left, self.out + counted)

    @property
    def sentence(self) -> str:
        """In words what was left out, the most frequent first; "" where nothing was."""
        return ", ".join(f"{count:,} {reason}" for reason, count in self.out.most_common())


def filtered(written: Sequence[WrittenQuestion], style: Style) -> Filtered:
    """What is left by the texts alone."""
    found = Filtered(list(written))
    found = found.without("too long", [_is_long(one, style) for one in found.left])
    found = found.without("in another language", _in_another_language(found.left, style))
    found = found.without("copied from the passage", [_is_copy(one) for one in found.left])
    return found.without("asked already", _asked_already(found.left, style))


def after_round_trip(
    questions: Filtered, owners: Sequence[int], ranks: Sequence[Ranks]
) -> Filtered:
    """What is left where one of several ways of searching comes back to the document.

    :param owners: the position of each question's document.
    """
    back = [False] * len(questions.left)
    for rank in ranks:
        missing = [n for n, is_back in enumerate(back) if not is_back]
        if missing:
            rankings = rank([questions.left[n].question.text for n in missing])
            for n, ranking in zip(missing, rankings, strict=True):
                back[n] = owners[n] in ranking
    return questions.without(
        f"that neither the generic model nor keyword search leads back to within {AMONG}",
        [not is_back for is_back in back],
    )


def _is_long(one: WrittenQuestion, style: Style) -> bool:
    most = _LONG * style.words if style.words else _LONGEST
    return len(folded_words(one.question.text)) > max(most, _LONG * 2)


def _in_another_language(written: Sequence[WrittenQuestion], style: Style) -> list[bool]:
    """Whether a question is surely in another language than the passages and the person's own queries."""
    wanted = {one.about.language for one in written} | {style.language} - {""}
    if wanted <= {UNKNOWN}:
        return [False] * len(written)
    spoken = language_of_each([one.question.text for one in written])
    return [code != UNKNOWN and code not in wanted for code in spoken]


def _is_copy(one: WrittenQuestion) -> bool:
    """Whether a question says little but what the passage says in the same words and order."""
    said = folded_words(one.question.text)
    if len(said) < _COPIED_WORDS:
        return False
    asked = shingles(one.question.text)
    return len(asked & shingles(one.about.text)) >= _COPIED * len(asked)


def _asked_already(written: Sequence[WrittenQuestion], style: Style) -> list[bool]:
    """Whether one before it, or an example that the model was shown, is the same or nearly."""
    shown = [pair.query for pair in style.examples]
    texts = shown + [one.question.text for one in written]
    near = NearDuplicates(texts)
    first = len(shown)
    return [min(near.of(text), default=n) < n for n, text in enumerate(texts[first:], start=first)]
