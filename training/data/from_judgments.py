"""Judgments become training pairs: what was graded relevant answers, what was graded 0 is a hard negative.

A document that a model found for a question and a person rejected is the kind of negative that teaches most
(Xiong et al. 2021, ANCE; Karpukhin et al. 2020). What is trained on is not tested on: questions that stand in
the query set make no pairs, nor do pairs that share an answer with one that asks for new documents.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.labels import Pair
from search.corpus.readers.pairs import PairColumns
from search.evaluation.query_sets.add_query_set import QueryIntake
from search.evaluation.query_sets.leakage import Guarded, keep_apart
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_QUESTIONS, Question, question_of
from search.judging.aggregation import Combine
from search.judging.store import JudgmentStore
from search.judging.to_query_set import judged_queries, publish_judged_queries
from search.judging.votes import RELEVANT
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.publishing import was_made_before
from search.projects.scratch import scratch_folder
from search.retrieval.columns import parse_column
from search.retrieval.fingerprint import column_fingerprint
from search.text.words import folded_words
from training.data.intake import Imported, add_pairs
from training.data.pair_sets import split_pairs

NEGATIVES = 5
_FILE = "judgments.jsonl"


@dataclass(frozen=True)
class Divided:
    """Judged questions, some of which test and the others train."""

    queries: QueryIntake
    pairs: Imported


def judged_pairs(
    project: Project, how: Combine = Combine.MEDIAN, least: int = RELEVANT
) -> list[Pair]:
    """Each judged question with each document graded `least` or better, and its rejected documents as negatives.

    :param how: how the grades of several judges become one.
    :returns: pairs whose document is in the corpus; of the negatives the five that were ranked best.
    """
    manifest, corpus = current_corpus(project)
    judged = judged_queries(project, how)
    shown = _shown(project, manifest)
    made = []
    for question, text in judged.queries.items():
        grades = judged.judgments[question]
        rejected = [d for d, value in grades.items() if value == 0]
        rejected.sort(key=lambda d: (shown.get((question, d), _UNSEEN).rank, d))
        negatives = [_text(corpus, d, shown.get((question, d))) for d in rejected[:NEGATIVES]]
        for document, value in grades.items():
            answer = _text(corpus, document, shown.get((question, document)))
            if value >= least and answer:
                # A copy of the answer that somebody rejected would teach the opposite.
                own = folded_words(answer)
                others = tuple(t for t in negatives if t and folded_words(t) != own)
                made.append(Pair(text, answer, document, others))
    return made


def add_judged_pairs(
    project: Project, how: Combine = Combine.MEDIAN, progress: Progress = silent
) -> Imported:
    """Add the judged pairs that share nothing with the query set to the project's pairs.

    :raises Refused: when none is left, saying why.
    """
    guarded = _guarded(project, judged_pairs(project, how))
    return _add(project, guarded, progress)


def divide_judgments(
    project: Project,
    how: Combine = Combine.MEDIAN,
    test_share: float = 0.5,
    progress: Progress = silent,
) -> Divided:
    """Make a query set of some judged questions and training pairs of the others.

    Questions that are near-duplicates stay on one side.

    :param test_share: the share of the pairs that tests.
    :raises Refused: when there are too few; nothing is changed then.
    """
    split = split_pairs(judged_pairs(project, how, least=1), hold_test=True, test_share=test_share)
    held = set(split.test.queries.values())
    judged = judged_queries(project, how)
    only = {q for q, text in judged.queries.items() if text in held}
    if not only:
        raise Refused("No question could be held out: the judged answers are too much alike.")
    test = judged.only(only)
    guarded = _guarded(project, judged_pairs(project, how), test, split.question)
    queries = publish_judged_queries(project, how, only=only)
    try:
        return Divided(queries, _add(project, guarded, progress))
    except Exception:
        if not was_made_before(
            queries.manifest
        ):  # By a run that could not say that it had done both.
            project.remove(queries.manifest)
        raise


def _guarded(
    project: Project,
    pairs: Sequence[Pair],
    test: QuerySet | None = None,
    question: Question = NEW_QUESTIONS,
) -> Guarded:
    """The pairs that may be trained on beside a query set (the newest one with its own question, where none is given).

    :raises Refused: when there are none.
    """
    if not pairs:
        raise Refused(
            f"No document was graded {RELEVANT} or 3 yet: these make pairs, and those graded 0 hard negatives."
        )
    _, corpus = current_corpus(project)
    manifest = project.newest("queries")
    if test is None and manifest is not None:
        test, question = QuerySet.with_sealed(project, manifest), question_of(manifest.details)
    guarded = keep_apart(pairs, [test] if test else [], corpus, question)
    if not guarded.pairs:
        raise Refused(
            f"All {len(pairs):,} judged pairs are about questions or answers of the query set: what is tested "
            "on is not trained on. Judge questions of your own, or divide the judgments: --to-queries --to-pairs."
        )
    return guarded


def _add(project: Project, guarded: Guarded, progress: Progress) -> Imported:
    """Bring pairs in as any others: matched, split, held against the query set."""
    with scratch_folder("judgments") as folder:
        path = Path(folder) / _FILE
        with path.open("w", encoding="utf-8") as stream:
            for pair in guarded.pairs:
                row = asdict(pair)
                row["document_id"] = row.pop("document")
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        columns = PairColumns("query", "response", "negatives", "document_id", label="")
        made = add_pairs(project, path, columns, progress=progress)
    if guarded.note:
        made.notes.insert(0, guarded.note)
    return made


class _Shown(NamedTuple):
    """Where a document stood at best for a question, and the position of the passage by which it was found."""

    rank: int
    passage: int


_UNSEEN = _Shown(1_000_000, -1)


def _shown(project: Project, manifest: Manifest) -> dict[tuple[str, str], _Shown]:
    """What the columns found in this corpus: the best place of each document for each question."""
    store = JudgmentStore.of(project)
    best: dict[tuple[str, str], _Shown] = {}
    for column, version in store.versions():
        try:
            current = version == column_fingerprint(project, parse_column(column), manifest)
        except Refused:  # Its model or reranker is gone.
            current = False
        for question, ranked in (store.rankings(column, version) if current else {}).items():
            for rank, position in enumerate(ranked, start=1):
                key = (question, position.id)
                best[key] = min(best.get(key, _UNSEEN), _Shown(rank, position.passage))
    return best


def _text(corpus: Corpus, document: str, shown: _Shown | None) -> str:
    """What a judge saw of a document as models see it: its passage, or all of it; "" when it left the corpus."""
    if shown is not None:
        return corpus.embedded_at([shown.passage])[0]
    found = corpus.document(document)
    return found.embedded if found is not None else ""
