"""The queries that a set of pairs brings: those held out as dev, and those of the pairs themselves."""

import json
from collections.abc import Mapping, Sequence

from search.corpus.labels import Judgments, Pair, query_id
from search.corpus.readers.pairs import load_pairs
from search.evaluation.query_sets.leakage import DEV_FILE, PAIRS_FILE
from search.evaluation.query_sets.query_set import QuerySet
from search.projects.artifacts import Manifest
from search.projects.project import Project

GRADES_FILE = "grades.json"

Grades = Mapping[str, Mapping[str, int]]
"""The grades of documents by the text of a query, where pairs, which know the best answers only, do not say all."""


def dev_queries(project: Project, pairs: Manifest) -> QuerySet:
    """The dev queries of a set of pairs, checked to be whole."""
    dev = json.loads((project.checked(pairs) / DEV_FILE).read_text(encoding="utf-8"))
    return QuerySet(dev["queries"], dev["judgments"])


def grades_of(project: Project, pairs: Manifest) -> Grades:
    """The grades that a set of pairs came with; none for most."""
    path = project.folder_of(pairs) / GRADES_FILE
    grades: Grades = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return grades


def training_queries(project: Project, pairs: Manifest) -> QuerySet:
    """The queries of the pairs themselves that somebody asked, with all that is known of them: for what learns from no pairs."""
    known = load_pairs(project.checked(pairs) / PAIRS_FILE)
    asked = as_query_set([pair for pair in known if not pair.mined])
    return asked.graded(grades_of(project, pairs))


def as_query_set(pairs: Sequence[Pair]) -> QuerySet:
    """Pairs that point to documents as queries with judgments; equal queries become one."""
    queries: dict[str, str] = {}
    judgments: Judgments = {}
    for pair in pairs:
        if pair.document is not None:
            key = query_id(pair.query)
            queries[key] = pair.query
            judgments.setdefault(key, {})[pair.document] = 1
    return QuerySet(queries, judgments)
