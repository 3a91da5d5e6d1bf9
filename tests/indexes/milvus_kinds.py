"""Indexes on Milvus for the contract suite: each is filled under names of its own."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from indexes.opening import build, open_index, put_in_service
from indexes.vector_index import IndexFacts, IndexPlan, VectorIndex, Vectors
from tests.indexes.kinds import Kind

_NUMBERS = itertools.count()


@dataclass(frozen=True)
class MilvusKind(Kind):
    """A kind of index at an address."""

    def build(self, vectors: Vectors, folder: Path) -> IndexFacts:
        folder.mkdir(parents=True, exist_ok=True)
        number = next(_NUMBERS)
        names = {"collection": f"contract_{number}", "alias": f"contract_alias_{number}"}
        plan = replace(self.plan, connection={**self.plan.connection, **names})
        facts = build(vectors, plan, folder)
        put_in_service(facts.details(), self.plan.connection)
        return facts

    def open(self, folder: Path, facts: IndexFacts) -> VectorIndex:
        return open_index(folder, facts.details(), self.plan.connection)


def milvus_kind(type_: str, uri: str, token: str = "", exact: bool = True) -> MilvusKind:
    """A kind of index on a server, or in a Milvus Lite folder (an address ending in .db)."""
    plan = IndexPlan(engine="milvus", type=type_, connection={"uri": uri, "token": token})
    return MilvusKind(f"milvus {type_}", plan, exact)
