"""Lining questions up: each is searched once with both columns, and what they found is kept.

So every judge sees the same lists, the next question is there at once, and what was judged can be looked at
again when the models are long gone.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.labels import query_id
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.seal import seal_state
from search.evaluation.rankings.fit_fusion import fit_missing
from search.evaluation.rankings.self_matches import SelfMatches
from search.judging.setup import DEPTHS, MOST_QUESTIONS, Setup, save_setup
from search.judging.store import JudgmentStore, Question, RankedDocument
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.columns import column_title, parse_column
from search.retrieval.fingerprint import column_fingerprint
from search.retrieval.retriever import Retriever
from search.retrieval.search import check_query, retrievers_for

KEPT = DEPTHS[1]
_BATCH = 32
_ASKED = "asked"


@dataclass(frozen=True)
class PreparedQuestions:
    """What `prepare_questions` did: how many questions are there, and how many of them were searched now."""

    questions: int
    searched: int
    notes: list[str]


def prepare_questions(
    project: Project, setup: Setup, texts: Sequence[str] = (), progress: Progress = silent
) -> PreparedQuestions:
    """Save the set-up, and search every question with both columns where that was not done yet.

    Questions are those of the query set (a fixed sample of 500 where there are more) and those that
    somebody typed or brought. Missing indexes are built first.

    :param texts: further questions to ask.
    :raises Refused: without documents, without any question, and for columns that cannot be used.
    """
    current_corpus(project)  # Without documents, nothing is kept.
    good = setup.checked(project)
    store = JudgmentStore.of(project)
    notes = _bring_questions(project, store)
    for text in texts:
        store.ask_typed(check_query(text))
    questions = store.questions()
    if not questions:
        raise Refused(
            f"There is nothing to ask yet: {project.name!r} has no query set. Type a question, or add "
            f"queries: python cli.py queries {project.name} QUERIES."
        )
    save_setup(project, good)
    searched = rank_columns(project, [good.one, good.other], questions, progress)
    store.set(_ASKED, _asked_now(project))
    progress(1, 1, f"{len(questions):,} questions lined up")
    return PreparedQuestions(len(questions), searched, notes)


def rank_columns(
    project: Project,
    names: Sequence[str],
    questions: Sequence[Question],
    progress: Progress = silent,
) -> int:
    """Search questions with columns where that was not done yet; missing indexes are built first.

    :param names: of columns.
    :returns: how many questions were searched now.
    """
    corpus_manifest, _ = current_corpus(project)
    store = JudgmentStore.of(project)
    versions = {
        name: column_fingerprint(project, parse_column(name), corpus_manifest) for name in names
    }
    lacking = {name: _lacking(store, questions, name, of) for name, of in versions.items()}
    wanted = [name for name in versions if lacking[name]]
    if wanted:
        fit_missing(project, wanted)
        retrievers, corpus = retrievers_for(project, wanted, Stage(progress, 0.0, 0.5))
        ids = corpus.ids()
        own = _own_documents(project, corpus)
        for place, (name, retriever) in enumerate(zip(wanted, retrievers, strict=True)):
            share = 0.5 / len(wanted)
            stage = Stage(progress, 0.5 + place * share, 0.5 + (place + 1) * share)
            _rank(store, retriever, (name, versions[name]), lacking[name], ids, stage, own)
    return len({question.id for asked in lacking.values() for question in asked})


def are_prepared(project: Project, setup: Setup, corpus: Manifest) -> bool:
    """Whether every question was searched with both columns as they are now, and no query set is newer."""
    store = JudgmentStore.of(project)
    questions = store.questions()
    if not questions or store.setting(_ASKED, "") != _asked_now(project):
        return False
    versions = setup.versions(project, corpus)
    return not any(_lacking(store, questions, name, of) for name, of in versions.items())


def rank_now(
    project: Project, question: Question, retrievers: Mapping[str, Retriever], ids: Sequence[str]
) -> None:
    """Search one question, just typed, with retrievers that are ready.

    :param retrievers: by column.
    :param ids: the ids of all documents, by position.
    """
    manifest, _ = current_corpus(project)
    store = JudgmentStore.of(project)
    for name, retriever in retrievers.items():
        version = column_fingerprint(project, parse_column(name), manifest)
        if question.id not in store.rankings(name, version):
            _rank(store, retriever, (name, version), [question], ids, silent, {})


def _asked_now(project: Project) -> str:
    """Names what is asked, so that a newer query set is noticed, and one that was sealed and is open now."""
    manifest = _asking(project)
    return f"{manifest.id}{seal_state(project)}" if manifest is not None else "none"


def _asking(project: Project) -> Manifest | None:
    """The newest query set that brings questions; one that was made of judgments holds none that are new."""
    return project.newest_where("queries", {"pooling": None})


def _bring_questions(project: Project, store: JudgmentStore) -> list[str]:
    """Ask what the newest query set asks."""
    manifest = _asking(project)
    if manifest is None:
        return []
    queries = QuerySet.load(project, manifest).queries
    known = {question.id: question.text for question in store.questions()}
    texts = set(known.values())
    chosen = sorted(queries.items(), key=lambda item: hashlib.sha256(item[1].encode()).digest())
    made = []
    for identity, text in chosen[:MOST_QUESTIONS]:
        if text not in texts:
            # An earlier query set may have had another question under this id.
            free = known.get(identity, text) == text
            made.append(Question(identity if free else query_id(text), text, "query set"))
            texts.add(text)
    store.ask(made)
    if len(queries) <= MOST_QUESTIONS:
        return []
    return [f"{MOST_QUESTIONS:,} of the {len(queries):,} queries of the query set are asked"]


def _own_documents(project: Project, corpus: Corpus) -> dict[str, frozenset[str]]:
    """The documents that are a question themselves, by its text: an evaluation leaves them out, so nobody grades them."""
    manifest = _asking(project)
    if manifest is None:
        return {}
    query_set = QuerySet.load(project, manifest)
    own = SelfMatches.of(corpus, query_set).left_out
    return {query_set.queries[query]: documents for query, documents in own.items()}


def _lacking(
    store: JudgmentStore, questions: Sequence[Question], name: str, version: str
) -> list[Question]:
    known = store.rankings(name, version)
    return [question for question in questions if question.id not in known]


def _rank(
    store: JudgmentStore,
    retriever: Retriever,
    column: tuple[str, str],
    questions: Sequence[Question],
    ids: Sequence[str],
    progress: Progress,
    own: Mapping[str, Collection[str]],
) -> None:
    message = f"asking {column_title(column[0])} {len(questions):,} questions"
    for start in range(0, len(questions), _BATCH):
        progress(start, len(questions), message)
        batch = questions[start : start + _BATCH]
        deep = KEPT + max(len(own.get(question.text, ())) for question in batch)
        rankings = retriever.rank([question.text for question in batch], deep)
        found = {
            question.id: [
                RankedDocument(ids[f.document], f.document, f.passage)
                for f in ranking
                if ids[f.document] not in own.get(question.text, ())
            ][:KEPT]
            for question, ranking in zip(batch, rankings, strict=True)
        }
        store.save_rankings(*column, found)
