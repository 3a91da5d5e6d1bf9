"""What gain the test queries can show, before anything is trained: by what was measured, by a quick adapter, or roughly."""

from dataclasses import replace

import numpy as np

from search.corpus.corpus import current_corpus
from search.corpus.labels import Judgments
from search.evaluation.evaluation import load_evaluation, newest_evaluation
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.evaluation.statistics.groups import QueryGroups, group_queries
from search.evaluation.statistics.power import Power, Spread
from search.models.load import load_encoder
from search.models.registry import generic_info, models
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.indexing.build import find_index
from training.adapter.fit import Learner
from training.adapter.settings import AdapterSettings
from training.data.reports import current_report
from training.dev_set import DevSet
from training.embeddings import document_vectors, embedded
from training.training_data import TrainingData, load_training_data
from training.weight_interpolation import between_matrices

ADVICE = "advice"
"""The kind of report that keeps what was found."""
_PAIRS = 2_000
_LEAST_GROUPS = 30
_FOLDS = 2
_SETTINGS = AdapterSettings(epochs=5, negatives="batch", batch_size=64)
_HALF_WAY = 0.5
_SEED = 20_240_501


def expected_power(project: Project, progress: Progress = silent) -> Power | None:
    """What the current query set can show of a model that is not there yet.

    By the spread of the newest custom model that was measured on it; where there is none, by that of an adapter that
    learns for seconds from half of the training pairs and is measured on the other half; where generic has no index
    or there are too few pairs, by a rough one.

    :returns: None where there is no query set.
    """
    groups = _groups(project)
    if groups is None:
        return None
    if known := _by_a_measured_model(project, groups):
        return known
    spread = adapter_spread(project, progress)
    return Power.on(groups, spread, "rough" if spread is None else "adapter")


def known_power(project: Project) -> Power | None:
    """The same without a training: the adapter's spread is the one that the newest advice found."""
    groups = _groups(project)
    if groups is None:
        return None
    if known := _by_a_measured_model(project, groups):
        return known
    report = current_report(project, ADVICE)
    # What was advised before power was looked at says nothing of it.
    stored = report.details.get("power") if report is not None else None
    if stored is None or stored["basis"] != "adapter":
        return Power.on(groups, None, "rough")
    return Power.on(groups, Power.from_json(stored).spread, "adapter")


def _by_a_measured_model(project: Project, groups: QueryGroups) -> Power | None:
    measured = _measured(project)
    return None if measured is None else Power.on(groups, measured, "measured")


def adapter_spread(project: Project, progress: Progress = silent) -> Spread | None:
    """How far the gain of a quick adapter varies over training queries that it did not see (two-fold cross-fitting).

    :returns: None where the generic model has no index yet, is computed by a server, or pairs are too few or nobody's.
    """
    info = generic_info(project)
    manifest, _ = current_corpus(project)
    if info.format == "endpoint" or find_index(project, info, manifest) is None:
        return None
    try:
        material = _sampled(load_training_data(project))
    except Refused:
        return None
    asked = _asked(material)
    groups = group_queries(asked)
    if material.synthetic or groups.count < _LEAST_GROUPS:
        return None
    base = load_encoder(project, info)
    vectors, _ = document_vectors(project, info.name, base, material, silent)
    data = embedded(base, info, material, vectors, Stage(progress, 0.0, 0.6))
    dev = DevSet.of(material.corpus, asked)
    names = sorted(asked.queries)
    fold_of_group = np.random.default_rng(_SEED).permutation(groups.count) % _FOLDS
    fold = dict(zip(names, fold_of_group[groups.labels].tolist(), strict=True))
    rows = [_name(text) for text in data.texts.tolist()]
    first = {name: row for row, name in reversed(list(enumerate(rows)))}
    measured = sorted(dev.query_set.queries)
    queries = data.queries[[first[name] for name in measured]]
    pool = data.documents[dev.positions]
    before = np.array(dev.scores_of_vectors(queries, pool))
    after = np.empty_like(before)
    for held in range(_FOLDS):
        seen = [row for row, name in enumerate(rows) if fold.get(name) != held]
        learner = Learner(data.only(seen), _SETTINGS, "batch")
        for epoch in range(_SETTINGS.epochs):
            done = 0.6 + 0.4 * (held * _SETTINGS.epochs + epoch) / (_FOLDS * _SETTINGS.epochs)
            progress(done, 1.0, "a quick adapter tells how far gains vary")
            learner.epoch()
        matrix = between_matrices(learner.matrix, _HALF_WAY)
        scores = np.array(dev.scores_of_vectors(queries @ matrix.T, pool @ matrix.T))
        unseen = np.array([fold[name] == held for name in measured])
        after[unseen] = scores[unseen]
    chosen = np.isin(names, measured)
    return Spread.of(after - before, groups.only(chosen))


def _groups(project: Project) -> QueryGroups | None:
    if project.newest("queries") is None:
        return None
    corpus = current_corpus(project)[1]
    usable, _ = current_query_set(project)[1].restricted_to(set(corpus.ids()))
    return group_queries(usable) if usable.queries else None


def _measured(project: Project) -> Spread | None:
    """The spread of the newest custom model that was measured on the current query set."""
    for info in reversed([info for info in models(project) if info.kind == "custom"]):
        manifest = newest_evaluation(project, info.name)
        if manifest is None:
            continue
        result = load_evaluation(project, manifest)
        baselines = [t.baseline for t in result.comparisons if t.candidate == info.name]
        if baselines and result.groups is not None:
            return Spread.of(result.differences(baselines[0], info.name), result.groups)
    return None


def _sampled(material: TrainingData) -> TrainingData:
    """Pairs that point at a document, not more than can be learned from in seconds."""
    pairs = [pair for pair in material.guarded.pairs if pair.document is not None]
    order = np.random.default_rng(_SEED).permutation(len(pairs))[:_PAIRS]
    chosen = [pairs[i] for i in sorted(order.tolist())]
    return replace(material, guarded=replace(material.guarded, pairs=chosen))


def _asked(material: TrainingData) -> QuerySet:
    """The queries of the pairs, with the documents that answer them."""
    queries: dict[str, str] = {}
    judgments: Judgments = {}
    numbers: dict[str, int] = {}
    for pair in material.guarded.pairs:
        name = _name(numbers.setdefault(pair.query, len(numbers)))
        queries[name] = pair.query
        judgments.setdefault(name, {})[str(pair.document)] = 1
    known = set(material.corpus.ids())
    return QuerySet(queries, judgments).restricted_to(known)[0].graded(material.grades)


def _name(number: int) -> str:
    return f"{number:06}"
