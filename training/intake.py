"""Bringing in training data: BEIR data sets whole, and query/response pairs on their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from search.corpus import Corpus, CorpusWriter, current_corpus, require_enough_documents
from search.documents import Document
from search.errors import Refused
from search.progress import Progress, silent
from search.query_sets import QuerySet
from search.readers.beir import Beir, open_beir
from search.readers.documents import read_documents
from search.readers.pairs import Pair, PairColumns, read_pairs
from search.readers.report import Report
from search.readers.tables import open_report
from search.workspace import Drafts, Project
from training.pairs import PairSet, Split, current_pairs, split_pairs

_SEED = 42


@dataclass(frozen=True)
class Imported:
    """What an import brought: counts, and notes on what was left out."""

    documents: int
    pairs: int
    dev_queries: int
    test_queries: int
    notes: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)


def import_beir(project: Project, path: Path, progress: Progress = silent) -> Imported:
    """Bring in a BEIR folder or zip: corpus, pairs from train, query set from test.

    A pair is a train query with each document of its highest grade. Without dev.tsv a dev part is held out
    of the pairs, without test.tsv a test part too. Each document stays one passage.

    :raises Refused: when the data set is incomplete or unreadable; nothing is changed then.
    """
    with open_beir(path) as data:
        report = open_report(data.corpus)
        notes = list(data.notes)
        with project.publish_together(source=data.source) as drafts:
            draft = drafts.add("corpora")
            writer = CorpusWriter(draft.folder)
            documents: dict[str, str] = {}
            for number, document in enumerate(read_documents(data.corpus, report)):
                if number % 200 == 0:
                    progress(number, 0, f"reading {data.source}: {number:,} documents")
                writer.add([document])
                documents[document.id] = document.embedded
            writer.close()
            report.require_some("documents")
            require_enough_documents(len(documents), data.source)
            draft.details.update(documents=len(documents), files=[report.summary()])
            split = _beir_split(data, documents, notes)
            _add_split(drafts, split, draft.id, data.source)
    if report.refused_count:
        first = report.refused[0]
        notes.append(
            f"corpus.jsonl: {report.refused_count:,} rows left out ({first.where}: {first.reason})"
        )
    progress(1, 1, f"{len(documents):,} documents imported")
    return Imported(
        len(documents), len(split.train), len(split.dev.queries), len(split.test.queries), notes
    )


def add_pairs(
    project: Project,
    path: Path,
    columns: PairColumns = PairColumns(),
    add_responses: bool = False,
    progress: Progress = silent,
) -> Imported:
    """Add query/response pairs to a project.

    Responses are matched to documents by their words. In a project without documents the responses become
    the documents. Where there is no query set yet, a fifth of the pairs is held out as one.

    :param add_responses: add responses that match no document to the corpus.
    :raises Refused: when the file cannot be used, or holds too few pairs; nothing is changed then.
    """
    report = open_report(path)
    new = list(read_pairs(path, report, columns))
    report.require_some("pairs")
    progress(0, 0, f"{len(new):,} pairs read from {report.source}")
    with project.publish_together() as drafts:
        corpus_id, matched, added = _match(project, drafts, new, add_responses, report)
        progress(0, 0, "splitting without leaks")
        split, notes = _with_earlier(project, matched)
        if added:
            notes.append(f"{added:,} responses became documents of the corpus")
        unmatched = sum(pair.document is None for pair in matched)
        if unmatched:
            notes.append(
                f"{unmatched:,} responses are in no document of the corpus: these pairs train but "
                "cannot be held out"
            )
        _add_split(drafts, split, corpus_id, report.source, report)
    if not split.test.queries and project.newest("queries") is None:
        notes.append("no pairs could be held out as a query set: no response is in the corpus")
    progress(1, 1, f"{len(split.train):,} pairs to train on")
    return Imported(
        documents=added,
        pairs=len(split.train),
        dev_queries=len(split.dev.queries),
        test_queries=len(split.test.queries),
        notes=notes,
        reports=[report],
    )


def publish_ready_made(
    project: Project,
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
        writer.close()
        _add_split(drafts, split, draft.id, source)
    return Imported(
        len(documents), len(split.train), len(split.dev.queries), len(split.test.queries)
    )


def _add_split(
    drafts: Drafts, split: Split, corpus: str, source: str, report: Report | None = None
) -> None:
    """Begin the artifacts of a split: pairs where there are any, a query set where there is a test."""
    summary = report.summary() if report else {}
    if split.train:
        draft = drafts.add(
            "pairs",
            {"corpus": corpus},
            source=source,
            seed=_SEED,
            split=split.digest,
            file=summary,
        )
        PairSet(split.train, split.dev).save(draft)
    if split.test.queries:
        draft = drafts.add("queries", {"corpus": corpus}, source=source, split=split.digest)
        split.test.save(draft)


def _beir_split(data: Beir, documents: Mapping[str, str], notes: list[str]) -> Split:
    pairs: list[Pair] = []
    for query, judged in data.judgments.get("train", {}).items():
        known = {d: g for d, g in judged.items() if g > 0 and d in documents}
        best = max(known.values(), default=0)
        text = data.queries.get(query)
        if text is not None:
            pairs.extend(Pair(text, documents[d], d) for d, g in known.items() if g == best)
    dev = _query_set(data, "dev", documents, notes)
    test = _query_set(data, "test", documents, notes)
    if not pairs:
        return Split([], dev, test)
    if dev.queries and test.queries:
        return Split(pairs, dev, test)
    made = split_pairs(pairs, hold_test=not test.queries)
    return Split(made.train, made.dev, test if test.queries else made.test)


def _query_set(data: Beir, split: str, documents: Mapping[str, str], notes: list[str]) -> QuerySet:
    judgments = data.judgments.get(split, {})
    whole = QuerySet({q: data.queries[q] for q in judgments if q in data.queries}, judgments)
    usable, unanswered = whole.restricted_to(set(documents))
    left_out = unanswered + sum(query not in data.queries for query in judgments)
    if left_out:
        notes.append(
            f"{split}: {left_out:,} queries left out (no text, or no relevant document in the corpus)"
        )
    return usable


def _match(
    project: Project, drafts: Drafts, pairs: list[Pair], add_responses: bool, report: Report
) -> tuple[str, list[Pair], int]:
    """Point pairs to documents; make documents of the responses where that is wanted or needed."""
    earlier = project.newest("corpora")
    if earlier is None:
        identity, ids = _responses_as_corpus(drafts, pairs, report, None, {})
        return identity, [replace(p, document=ids[p.response]) for p in pairs], len(ids)
    manifest, corpus = current_corpus(project)
    known = {text: corpus.match(text) for text in dict.fromkeys(p.response for p in pairs)}
    missing = [text for text, document in known.items() if document is None]
    if add_responses and missing:
        lacking = [pair for pair in pairs if known[pair.response] is None]
        identity, ids = _responses_as_corpus(
            drafts, lacking, report, corpus, {"corpus": manifest.id}
        )
        known.update(ids)
        return identity, [replace(p, document=known[p.response]) for p in pairs], len(ids)
    if len(missing) == len(known) and project.newest("pairs") is None:
        raise Refused(
            f"None of the {len(known):,} responses in {report.source} is a document of the corpus, so "
            "nothing could be held out for the proof. Add them as documents (--add-responses), or "
            "give pairs whose responses are texts of the corpus."
        )
    return manifest.id, [replace(p, document=known[p.response]) for p in pairs], 0


def _responses_as_corpus(
    drafts: Drafts,
    pairs: Sequence[Pair],
    report: Report,
    earlier: Corpus | None,
    made_from: dict[str, str],
) -> tuple[str, dict[str, str]]:
    draft = drafts.add("corpora", made_from)
    writer = CorpusWriter(draft.folder, earlier.path if earlier else None)
    stem = Path(report.source).stem
    ids: dict[str, str] = {}
    for text in dict.fromkeys(pair.response for pair in pairs):
        identity = f"{stem}-r{writer.count + 1}"
        writer.add([Document(identity, "", text)])
        ids[text] = identity
    total = writer.count
    writer.close()
    require_enough_documents(total, report.source)
    draft.details.update(documents=total, written=len(ids), files=[report.summary()])
    return draft.id, ids


def _with_earlier(project: Project, new: list[Pair]) -> tuple[Split, list[str]]:
    """Split new pairs; earlier pairs and the held-out queries stay where they are."""
    if project.newest("pairs") is None:
        return split_pairs(new, hold_test=project.newest("queries") is None), []
    _, earlier = current_pairs(project)
    known = {(pair.query, pair.response) for pair in earlier.pairs}
    held = set(earlier.dev.queries.values())
    queries = project.newest("queries")
    if queries is not None:
        held |= set(QuerySet.load(project, queries).queries.values())
    fresh = [p for p in new if (p.query, p.response) not in known and p.query not in held]
    if not fresh:
        raise Refused("Nothing was added: the project has all of these pairs already.")
    notes = [f"{len(fresh):,} new pairs added to {len(earlier.pairs):,} earlier ones"]
    return Split(earlier.pairs + fresh, earlier.dev, QuerySet({}, {})), notes
