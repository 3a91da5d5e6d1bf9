"""The vectors that an index keeps, for whatever else is made of them: adapters, maps, training."""

from indexes.opening import stored_vectors
from indexes.vector_index import BrokenIndex, Vectors
from search.projects.artifacts import Manifest
from search.projects.errors import Damaged
from search.projects.project import Project


def vectors_of(project: Project, index: Manifest) -> Vectors:
    """All vectors of an index, by position, of length 1 or zero: shape (n, d). Mapped, not read.

    :raises Damaged: when the index is damaged, or older than the way in which vectors are kept.
    """
    folder = project.checked(index)
    try:
        return stored_vectors(folder)
    except BrokenIndex as error:
        raise Damaged(f"{error}.", folder) from error
