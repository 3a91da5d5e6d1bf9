"""Source tiers inside a search: case law before blogs, among what answers the question."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from search.corpus.corpus import Corpus, ScoredDocument
from search.corpus.filters import Scope
from search.projects.errors import Refused

_ANSWERS = 0.7

Ranking = list[ScoredDocument]
"""Documents that were found, best first."""

PreparedQuery = Callable[[int, Scope], list[Ranking]]
"""Queries that are ready to be searched for: the best k documents of each in a scope, tiers not looked at."""


def tier_scopes(corpus: Corpus, scope: Scope) -> list[Scope]:
    """The parts of a scope, one for each source tier, the best first.

    :raises Refused: when the corpus has no rule.
    """
    tiers = [tier for tier, _ in corpus.tier_sizes()]
    if not tiers:
        raise Refused(
            "The corpus has no source tiers to rank by. Give a rule when adding documents: "
            "--tiers type=case,statute,blog."
        )
    return [replace(scope, tiers_first=False, tier=tier) for tier in tiers]


def without(document: int, find: PreparedQuery) -> PreparedQuery:
    """A finder that leaves a document out, inside the search: k documents stay k."""

    def others(k: int, scope: Scope) -> list[Ranking]:
        return [
            [found for found in ranking if found.document != document][:k]
            for ranking in find(k + 1, scope)
        ]

    return others


def by_tier(corpus: Corpus, scope: Scope, k: int, find: PreparedQuery) -> list[Ranking]:
    """Rank within a scope; where it asks for tiers, each tier is searched and the better tier comes first.

    A document goes ahead of another for its tier only when it answers the query: when its score is at least
    seven tenths of the best one's. The others follow by score. So case law on another matter does not
    come before a blog on this one.

    :raises Refused: when tiers are asked for and the corpus has no rule.
    """
    if not scope.tiers_first:
        return find(k, scope)
    parts = [find(k, part) for part in tier_scopes(corpus, scope)]
    return [_merged(rankings, k) for rankings in zip(*parts, strict=True)]


def answers(ranking: Sequence[ScoredDocument]) -> set[int]:
    """The documents of a ranking that answer its query: at least seven tenths of the best score."""
    best = max((found.score for found in ranking), default=0.0)
    return {found.document for found in ranking if found.score >= _ANSWERS * best}


def _merged(rankings: Sequence[Ranking], k: int) -> Ranking:
    answering = answers([found for ranking in rankings for found in ranking])
    ahead = [f for ranking in rankings for f in ranking if f.document in answering]
    rest = [f for ranking in rankings for f in ranking if f.document not in answering]
    return (ahead + sorted(rest, key=lambda found: -found.score))[:k]
