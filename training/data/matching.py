"""Pairs and the documents that answer them: by id, by their words, or as new documents of the corpus."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from search.corpus.corpus import CORPUS_FILE, Corpus, content_key, current_corpus
from search.corpus.document import Document
from search.corpus.ingest import require_enough_documents
from search.corpus.labels import Pair
from search.corpus.passages import Chunking
from search.corpus.readers.identities import NearIds
from search.corpus.readers.report import BadField, Report
from search.corpus.tokenizer import SubwordCounter
from search.corpus.writer import CorpusWriter
from search.models.chunking import chunking_for
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from search.projects.publishing import Drafts
from search.text.words import folded_words


@dataclass(frozen=True)
class Matched:
    """Pairs that point to documents where they can, and the corpus with those documents."""

    pairs: list[Pair]
    corpus_id: str
    corpus: Corpus
    added: int = 0
    rejected: list[Pair] = field(default_factory=list)


class ById:
    """Completes pairs that name their document by id, as they are read.

    :param project: its newest corpus has the documents, if there is one.
    :param extend: a response whose document id is unknown becomes a document with that id.
    """

    def __init__(self, project: Project, extend: bool) -> None:
        self._corpus = current_corpus(project)[1] if project.newest("corpora") else None
        self._extend = extend or self._corpus is None
        self._known: dict[str, str | None] = {}
        self._new: dict[str, str] = {}
        self._near: NearIds | None = None

    def __call__(self, pair: Pair) -> Pair:
        """The pair, with the text of its document as the response where it has none.

        :raises BadField: when the document is unknown.
        """
        if pair.document is None:
            return pair
        if pair.document not in self._known:
            document = self._corpus.document(pair.document) if self._corpus else None
            self._known[pair.document] = document.embedded if document else None
        text = self._known[pair.document]
        if text is not None:
            return pair if pair.response else replace(pair, response=text)
        if not pair.response or not self._extend:
            raise BadField(self._unknown(pair))
        if self._new.setdefault(pair.document, pair.response) != pair.response:
            raise BadField(f"an earlier row gives the document {pair.document!r} another text")
        return pair

    def new_documents(self, pairs: Sequence[Pair]) -> dict[str, str]:
        """The texts, by id, of the documents that these pairs bring along."""
        return {p.document: p.response for p in pairs if p.document and p.document in self._new}

    def _unknown(self, pair: Pair) -> str:
        if self._corpus is None:
            return f"the project has no documents yet, so none with the id {pair.document!r}"
        said = f"the corpus has no document {pair.document!r}"
        if self._near is None:
            self._near = NearIds(self._corpus.ids())
        if (near := self._near.of(str(pair.document))) is not None:
            return f"{said}, but {near[1]!r}: they differ by {near[0]}"
        return f"{said} (--add-responses would add it)" if pair.response else said


def match(
    project: Project,
    drafts: Drafts,
    pairs: list[Pair],
    by_id: ById,
    add_responses: bool,
    report: Report,
    rejected: Sequence[Pair] = (),
) -> Matched:
    """Point pairs to documents; make documents of the responses where that is wanted or needed.

    :param rejected: rows that say that their response answers nothing; their texts are documents like those of pairs.
    :param by_id: what completed the pairs; it knows the documents that are to be added under their own id.
    :raises Refused: when no pair has a document, so that nothing could be held out.
    """
    earlier = project.newest("corpora")
    corpus = Corpus.of(project, earlier) if earlier else None
    everything = [*pairs, *rejected]
    named = by_id.new_documents(everything)
    loose = dict.fromkeys(p.response for p in everything if p.document is None)
    by_words = {content_key(text): name for name, text in named.items() if folded_words(text)}
    known = {
        text: (corpus.match(text) if corpus else None) or by_words.get(content_key(text))
        for text in loose
    }
    missing = sum(document is None for document in known.values())
    if earlier is None or corpus is None or named or (missing and add_responses):
        cut = chunking_for(project)
        made = _extended(drafts, everything, named, known, corpus, earlier, report, cut)
        return replace(made, pairs=made.pairs[: len(pairs)], rejected=made.pairs[len(pairs) :])
    pointed = _pointed(pairs, known)
    if project.newest("pairs") is None and not any(pair.document for pair in pointed):
        raise Refused(
            f"None of the {missing:,} responses in {report.source} is a document of the corpus, so "
            "nothing could be held out for the proof. Add them as documents (--add-responses), or "
            "give pairs whose responses are texts of the corpus."
        )
    return Matched(pointed, earlier.id, corpus, rejected=_pointed(rejected, known))


def _pointed(pairs: Sequence[Pair], known: dict[str, str | None]) -> list[Pair]:
    return [p if p.document else replace(p, document=known[p.response]) for p in pairs]


def _extended(
    drafts: Drafts,
    pairs: Sequence[Pair],
    named: dict[str, str],
    known: dict[str, str | None],
    corpus: Corpus | None,
    earlier: Manifest | None,
    report: Report,
    cut: tuple[Chunking, SubwordCounter],
) -> Matched:
    """A new version of the corpus, with a document for each response that has none.

    :param cut: how documents are cut, and what counts their word pieces.
    """
    draft = drafts.add("corpora", {"corpus": earlier.id} if earlier else {})
    writer = CorpusWriter(draft.folder, corpus, cut[0], pieces=cut[1])
    taken = {*named, *(corpus.ids() if corpus else ())}
    known = dict(known)
    added = 0
    for identity, text in named.items():
        added += writer.add([Document(identity, "", text)]).written
    stem = Path(report.source).stem
    for text in [text for text, document in known.items() if document is None]:
        number = writer.count + 1
        while (identity := f"{stem}-r{number}") in taken:
            number += 1
        taken.add(identity)
        added += writer.add([Document(identity, "", text)]).written
        known[text] = identity
    total = writer.count
    require_enough_documents(total, report.source)
    passages = writer.close()
    draft.details.update(
        documents=total, passages=passages, written=added, files=[report.summary()]
    )
    return Matched(_pointed(pairs, known), draft.id, Corpus(draft.folder / CORPUS_FILE), added)
