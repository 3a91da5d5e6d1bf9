"""Pairs that writers leave behind without meaning to: titles, headings, questions, terms that are explained."""

import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import attrgetter

from search.corpus.document import Heading
from search.corpus.report.abbreviations import definitions
from search.text.words import MARKS
from training.synthetic.source import DocumentText, Texts, says_something, sentences, words

_QUESTION_MARKS = ("?", "？", "؟")
_BELOW = " > "
_ANSWER_SENTENCES = 4
_LEAST_QUESTION = 3
_LONGEST_TERM = 6
_LEAST_EXPLAINED = 4
# They point to something said before, which a question never could.
_POINTERS = (
    # English, German, French, Spanish, Hindi
    "it this that these those there he she they we you i here what which who one such if when as in "
    "es dies diese dieser dieses das sie er wir ihr man hier was wer wenn "
    "il elle ils elles ce cela ceci c on nous vous qui "
    "esto este esta estos estas eso él ella ellos nosotros qué "
    "यह ये वह वे इस उस मैं हम आप"
)
_POINTING = frozenset(_POINTERS.split())
_TERM = rf"(?P<term>[\w{MARKS}][\w{MARKS}\s'’/()-]{{1,58}}?)"
# What follows the verb must begin as an explanation does: "X is a ...", not "X is ready".
_EXPLAINED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^(?:an?\s+|the\s+)?{_TERM}\s*,?\s+(?:is|are|was|were)\s+(?=(?:an?|the|any|one of|when|where)\b)",
        rf"^(?:an?\s+|the\s+)?{_TERM}\s+(?:means?|refers? to|is defined as|are defined as|stands for)\s+(?=\w)",
        rf"^(?:eine?\s+|der\s+|die\s+|das\s+)?{_TERM}\s+(?:ist|sind|war)\s+(?=(?:eine?|der|die|das|jede[rs]?)\b)",
        rf"^(?:eine?\s+|der\s+|die\s+|das\s+)?{_TERM}\s+(?:bezeichnet|bedeutet|beschreibt)\s+(?=\w)",
        rf"^(?:une?\s+|le\s+|la\s+|les\s+|l['’])?{_TERM}\s+(?:est|sont)\s+(?=(?:une?|les?|la|l['’])\b)",
        rf"^(?:une?\s+|le\s+|la\s+|les\s+|l['’])?{_TERM}\s+(?:désigne|signifie)\s+(?=\w)",
        rf"^(?:una?\s+|el\s+|la\s+|los\s+|las\s+)?{_TERM}\s+(?:es|son)\s+(?=(?:una?|el|la|los|las)\b)",
        rf"^(?:una?\s+|el\s+|la\s+|los\s+|las\s+)?{_TERM}\s+(?:significa|se refiere a)\s+(?=\w)",
        rf"^{_TERM}\s+(?=(?:एक|वह|ऐसा|ऐसी)\s.*(?:है|हैं)\s*[।.|]?$)",
    )
)
# A line of a glossary: "Term: what it is", "Term – what it is".
_GLOSSARY = re.compile(rf"^[-•*]?\s*{_TERM}\s*(?::|\s[–—-])\s+(?P<rest>\S.*)$")


def titles(source: DocumentText) -> Iterator[Texts]:
    """The title and the beginning of the text (its first passage, without the title)."""
    document = source.document
    if says_something(document.title, 1) and source.passages:
        body = source.passages[0].strip()
        if says_something(body) and body.casefold() != document.title.casefold():
            yield document.title, body


def headings(source: DocumentText) -> Iterator[Texts]:
    """Each heading and the text under it."""
    document = source.document
    begins = [next(marks) for _, marks in groupby(document.marks, attrgetter("heading"))]
    for mark, following in pairwise([*begins, Heading(len(document.text))]):
        under = document.text[mark.start : following.start].strip()
        path = mark.heading.split(_BELOW)
        under = under.removeprefix(path[-1]).strip()
        if says_something(path[-1], 1) and says_something(under, _LEAST_EXPLAINED):
            yield " ".join(path), under


def questions(source: DocumentText) -> Iterator[Texts]:
    """A question in the text and the sentences that follow it."""
    for said in source.sentences:
        for position, sentence in enumerate(said):
            if not sentence.endswith(_QUESTION_MARKS) or len(words(sentence)) < _LEAST_QUESTION:
                continue
            answer = []
            for following in said[position + 1 : position + 1 + _ANSWER_SENTENCES]:
                if following.endswith(_QUESTION_MARKS):
                    break
                answer.append(following)
            if says_something(" ".join(answer), _LEAST_EXPLAINED):
                yield sentence, " ".join(answer)


def explained_terms(source: DocumentText) -> Iterator[Texts]:
    """A term and the rest of the sentence or line that says what it is."""
    for passage in source.passages:
        seen = set()
        for line in passage.splitlines():
            match = _GLOSSARY.match(line.strip())
            if match and (found := _defined(match["term"], match["rest"])):
                seen.add(found[1])
                yield found
        for sentence in sentences(passage):
            found = explanation(sentence)
            if found is not None and not any(found[1] in rest for rest in seen):
                yield found


def explanation(sentence: str) -> Texts | None:
    """The term that a sentence explains, and what it says of it; None where it explains none."""
    for pattern in _EXPLAINED:
        match = pattern.match(sentence)
        if match and (found := _defined(match["term"], sentence[match.end() :])):
            return found
    return None


def abbreviated(source: DocumentText) -> Iterator[Texts]:
    """An abbreviation and what it stands for, where the text says it: "blood pressure (BP)"."""
    for passage in source.passages:
        yield from definitions(passage)


def _defined(term: str, rest: str) -> Texts | None:
    """A term and what is said of it, where it could be the name of something: some words, the first no pointer."""
    term, rest = term.strip(), rest.strip()
    named = [word.casefold() for word in words(term)]
    if not 1 <= len(named) <= _LONGEST_TERM or named[0] in _POINTING or not says_something(term, 1):
        return None
    return (term, rest) if says_something(rest, _LEAST_EXPLAINED) else None
