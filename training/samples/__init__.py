"""Sample projects: real data read out of installed packages, so that nothing need be downloaded."""

from collections.abc import Callable
from dataclasses import dataclass

from search.corpus.document import Document
from search.models.registry import GENERIC
from search.projects.errors import AlreadyThere, Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.publishing import was_made_before
from search.retrieval.indexing.build import index_model
from training.data.intake import Imported, publish_ready_made
from training.data.pair_sets import Split
from training.samples import constitution, phenotypes


@dataclass(frozen=True)
class SampleProject:
    """A sample project: what it is, where it comes from, and how to read it."""

    key: str
    title: str
    summary: str
    source: str
    licence: str
    examples: tuple[str, ...]
    read: Callable[[], tuple[list[Document], Split]]


SAMPLES: dict[str, SampleProject] = {
    sample.key: sample
    for sample in (
        SampleProject(
            "medical",
            "Medical: patients' words, clinical terms",
            "3,907 clinical terms with definitions. Patients say “runny nose”, the record says "
            "“rhinorrhea”: can a model learn the difference?",
            phenotypes.SOURCE,
            phenotypes.LICENCE,
            phenotypes.EXAMPLES,
            phenotypes.read,
        ),
        SampleProject(
            "legal",
            "Legal: everyday questions, the Constitution of India",
            "465 articles and 147 everyday questions. People ask about the police, the law speaks of "
            "“detention”: which model finds the article?",
            constitution.SOURCE,
            constitution.LICENCE,
            constitution.EXAMPLES,
            constitution.read,
        ),
    )
}


def create_sample(project: Project, key: str, progress: Progress = silent) -> Imported:
    """Make a sample project, searchable with the generic model when it is done.

    :param project: where to; must not exist yet, or have no documents.
    :param key: "medical" or "legal".
    :raises Refused: for an unknown sample, or a project that has documents.
    """
    if key not in SAMPLES:
        raise Refused(f"There is no sample {key!r}. The samples are: {', '.join(SAMPLES)}.")
    there = project.newest("corpora")
    if there is not None and not was_made_before(there):
        raise AlreadyThere(
            f"The project {project.name!r} has documents already. Choose another name."
        )
    sample = SAMPLES[key]
    progress(0, 0, f"reading {sample.source}")
    documents, split = sample.read()
    made = publish_ready_made(
        project,
        documents,
        split,
        sample.source,
        description=sample.summary,
        licence=sample.licence,
        examples=list(sample.examples),
    )
    index_model(project, GENERIC, rebuild=False, progress=progress)
    return made
