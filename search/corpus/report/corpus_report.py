"""What the corpus report holds, and what it says in plain sentences, the most important first.

Every threshold stands beside its reason. The ratios of word pieces were measured on the shared sets against
ordinary English (1.00): requests to a voice assistant 0.99, consumer finance 1.01, terms of service 1.02,
shopping 1.08, patient information 1.10, abstracts of biology 1.24, code-mixed Hindi-English 1.42.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from search.corpus.document import Document
from search.corpus.report.abbreviations import Abbreviation, abbreviations
from search.corpus.report.duplicates import Duplicates, find_duplicates
from search.corpus.report.keywords import Terms, typical_terms
from search.corpus.report.lengths import Lengths, Unread, lengths, unread
from search.corpus.report.tokenizer_fit import NOTHING, TokenizerFit, tokenizer_fit
from search.corpus.tokenizer import ModelTokenizer, generic_reader
from search.projects.progress import Progress, Stage, silent
from search.text.languages import (
    ENGLISH,
    UNKNOWN,
    Language,
    language_name,
    languages,
    main_language,
)
from search.text.words import WORD, word_runs

# Everyday text of a narrow subject stays below.
_SPECIAL = 1.05
# A model of a hundred languages cuts ordinary words of Finnish into 1.18 times as many pieces as English ones, of Tamil
# into 1.38 times as many; one of English alone cuts French into 1.4, German into 1.8, Arabic into 3.9 times as many.
_LONGER_WORDS = 1.25
# From which ratio on what is said of the vocabulary, and with what weight. Between patient information and biology
# (1.2) lies where a reader, too, begins to need a dictionary.
_VOCABULARY = (
    (1.4, 90, "the generic model hardly knows this vocabulary."),
    (1.2, 70, "much of this vocabulary is foreign to the generic model."),
    (_SPECIAL, 40, "the generic model knows most of these words, but not the special ones."),
    (
        0,
        15,
        "the generic model knows this vocabulary; what it may not know is what the words mean here.",
    ),
)
# In a document of 20 words, one is then invisible.
_UNREADABLE = 0.05
# One in twenty results of a search is then a repetition.
_MANY = 0.05
# A tenth of the text that no search can find.
_MUCH_UNREAD = 0.1
# Below, documents are requests or titles: one word decides what they are about.
_SHORT = 10
# A second language worth a thought: about one text in twenty.
_SPOKEN = 0.05
_NAMED = 3
_EXAMPLES = 10  # Of documents without a text.


@dataclass(frozen=True)
class CorpusReport:
    """What is known of a corpus; all but `documents`, `passages` and `words` is counted in the sample.

    `sampled` is how many documents were looked at, `words` the number of words in the whole corpus (an
    estimate where the sample is smaller). `model` is the generic model of the project, by its own name: what is said of a
    model is counted with its tokenizer; `english` says that it was made for English alone. `title_only` counts documents whose text has no word,
    `title_only_examples` names some by their ids.
    """

    model: str
    english: bool
    documents: int
    passages: int
    sampled: int
    words: int
    lengths: Lengths
    unread: Unread
    title_only: int
    title_only_examples: tuple[str, ...]
    copies: Duplicates
    languages: tuple[Language, ...]
    foreignness: TokenizerFit
    terms: Terms
    abbreviations: tuple[Abbreviation, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """What follows from it, in plain sentences, the most important first."""
        return findings(self)

    @property
    def estimated(self) -> bool:
        """Whether only some of the documents were looked at."""
        return self.sampled < self.documents

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        said = {"findings": self.findings, "estimated": self.estimated}
        plain: dict[str, Any] = json.loads(json.dumps({**asdict(self), **said}))
        for shown, known in zip(plain["abbreviations"], self.abbreviations, strict=True):
            shown["ambiguous"] = known.ambiguous
        return plain


def build_report(
    sample: Sequence[Document],
    documents: int,
    passages: int,
    progress: Progress = silent,
    model: ModelTokenizer | str | None = None,
) -> CorpusReport:
    """Look at documents of a corpus.

    :param sample: documents of the corpus, all of them or some drawn evenly. 4,000 of 200 words take about
        six seconds on one core, two of them for what is loaded once.
    :param documents: how many documents the corpus has.
    :param passages: how many passages the corpus has.
    :param progress: told between the steps.
    :param model: the generic model of the project; its name, where its tokenizer is not here; None for the one that comes
        with Bespoke.
    """
    progress(0, 100, "reading words")
    texts = [document.embedded for document in sample]
    runs = [word_runs(text) for text in texts]
    sizes = [sum(map(len, of_one)) for of_one in runs]
    progress(15, 100, "measuring lengths")
    reader = generic_reader() if model is None else model
    known = None if isinstance(reader, str) else reader
    behind = unread(texts, known) if known else Unread(0, 0, 0.0)
    title_only = [document.id for document in sample if not WORD.search(document.text)]
    progress(30, 100, "telling languages")
    spoken = languages([document.text or document.title for document in sample])
    progress(40, 100, "counting word pieces")
    words = Counter(word for of_one in runs for word in chain.from_iterable(of_one))
    foreign = tokenizer_fit(words, known) if known else NOTHING
    progress(55, 100, "finding typical terms")
    terms = typical_terms(runs, main_language(spoken))
    progress(70, 100, "finding abbreviations")
    explained = abbreviations(texts)
    ids = [document.id for document in sample]
    repeated = find_duplicates(ids, texts, Stage(progress, 0.75, 1.0))
    progress(100, 100, "the corpus is portrayed")
    return CorpusReport(
        model=reader if isinstance(reader, str) else reader.title,
        english=known is not None and known.english,
        documents=documents,
        passages=passages,
        sampled=len(sample),
        words=round(sum(sizes) / max(1, len(sizes)) * documents),
        lengths=lengths(sizes),
        unread=behind,
        title_only=len(title_only),
        title_only_examples=tuple(title_only[:_EXAMPLES]),
        copies=repeated,
        languages=spoken,
        foreignness=foreign,
        terms=terms,
        abbreviations=explained,
    )


Weighed = Iterator[tuple[int, str]]
"""Sentences with their weight: 90 the model cannot work, 70 results suffer much, 40 they suffer, 10 to know."""


def findings(report: CorpusReport) -> tuple[str, ...]:
    """The sentences that hold for a corpus, the weightiest first; shares are those of the sample."""
    if not report.sampled:
        return ("There are no documents.",)
    parts = (_words, _unread, _repeated, _languages, _empty, _own_words)
    return weightiest(chain.from_iterable(part(report) for part in parts))


def weightiest(weighed: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """Sentences, the weightiest first; of equal weight, in their order."""
    return tuple(sentence for _, sentence in sorted(weighed, key=lambda item: -item[0]))


def _words(report: CorpusReport) -> Weighed:
    foreign = report.foreignness
    if not foreign.pieces_per_word:
        return
    if foreign.unreadable_share >= _UNREADABLE:
        yield (
            95,
            f"{percent(foreign.unreadable_share)} of the words are written in characters that the "
            f"generic model ({report.model}) does not know: it sees nothing of them.",
        )
    seen = (
        f"Words here are cut into {foreign.pieces_per_word:.2f} pieces on average, those of ordinary "
        f"English into {foreign.ordinary_pieces_per_word:.2f}: "
    )
    main = main_language(report.languages)
    # Other languages have longer words: what a multilingual model makes of them is held against less.
    longer = 1.0 if report.english or main in (None, ENGLISH) else _LONGER_WORDS
    ratio = foreign.ratio / longer
    weight, judged = next((w, said) for least, w, said in _VOCABULARY if ratio >= least)
    yield weight, seen + judged
    if foreign.ratio >= _SPECIAL and foreign.shredded:
        named = ", ".join(
            f"{word.word} ({' '.join(word.pieces)})" for word in foreign.shredded[:_NAMED]
        )
        yield 39, f"The most frequent words that it takes apart are {named}."


def _unread(report: CorpusReport) -> Weighed:
    # Where documents were cut into passages, the rest of a long one is read in its other passages.
    if not report.unread.texts or report.passages > report.documents:
        return
    yield (
        75 if report.unread.share >= _MUCH_UNREAD else 35,
        f"Longer than the {report.unread.reads} word pieces that the generic model reads: "
        f"{_of(report, report.unread.texts)}. {percent(report.unread.share)} of the text is never "
        "seen; cut the documents into passages.",
    )


def _repeated(report: CorpusReport) -> Weighed:
    copies = report.copies
    for count, how, examples in (
        (copies.exact, "Word-for-word repetitions", copies.exact_examples),
        (copies.near, "Near repetitions", copies.near_examples),
    ):
        if count:
            yield (
                65 if count >= _MANY * report.sampled else 30,
                f"{how} of other documents: {_of(report, count)} ({examples[0].second} of "
                f"{examples[0].first}, for example). They fill the results with the same text.",
            )


def _languages(report: CorpusReport) -> Weighed:
    shares = {language.code: language.share for language in report.languages}
    main = main_language(report.languages)
    unknown = shares.get(UNKNOWN, 0.0)
    if unknown >= 0.5:
        yield (
            50,
            f"The language of {percent(unknown)} of the documents cannot be told: they are too short, or "
            "mix languages.",
        )
    elif main is not None and main != ENGLISH and shares[main] >= 0.5:
        if report.english:
            yield (
                80,
                f"Most documents are in {language_name(main)}; the generic model ({report.model}) learned from English.",
            )
        else:
            yield 15, f"Most documents are in {language_name(main)}."
    spoken = [code for code, share in shares.items() if share >= _SPOKEN and code != UNKNOWN]
    if len(spoken) > 1:
        named = ", ".join(f"{language_name(code)} {percent(shares[code])}" for code in spoken)
        yield 60, f"The documents are in {len(spoken)} languages: {named}."


def _empty(report: CorpusReport) -> Weighed:
    if report.title_only:
        yield (
            68 if report.title_only >= _MANY * report.sampled else 32,
            f"Without a text: {_of(report, report.title_only)} "
            f"({report.title_only_examples[0]}, for example). Only their titles can be found.",
        )
    if report.lengths.median < _SHORT:
        yield (
            45,
            f"Half of the documents have at most {report.lengths.median} words: one word decides what "
            "each is about.",
        )


def _own_words(report: CorpusReport) -> Weighed:
    if report.terms.against is None:
        yield (
            14,
            "Typical terms are not told: this language is written without spaces between words.",
        )
    elif report.terms.words:
        named = ", ".join(term.text for term in report.terms.words[:5])
        yield 12, f"The words most typical of these documents are {named}."
    if report.terms.new_words:
        named = ", ".join(term.text for term in report.terms.new_words[:_NAMED])
        yield (
            20,
            f"Some words that stand here again and again are in no list of ordinary "
            f"{language_name(report.terms.against or ENGLISH)} words: {named}.",
        )
    unclear = [short.short for short in report.abbreviations if short.ambiguous]
    if unclear:
        yield 28, f"Some abbreviations stand for different things: {', '.join(unclear[:_NAMED])}."
    if report.abbreviations:
        first = report.abbreviations[0]
        yield (
            11,
            f"The documents explain abbreviations, such as {first.short} "
            f"({first.expansions[0].text}).",
        )


def _of(report: CorpusReport, count: int) -> str:
    """How many of how many documents, and whether those are a sample."""
    looked_at = " looked at" if report.estimated else ""
    return f"{count:,} of the {report.sampled:,} documents{looked_at}"


def percent(share: float) -> str:
    """A share (0 to 1) in percent; with a digit behind the point where it would wrongly be 0% or 100%."""
    said = f"{share:.0%}"
    return f"{share:.1%}" if said in ("0%", "100%") and share not in (0.0, 1.0) else said
