"""Bringing in training data: BEIR data sets whole, and query/response pairs on their own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from search.corpus.corpus import CORPUS_FILE, Corpus
from search.corpus.document import Document
from search.corpus.ingest import require_enough_documents, see_that_documents_fit
from search.corpus.isolated.door import open_beir, read_documents, read_pair_file
from search.corpus.passages import WHOLE, Chunking
from search.corpus.readers.judged import JudgedColumns
from search.corpus.readers.pairs import PairColumns
from search.corpus.readers.report import Report
from search.corpus.readers.tables import open_report
from search.corpus.tokenizer import SubwordCounter
from search.corpus.writer import CorpusWriter
from search.evaluation.query_sets.leakage import (
    DEV_KIND,
    GENERATED_DEV,
    MINED,
    ORIGIN,
    answered,
    check_leaks,
    keep_apart,
    texts_of,
    training_side,
)
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import (
    NEW_QUESTIONS,
    QUESTION,
    TITLES,
    Question,
    question_of,
)
from search.projects.artifacts import Draft, Manifest
from search.projects.errors import AlreadyThere, Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project, on_newest
from search.projects.publishing import Drafts
from training.data.beir import beir_split
from training.data.labels import graded_split
from training.data.matching import ById, Matched, match
from training.data.pair_sets import SEED, PairSet, Split, current_pairs, split_pairs


@dataclass(frozen=True)
class Imported:
    """What an import brought: counts, and notes on what was left out."""

    documents: int
    pairs: int
    dev_queries: int
    test_queries: int
    notes: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    @classmethod
    def of(cls, documents: int, split: Split, notes: list[str], *reports: Report) -> "Imported":
        """What a split brought."""
        dev, test = len(split.dev.queries), len(split.test.queries)
        return cls(documents, len(split.train), dev, test, notes, list(reports))


@on_newest
def import_beir(
    project: Project,
    path: Path,
    progress: Progress = silent,
    columns: JudgedColumns = JudgedColumns(),
    cut: tuple[Chunking, SubwordCounter] | None = None,
    question: Question | None = None,
) -> Imported:
    """Bring in a BEIR folder or zip: corpus, pairs from train, query set from test.

    A pair is a train query with each document of its highest grade. Without dev.tsv a dev part is held out
    of the pairs, without test.tsv a test part too (see `beir_split`).

    :param columns: those of the qrels, and what their scores mean, where the person said so.
    :param cut: how documents are cut, and what counts their word pieces; None keeps each one passage.
    :param question: what the split asks; None: new questions, where its queries are disjoint.
    :raises Refused: when the data set is incomplete or unreadable; nothing is changed then.
    """
    with open_beir(path, columns) as data:
        report = open_report(data.corpus)
        notes = list(data.notes)
        see_that_documents_fit(project, [data.corpus], None, progress)
        with project.publish_together(source=data.source) as drafts:
            draft = drafts.add("corpora")
            chunking, pieces = cut or (WHOLE, None)
            writer = CorpusWriter(draft.folder, chunking=chunking, pieces=pieces)
            for number, document in enumerate(read_documents(data.corpus, report)):
                if number % 200 == 0:
                    progress(number, 0, f"reading {data.source}: {number:,} documents")
                writer.add([document])
            documents = writer.count
            report.require_some("documents")
            require_enough_documents(documents, data.source)
            passages = writer.close(progress)
            draft.details.update(documents=documents, passages=passages, files=[report.summary()])
            corpus = Corpus(draft.folder / CORPUS_FILE)
            progress(0, 0, "keeping training and test apart")
            with _about(data.source):
                split = beir_split(data, corpus, notes, question)
            notes += _add_split(project, drafts, split, draft.id, corpus, data.source)
    if report.refused_count:
        notes.append(f"corpus.jsonl: {report.left_out}")
    progress(1, 1, f"{documents:,} documents imported")
    return Imported.of(documents, split, notes)


@on_newest
def add_pairs(
    project: Project,
    path: Path,
    columns: PairColumns = PairColumns(),
    add_responses: bool = False,
    progress: Progress = silent,
    encoding: str | None = None,
    delimiter: str | None = None,
    question: Question | None = None,
) -> Imported:
    """Add query/response pairs to a project.

    Pairs point to documents by id, or their responses are matched to documents by their words. In a project
    without documents the responses become the documents. Where there is no query set yet, a fifth of the
    pairs is held out as one; else the pairs are held against it, and what is on both sides is recorded. Where rows have
    labels, those that say no are negatives of their query: in training, and with a grade of 0 where it is held out.

    :param add_responses: add responses that match no document to the corpus.
    :param encoding: what the file was saved in; None finds out.
    :param delimiter: what parts the columns of a CSV file; None finds out.
    :param question: what dev and test ask, where they are held out now; None: what the query set asks that is there, else
        new questions.
    :raises Refused: when the file cannot be used, or holds too few pairs; nothing is changed then.
    """
    report = open_report(path, encoding=encoding, delimiter=delimiter)
    by_id = ById(project, add_responses)
    held = read_pair_file(path, report, columns, by_id)
    report.require_some("pairs")
    progress(0, 0, f"{len(held.pairs):,} pairs read from {report.source}")
    with project.publish_together() as drafts:
        matched = match(project, drafts, held.pairs, by_id, add_responses, report, held.rejected)
        progress(0, 0, "splitting without leaks")
        with _about(report.source):
            split, notes = _with_earlier(project, matched, question)
        split = graded_split(split, matched.pairs, matched.rejected, held, notes)
        notes += _facts(matched)
        notes += _add_split(
            project, drafts, split, matched.corpus_id, matched.corpus, report.source, report
        )
    if not split.test.queries and project.newest("queries") is None:
        notes.append("no pairs could be held out as a query set: no response is in the corpus")
    progress(1, 1, f"{len(split.train):,} pairs to train on")
    return Imported.of(matched.added, split, notes, report)


@on_newest
def publish_ready_made(
    project: Project,
    /,
    documents: Sequence[Document],
    split: Split,
    source: str,
    **facts: object,
) -> Imported:
    """Publish a corpus with its pairs and query set, split by whoever knows the data.

    :param facts: fields of project.json.
    """
    with project.publish_together(source=source, **facts) as drafts:
        draft = drafts.add("corpora", documents=len(documents), files=[])
        writer = CorpusWriter(draft.folder)
        writer.add(documents)
        draft.details["passages"] = writer.close()
        corpus = Corpus(draft.folder / CORPUS_FILE)
        notes = _add_split(project, drafts, split, draft.id, corpus, source)
    return Imported.of(len(documents), split, notes)


@contextmanager
def _about(source: str) -> Iterator[None]:
    """A refusal in the block names the file that it is about."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{source}: {error}") from None


def _add_split(
    project: Project,
    drafts: Drafts,
    split: Split,
    corpus_id: str,
    corpus: Corpus,
    source: str,
    report: Report | None = None,
) -> list[str]:
    """Begin the artifacts of a split: pairs where there are any, a query set where there is a test.

    :returns: in words, what is on both sides of it.
    """
    facts = {"source": source, "split": split.digest}
    pairs = queries = None
    notes = []
    if split.train:
        seed = None if "dev" in split.uploaded else SEED
        file = report.summary() if report else {}
        pairs = drafts.add("pairs", {"corpus": corpus_id}, **facts, seed=seed, file=file)
        PairSet(split.train, split.dev, split.grades, split.question).save(pairs)
        earlier = project.newest("pairs")
        made = earlier.details.get(GENERATED_DEV, ()) if earlier is not None else ()
        if still := [query for query in made if query in split.dev.queries]:
            pairs.details.update({GENERATED_DEV: still, DEV_KIND: "partly generated"})
        if seed is None and split.dev.queries:
            dev = check_leaks(split.train, split.dev, corpus)
            pairs.details["dev_leaks"] = dev.as_json(pairs.id)
            if not dev.is_clean(split.question):
                shared = dev.shared(split.question)
                notes.append(f"dev and train share {shared}: those pairs are kept out of training")
    if split.test.queries:
        seed = None if "test" in split.uploaded else SEED
        queries = drafts.add("queries", {"corpus": corpus_id}, **facts, seed=seed)
        queries.details[QUESTION] = split.question
        split.test.save(queries)
        if split.asks:
            queries.details["asks"] = split.asks
            notes.append(split.asks)
    return notes + _record_leaks(project, split, corpus, pairs, queries)


def _record_leaks(
    project: Project, split: Split, corpus: Corpus, pairs: Draft | None, queries: Draft | None
) -> list[str]:
    """Hold training against test, of which at least one is new, and record with it what is on both sides."""
    training: Draft | Manifest | None = pairs or project.newest("pairs")
    test: Draft | Manifest | None = queries or project.newest("queries")
    if training is None or test is None:
        return []
    if isinstance(training, Manifest):
        trained = training_side(project, training, corpus)
    else:
        trained = [*split.train, *answered(split.dev.queries, split.dev.judgments, corpus)]
    held = (
        QuerySet.load(project, test) if isinstance(test, Manifest) else split.test.unsealed(project)
    )
    question = question_of(test.details) if isinstance(test, Manifest) else split.question
    check = check_leaks(trained, held, corpus)
    if queries is not None:
        queries.details["leaks"] = check.as_json(training.id)
    elif pairs is not None:
        pairs.details["leaks"] = check.as_json(test.id)
    note = check.note(question) or check.crossing(question, len(held.queries))
    return [note] if note else []


def _facts(matched: Matched) -> list[str]:
    """What is worth knowing of matched pairs, in words."""
    notes = []
    if matched.added:
        notes.append(f"{matched.added:,} responses became documents of the corpus")
    unmatched = sum(pair.document is None for pair in matched.pairs)
    if unmatched:
        notes.append(
            f"{unmatched:,} responses are in no document of the corpus: these pairs train but "
            "cannot be held out (--add-responses makes documents of them)"
        )
    negatives = [len(pair.negatives) for pair in matched.pairs if pair.negatives]
    if negatives:
        notes.append(f"{len(negatives):,} pairs bring hard negatives ({sum(negatives):,} in all)")
    return notes


def _with_earlier(
    project: Project, matched: Matched, question: Question | None
) -> tuple[Split, list[str]]:
    """Split new pairs; earlier pairs and the held-out queries stay where they are.

    :param question: what the person wants to be asked.
    :raises Refused: where the project asks something else already.
    """
    new, corpus = matched.pairs, matched.corpus
    manifest = project.newest("queries")
    test = QuerySet.with_sealed(project, manifest) if manifest else QuerySet({}, {})
    known_pairs = project.newest("pairs")
    # What people wrote takes the place of what was mined.
    if known_pairs is None or known_pairs.details.get(ORIGIN) == MINED:
        texts = texts_of(corpus, {p.document for p in new if p.document is not None})
        asked = question or (question_of(manifest.details) if manifest else NEW_QUESTIONS)
        kept = set(keep_apart(new, [test], corpus, asked).pairs if manifest else new)
        shared = [pair for pair in new if pair not in kept]
        held_out = manifest is None
        return split_pairs(new, held_out, texts=texts, never_held=shared, question=asked), []
    pairs_manifest, earlier = current_pairs(project)
    if question not in (None, earlier.question):
        raise Refused(
            f"The pairs of {project.name!r} were split for {TITLES[earlier.question]}, and stay as they are split."
        )
    known = {(pair.query, pair.response, pair.negatives) for pair in earlier.pairs}
    held: set[tuple[str, str]] = set()
    for owner, queries in ((pairs_manifest, earlier.dev), (manifest, test)):
        # What was held out of pairs here is not new; what an uploaded test holds too is a leak to be told.
        if owner is not None and owner.details.get("seed") is not None:
            held |= {(text, d) for q, text in queries.queries.items() for d in queries.relevant(q)}
    fresh = [
        p
        for p in new
        if (p.query, p.response, p.negatives) not in known and (p.query, p.document) not in held
    ]
    if not fresh:
        raise AlreadyThere("Nothing was added: the project has all of these pairs already.")
    notes = [f"{len(fresh):,} new pairs added to {len(earlier.pairs):,} earlier ones"]
    uploaded = frozenset[str]() if pairs_manifest.details.get("seed") is not None else {"dev"}
    none = QuerySet({}, {})
    pairs = earlier.pairs + fresh
    kept_out = frozenset(uploaded)
    grades, asks = earlier.grades, earlier.question
    return Split(pairs, earlier.dev, none, kept_out, grades, question=asks), notes
