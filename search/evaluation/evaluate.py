"""Measuring models on the project's query set: every query is asked of every model, and each is tested against the first."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.copy_figures import CopyFigures
from search.evaluation.costs import cost_of, spread
from search.evaluation.counted import Counted
from search.evaluation.evaluation import TOPS, Evaluation
from search.evaluation.exact_duplicates import ExactDuplicates, exact_duplicates_of
from search.evaluation.family import is_candidate, within_family
from search.evaluation.groups import group_queries
from search.evaluation.leakage import leaks_of
from search.evaluation.metrics import MEASURED, depth_of, metric_names, score
from search.evaluation.query_set import QuerySet, current_query_set, pooling_note
from search.evaluation.questions import NEW_DOCUMENTS, question_of
from search.evaluation.rankings import RankingRules
from search.evaluation.self_matches import SelfMatches, answers_note, relevant_documents
from search.evaluation.significance import compare
from search.evaluation.slices.define import slices_of
from search.evaluation.trained_on import unseen
from search.models.cross_encoders import find_reranker, load_reranker
from search.models.registry import find_model
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.bm25.store import keyword_index
from search.retrieval.columns import SearchColumn, chosen_columns, models_in
from search.retrieval.fingerprint import column_fingerprint
from search.retrieval.indexing.describe import truncation_notes
from search.retrieval.retriever import Retriever
from search.retrieval.search import retrievers_for


def evaluate(
    project: Project,
    names: Sequence[str] = (),
    progress: Progress = silent,
    known: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> Evaluation:
    """Compare models on the project's query set, and keep the evaluation as an artifact.

    :param names: columns by name (see `search.retrieval.columns`); none means generic and the newest custom model. The
        first is the baseline.
    :param known: what else people should know of the models, to stand among the notes.
    :param metrics: what to measure beside what every evaluation does, such as recall@50.
    :raises Refused: without documents or a query set, and for an unknown model or metric.
    """
    measured = metric_names(metrics)
    corpus_manifest, corpus = current_corpus(project)
    query_manifest, query_set = current_query_set(project)
    columns = chosen_columns(project, names)
    infos = models_in(project, columns)
    check_different(project, columns)
    again = {c.reranker for c in columns if c.reranker is not None}
    usable, unanswered = query_set.restricted_to(set(corpus.ids()))
    notes = list(known)
    if unanswered:
        notes.append(f"{unanswered:,} queries left out: no relevant document in the corpus")
    question = question_of(query_manifest.details)
    usable, seen = unseen(project, infos, usable, query_manifest, corpus, question)
    if seen:
        answers = " or their answers" if question == NEW_DOCUMENTS else ""
        notes.append(f"{seen:,} queries left out: a model was trained on them{answers}")
    if not usable.queries:
        raise Refused("No query is left to evaluate on: " + "; ".join(notes) + ".")
    if pooled := pooling_note(query_manifest.details):
        notes.append(pooled)
    if asks := query_manifest.details.get("asks"):
        notes.append(asks)
    leaks = leaks_of(project, query_manifest, query_set, corpus)
    if not_clean := leaks.note(question):
        notes.append(not_clean)
    own = SelfMatches.of(corpus, query_set).only(usable.queries)
    notes += own.notes
    if few := answers_note(usable):
        notes.append(few)
    retrievers, corpus = retrievers_for(project, names, Stage(progress, 0.0, 0.65))
    words = keyword_index(project, corpus_manifest, corpus, Stage(progress, 0.65, 0.7))
    slices = slices_of(corpus, usable, words)
    notes += truncation_notes(project, infos, corpus_manifest)
    asked = list(usable.queries.values())
    notes += _unread_again(project, sorted(again), corpus, asked)
    first, stage = Stage(progress, 0.7, 0.72), Stage(progress, 0.72, 1.0)
    copies = ExactDuplicates(exact_duplicates_of(corpus, progress=first))
    rules = RankingRules(depth_of(measured), own.left_out, copies)
    candidates = [c.name for c in columns[1:] if is_candidate(c.name, project)]
    result = measure(retrievers, corpus, usable, notes, stage, rules, measured, candidates)
    result = replace(
        result.in_slices(slices),
        comparisons=within_family(result.comparisons, candidates),
        clean=leaks.is_clean(question),
        left_out=own.as_json(),
        counted=Counted.of(query_set, set(corpus.ids()), result.scores),
        costs={
            column.name: cost_of(
                project, column, corpus_manifest, retriever, spread(result.texts, i)
            )
            for i, (column, retriever) in enumerate(zip(columns, retrievers, strict=True))
        },
    )
    fingerprints = {c.name: column_fingerprint(project, c, corpus_manifest) for c in columns}
    made_from = {
        "corpus": corpus_manifest.id,
        "queries": query_manifest.id,
        **{f"model:{info.name}": info.id for info in infos},
        **{f"reranker:{name}": find_reranker(project, name).id for name in sorted(again)},
    }
    with project.publish("evaluations", made_from) as draft:
        result.save(draft, fingerprints)
    progress(1, 1, f"evaluated on {len(result.queries):,} queries")
    return result


def measure(
    retrievers: Sequence[Retriever],
    corpus: Corpus,
    query_set: QuerySet,
    notes: Sequence[str] = (),
    progress: Progress = silent,
    rules: RankingRules = RankingRules(),
    metrics: Sequence[str] = MEASURED,
    candidates: Collection[str] = (),
) -> Evaluation:
    """Rank every query with every model, score the rankings, and test each model against the first.

    :param rules: how deep rankings are, what stays out of them, and what is one document.
    :param candidates: the columns whose intervals are to hold together.
    """
    queries = sorted(query_set.queries)
    texts = [query_set.queries[query] for query in queries]
    ids = corpus.ids()
    found = rules.rank(retrievers, ids, query_set, progress)
    judged = rules.copies.of(query_set)
    scores = {name: score(ranked.run, judged, metrics) for name, ranked in found.items()}
    firsts: dict[str, list[int | None]] = {
        name: [
            next((n for n, d in enumerate(ranked.run[q], 1) if d in judged.relevant(q)), None)
            for q in queries
        ]
        for name, ranked in found.items()
    }
    groups = group_queries(query_set, rules.copies.same)
    tests = compare(scores, groups, candidates)
    copies = CopyFigures.of(corpus, rules.copies, found, query_set, metrics)
    return Evaluation(
        queries,
        texts,
        scores,
        firsts,
        tests,
        list(notes),
        relevant_documents=relevant_documents(judged),
        groups=groups,
        tops={name: [ranked.run[q][:TOPS] for q in queries] for name, ranked in found.items()},
        copies=copies,
    )


def check_different(project: Project, columns: Sequence[SearchColumn]) -> None:
    """Refuse two columns that are one: a model has a name of its own and may be called generic, or have had another.

    :raises Refused: naming both.
    """
    known: dict[SearchColumn, SearchColumn] = {}
    for column in columns:
        model = None if column.model is None else find_model(project, column.model).id
        same = known.setdefault(replace(column, model=model), column)
        if same is not column:
            raise Refused(
                f"{same.name!r} and {column.name!r} are the same model, so nothing can differ. Name it once."
            )


def _unread_again(
    project: Project, rerankers: Sequence[str], corpus: Corpus, asked: Sequence[str]
) -> Iterator[str]:
    """What rerankers do not read of a corpus beside the questions that are asked."""
    for name in rerankers:
        cut = load_reranker(project, find_reranker(project, name)).truncation(corpus, asked)
        if cut is not None and cut.is_short:
            yield cut.sentence(name)
