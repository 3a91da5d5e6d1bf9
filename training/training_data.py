"""What a recipe that learns from pairs is given: guarded pairs, dev queries, and where they came from."""

from dataclasses import dataclass, field, replace

from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.dev_queries import Grades
from search.evaluation.query_sets.leakage import GENERATED_DEV, MINED, ORIGIN, Guarded, keep_apart
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS, Question, question_of
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from training.data.pair_sets import current_pairs
from training.data.real_and_generated import weighted, weights_note
from training.dev_set import DevSet
from training.weight_interpolation import SHRUNKEN, followed

_MIN_TRAIN = 4
MINED_DEV = (
    "The pairs and the dev queries were mined from the documents: nobody asked these questions. The dev score says "
    "what was learned of the documents, not what real questions gain; add real questions with their answers to prove that."
)


@dataclass(frozen=True)
class TrainingData:
    """Pairs kept apart from dev and test, the dev set, and the artifacts behind them.

    `synthetic` says that nobody wrote the pairs or the dev queries: they were mined from the documents. `grades` are
    what queries are measured by that are held out of the pairs.
    """

    corpus_manifest: Manifest
    corpus: Corpus
    guarded: Guarded
    dev: DevSet
    made_from: dict[str, str]
    synthetic: bool = False
    grades: Grades = field(default_factory=dict)
    generated: tuple[str, ...] = ()
    followed: float = SHRUNKEN

    @property
    def question(self) -> Question:
        """What the model can be measured for: new questions, or new documents as well."""
        return self.guarded.question

    @property
    def notes(self) -> list[str]:
        """What was left out and what was learned from, in words."""
        notes = [self.guarded.note] if self.guarded.note else []
        return [*notes, MINED_DEV] if self.synthetic else [*notes, *self.generated]


def load_training_data(project: Project, strict: bool = False) -> TrainingData:
    """The newest corpus and pairs of a project, ready to train on.

    What is kept apart follows the question of the query set; where there is none yet, that of the pairs' dev queries.

    :param strict: keep documents apart as well, whatever is asked: for an answer about new documents.
    :raises Refused: when documents or pairs are missing, too few pairs are left, or nothing can steer.
    """
    corpus_manifest, corpus = current_corpus(project)
    pairs_manifest, pair_set = current_pairs(project)
    made_from = {"corpus": corpus_manifest.id, "pairs": pairs_manifest.id}
    unseen = [pair_set.dev]
    queries = project.newest("queries")
    question = pair_set.question
    if queries is not None:
        unseen.append(QuerySet.with_sealed(project, queries))
        made_from["queries"] = queries.id
        question = question_of(queries.details)
    question = NEW_DOCUMENTS if strict else question
    guarded = keep_apart(pair_set.pairs, unseen, corpus, question)
    if len(guarded.pairs) < _MIN_TRAIN:
        raise Refused(
            f"Only {len(guarded.pairs)} pairs are left to train on ({guarded.note or 'too few given'})"
            f"; at least {_MIN_TRAIN} are needed. Add pairs about other documents."
        )
    dev = DevSet.of(corpus, pair_set.dev)
    if not dev.query_set.queries:
        raise Refused(
            "No dev query has an answer in the corpus, so training could not be steered. Add pairs "
            "whose responses are documents of the corpus."
        )
    details = pairs_manifest.details
    counted = replace(guarded, pairs=weighted(guarded.pairs))
    generated = [weights_note(guarded.pairs)]
    if steering := details.get(GENERATED_DEV):  # Of before there were any, it says nothing.
        every = len(pair_set.dev.queries)
        generated.append(
            f"{len(steering):,} of the {every:,} dev queries are generated: nobody asked them"
        )
    return TrainingData(
        corpus_manifest,
        corpus,
        counted,
        dev,
        made_from,
        details.get(ORIGIN) == MINED,
        pair_set.grades,
        tuple(filter(None, generated)),
        followed(details),
    )
