"""Adding documents to a project: from files to a new version of its corpus."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.document import Document
from search.corpus.filters import Tiers
from search.corpus.isolated.door import opened_sources, read_documents
from search.corpus.isolated.limits import OverLimit
from search.corpus.passages import Chunking, chunking_of
from search.corpus.readers.report import RefusedRow, Report, source_of
from search.corpus.readers.row_documents import DocumentColumns
from search.corpus.readers.sources import SourceFile
from search.corpus.readers.tables import open_report
from search.corpus.tokenizer import SubwordCounter
from search.corpus.writer import Added, CorpusWriter
from search.projects.artifacts import Manifest
from search.projects.errors import AlreadyThere, Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project, on_newest
from search.projects.room import see_that_it_fits
from search.projects.settings import LIMITS

_ONE_TEXT = (
    " A text file is one document, unless you say that each paragraph or line is (--document-per)."
)
_PLAIN = frozenset((".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".md"))
_STORED = 1.7  # Bytes of a corpus for each of a plain file: 1.3 to 1.6 on the shared sets and on 69 MB of products.
_SPEED = 2.5e6  # Bytes a second, on one core.
_READING = 0.8  # The share of the work that is reading; indexing metadata is the rest.
_AT_ONCE = 500


@dataclass(frozen=True)
class IngestChoices:
    """What a person can choose about files that come in; None leaves it as it was, or to a guess.

    `tokens` and `overlap` say how documents are cut (see `Chunking`); `chunking` says it whole, with `pieces` counting the
    word pieces of the model that it names.
    """

    columns: DocumentColumns = field(default_factory=DocumentColumns)
    encoding: str | None = None
    delimiter: str | None = None
    tokens: int | None = None
    overlap: int | None = None
    tiers: Tiers | None = None
    replace_changed: bool = False
    chunking: Chunking | None = None
    pieces: SubwordCounter | None = None


@dataclass(frozen=True)
class Intake:
    """What an `add` brought: the new corpus, one report per file, and the counts."""

    corpus: Manifest
    reports: list[Report]
    listed: list[RefusedRow]
    notes: list[str]
    added: Added
    total: int
    passages: int


@on_newest
def add_documents(
    project: Project,
    files: Sequence[Path],
    choices: IngestChoices = IngestChoices(),
    progress: Progress = silent,
) -> Intake:
    """Add the documents of files, archives and folders: a new version of the corpus, the old one kept.

    A file that cannot be used is refused, and everything with it; inside an archive or folder it is listed,
    and the others come in. So is one of several files that takes too much memory or time to read.

    :raises Refused: when a file cannot be used at all, when nothing is new, or when the corpus would
        have fewer than two documents. Nothing is changed then.
    """
    earlier = project.newest("corpora")
    old = Corpus.of(project, earlier) if earlier else None
    base = old.chunking if old else Chunking()
    chunking = choices.chunking or chunking_of(base, choices.tokens, choices.overlap)
    with opened_sources(files) as sources, project.publish_together() as drafts:
        draft = drafts.add("corpora", {"corpus": earlier.id} if earlier else {})
        writer = CorpusWriter(
            draft.folder, old, chunking, choices.tiers, choices.replace_changed, choices.pieces
        )
        reports, added = list[Report](), Added()
        listed = list(sources.refused)
        see_that_documents_fit(project, [source.path for source in sources.files], old, progress)
        sizes = [source.path.stat().st_size for source in sources.files]
        all_sizes = sum(sizes) or 1
        read = 0
        for source, size in zip(sources.files, sizes, strict=True):
            stage = Stage(
                progress, _READING * read / all_sizes, _READING * (read + size) / all_sizes
            )
            try:
                with writer.together():
                    report, more = _add_source(writer, source, choices, stage)
            except Refused as error:
                others = len(files) > 1 and isinstance(error, OverLimit)
                if not source.member and not others:
                    raise
                listed.append(RefusedRow(source.name, str(error)))
                continue
            finally:
                read += size
            reports.append(report)
            added = added + more
        names = ", ".join(map(source_of, files))
        if choices.tiers is not None:
            _require_tiers(choices.tiers, writer)
        left_out = _left_out(listed, reports)
        one_text = [report.format for report in reports] == ["plain text"]
        require_enough_documents(writer.count, names, left_out, _ONE_TEXT if one_text else "")
        if not added.written and not added.replaced and not writer.changes_everything:
            raise AlreadyThere(
                "Nothing was added: every document is already in the corpus, unchanged."
                + (f" Left out: {left_out}." if listed else "")
            )
        total = writer.count
        passages = writer.close(Stage(progress, _READING, 1.0))
        draft.details.update(
            documents=total,
            passages=passages,
            written=added.written,
            replaced=added.replaced,
            unchanged=added.unchanged,
            files=[report.summary() for report in reports],
            listed=[[row.where, row.reason] for row in listed[: LIMITS.listed_refusals]],
        )
    progress(1, 1, f"{total:,} documents in the corpus")
    made = project.artifact("corpora", draft.id)
    return Intake(made, reports, listed, list(sources.notes), added, total, passages)


@on_newest
def cut_again(
    project: Project,
    chunking: Chunking,
    pieces: SubwordCounter | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Cut the documents of the newest corpus another way: a new version of it, with the same documents.

    What was judged are documents, not passages, so query sets, pairs and votes stay as they are.

    :param pieces: counts the word pieces of the model that `chunking` names; None for the built-in one's.
    :raises Refused: without documents, and where they are cut so already.
    """
    earlier, old = current_corpus(project)
    if chunking == old.chunking:
        raise AlreadyThere(
            f"The documents of {project.name!r} are cut so already: {in_words(chunking)}."
        )
    with project.publish_together() as drafts:
        draft = drafts.add("corpora", {"corpus": earlier.id})
        writer = CorpusWriter(draft.folder, old, chunking, pieces=pieces)
        total = writer.count
        passages = writer.close(progress)
        kept = {
            name: earlier.details[name] for name in ("files", "listed") if name in earlier.details
        }
        draft.details.update(
            documents=total, passages=passages, written=0, replaced=0, unchanged=total, **kept
        )
    progress(1, 1, f"{total:,} documents in {passages:,} passages")
    return project.artifact("corpora", draft.id)


def see_that_documents_fit(
    project: Project, files: Sequence[Path], earlier: Corpus | None, progress: Progress = silent
) -> None:
    """Refuse documents for which the disk has no room, before they are read; say what long reading needs.

    How much text is in other than plain files, nobody knows before they are read: of these nothing is counted.

    :param files: to be read; archives are unpacked.
    :param earlier: the corpus they are added to, which is copied.
    :raises Refused: naming the disk, what is needed, and what is free.
    """
    plain = sum(path.stat().st_size for path in files if path.suffix.lower() in _PLAIN)
    disk = _STORED * plain + (earlier.path.stat().st_size if earlier is not None else 0)
    needs = see_that_it_fits("the reading", project.folder, disk, 0, plain / _SPEED)
    if needs:
        progress(0, 0, needs)


@on_newest
def remove_documents(
    project: Project,
    ids: Collection[str],
    pieces: SubwordCounter | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Take documents out of the newest corpus: a new version without them, cut as it was; the old one stays.

    :param pieces: counts the word pieces of the model by which the corpus is cut; None for the built-in one's.
    :raises Refused: without documents, for an id that none has, and where fewer than two would be left.
    """
    earlier, old = current_corpus(project)
    gone = set(ids)
    if unknown := sorted(gone - set(old.ids())):
        raise Refused(f"No document of {project.name!r} has the id {unknown[0]!r}.")
    with project.publish_together() as drafts:
        draft = drafts.add("corpora", {"corpus": earlier.id})
        writer = CorpusWriter(draft.folder, chunking=old.chunking, tiers=old.tiers, pieces=pieces)
        for start in range(0, len(old), _AT_ONCE):
            progress(_READING * start, len(old), f"copying {len(old):,} documents")
            some = old.documents_at(range(start, min(start + _AT_ONCE, len(old))))
            writer.add(document for document in some if document.id not in gone)
        total = writer.count
        require_enough_documents(total, project.name)
        passages = writer.close(Stage(progress, _READING, 1.0))
        draft.details.update(
            documents=total, passages=passages, written=0, replaced=0, unchanged=total
        )
    progress(1, 1, f"{total:,} documents in the corpus")
    return project.artifact("corpora", draft.id)


def in_words(chunking: Chunking) -> str:
    """How documents are cut, for people."""
    if not chunking.tokens:
        return "each document is one passage"
    return f"passages of at most {chunking.tokens:,} word pieces of {chunking.counted_as}"


def require_enough_documents(total: int, source: str, left_out: str = "", hint: str = "") -> None:
    """Refuse a corpus in which every search would return the same thing.

    :param left_out: what was refused of the source, in words.
    :param hint: what else may help; begins with a space.
    """
    if total < LIMITS.min_documents:
        raise Refused(
            f"{source}: a corpus needs at least {LIMITS.min_documents} documents to be searched, "
            f"this one would have {total}. Add more documents in the same step."
            + (f" Left out: {left_out}." if left_out else "")
            + hint
        )


def _left_out(listed: Sequence[RefusedRow], reports: Sequence[Report]) -> str:
    """The first files and rows that were refused, in words."""
    files = [f"{row.where}: {row.reason.rstrip('.')}" for row in listed[:3]]
    rows = [f"{each.source}, {row.where}: {row.reason}" for each in reports for row in each.refused]
    return "; ".join([*files, *rows[:3]])


def _add_source(
    writer: CorpusWriter, source: SourceFile, choices: IngestChoices, progress: Progress
) -> tuple[Report, Added]:
    report = open_report(source.path, source.name, choices.encoding, choices.delimiter)
    documents = read_documents(source.path, report, choices.columns)
    added = writer.add(_counted(documents, report, progress), report)
    report.require_some("documents")
    return report, added


def _counted(
    documents: Iterator[Document], report: Report, progress: Progress
) -> Iterator[Document]:
    """The documents as they come, telling how much of the file was read.

    :raises Refused: when they hold more text than a file may have: rows of a workbook can share one long text.
    """
    share, characters = 0.0, 0
    for number, document in enumerate(documents):
        characters += len(document.text)
        if characters > LIMITS.upload_bytes:
            raise Refused(
                f"{report.source} holds more than {LIMITS.upload_bytes:,} characters of text. "
                "Split the file."
            )
        if number % 200 == 0:
            share = max(share, report.share_read())
            progress(share, 1, f"reading {report.source}: {number:,} documents")
        yield document


def _require_tiers(tiers: Tiers, writer: CorpusWriter) -> None:
    """Refuse a rule that no document meets: a column or values that were mistyped or left out."""
    named, values = writer.tier_values()
    if not named:
        found = f"has, for example: {', '.join(map(repr, values))}" if values else "no document has"
        raise Refused(
            f"SourceFile tiers go by {tiers}, but no document has one of these values in {tiers.column!r}, which "
            f"{found}."
        )
