"""Sample projects: real data read out of installed packages, so that nothing need be downloaded."""

from collections.abc import Callable
from dataclasses import dataclass

from search.corpus.corpus import current_corpus
from search.corpus.document import Document
from search.corpus.labels import Pair
from search.evaluation.evaluate import evaluate
from search.models.load import load_encoder
from search.models.registry import GENERIC, KEYWORD, find_model
from search.projects.errors import AlreadyThere, Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.publishing import was_made_before
from search.retrieval.bm25.store import keyword_index
from search.retrieval.indexing.build import index_model
from training.data.intake import Imported, publish_ready_made
from training.data.pair_sets import Split
from training.samples import constitution, phenotypes
from training.samples.shipped import Shipped


@dataclass(frozen=True)
class SampleProject:
    """A sample project: what it is, where it comes from, what the model that ships with it is called, and how to read it."""

    key: str
    title: str
    summary: str
    source: str
    licence: str
    examples: tuple[str, ...]
    model: str
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
            "patient-words",
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
            "plain-law",
            constitution.read,
        ),
    )
}


def create_sample(project: Project, key: str, progress: Progress = silent) -> Imported:
    """Make a sample project: documents, pairs and test queries, two models side by side, and the verdict on them.

    Where what ships with it does not fit this machine's generic model, that model alone, encoded here.

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
    made, pairs = bring_in(project, sample)
    generic, shipped = find_model(project, GENERIC), Shipped.of(key)
    manifest, corpus = current_corpus(project)
    if not shipped.fits(generic, corpus):
        index_model(project, GENERIC, rebuild=False, progress=progress)
        return made
    model = shipped.publish(project, generic, pairs)
    keyword_index(project, manifest, corpus)
    progress(0, 0, "measuring on the held-out queries")
    shipped.into_store(generic, load_encoder(project, generic))
    evaluate(project, [GENERIC, model, KEYWORD], progress)
    return made


def bring_in(project: Project, sample: SampleProject) -> tuple[Imported, list[Pair]]:
    """Publish the documents, pairs and test queries of a sample; returns the pairs beside what came in."""
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
    return made, split.train
