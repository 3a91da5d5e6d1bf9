"""What several tests of this room stand on."""

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.evaluation.query_sets.add_query_set import publish_query_set
from search.evaluation.query_sets.query_set import QuerySet
from search.projects.project import Project, project_to_be

QUESTIONS = 30
"""Each asks for a document of its own, and no two are near-duplicates."""


@pytest.fixture
def thirty(tmp_path) -> Project:
    """A project with thirty documents and the query set `questions(30)`."""
    project = project_to_be("thirty")
    path = tmp_path / "docs.csv"
    rows = "".join(f"d{n},tort number {n} of the court of {n}\n" for n in range(QUESTIONS))
    path.write_text("id,text\n" + rows)
    add_documents(project, [path])
    publish(project, questions(QUESTIONS))
    return project


def questions(count: int, first: int = 0) -> QuerySet:
    """Queries `q<n>` about document `d<n>`, from `first` on."""
    numbers = range(first, first + count)
    queries = {f"q{n}": f"who pleads case{n} before judge{n} on day{n}" for n in numbers}
    return QuerySet(queries, {f"q{n}": {f"d{n % QUESTIONS}": 1} for n in numbers})


def publish(project: Project, query_set: QuerySet):
    """Make it the newest query set of a project; returns its manifest."""
    manifest, corpus = current_corpus(project)
    return publish_query_set(project, query_set, manifest, corpus)[0]
