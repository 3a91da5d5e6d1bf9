"""Evaluations of real columns from which labels were taken away, to be held against those with all labels.

What was stored of a set: the first ten documents of real columns for each query, and all its grades. An evaluation draws whole
groups of queries with replacement; 30 % of the relevant labels that only one side finds are taken away, and people who grade a
sample say what was taken away.
"""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from search.evaluation.labels.other_side import OtherSide
from search.evaluation.labels.unjudged import TwoRuns, UnjudgedHit
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import JUDGED, Scores, score
from search.evaluation.statistics.flips import Flips
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import ALPHA, PairedTest, Verdict

TOPS = Path(__file__).with_name("real_tops.json")
TAKEN = 0.3
SAMPLES = (0, 20, 40, 80, 160)
DRAWS = 999
_METRICS = ["ndcg@10", JUDGED]


@dataclass(frozen=True)
class Drawn:
    """One evaluation of two columns: all labels, those that are left, and who is in which group."""

    whole: QuerySet
    left: QuerySet
    runs: dict[str, dict[str, list[str]]]
    labels: dict[str, int]

    def test(self, judged: QuerySet) -> tuple[PairedTest, dict[str, Scores], QueryGroups]:
        """The test of the two columns by some labels, as an evaluation does it, with fewer patterns of signs."""
        names = sorted(judged.queries)
        _, numbers = np.unique([self.labels[name] for name in names], return_inverse=True)
        groups = QueryGroups(numbers.astype(np.int32))
        scores = {
            column: score({name: run[name] for name in names}, judged, _METRICS)
            for column, run in self.runs.items()
        }
        baseline, candidate = self.runs
        each = np.subtract(scores[candidate]["ndcg@10"], scores[baseline]["ndcg@10"])
        p_value = float(Flips(groups, DRAWS).p_values(each[None])[0])
        delta = float(each.mean())
        verdict: Verdict = "no clear difference"
        if p_value < ALPHA:
            verdict = "better" if delta > 0 else "worse"
        test = PairedTest(
            baseline, candidate, "ndcg@10", delta, (-1.0, 1.0), p_value, 0, 0, 0, verdict
        )
        return test, scores, groups

    @cached_property
    def full(self) -> PairedTest:
        """With all labels."""
        return self.test(self.whole)[0]

    @cached_property
    def today(self) -> tuple[PairedTest, dict[str, Scores], QueryGroups]:
        """With the labels that are left, and nothing graded."""
        return self.test(self.left)

    @cached_property
    def hits(self) -> list[UnjudgedHit]:
        """What people grade, in its order."""
        return TwoRuns(tuple(self.runs.values()), self.left).unjudged

    def looked_at(self, sample: int) -> OtherSide:
        """With the labels that are left, after people graded so many documents."""
        grades: dict[str, dict[str, int]] = {}
        for hit in self.hits[:sample]:
            said = self.whole.judgments[hit.query].get(hit.document, 0)
            grades.setdefault(hit.query, {})[hit.document] = said
        test, scores, groups = self.today
        return OtherSide.of(test, self.runs, scores, self.left, groups, grades, DRAWS)


@cache
def stored(name: str) -> dict[str, Any]:
    """What was stored of one of the shared data sets."""
    content: dict[str, Any] = json.loads(TOPS.read_text(encoding="utf-8"))[name]
    return content


def pairs(name: str) -> list[tuple[str, str]]:
    """Every pair of columns, in both orders."""
    return list(permutations(stored(name)["tops"], 2))


def draw(name: str, pair: tuple[str, str], queries: int, rng: np.random.Generator) -> Drawn:
    """An evaluation of about so many queries."""
    facts = stored(name)
    members: dict[int, list[int]] = {}
    for query, group in enumerate(facts["groups"]):
        members.setdefault(group, []).append(query)
    lists = list(members.values())
    wanted = max(2, round(queries / (len(facts["groups"]) / len(lists))))
    chosen = rng.integers(0, len(lists), wanted)
    labels, whole = {}, {}
    runs: dict[str, dict[str, list[str]]] = {column: {} for column in pair}
    for n, group in enumerate(chosen.tolist()):
        for query in lists[group]:
            identity = f"{n:04}-{query}"
            labels[identity] = n
            grades = facts["grades"][query]
            whole[identity] = {str(d): g for d, g in enumerate(grades) if g >= 0}
            for column in pair:
                runs[column][identity] = [str(d) for d in facts["tops"][column][query]]
    texts = dict.fromkeys(whole, "?")
    left = _taken_away(whole, runs, pair, rng)
    kept = {q: judged for q, judged in left.items() if any(g > 0 for g in judged.values())}
    return Drawn(QuerySet(texts, whole), QuerySet(dict.fromkeys(kept, "?"), kept), runs, labels)


def _taken_away(
    whole: dict[str, dict[str, int]],
    runs: dict[str, dict[str, list[str]]],
    pair: tuple[str, str],
    rng: np.random.Generator,
) -> dict[str, dict[str, int]]:
    """The labels without 30 % of the relevant ones that the candidate alone finds."""
    alone = [
        (query, document)
        for query, judged in whole.items()
        for document in runs[pair[1]][query]
        if judged.get(document, 0) > 0 and document not in runs[pair[0]][query]
    ]
    gone = {alone[n] for n in rng.permutation(len(alone))[: round(TAKEN * len(alone))].tolist()}
    return {
        query: {d: g for d, g in judged.items() if (query, d) not in gone}
        for query, judged in whole.items()
    }


def contradicts(said: str, full: str) -> bool:
    """Whether a verdict says better for worse, or either where all labels show no clear difference."""
    return said != "no clear difference" and said != full
