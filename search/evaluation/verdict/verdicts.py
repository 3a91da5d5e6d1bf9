"""From paired tests to verdicts: which opponents count, and who else was measured before on the same queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from search.evaluation.ledger.looks import Look, Looks
from search.evaluation.ledger.protocol import Protocol, protocol_of
from search.evaluation.query_sets.query_set import newest_query_set
from search.evaluation.query_sets.questions import question_of
from search.evaluation.rankings.metrics import Scores
from search.evaluation.statistics.family import is_candidate, within_family
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import PairedTest, compare
from search.models.registry import KEYWORD
from search.projects.artifacts import now
from search.projects.project import Project
from search.retrieval.columns import SearchColumn, chosen_columns, parse_column
from search.retrieval.fingerprint import column_identity


@dataclass(frozen=True)
class Contest:
    """Who is tested against whom, and by what.

    The first `baselines` columns are opponents: all others are tested against the first, and against each further one all
    that come after it. `candidates` are the columns whose intervals are to hold together (None: all that are no baseline).

    >>> scores = {name: {"ndcg@10": [0.1 * n] * 9} for n, name in enumerate(["generic", "best", "bm25", "mine"])}
    >>> [(t.baseline, t.candidate) for t in Contest(baselines=2).tests(scores, QueryGroups.single(9))]
    [('generic', 'best'), ('generic', 'bm25'), ('generic', 'mine'), ('best', 'bm25'), ('best', 'mine')]
    """

    baselines: int = 1
    candidates: Collection[str] | None = None
    protocol: Protocol = field(default_factory=Protocol)

    def tests(self, scores: Mapping[str, Scores], groups: QueryGroups) -> list[PairedTest]:
        """Every comparison.

        :param scores: column to metric to one score a query, the baselines first.
        """
        names = list(scores)
        counted = names[self.baselines :] if self.candidates is None else self.candidates
        tests: list[PairedTest] = []
        for number in range(self.baselines):
            chosen = {name: scores[name] for name in names[number:]}
            tests += compare(chosen, groups, counted, self.protocol.metric, self.protocol.margin)
        return tests


def identities_of(project: Project, columns: Sequence[SearchColumn]) -> dict[str, str]:
    """Each column's fingerprint, by its name."""
    return {column.name: column_identity(project, column) for column in columns}


def with_families(
    project: Project, tests: Sequence[PairedTest], looks: Looks, identities: Mapping[str, str]
) -> list[PairedTest]:
    """The tests with p-values that hold together with all that was ever measured against the same baseline.

    :param identities: each column's fingerprint (`column_identity`).
    """
    decided: list[PairedTest] = []
    for baseline in dict.fromkeys(test.baseline for test in tests):
        against = [test for test in tests if test.baseline == baseline]
        names = [test.candidate for test in against if is_candidate(test.candidate, project)]
        own = {identities[name] for name in names}
        known = looks.earlier(identities[baseline])
        before = {name: p for name, p in known.items() if name not in own}
        decided += within_family(against, names, before)
    return decided


def looks_of(
    tests: Sequence[PairedTest], identities: Mapping[str, str], evaluation: str
) -> list[Look]:
    """What an evaluation adds to the looks: a line for each candidate against each baseline.

    :param evaluation: the id of the evaluation.
    """
    time = now()
    return [
        Look(
            time=time,
            baseline=identities[test.baseline],
            candidate=identities[test.candidate],
            names=(test.baseline, test.candidate),
            p_value=test.p_value,
            evaluation=evaluation,
        )
        for test in tests
        if test.p_adjusted is not None
    ]


def promise(project: Project, names: Sequence[str]) -> str:
    """What is promised before an evaluation of these columns, in one line (see `Protocol.line`).

    :raises Refused: without a query set, and for an unknown column.
    """
    manifest = newest_query_set(project)
    columns = chosen_columns(project, names)
    identities = identities_of(project, columns)
    counted = {identities[c.name] for c in columns[1:] if is_candidate(c.name, project)}
    known = {look.candidate for look in Looks.open(project, manifest).all} - counted
    question = question_of(manifest.details)
    return protocol_of(project).line(len(counted), len(known), question)


def headline(tests: Sequence[PairedTest]) -> PairedTest | None:
    """The comparison that the verdict is about: the newest custom model against the last baseline, the strongest one.

    Where no candidate was measured, the last column against it.

    >>> from search.evaluation.statistics.significance import paired_test
    >>> tests = [paired_test(a, b, [0.1] * 9, [0.2] * 9) for a, b in (("generic", "mine"), ("best", "bm25"), ("best", "mine"))]
    >>> one = headline([tests[0].within_family(0.01, 1), tests[1], tests[2].within_family(0.01, 1)])
    >>> one.baseline, one.candidate
    ('best', 'mine')
    """
    if not tests:
        return None
    against = [test for test in tests if test.baseline == tests[-1].baseline]
    against = [test for test in against if test.candidate != KEYWORD] or against
    counted = [test for test in against if test.p_adjusted is not None] or against
    plain = [test for test in counted if _is_model(test.candidate)]
    return (plain or counted)[-1]


def against_keywords(
    scores: Mapping[str, Scores],
    groups: QueryGroups,
    main: PairedTest | None,
    protocol: Protocol = Protocol(),
) -> PairedTest | None:
    """The test of what the verdict is about against keyword search, which is free of training; None where it is no column."""
    if main is None or KEYWORD not in scores or KEYWORD in (main.baseline, main.candidate):
        return None
    pair = {name: scores[name] for name in (KEYWORD, main.candidate)}
    return compare(pair, groups, (), protocol.metric, protocol.margin)[0]


def _is_model(name: str) -> bool:
    return ":" not in name and parse_column(name).kind == "model"
