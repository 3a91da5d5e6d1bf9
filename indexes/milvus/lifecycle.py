"""Building, opening and removing indexes on a Milvus server: see `indexes.opening.IndexEngine`.

The vectors stay here as well, mapped from a file beside the manifest: scores are computed from them, an adapter
multiplies them, and an index can be built again without encoding anything. The server holds a second copy, which
it searches. A collection is filled under a name of its own; an alias, which searches go by, is turned to it
when the index is published. A connection holds:

    uri, token    where the server is, and what lets us in
    collection    the name of the collection that `build` fills
    alias         the name that searches go by: one for each corpus as a model sees it
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexes.approximate import K, RecallTrial
from indexes.milvus.index import MilvusIndex
from indexes.milvus.server import Server
from indexes.milvus.types import LITE_TYPES, TYPES, built_with, chosen, smallest
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import (
    AUTO,
    MILVUS,
    BrokenIndex,
    EngineFailed,
    IndexFacts,
    IndexPlan,
    Progress,
    Unsupported,
    VectorIndex,
    Vectors,
)

_BATCH_BYTES = 8 * 1024 * 1024
_LOOK_EVERY = 0.2
_MEASURED_UP_TO = 2_000_000


def check(plan: IndexPlan, count: int = 0, dimension: int = 0) -> None:
    """See `IndexEngine.check`; how much memory there is, the server knows.

    :raises Unsupported: when it has no such index.
    :raises EngineFailed: when the server does not answer.
    """
    if plan.type != AUTO and plan.type not in TYPES:
        raise Unsupported(
            f"Milvus has no index of type {plan.type!r} here. Choose one of: {', '.join(TYPES)}."
        )
    if "uri" not in plan.connection:
        raise Unsupported(
            "Where the Milvus server is was not said. Set BESPOKE_MILVUS_URI, or give --milvus-uri."
        )
    server = Server(plan.connection)
    if server.lite and plan.type not in (AUTO, *LITE_TYPES):
        raise Unsupported(
            f"Milvus Lite has no index of type {plan.type!r}: it would compare every vector and not say so. "
            f"Choose one of {', '.join(LITE_TYPES)}, or a Milvus server."
        )


def build(vectors: Vectors, plan: IndexPlan, folder: Path, progress: Progress) -> IndexFacts:
    """See `IndexEngine.build`."""
    check(plan)
    server = Server(plan.connection)
    stored = StoredVectors.write(vectors, folder, progress)
    collection = plan.connection["collection"]
    kind, reason = chosen(plan.type, len(stored))
    if len(stored) - stored.zeros < smallest(kind):
        raise Unsupported(
            f"An index of type {kind!r} needs at least {smallest(kind)} vectors; there are "
            f"{len(stored) - stored.zeros}. Choose flat."
        )
    facts = stored.facts(
        MILVUS,
        kind,
        parameters={
            "server": server.address,
            "collection": collection,
            "alias": plan.connection["alias"],
            **built_with(kind, len(stored) - stored.zeros, stored.dimension),
        },
        reason=reason,
    )
    try:
        _fill(server, collection, stored, progress)
        _index(server, facts, progress)
        _load(server, collection, progress)
        _check_whole(server, facts)
        return _tuned(server, stored, facts, plan, progress)
    except BaseException:  # A cancel, too, leaves nothing behind.
        with suppress(EngineFailed):  # An index build that finds the server back sweeps it up.
            server.drop(collection)
        raise


def open_index(folder: Path, facts: IndexFacts, connection: Mapping[str, str]) -> VectorIndex:
    """See `IndexEngine.open_index`.

    :raises BrokenIndex: when the collection is gone, or is not what the manifest says.
    :raises EngineFailed: when the server does not answer.
    """
    if facts.type not in TYPES:
        raise BrokenIndex(f"there is no Milvus index of type {facts.type!r}")
    stored = StoredVectors.open(folder, facts.zeros)
    server = Server(_address(facts, connection))
    collection, alias = facts.parameters["collection"], facts.parameters["alias"]
    dimension = server.dimension(collection)
    if dimension is None:
        raise BrokenIndex(f"the collection {collection} is not on {server.address} any more")
    if dimension != facts.dimension:
        raise BrokenIndex(
            f"the collection {collection} on {server.address} holds vectors of {dimension} dimensions "
            f"instead of {facts.dimension}"
        )
    if server.loaded(collection) < 1:
        _load(server, collection, lambda *_: None)
    _check_whole(server, facts)
    server.point(alias, collection)  # A process that was killed may not have come to it.
    return MilvusIndex(server, alias, stored, facts)


def put_in_service(facts: IndexFacts, connection: Mapping[str, str]) -> None:
    """See `IndexEngine.put_in_service`: the alias names the new collection from here on."""
    server = Server(_address(facts, connection))
    server.point(facts.parameters["alias"], facts.parameters["collection"])


def discard(facts: IndexFacts, connection: Mapping[str, str]) -> None:
    """See `IndexEngine.discard`.

    :raises EngineFailed: when the server does not answer.
    """
    Server(_address(facts, connection)).drop(facts.parameters["collection"])


def sweep(connection: Mapping[str, str], prefix: str, known: Callable[[str], bool]) -> list[str]:
    """Remove collections of killed processes and of what was deleted while the server was away.

    :param prefix: what the names of all our collections begin with, and nobody else's.
    :param known: whether the index that a name (without the prefix) belongs to exists or is being built.
    :returns: the names of the removed ones.
    """
    server = Server(connection)
    gone = [
        name
        for name in server.collections()
        if name.startswith(prefix) and not known(name.removeprefix(prefix))
    ]
    for name in gone:
        server.drop(name)
    return gone


def _address(facts: IndexFacts, connection: Mapping[str, str]) -> dict[str, str]:
    return {"uri": facts.parameters["server"], **connection}


def _fill(server: Server, collection: str, stored: StoredVectors, progress: Progress) -> None:
    """Insert every vector but zero ones, which are never found."""
    server.create(collection, stored.dimension)
    size = max(1, _BATCH_BYTES // (4 * stored.dimension))
    for start in range(0, len(stored), size):
        rows = np.asarray(stored.rows[start : start + size])
        places = np.flatnonzero(rows.any(axis=1))
        if len(places):
            server.insert(collection, (start + places).astype(np.int64), rows[places])
        done = min(start + size, len(stored))
        progress(done, len(stored), f"sending vectors to {server.address}")
    progress(0, 0, "waiting until the server has stored the vectors")
    server.seal(collection)


def _index(server: Server, facts: IndexFacts, progress: Progress) -> None:
    """Build the index, and make sure that it is the one that was asked for and covers every vector."""
    collection, wanted = facts.parameters["collection"], TYPES[facts.type].milvus
    held = facts.vectors - facts.zeros
    kept_here = ("server", "collection", "alias")
    given = {name: value for name, value in facts.parameters.items() if name not in kept_here}
    server.begin_index(collection, wanted, given)
    while held:
        state = server.index_state(collection)
        covered = int(state.get("indexed_rows", 0))
        if state.get("state") == "Failed":
            why = str(state.get("index_state_fail_reason") or "it did not say why").splitlines()[0]
            raise EngineFailed(f"The Milvus server could not build a {wanted} index: {why[:300]}.")
        if state.get("index_type") != wanted:
            raise EngineFailed(
                f"The Milvus server built an index of type {state.get('index_type')} instead of {wanted}."
            )
        progress(min(covered, held), held, f"the server builds a {wanted} index")
        if state.get("state") == "Finished" and not int(state.get("pending_index_rows", 0)):
            return
        time.sleep(_LOOK_EVERY)


def _load(server: Server, collection: str, progress: Progress) -> None:
    server.begin_load(collection)
    while (share := server.loaded(collection)) < 1:
        progress(share, 1, "the server loads the index into memory")
        time.sleep(_LOOK_EVERY)


def _check_whole(server: Server, facts: IndexFacts) -> None:
    collection, held = facts.parameters["collection"], facts.vectors - facts.zeros
    count = server.count(collection)
    if count != held:
        raise BrokenIndex(
            f"the collection {collection} on {server.address} holds {count:,} vectors instead of {held:,}"
        )


def _tuned(
    server: Server, stored: StoredVectors, facts: IndexFacts, plan: IndexPlan, progress: Progress
) -> IndexFacts:
    """The facts with the least width that reaches the wanted recall@10, and what was measured.

    Measured on questions like the vectors, against exact search among the stored ones (see `RecallTrial`). Above two
    million vectors that takes too long here, and a fixed width is used.
    """
    kind, collection = TYPES[facts.type], facts.parameters["collection"]
    figures = {"bytes": float(facts.vectors * facts.dimension * kind.bytes_a_component)}
    if kind.exact:
        return replace(facts, figures={**figures, "recall@10": 1.0})
    widths = kind.widths(facts.parameters)
    if len(stored) > _MEASURED_UP_TO:
        width = widths[min(3, len(widths) - 1)]
        return replace(facts, figures=figures, parameters={**facts.parameters, "width": width})
    trial, tried = RecallTrial(stored, plan.questions), facts
    for step, width in enumerate(widths):
        progress(step, len(widths), f"measuring recall ({kind.width_parameter} {width})")
        tried = replace(facts, parameters={**facts.parameters, "width": width})
        found = MilvusIndex(server, collection, stored, tried).search(trial.questions, K)
        recall = trial.recall(found[1])
        tried = replace(tried, figures={**figures, "recall@10": round(recall, 4)})
        if recall >= plan.target_recall:
            break
    return tried
