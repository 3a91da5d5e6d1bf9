"""What may be asked to fit something to a column: queries that its model did not learn from, and that measure nothing."""

import numpy as np

from search.corpus.corpus import Corpus
from search.evaluation.query_sets.dev_queries import dev_queries, training_queries
from search.evaluation.query_sets.leakage import GENERATED_DEV, seen_in_training
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_QUESTIONS
from search.evaluation.query_sets.trained_on import trained_pairs
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.text.near_duplicates import NearDuplicates

_SEED = 7


def unlearned_queries(
    project: Project, pairs: Manifest, info: ModelInfo | None, corpus: Corpus, most: int
) -> QuerySet:
    """The dev queries that a model has not learned from; of one that learned from no pairs, those of the pairs, too.

    None that is in the query set, nearly: what is fitted to it could not be measured on it.

    :param info: the model; None for keyword search, which learns from none.
    :param most: how many; of more, so many are drawn at random, the same each time.
    """
    # Of before there were any, it says nothing.
    made_up = set(pairs.details.get(GENERATED_DEV, ()))
    asked = dev_queries(project, pairs)
    asked = asked.only(query for query in asked.queries if query not in made_up)
    trained = [] if info is None else trained_pairs(project, info)
    if info is not None and trained:
        model = project.artifact("models", info.id)
        apart = model.made_from.get("pairs") == pairs.id and "base" not in model.made_from
        if not apart or info.refit_of is not None:
            seen = seen_in_training(trained, asked, corpus, NEW_QUESTIONS)
            asked = asked.only(query for query in asked.queries if query not in seen)
    known = set(corpus.ids())
    asked, _ = asked.restricted_to(known)
    if not trained and len(asked.queries) < most:
        extra, _ = training_queries(project, pairs).restricted_to(known)
        asked = asked | _some(extra, most - len(asked.queries))
    asked = _some(asked, most)
    queries = project.newest("queries")
    if queries is not None:
        near = NearDuplicates(list(QuerySet.with_sealed(project, queries).queries.values()))
        asked = asked.only(query for query, text in asked.queries.items() if not near.of(text))
    return asked


def _some(query_set: QuerySet, most: int) -> QuerySet:
    """Up to so many queries of a set, drawn at random."""
    names = sorted(query_set.queries)
    drawn = np.random.default_rng(_SEED).permutation(len(names))[:most]
    return query_set.only(names[i] for i in sorted(drawn))
