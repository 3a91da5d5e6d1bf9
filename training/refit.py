"""A winner trained once more, from everything: after the proof, held-out queries are worth more as lessons.

Nothing is chosen again: steps, shares and settings are those of the model that was measured (see `training.refit_plan`). So
there is no dev score, and no query here can measure it; its recipe was measured. That a model is fitted to all the data
once its recipe is chosen by held-out parts is the usual last step (Hastie, Tibshirani and Friedman 2009, "The Elements of
Statistical Learning", section 7.10).
"""

from dataclasses import dataclass, replace
from typing import Any

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.labels import Pair
from search.evaluation.evaluation import newest_evaluation, tests_of, verdict_on
from search.evaluation.query_sets.general import general_questions
from search.evaluation.query_sets.leakage import GENERATED_DEV, answered, keep_apart
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.evaluation.query_sets.questions import NEW_QUESTIONS, QUESTION, question_of
from search.evaluation.statistics.significance import PairedTest
from search.models.linear_adapter import with_adapter
from search.models.registry import REFIT_OF, ModelInfo, find_model, named
from search.models.sentence_transformer import best_device
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.projects.turns import turn
from training.adapter import recipe as adapter
from training.adapter.refit import refit_matrix
from training.adapter.settings import AdapterSettings
from training.auto.member import asked, embedded_by
from training.base_model import load_base_model, load_trainable_base
from training.checkpoints import Checkpointer
from training.data.answering_passages import answering_passages
from training.data.pair_sets import current_pairs
from training.data.real_and_generated import weighted
from training.dev_set import DevSet
from training.embeddings import document_vectors, embedded
from training.fine_tune import recipe as fine_tune
from training.fine_tune.refit import refit_weights
from training.fine_tune.settings import FineTuneSettings
from training.forgetting import General, general_ndcg
from training.publish import publish_model
from training.recipes import recipe_info, validated
from training.refit_plan import PlannedStep, plan_of
from training.result import DevRecord, Request, Trained, TrainingResult
from training.room import see_that_training_fits
from training.static.recipe import static_origin, static_start
from training.static.settings import StaticSettings
from training.train import free_name
from training.training_data import TrainingData
from training.weight_interpolation import InterpolationPoint


@dataclass(frozen=True)
class _Winner:
    """A model that was measured, and what it was measured to be worth."""

    info: ModelInfo
    manifest: Manifest
    test: PairedTest
    queries: int

    @property
    def note(self) -> str:
        """What its recipe measured, for whoever meets what was trained once more."""
        on = f"on {self.queries:,} held-out queries (one training)"
        return (
            f"Not measured itself: it is {self.info.name} trained once more, from all pairs, test and dev included. Its "
            f"recipe measured {self.test.delta:+.3f} {self.test.metric} against {self.test.baseline} {on}."
        )


def refit(
    project: Project,
    name: str,
    new_name: str | None = None,
    progress: Progress = silent,
    checkpointer: Checkpointer | None = None,
) -> Trained:
    """Train a model once more on all pairs, those of its test and dev queries included, and publish it.

    :param name: a model that was measured here and is better than what it was measured against.
    :param new_name: what to call it; by default the model's name with "-refit".
    :raises Refused: for a model that is no winner, or learned from no pairs, and for a name that is taken.
    """
    winner = _winner(project, name)
    info = recipe_info(winner.info.recipe or "")
    settings = validated(info, winner.manifest.details["settings"])
    checkpointer = checkpointer or Checkpointer()
    with turn(project, new_name, wait=True) as own:
        called = own.reserve(lambda others: free_name(project, f"{name}-refit", new_name, others))
        if needs := see_that_training_fits(project, info.name, settings):
            progress(0, 0, needs)
        request = Request(project, called, info.name, settings, progress, checkpointer)
        material = _everything(project)
        return _published(request, material, winner, _Refit(request, material, winner).learn())


def _winner(project: Project, name: str) -> _Winner:
    info = find_model(project, name)
    if info.kind == "generic":
        raise Refused(f"{name!r} was not trained here, so it cannot be trained once more.")
    if info.refit_of is not None:
        raise Refused(f"{name!r} was trained once more on everything already.")
    found = verdict_on(project, info.name) or _newest_test(project, info.name)
    if found is None:
        raise Refused(
            f"{name!r} was not measured on the newest documents and query set yet. A model is trained once more after the "
            f"proof: python cli.py evaluate {project.name} --model generic --model {name}."
        )
    test, queries = found
    if test.verdict != "better":
        raise Refused(
            f"{name!r} is no winner: against {test.baseline} it measured {test.delta:+.3f} {test.metric} ({test.verdict}). "
            "What is not better is not worth training once more."
        )
    manifest = project.artifact("models", info.id)
    if not plan_of(manifest.details):
        raise Refused(
            f"What was chosen in training {name!r} is not known: it learned from no pairs, or was trained by an earlier "
            "version. Train it anew, measure it, and then once more."
        )
    return _Winner(info, manifest, test, queries)


def _newest_test(project: Project, name: str) -> tuple[PairedTest, int] | None:
    """The newest test of a model against anything."""
    manifest = newest_evaluation(project, name)
    tests = [test for test in tests_of(manifest) if test.candidate == name] if manifest else []
    return (tests[-1], int(manifest.details["queries"])) if manifest and tests else None


def _everything(project: Project) -> TrainingData:
    """All pairs, dev and test queries with their best answers as well; what is sealed stays sealed."""
    corpus_manifest, corpus = current_corpus(project)
    pairs_manifest, pair_set = current_pairs(project)
    query_manifest, query_set = current_query_set(project)
    made = set(pairs_manifest.details.get(GENERATED_DEV, ()))  # Nobody asked these.
    asked = pair_set.dev.only(query for query in pair_set.dev.queries if query not in made)
    held = [pair for part in (asked, query_set) for pair in _best_pairs(part, corpus)]
    known = {(pair.query, pair.document) for pair in pair_set.pairs}
    pairs = pair_set.pairs + [pair for pair in held if (pair.query, pair.document) not in known]
    made_from = {
        "corpus": corpus_manifest.id,
        "pairs": pairs_manifest.id,
        "queries": query_manifest.id,
    }
    question = question_of(query_manifest.details)
    whole = QuerySet.with_sealed(project, query_manifest)
    sealed = whole.only(q for q in whole.queries if q not in query_set.queries)
    guarded = keep_apart(pairs, [sealed], corpus, question)
    # The dev set asks nothing here: what it draws from the corpus stands for all documents where that is too much.
    dev = DevSet.of(corpus, pair_set.dev)
    guarded = replace(guarded, pairs=weighted(guarded.pairs))
    return TrainingData(corpus_manifest, corpus, guarded, dev, made_from)


def _best_pairs(query_set: QuerySet, corpus: Corpus) -> list[Pair]:
    """Queries with each document of their highest grade, as training has them."""
    best = {}
    for query in query_set.queries:
        grades = query_set.relevant(query)
        highest = max(grades.values(), default=0)
        best[query] = {d: grade for d, grade in grades.items() if grade == highest}
    return answered(query_set.queries, best, corpus)


class _Refit:
    """The steps of a winner, taken once more."""

    def __init__(self, request: Request, material: TrainingData, winner: _Winner) -> None:
        self._request = request
        self._material = material
        self._steps = plan_of(winner.manifest.details)
        point = InterpolationPoint.of(winner.manifest)
        base = str(getattr(request.settings, "base", "") or "")
        if point is not None:  # What was called generic then may be another model now.
            start = point.start_info(request.project)
            base = start.name if start is not None else point.start
        self._base = base
        self._info = named(request.project, base)
        self._knew = 0.0

    def learn(self) -> TrainingResult:
        """The model that the steps make, and what it started from."""
        learn = {"adapter": self._adapter, "fine-tune": self._fine_tune, "static": self._static}
        self._request.progress(0, 0, f"loading {self._base or 'a start'} on {best_device()}")
        model: Any = None
        for number, step in enumerate(self._steps):
            count = len(self._steps)
            stage = Stage(self._request.progress, number / count, (number + 1) / count)
            model = learn[step.recipe](model, step, stage)
        base, origin = self._base, None
        if self._steps[0].recipe == "static":
            base, origin = static_origin(StaticSettings(**self._steps[0].settings))
        is_adapter = [step.recipe for step in self._steps] == ["adapter"]
        dev = DevRecord([], "")  # There is none.
        return TrainingResult(base, model, dev, self._knew, {}, origin, is_adapter, self._info)

    def _fine_tune(self, model: Any, step: PlannedStep, progress: Progress) -> Any:
        settings = FineTuneSettings(**step.settings)
        project, material = self._request.project, self._material
        base = load_trainable_base(project, self._base)
        self._knew = general_ndcg(base)
        pairs = answering_passages(material.guarded.pairs, material.corpus)
        if settings.hard_negatives:
            mining = Stage(progress, 0.0, 0.2)
            pairs = fine_tune.with_hard_negatives(
                project, settings, base, material, pairs, mining
            ).pairs
        # A step after the first goes on from what that made, and keeps checkpoints of its own.
        training, checkpoints = Stage(progress, 0.2, 1.0), self._checkpoints()
        if model is None:
            model = base
        else:
            checkpoints = checkpoints.part("gone-on")
        refit_weights(model, pairs, settings, step, material.dev, training, checkpoints)
        return model

    def _static(self, model: Any, step: PlannedStep, progress: Progress) -> Any:
        settings, material = StaticSettings(**step.settings), self._material
        begun = static_start(self._request.project, settings, material, Stage(progress, 0.0, 0.4))
        model = begun.model(best_device())
        self._knew = general_ndcg(model)
        pairs = answering_passages(material.guarded.pairs, material.corpus)
        training, checkpoints = Stage(progress, 0.4, 1.0), self._checkpoints()
        refit_weights(model, pairs, settings.tuning, step, material.dev, training, checkpoints)
        return model

    def _adapter(self, model: Any, step: PlannedStep, progress: Progress) -> Any:
        settings = AdapterSettings(**step.settings)
        project, material = self._request.project, self._material
        first, second = Stage(progress, 0.0, 0.3), Stage(progress, 0.3, 0.5)
        if model is None:
            model = load_base_model(project, self._base)
            self._knew = general_ndcg(model)
            documents, _ = document_vectors(project, self._base, model, material, first)
            data = embedded(model, self._info, material, documents, second)
            data, _ = adapter.with_hard_negatives(project, settings, data, material, second)
        else:
            known = asked(model, material.dev, first)
            data, _ = embedded_by(model, material, known, second)
        matrix = refit_matrix(data, settings, step, Stage(progress, 0.5, 1.0))
        return with_adapter(model, matrix, settings.side)

    def _checkpoints(self) -> Checkpointer:
        return self._request.resumable(self._material.made_from, refit=True)


def _published(
    request: Request, material: TrainingData, winner: _Winner, made: TrainingResult
) -> Trained:
    general = General(len(general_questions()), made.knew, general_ndcg(made.model))
    measured = {
        "baseline": winner.test.baseline,
        "metric": winner.test.metric,
        "delta": winner.test.delta,
        "queries": winner.queries,
    }
    facts = {
        REFIT_OF: {"model": winner.info.id, "name": winner.info.name, **measured},
        QUESTION: NEW_QUESTIONS,
        "general": general.as_json(),
    }
    notes = [winner.note, general.sentence]
    return publish_model(request, material, made, notes, facts)
