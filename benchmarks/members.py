"""What auto's three members are worth where pairs are few: each alone, and their average.

Run it with: python -m benchmarks.members --sets tos_plain_english hinglish_top --draws 5. Of each set up to 200 pairs and
sixteen dev queries are drawn again and again, as a small upload has them, and three members learn as auto's do: an
adapter each or, with --minutes, the whole leaderboard. They are asked what the draw held out of pairs and dev queries, by
which a choice may be made, and the test queries, by which none may.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.common import empty_workspace, machine, prepared
from indexes.vector_index import Vectors
from search.evaluation.query_sets.leakage import keep_apart, texts_of
from search.evaluation.query_sets.query_set import QuerySet
from search.models.linear_adapter import matrix_of
from search.models.registry import GENERIC
from search.projects.progress import silent
from search.projects.project import Project
from training.auto.budgeted_search import BudgetedSearch
from training.auto.candidates import Candidates
from training.auto.folds import MEMBERS, averaged, split_into_folds
from training.auto.member import members_of
from training.auto.settings import AutoSettings
from training.base_model import load_base_model
from training.data.pair_sets import split_pairs
from training.dev_set import START, DevSet
from training.embeddings import document_vectors
from training.result import Request
from training.training_data import TrainingData, load_training_data

_PAIRS, _DEV = 200, 16
_DRAWN = 800  # Pairs, of which some are learned from and a share is asked.
_HELD = 0.2  # Beside the tenth that any split holds out.
_POOL = 1_000  # Passages: both sides find their answers among the same.
_EPOCHS = 60
_SETS = (
    "tos_plain_english",
    "hinglish_top",
    "medical",
    "ask_cfpb",
    "medquad_small",
    "scifact",
    "legal",
)


def main() -> None:
    """Print a row a set, as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=_SETS, help="data sets and samples")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument(
        "--minutes", type=float, help="of the whole leaderboard, instead of adapters"
    )
    chosen = parser.parse_args()
    print(f"Machine: {machine()}\n")
    print(
        "| set | draws | pairs | held out: queries | generic | one of three | the average | gain (least to most) | "
        "test: generic | one of three | the average | gain (least to most) |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    with empty_workspace():
        for name in chosen.sets:
            project = prepared(name)
            print(_row(project, name, chosen.draws, chosen.minutes), flush=True)


def _row(project: Project, name: str, draws: int, minutes: float | None) -> str:
    material = load_training_data(project)
    queries = project.newest("queries")
    assert queries is not None, "every set and sample has a query set"
    base = load_base_model(project, GENERIC)
    documents, _ = document_vectors(project, GENERIC, base, material, silent)
    settings, turned = AutoSettings(minutes=minutes or AutoSettings().minutes), minutes is None
    test = _Asked.of(QuerySet.load(project, queries), material, base, documents)
    pairs, asked, held, tested = [], [], [], []
    for draw in range(draws):
        learned, rest = _drawn(material, draw)
        held_out = _Asked.of(rest, material, base, documents)
        request = Request(project, "mine", "auto", settings)
        models = _learned(request, learned, base, documents, leaderboard=not turned)
        pairs.append(len(learned.guarded.pairs))
        asked.append(len(held_out.dev.queries))
        held.append(held_out.compared(models, turned))
        tested.append(test.compared(models, turned))
    counts = [draws, round(np.mean(pairs)), round(np.mean(asked))]
    return f"| {' | '.join(map(str, [name, *counts, *_cells(held), *_cells(tested)]))} |"


@dataclass(frozen=True)
class _Asked:
    """Queries, their documents, and the vectors of both under the base."""

    dev: DevSet
    queries: Vectors
    pool: Vectors

    @classmethod
    def of(cls, asked: QuerySet, material: TrainingData, base: Any, documents: Vectors) -> "_Asked":
        dev = DevSet.of(material.corpus, asked).narrowed(_POOL)
        return cls(dev, base.encode_query(dev.queries), documents[dev.positions])

    def compared(self, models: Sequence[Any], turned: bool) -> tuple[float, float, float]:
        """nDCG@10 of the base, of one of the members (expected), and of their average.

        :param turned: they are adapters on the base, so its vectors are turned and nothing is encoded again.
        """
        score = self._turned if turned else self.dev.ndcg
        start = self.dev.ndcg_of_vectors(self.queries, self.pool)
        return start, float(np.mean([score(model) for model in models])), score(averaged(models))

    def _turned(self, model: Any) -> float:
        matrix = matrix_of(model)
        return self.dev.ndcg_of_vectors(self.queries @ matrix.T, self.pool @ matrix.T)


def _cells(scores: Sequence[tuple[float, float, float]]) -> list[str]:
    start, alone, together = np.mean(scores, axis=0)
    gains = [average - one for _, one, average in scores]
    told = f"{np.mean(gains):+.3f} ({min(gains):+.3f} to {max(gains):+.3f})"
    return [f"{start:.3f}", f"{alone:.3f}", f"{together:.3f}", told]


def _drawn(material: TrainingData, draw: int) -> tuple[TrainingData, QuerySet]:
    """The material with few pairs and few dev queries, another choice for each draw; and what is asked of the rest."""
    random = np.random.default_rng(draw)
    known = material.guarded.pairs
    places = sorted(random.permutation(len(known))[:_DRAWN].tolist())
    texts = texts_of(material.corpus, {p.document for p in known if p.document is not None})
    asked = material.question
    chosen = [known[n] for n in places]
    split = split_pairs(chosen, True, draw, texts, test_share=_HELD, question=asked)
    dev = material.dev.query_set
    names = [sorted(dev.queries)[n] for n in random.permutation(len(dev.queries))]
    rest = (split.dev | split.test).graded(material.grades) | dev.only(names[_DEV:])
    learned = keep_apart(split.train, [rest], material.corpus, asked).pairs
    few = [learned[n] for n in sorted(random.permutation(len(learned))[:_PAIRS].tolist())]
    return (
        replace(
            material,
            guarded=replace(material.guarded, pairs=few),
            dev=DevSet.of(material.corpus, dev.only(names[:_DEV])),
        ),
        rest,
    )


def _learned(
    request: Request, material: TrainingData, base: Any, documents: Vectors, leaderboard: bool
) -> Sequence[Any]:
    """A model of each member: an adapter, or what auto would publish the average of."""
    members = members_of(request, split_into_folds(material), base, documents, silent)
    assert len(members) == MEMBERS, "so many pairs can be parted"
    if not leaderboard:
        return [model for member in members for model in member.adapter(_EPOCHS, silent).models]
    assert isinstance(request.settings, AutoSettings)
    search = BudgetedSearch(request.settings.minutes, silent)
    Candidates(request, members, search).search()
    leader = search.leaderboard.leader
    return [base] if leader.name == START else search.models_of(leader)


if __name__ == "__main__":
    main()
