"""Pairs that any running text gives: a sentence and what stood around it, some of its words, what comes next."""

import math
from collections.abc import Iterator
from itertools import pairwise

from search.text.words import folded_words
from training.synthetic.source import DocumentText, Texts, says_something, sentences, words

REMOVED = 0.9
"""How often the sentence is taken out of its passage: with it in, a model learns to look for equal words,
which it must still be able to do (Lee et al. 2019, section 9.2)."""
_LEAST_SENTENCE = 4
_LONGEST_SENTENCE = 60
_FEWEST_WORDS, _MOST_WORDS = 2, 6
_LONGEST_SCRAP = 60


def around_sentences(source: DocumentText) -> Iterator[Texts]:
    """One sentence of each passage and the rest of the passage: the inverse cloze task.

    Lee, Chang, Toutanova 2019, "Latent Retrieval for Weakly Supervised Open Domain Question Answering". In nine of
    ten cases the sentence is taken out of the passage.
    """
    for position, said in enumerate(source.sentences):
        good = [
            number
            for number, sentence in enumerate(said)
            if says_something(sentence, _LEAST_SENTENCE)
            and len(words(sentence)) <= _LONGEST_SENTENCE
        ]
        if len(said) < 2 or not good:
            continue
        chance = source.chance("sentence", position)
        chosen = chance.choice(good)
        kept = said if chance.random() >= REMOVED else said[:chosen] + said[chosen + 1 :]
        rest = " ".join(kept)
        if says_something(rest, _LEAST_SENTENCE):
            yield said[chosen], rest


def telling_words(source: DocumentText) -> Iterator[Texts]:
    """Two to six words of each passage, the rarer the likelier, in their order: what people type into a search box."""
    for position, passage in enumerate(source.passages):
        found = words(passage)
        different = {folded_words(word)[0] for word in found if folded_words(word)}
        if len(different) <= _FEWEST_WORDS:
            continue
        chance = source.chance("words", position)
        wanted = min(chance.randint(_FEWEST_WORDS, _MOST_WORDS), len(different) - 1)
        # The largest of u^(1/weight) are a draw without replacement by weight (Efraimidis, Spirakis 2006).
        keys = [
            (math.log(max(chance.random(), 1e-12)) / max(source.weigh(word), 1e-3), number)
            for number, word in enumerate(found)
        ]
        chosen, seen = list[int](), set[str]()
        for _, number in sorted(keys, reverse=True):
            folded = found[number].casefold()
            if folded not in seen:
                seen.add(folded)
                chosen.append(number)
            if len(chosen) == wanted:
                break
        yield " ".join(found[number] for number in sorted(chosen)), _whole(source, position)


def with_gaps(source: DocumentText) -> Iterator[Texts]:
    """Every second word of a short passage, or of one sentence of a longer one: what is left should still find it.

    Deletion is the noise that serves sentence embeddings best (Wang, Reimers, Gurevych 2021, "TSDAE").
    """
    for position, (passage, said) in enumerate(zip(source.passages, source.sentences, strict=True)):
        chance = source.chance("gaps", position)
        text = passage
        if len(words(passage)) > _LONGEST_SCRAP:
            fitting = [s for s in said if _LEAST_SENTENCE * 2 <= len(words(s)) <= _LONGEST_SCRAP]
            if not fitting:
                continue
            text = chance.choice(fitting)
        found = words(text)
        if len(found) < _LEAST_SENTENCE:
            continue
        kept = [word for word in found if chance.random() >= 0.5]
        if says_something(" ".join(kept), 2) and len(kept) < len(found):
            yield " ".join(kept), _whole(source, position)


def neighbours(source: DocumentText) -> Iterator[Texts]:
    """The last sentence of a passage and the passage that follows it in the same document.

    Where a document is one passage, its paragraphs take the place of passages.
    """
    parts = list(source.passages)
    if source.is_whole:
        parts = [part.strip() for part in source.passages[0].split("\n\n") if part.strip()]
    for before, after in pairwise(parts):
        last = next(
            (s for s in reversed(list(sentences(before))) if says_something(s, _LEAST_SENTENCE)),
            None,
        )
        if last is not None and last not in after and says_something(after, _LEAST_SENTENCE * 2):
            yield last, after


def same(source: DocumentText) -> Iterator[Texts]:
    """Each passage with itself.

    A transformer in training reads it twice with different dropout: Gao, Yao, Chen 2021, "SimCSE". To an adapter, whose
    vectors are computed once, it says nothing.
    """
    for position, passage in enumerate(source.passages):
        if says_something(passage, _LEAST_SENTENCE):
            whole = _whole(source, position)
            yield whole, whole


def _whole(source: DocumentText, position: int) -> str:
    """The passage as an answer: the document's own text where it is one passage, which needs no encoding."""
    return source.document.embedded if source.is_whole else source.passages[position]
