"""The kinds of pairs that documents give by themselves, in the order in which people meet them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from search.projects.errors import Refused
from training.synthetic.sentences import (
    around_sentences,
    neighbours,
    same,
    telling_words,
    with_gaps,
)
from training.synthetic.source import DocumentText, Texts
from training.synthetic.structure import (
    abbreviated,
    explained_terms,
    headings,
    questions,
    titles,
)


@dataclass(frozen=True)
class PairKind:
    """A kind of mined pair.

    :param held: whether its pairs may be held out as dev queries: the answer is then the document.
    :param by_itself: whether it is mined when no kind is named.
    """

    name: str
    title: str
    what: str
    pairs: Callable[[DocumentText], Iterable[Texts]]
    held: bool = True
    by_itself: bool = True


_KINDS = (
    PairKind("title", "Titles", "A document’s title, and how its text begins.", titles),
    PairKind("heading", "Headings", "A heading, and the text under it.", headings),
    PairKind(
        "question", "Questions", "A question in the text, and the sentences after it.", questions
    ),
    PairKind("definition", "Terms", "A term, and what the text says that it is.", explained_terms),
    PairKind(
        "abbreviation",
        "Abbreviations",
        "An abbreviation, and what it stands for.",
        abbreviated,
        held=False,
    ),
    PairKind(
        "sentence",
        "Sentences",
        "A sentence, and the passage that it was taken out of.",
        around_sentences,
    ),
    PairKind(
        "neighbours", "Neighbours", "The end of a passage, and the passage after it.", neighbours
    ),
    PairKind(
        "words",
        "Search words",
        "A few telling words of a passage, as people type them, and the passage.",
        telling_words,
    ),
    PairKind(
        "gaps",
        "Gaps",
        "A short passage or a sentence with every second word left out, and the passage.",
        with_gaps,
    ),
    PairKind(
        "simcse",
        "The same text",
        "A passage and itself, for fine-tuning alone: each reading leaves other parts of the model out (SimCSE).",
        same,
        held=False,
        by_itself=False,
    ),
)
KINDS: dict[str, PairKind] = {kind.name: kind for kind in _KINDS}
GENERATED = PairKind(
    "generated",
    "Written questions",
    "A question that a model wrote about a passage.",
    lambda source: (),
)
"""Not in `KINDS`: it needs a model that writes."""


def chosen_kinds(names: Iterable[str]) -> list[PairKind]:
    """The kinds of these names, all of them where none is named.

    :raises Refused: for a name that is no kind, naming those that there are.
    """
    wanted = list(names)
    for name in wanted:
        if name not in KINDS:
            raise Refused(
                f"There is no kind of mined pair {name!r}. The kinds: {', '.join(KINDS)}."
            )
    return [kind for kind in KINDS.values() if (kind.name in wanted if wanted else kind.by_itself)]
