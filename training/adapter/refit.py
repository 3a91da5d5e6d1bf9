"""An adapter once more, from all pairs, as far as a first training was found to go: nothing is measured, nothing chosen."""

from indexes.vector_index import Vectors
from search.projects.progress import Progress
from training.adapter.fit import Learner
from training.adapter.settings import AdapterSettings
from training.embeddings import Embedded
from training.refit_plan import PlannedStep
from training.weight_interpolation import between_matrices


def refit_matrix(
    data: Embedded, settings: AdapterSettings, step: PlannedStep, progress: Progress
) -> Vectors:
    """The matrix after as many updates as the first training took, as far from the identity as that one went.

    :returns: shape (dimension, dimension).
    """
    learner = Learner(data, settings, step.negatives)
    learner.take(step.updates, step.planned, progress)
    return between_matrices(learner.matrix, step.share)
