"""What auto's three members are worth where pairs are few: each adapter alone, and their average, on held-out queries.

Run it with: python -m benchmarks.members --sets tos_plain_english hinglish_top --draws 5. Of each set 200 pairs are
drawn again and again, with sixteen dev queries as a small upload has them; three adapters learn as auto's members do.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import prepared
from benchmarks.targets import machine
from search.models import GENERIC, named
from search.progress import silent
from search.query_sets import QuerySet
from search.settings import HOME_VARIABLE
from search.workspace import Project
from training.adapting.model import matrix_of
from training.auto.average import averaged
from training.auto.member import Member
from training.auto.parted import MEMBERS, parted
from training.dev import DevSet
from training.embedding import document_vectors, embedded
from training.making.request import Request
from training.making.starts import start_of
from training.material import Material, gather
from training.recipes.auto import Auto

_PAIRS, _DEV = 200, 16
_POOL = 1_000  # Passages: both sides find their answers among the same.
_EPOCHS = 60
_CHOSEN_BY = ("tos_plain_english", "hinglish_top", "medical", "ask_cfpb")
"""Sets whose test queries had a part in choosing to average: what they gain flatters it."""
_SETS = (*_CHOSEN_BY, "medquad_small", "scifact", "legal")


def main() -> None:
    """Print a row a set, as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=_SETS, help="data sets and samples")
    parser.add_argument("--draws", type=int, default=5)
    chosen = parser.parse_args()
    data = Path(os.environ.get("BESPOKE_DATA", "../shared/data"))
    print(f"Machine: {machine()}\n")
    print("| set | draws | generic | one of three | the average | gain of averaging |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="bespoke-bench-") as home:
        os.environ[HOME_VARIABLE] = home
        for name in chosen.sets:
            project = prepared(name, data)
            print(_row(project, name, chosen.draws), flush=True)


def _row(project: Project, name: str, draws: int) -> str:
    material = gather(project)
    queries = project.newest("queries")
    assert queries is not None, "every set and sample has a query set"
    test = DevSet.of(material.corpus, QuerySet.load(project, queries)).narrowed(_POOL)
    base = start_of(project, GENERIC)
    asked, pool = test.vectors(base)

    def score(model: Any) -> float:
        matrix = matrix_of(model)  # The same vectors, turned: nothing is encoded again.
        return test.ndcg_of_vectors(asked @ matrix.T, pool @ matrix.T)

    alone, together = [], []
    for draw in range(draws):
        models = list(_learned(project, _drawn(material, draw)))
        assert len(models) == MEMBERS, "so many pairs can be parted"
        alone.append(float(np.mean([score(model) for model in models])))
        together.append(score(averaged(models)))
    start = test.ndcg_of_vectors(asked, pool)
    gains = np.subtract(together, alone)
    return (
        f"| {name} | {draws} | {start:.3f} | {np.mean(alone):.3f} | {np.mean(together):.3f} | "
        f"{np.mean(gains):+.3f} ({np.min(gains):+.3f} to {np.max(gains):+.3f}) |"
    )


def _drawn(material: Material, draw: int) -> Material:
    """The material with few pairs and few dev queries, another choice for each draw."""
    random = np.random.default_rng(draw)
    pairs = material.guarded.pairs
    places = sorted(random.permutation(len(pairs))[:_PAIRS].tolist())
    asked = material.dev.query_set
    own = [sorted(asked.queries)[n] for n in random.permutation(len(asked.queries))[:_DEV]]
    few = QuerySet({q: asked.queries[q] for q in own}, {q: asked.judgments[q] for q in own})
    return replace(
        material,
        guarded=replace(material.guarded, pairs=[pairs[place] for place in places]),
        dev=DevSet.of(material.corpus, few),
    )


def _learned(project: Project, material: Material) -> Iterator[Any]:
    """A model of each member."""
    base, info = start_of(project, GENERIC), named(project, GENERIC)
    documents, _ = document_vectors(project, GENERIC, base, material, silent)
    for place, part in enumerate(parted(material)):
        data = embedded(base, info, part, documents, silent)
        member = Member(Request(project, "mine", "auto", Auto()), part, base, data, f"-{place}")
        yield from member.adapter(_EPOCHS, silent).models


if __name__ == "__main__":
    main()
