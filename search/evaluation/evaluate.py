"""Measuring models on the project's query set: every query is asked of every model, and each is tested against the first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.evaluation import TOPS, Evaluation
from search.evaluation.labels.copy_figures import CopyFigures
from search.evaluation.labels.counted import Counted
from search.evaluation.labels.other_side import OtherSide
from search.evaluation.labels.unjudged import Grades
from search.evaluation.ledger.looks import Looks
from search.evaluation.ledger.protocol import fix_protocol, protocol_of
from search.evaluation.ledger.sealing import (
    Manner,
    asked_queries,
    begin_opening,
    end_opening,
    looks_before,
    seal_notes,
)
from search.evaluation.query_sets.leakage import LeakCheck, leaks_of
from search.evaluation.query_sets.query_set import PROPOSED, QuerySet, pooling_note, proposed_note
from search.evaluation.query_sets.questions import NEW_DOCUMENTS, Question, question_of
from search.evaluation.query_sets.seal import Seal
from search.evaluation.query_sets.trained_on import unseen
from search.evaluation.rankings.exact_duplicates import ExactDuplicates, exact_duplicates_of
from search.evaluation.rankings.fit_fusion import fit_missing
from search.evaluation.rankings.metrics import MEASURED, depth_of, metric_names, score
from search.evaluation.rankings.parts import MeasuredParts, PartsOnce
from search.evaluation.rankings.rankings import Ranked, RankingRules
from search.evaluation.rankings.self_matches import SelfMatches, answers_note, relevant_documents
from search.evaluation.runs import RunFile, check_run_names, export_runs
from search.evaluation.slices.define import slices_of
from search.evaluation.statistics.family import is_candidate
from search.evaluation.statistics.groups import QueryGroups, group_queries
from search.evaluation.verdict.both_questions import MeasuredQueries, Tests, both_questions
from search.evaluation.verdict.costs import cost_of, spread
from search.evaluation.verdict.decision import Decision
from search.evaluation.verdict.verdicts import Contest, identities_of, looks_of, with_families
from search.models.cross_encoders import find_reranker, load_reranker
from search.models.registry import ModelInfo, find_model
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.bm25.store import keyword_index
from search.retrieval.columns import (
    SearchColumn,
    check_one_precision,
    chosen_columns,
    models_in,
    parse_column,
)
from search.retrieval.fingerprint import column_fingerprint
from search.retrieval.fitted import what_was_fitted
from search.retrieval.indexing.describe import truncation_notes
from search.retrieval.retriever import Retriever
from search.retrieval.search import assemble


@dataclass(frozen=True)
class Extras:
    """What an evaluation does beside.

    `metrics` are measured beside what every evaluation measures (recall@50); `runs` are TREC run files that join as columns, by
    name; `export` is a folder to write runs, judgments and scores of each query into, for other programs; `grades` are what
    people graded of samples, by the text of a query.

    >>> Extras(metrics=["recall@50"]).runs
    {}
    """

    metrics: Sequence[str] = ()
    runs: Mapping[str, Path] = field(default_factory=dict)
    export: Path | None = None
    grades: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def evaluate(
    project: Project,
    names: Sequence[str] = (),
    progress: Progress = silent,
    known: Sequence[str] = (),
    extras: Extras = Extras(),
    how: Manner = Manner(),
) -> Evaluation:
    """Compare models on the project's query set, and keep the evaluation as an artifact.

    :param names: columns by name (see `search.retrieval.columns`); none means generic and the newest custom model. The
        first is the baseline.
    :param known: what else people should know of the models, to stand among the notes.
    :param extras: what to measure beside, and to write out.
    :param how: on which part of the query set, against how many baselines, and whether anything is decided by it.
    :raises Refused: without documents or a query set, for an unknown model or metric, a run that is none, and where two columns are
        one model.
    """
    check_run_names(project, extras.runs)
    order, names = names, [name for name in names if name not in extras.runs]
    corpus_manifest, corpus = current_corpus(project)
    columns = chosen_columns(project, names)
    check_different(project, columns)
    identities = identities_of(project, columns)
    infos = models_in(project, columns)
    again = sorted({c.reranker for c in columns if c.reranker is not None})
    measured = metric_names([protocol_of(project).metric, *extras.metrics])
    asked = _asked(project, how, columns, corpus)
    parts = PartsOnce(project, corpus_manifest, corpus)
    fits = fit_missing(project, names, Stage(progress, 0.0, 0.3), parts)
    weighed = [f"{name}: {what_was_fitted(report).sentence}" for name, report in fits.items()]
    notes = [*known, *weighed, *asked.notes]
    retrievers = assemble(project, columns, parts, Stage(progress, 0.3 if fits else 0.0, 0.65))
    words = keyword_index(project, corpus_manifest, corpus, Stage(progress, 0.65, 0.7))
    slices = slices_of(corpus, asked.usable, words)
    notes += truncation_notes(project, infos, corpus_manifest)
    notes += _unread_again(project, again, corpus, list(asked.usable.queries.values()))
    first, stage = Stage(progress, 0.7, 0.72), Stage(progress, 0.72, 1.0)
    copies = ExactDuplicates(exact_duplicates_of(corpus, progress=first))
    rules = RankingRules(depth_of(measured), asked.own.left_out, copies)
    looks = looks_before(project, asked.manifest, asked.seal)
    counted = [name for name in identities if is_candidate(name, project)]
    contest = Contest(how.baselines, counted, fix_protocol(project))
    runs = [RunFile.read(n, file, asked.usable, corpus.ids()) for n, file in extras.runs.items()]
    notes += [note for run in runs for note in run.notes]
    identities |= {run.name: run.fingerprint for run in runs}
    found = _ranked(project, columns, parts, rules, asked.usable, stage)
    found = in_order(order, found | {run.name: rules.read(run.run, asked.usable) for run in runs})
    result = scored(found, corpus, asked.usable, notes, rules, measured, contest)
    result = _decided(project, result, contest, looks, identities)
    judged = copies.of(asked.usable)
    result = replace(
        result.in_slices(slices),
        unjudged=_other_sides(result, judged, copies.by_query(asked.usable, extras.grades)),
        clean=asked.leaks.is_clean(asked.question) and not asked.proposed,
        proposed=asked.proposed,
        by_people=pooling_note(asked.manifest.details) is not None,
        left_out=asked.own.as_json(),
        counted=Counted.of(asked.query_set, set(corpus.ids()), result.scores),
        costs={
            column.name: cost_of(
                project, column, corpus_manifest, retriever, spread(result.texts, i)
            )
            for i, (column, retriever) in enumerate(zip(columns, retrievers, strict=True))
        },
    )
    result = _for_both(
        project,
        infos,
        asked,
        corpus,
        result,
        lambda scores, groups: with_families(
            project, contest.tests(scores, groups), looks, identities
        ),
    )
    fingerprints = {c.name: column_fingerprint(project, c, corpus_manifest) for c in columns}
    made_from = {
        "corpus": corpus_manifest.id,
        "queries": asked.manifest.id,
        **{f"model:{info.name}": info.id for info in infos},
        **{f"reranker:{name}": find_reranker(project, name).id for name in again},
        **{f"fusion:{name}": report.id for name, report in fits.items()},
    }
    fingerprints |= {run.name: run.fingerprint for run in runs}
    result = _published(project, result, asked, how, identities, made_from, fingerprints)
    if extras.export is not None:
        export_runs(extras.export, result, judged)
    progress(1, 1, f"evaluated on {len(result.queries):,} queries")
    return result


@dataclass(frozen=True)
class _Asked:
    """What is asked of a query set: `query_set` is all that may be, `usable` what is left of it to be measured on."""

    manifest: Manifest
    query_set: QuerySet
    usable: QuerySet
    seal: Seal | None
    question: Question
    leaks: LeakCheck
    own: SelfMatches
    notes: list[str]

    @property
    def proposed(self) -> int:
        """How many of the usable were proposed from the documents; a query set of before any were says nothing of it."""
        return len(set(self.manifest.details.get(PROPOSED, ())) & self.usable.queries.keys())


def _asked(
    project: Project, how: Manner, columns: Sequence[SearchColumn], corpus: Corpus
) -> _Asked:
    manifest, query_set, seal = asked_queries(project, how, len(columns))
    usable, unanswered = query_set.restricted_to(set(corpus.ids()))
    notes = []
    if unanswered:
        notes.append(f"{unanswered:,} queries left out: no relevant document in the corpus")
    question = question_of(manifest.details)
    infos = models_in(project, columns)
    usable, seen = unseen(project, infos, usable, manifest, corpus, question)
    if seen:
        answers = " or their answers" if question == NEW_DOCUMENTS else ""
        notes.append(f"{seen:,} queries left out: a model was trained on them{answers}")
    if not usable.queries:
        raise Refused("No query is left to evaluate on: " + "; ".join(notes) + ".")
    leaks = leaks_of(project, manifest, query_set, corpus, afresh=seal is not None)
    own = SelfMatches.of(corpus, query_set).only(usable.queries)
    about = (
        proposed_note(manifest.details, usable.queries),
        pooling_note(manifest.details),
        manifest.details.get("asks"),
        leaks.note(question),
    )
    notes += [note for note in (*about, *own.notes, answers_note(usable)) if note]
    notes += seal_notes(project, manifest, usable)
    return _Asked(manifest, query_set, usable, seal, question, leaks, own, notes)


def _decided(
    project: Project,
    measured: Evaluation,
    contest: Contest,
    looks: Looks,
    identities: Mapping[str, str],
) -> Evaluation:
    """What was measured, with verdicts that hold beside all that was measured before."""
    tests = with_families(project, measured.comparisons, looks, identities)
    made = {identities[test.candidate] for test in tests if test.p_adjusted is not None}
    decision = Decision.of(
        tests, measured.scores, measured.first_relevant, measured.groups, contest.protocol
    )
    decision = replace(decision, looks=len(made | {look.candidate for look in looks.all}))
    return replace(measured, comparisons=tests, decision=decision)


def _ranked(
    project: Project,
    columns: Sequence[SearchColumn],
    once: PartsOnce,
    rules: RankingRules,
    query_set: QuerySet,
    progress: Progress,
) -> dict[str, Ranked]:
    """What each column finds; with copies as one document, and where there are copies as it comes, too."""
    ids = once.corpus.ids()
    parts = MeasuredParts(once, list(query_set.queries.values()))
    plain = assemble(project, columns, parts, Stage(progress, 0.0, 0.3))
    stage = Stage(progress, 0.3, 1.0)
    if not rules.copies:
        return rules.rank(plain, ids, query_set, stage)
    distinct = assemble(project, columns, parts.distinct(rules.copies.positions(ids)))
    found = rules.rank(distinct, ids, query_set, Stage(stage, 0.0, 0.5))
    before = replace(rules, copies=ExactDuplicates()).rank(
        plain, ids, query_set, Stage(stage, 0.5, 1.0)
    )
    return {name: Ranked(ranked.run, before[name].run) for name, ranked in found.items()}


def _other_sides(result: Evaluation, judged: QuerySet, grades: Grades) -> list[OtherSide]:
    """Each verdict, held against the documents that nobody judged."""
    groups = result.groups or QueryGroups.single(len(result.queries))
    return [
        OtherSide.of(test, result.runs, result.scores, judged, groups, grades)
        for test in result.comparisons
    ]


def _published(
    project: Project,
    result: Evaluation,
    asked: _Asked,
    how: Manner,
    identities: Mapping[str, str],
    made_from: dict[str, str],
    fingerprints: Mapping[str, str],
) -> Evaluation:
    """Keep an evaluation, after what it adds to the looks was noted: nobody sees a figure that was not counted."""
    if asked.seal is not None:
        opened = begin_opening(project, asked.seal, list(identities.values()))
        result = replace(result, decision=replace(result.decision, opened=opened))
    with project.publish("evaluations", made_from) as draft:
        result.save(draft, fingerprints)
        if not how.watching:
            new = looks_of(result.comparisons, identities, draft.id)
            Looks.open(project, asked.manifest).record(project, new)
    if asked.seal is not None:
        end_opening(project, asked.seal, draft.id)
    return result


def _for_both(
    project: Project,
    infos: Sequence[ModelInfo],
    asked: _Asked,
    corpus: Corpus,
    result: Evaluation,
    tests: Tests,
) -> Evaluation:
    """An evaluation with what it says to new questions and to new documents."""
    groups = result.groups or QueryGroups.single(len(result.queries))
    measured = MeasuredQueries(result.scores, groups, result.comparisons, tests)
    said, cost = both_questions(
        project, infos, asked.usable, asked.manifest, corpus, asked.leaks, measured
    )
    notes = [*result.notes, *([cost] if cost else [])]
    if asked.proposed:
        said = {each: replace(one, clean=False) for each, one in said.items()}
    return replace(result, question=asked.question, questions=said, notes=notes)


def measure(
    retrievers: Sequence[Retriever],
    corpus: Corpus,
    query_set: QuerySet,
    notes: Sequence[str] = (),
    progress: Progress = silent,
    rules: RankingRules = RankingRules(),
    metrics: Sequence[str] = MEASURED,
    contest: Contest = Contest(),
) -> Evaluation:
    """Rank every query with every model, score the rankings, and test each model against the first.

    :param rules: how deep rankings are, what stays out of them, and what is one document.
    :param contest: who is tested against whom; by default all against the first.
    """
    rankings = rules.rank(retrievers, corpus.ids(), query_set, progress)
    return scored(rankings, corpus, query_set, notes, rules, metrics, contest)


def scored(
    rankings: Mapping[str, Ranked],
    corpus: Corpus,
    query_set: QuerySet,
    notes: Sequence[str],
    rules: RankingRules,
    metrics: Sequence[str],
    contest: Contest,
) -> Evaluation:
    """Score the rankings of columns, and test them; see `measure`."""
    queries = sorted(query_set.queries)
    texts = [query_set.queries[query] for query in queries]
    judged = rules.copies.of(query_set)
    scores = {name: score(ranked.run, judged, metrics) for name, ranked in rankings.items()}
    firsts: dict[str, list[int | None]] = {
        name: [
            next((n for n, d in enumerate(ranked.run[q], 1) if d in judged.relevant(q)), None)
            for q in queries
        ]
        for name, ranked in rankings.items()
    }
    groups = group_queries(query_set, rules.copies.same)
    tests = contest.tests(scores, groups)
    copies = CopyFigures.of(corpus, rules.copies, rankings, query_set, metrics)
    return Evaluation(
        queries,
        texts,
        scores,
        firsts,
        tests,
        list(notes),
        relevant_documents=relevant_documents(judged),
        groups=groups,
        tops={name: [ranked.run[q][:TOPS] for q in queries] for name, ranked in rankings.items()},
        copies=copies,
        runs={name: ranked.run for name, ranked in rankings.items()},
    )


def in_order(names: Sequence[str], rankings: Mapping[str, Ranked]) -> dict[str, Ranked]:
    """The rankings in the order in which columns were named; what nobody named comes last."""
    named = [name if name in rankings else parse_column(name).name for name in names]
    return {name: rankings[name] for name in dict.fromkeys([*named, *rankings])}


def check_different(project: Project, columns: Sequence[SearchColumn]) -> None:
    """Refuse two columns that are one: a model has a name of its own and may be called generic, or have had another.

    :raises Refused: naming both.
    """
    check_one_precision(project, columns)
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
