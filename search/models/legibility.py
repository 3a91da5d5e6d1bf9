"""Documents that a model cannot read, by their script or by how it cuts their words: known before anything is trained.

A model that was made for one language cuts the words of another into scraps (Rust et al. 2021, "How Good is Your
Tokenizer?", call the pieces a word fertility), or sees nothing of its letters. No training on top of it mends that.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import chain

from search.corpus.corpus import Corpus
from search.corpus.report.corpus_report import percent
from search.corpus.report.tokenizer_fit import TokenizerFit, fertility, tokenizer_fit
from search.corpus.tokenizer import ModelTokenizer
from search.models.pretrained.multilingual import folder as multilingual
from search.models.pretrained.opening import OpenedCheckpoint
from search.models.registry import ModelInfo, generic_info
from search.models.tokenizers import reader_in, reader_of
from search.models.window import truncation_of
from search.projects.project import Project
from search.text.languages import ENGLISH, UNKNOWN, language_name, language_of_each
from search.text.sampling import evenly_spaced
from search.text.words import word_runs

MULTILINGUAL = multilingual.REFERENCE
"""A base that reads a hundred languages, as large a step as a small machine takes."""
_SAMPLE = 400
_WORTH_TELLING = 0.05
_FERTILITY = 1.5
"""Pieces a word over those of ordinary English: a model of English has 1.8 for German, 2.5 for Hindi; see the report."""
_UNREADABLE = 0.2
_MIXED_FERTILITY = 2.5  # Where no language can be told, jargon and abbreviations fall apart too.


def illegible(project: Project, corpus: Corpus, info: ModelInfo | None = None) -> str | None:
    """In words which documents a model of a project cannot read; None where it reads (nearly) all, or it cannot be known.

    :param info: the model; None for the generic one.
    """
    reader = reader_of(project, info or generic_info(project))
    return None if reader is None else illegible_to(reader, project, corpus)


def unread_notes(
    opened: OpenedCheckpoint, name: str, project: Project, corpus: Corpus
) -> list[str]:
    """What a checkpoint would not read of a project's documents: what is longer than its window, and foreign to it."""
    cut = truncation_of(opened.model, corpus)
    notes = [cut.sentence(name)] if cut is not None and cut.is_short else []
    folder = opened.files.parts[-1].folder
    reader = reader_in(folder, name, opened.max_length, opened.prompts.document)
    note = illegible_to(reader, project, corpus) if reader is not None else None
    return [*notes, note] if note else notes


def illegible_to(reader: ModelTokenizer, project: Project, corpus: Corpus) -> str | None:
    """The same of a model that is no model of the project yet.

    :param project: for which a better one would be added.
    """
    sample = corpus.documents_at(evenly_spaced(len(corpus), _SAMPLE))
    found = illegible_languages([document.embedded for document in sample], reader)
    if not found:
        return None
    share = sum(share for _, share, _ in found)
    parts = ", ".join(f"{_named(code)} ({_why(fit)})" for code, _, fit in found)
    start = f"{reader.title} cannot read {percent(share)} of the documents well: {parts}."
    if reader.many_languages:
        return (
            f"{start} It is a model of many languages already, and no other that is known here reads them better: keyword "
            "search (bm25) needs no model, and word vectors (word2vec, fasttext) learn from your documents alone."
        )
    return (
        f"{start} What is trained on it stands on scraps. Take a model of many languages first: python cli.py add-model "
        f"{project.name} {MULTILINGUAL} --default (or start from it: --set base={MULTILINGUAL})."
    )


def illegible_languages(
    texts: Sequence[str], reader: ModelTokenizer
) -> list[tuple[str, float, TokenizerFit]]:
    """The languages that a model cannot read, with their share (0 to 1) of the texts and how it cuts their words.

    Each text's language is told for itself, so that a part in another language is seen beside a larger one.
    """
    by_language: dict[str, list[str]] = defaultdict(list)
    for text, code in zip(texts, language_of_each(texts), strict=True):
        by_language[code].append(text)
    found = []
    for code, own in by_language.items():
        share = len(own) / len(texts)
        if share < _WORTH_TELLING:
            continue
        words = Counter(chain.from_iterable(run for text in own for run in word_runs(text)))
        # However its jargon is cut: a model of English is no better served by another one.
        least = {ENGLISH: float("inf"), UNKNOWN: _MIXED_FERTILITY}.get(code, _FERTILITY)
        pieces, unreadable = fertility(words, reader)
        if unreadable < _UNREADABLE and pieces < least:
            continue  # Ordinary English has a piece a word, at the least.
        fit = tokenizer_fit(words, reader)
        if fit.unreadable_share >= _UNREADABLE or fit.ratio >= least:
            found.append((code, share, fit))
    return sorted(found, key=lambda item: -item[1])


def _named(code: str) -> str:
    return "those whose language cannot be told" if code == UNKNOWN else language_name(code)


def _why(fit: TokenizerFit) -> str:
    if fit.unreadable_share >= _UNREADABLE:
        return f"{percent(fit.unreadable_share)} of the words are in letters that it does not know"
    return f"{fit.ratio:.1f} times as many pieces a word as in ordinary English"
