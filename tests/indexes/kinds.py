"""The kinds of index that the contract suite runs over. A new kind is one more line in KINDS."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from indexes.opening import build, open_index
from indexes.vector_index import IndexFacts, IndexPlan, VectorIndex, Vectors


@dataclass(frozen=True)
class Kind:
    """One kind of index: the plan that asks for it, and whether it finds exactly the nearest."""

    name: str
    plan: IndexPlan
    exact: bool

    def build(self, vectors: Vectors, folder: Path) -> IndexFacts:
        folder.mkdir(parents=True, exist_ok=True)
        return build(vectors, self.plan, folder)

    def open(self, folder: Path, facts: IndexFacts) -> VectorIndex:
        """Open what `build` made, by what a manifest would hold of it."""
        return open_index(folder, facts.details(), self.plan.connection)

    def of(self, vectors: Vectors) -> VectorIndex:
        """An index of vectors in a folder that is gone at once: open files outlive their names."""
        folder = Path(tempfile.mkdtemp())
        try:
            return self.open(folder, self.build(vectors, folder))
        finally:
            shutil.rmtree(folder)


KINDS = [
    Kind("flat", IndexPlan(type="flat"), exact=True),
    Kind("auto", IndexPlan(), exact=True),
    Kind("hnsw", IndexPlan(type="hnsw"), exact=False),
    Kind("ivf", IndexPlan(type="ivf"), exact=False),
    Kind("ivf-sq8", IndexPlan(type="ivf-sq8"), exact=False),
    Kind("ivf-pq", IndexPlan(type="ivf-pq"), exact=False),
    Kind("ivf-rabitq", IndexPlan(type="ivf-rabitq"), exact=False),
]
