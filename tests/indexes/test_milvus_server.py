"""Indexes on a real standalone Milvus server: every type, a swap under load, the server away, killed, back."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from indexes.milvus import index as milvus_index
from indexes.milvus import server as milvus_server_module
from indexes.milvus.lifecycle import sweep
from indexes.milvus.types import TYPES as MILVUS_TYPES
from indexes.opening import build, check, discard, open_index, put_in_service
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import EngineFailed, IndexPlan
from tests.indexes.brute_force import check_against_brute_force
from tests.milvus_server import TOKEN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(600),
    pytest.mark.sample(26),
]
TYPES = ("flat", "hnsw", "ivf", "ivf-sq8", "ivf-pq")


def clustered(count, dimension, seed=1):
    """Vectors around two hundred centres: what an approximate index is for."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(200, dimension))
    near = centres[rng.integers(0, 200, count)] + 0.3 * rng.normal(size=(count, dimension))
    return near.astype(np.float32)


def plan(server, type_, name, token=TOKEN):
    connection = {"uri": server.uri, "token": token, "collection": name, "alias": f"{name}_alias"}
    return IndexPlan("milvus", type_, connection=connection)


def names(server):
    """The collections on a server, asked by the client itself."""
    from pymilvus import MilvusClient

    return sorted(MilvusClient(server.uri, token=TOKEN).list_collections())


@pytest.fixture(scope="module")
def vectors():
    made = clustered(3_000, 32)
    made[7] = 0
    made[100:150] = made[99]
    return made


@pytest.fixture(scope="module")
def built(milvus_server, vectors, tmp_path_factory):
    """The facts and folder of an index of each type, built at the same time: each waits for the server."""
    folder = tmp_path_factory.mktemp("types")

    def make(type_):
        own = folder / type_
        own.mkdir()
        wanted = plan(milvus_server, type_, f"types_{type_.replace('-', '_')}")
        facts = build(vectors, wanted, own)
        put_in_service(facts.details(), wanted.connection)
        return facts, own

    with ThreadPoolExecutor(len(TYPES)) as pool:
        return dict(zip(TYPES, pool.map(make, TYPES), strict=True))


@pytest.fixture(params=TYPES)
def opened(request, built, milvus_server):
    facts, folder = built[request.param]
    return open_index(folder, facts.details(), {"uri": milvus_server.uri, "token": TOKEN})


def test_each_type_is_really_the_one_that_was_asked_for(opened, milvus_server):
    from pymilvus import MilvusClient

    client = MilvusClient(milvus_server.uri, token=TOKEN)
    state = client.describe_index(opened.facts.parameters["collection"], "vector")
    assert state["index_type"] == MILVUS_TYPES[opened.facts.type].milvus
    assert state["indexed_rows"] == 2_999
    for name in ("nlist", "M", "m"):
        if name in opened.facts.parameters:
            assert int(state[name]) == opened.facts.parameters[name]


def test_an_exact_type_equals_brute_force_and_the_others_reach_the_recall(opened, vectors):
    queries = clustered(40, 32, seed=1)[:40] + 0.05
    positions, scores = opened.search(queries, 10)
    wanted, wanted_scores = StoredVectors(opened.vectors).search(queries, 10)
    if opened.facts.type == "flat":
        check_against_brute_force(vectors, queries, 10, positions, scores)
        np.testing.assert_array_equal(positions, wanted)
        np.testing.assert_array_equal(scores, wanted_scores)
    shared = [
        len(set(a) & set(b)) / 10 for a, b in zip(positions.tolist(), wanted.tolist(), strict=True)
    ]
    assert np.mean(shared) >= 0.95
    assert opened.facts.figures["recall@10"] >= 0.95
    exact = (
        opened.vectors[positions] * StoredVectors(opened.vectors).checked(queries, 1)[:, None]
    ).sum(axis=2, dtype=np.float32)
    np.testing.assert_array_equal(scores, exact)
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("share", [0.02, 0.5, 0.8, 0.999])
@pytest.mark.parametrize("inside", ["runs", "scattered"])
def test_filters_are_applied_on_the_server(opened, vectors, share, inside, monkeypatch):
    monkeypatch.setattr(milvus_index, "_FEW", 0)  # Else so few are searched here.
    count = int(len(vectors) * share)
    if inside == "runs":
        allowed = np.arange(len(vectors) - count, len(vectors))
    else:
        allowed = np.sort(np.random.default_rng(2).choice(len(vectors), count, replace=False))
    queries = vectors[[3, 500, 2_400]] + 0.01
    positions, scores = opened.search(queries, 10, allowed)
    assert set(positions.ravel().tolist()) <= set(allowed.tolist())
    wanted, wanted_scores = StoredVectors(opened.vectors).search(queries, 10, allowed)
    if opened.facts.type == "flat":
        np.testing.assert_array_equal(positions, wanted)
        np.testing.assert_array_equal(scores, wanted_scores)
    shared = [
        len(set(a) & set(b)) for a, b in zip(positions.tolist(), wanted.tolist(), strict=True)
    ]
    assert sum(shared) >= 20  # Of 30; the width was tuned without filters.


def test_fifty_equal_vectors_come_in_order_of_position(opened, vectors):
    positions, _ = opened.search(vectors[99:100], 20)
    if opened.facts.type == "flat":
        assert positions[0].tolist() == list(range(99, 119))
    assert sorted(positions[0].tolist()) == positions[0].tolist()
    assert set(positions[0].tolist()) <= set(range(99, 150))


def test_several_threads_search_at_once(opened, vectors):
    batches = [vectors[start : start + 3] for start in range(0, 30, 3)]
    alone = [opened.search(batch, 5) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda batch: opened.search(batch, 5), batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_a_rebuilt_index_is_swapped_under_searches_that_never_stop(
    milvus_server, vectors, tmp_path
):
    connection = {"uri": milvus_server.uri, "token": TOKEN}
    wanted = plan(milvus_server, "flat", "swap_one")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = build(vectors, wanted, tmp_path / "one")
    put_in_service(first.details(), connection)
    index = open_index(tmp_path / "one", first.details(), connection)
    before = index.search(vectors[:5], 5)
    troubles, searches, over = [], [], threading.Event()

    def search_on():
        while not over.is_set():
            try:
                found = index.search(vectors[:5], 5)
                searches.append(np.array_equal(found[0], before[0]))
            except EngineFailed as error:
                troubles.append(str(error))

    searching = threading.Thread(target=search_on)
    searching.start()
    try:
        again = IndexPlan(
            "milvus", "hnsw", connection={**wanted.connection, "collection": "swap_two"}
        )
        second = build(vectors, again, tmp_path / "two")
        put_in_service(second.details(), connection)
        discard(first.details(), connection)
        done = len(searches)
        while len(searches) < done + 20 and not troubles:
            over.wait(0.05)
    finally:
        over.set()
        searching.join()
    assert troubles == []
    assert len(searches) > 20
    assert all(searches)
    assert "swap_one" not in names(milvus_server)
    discard(second.details(), connection)


@pytest.mark.parametrize("token", ["", "root:wrong", "sesame"])
def test_a_token_that_is_refused_is_said_and_not_told(milvus_server, token):
    with pytest.raises(EngineFailed, match="does not let us in: the token is wrong") as told:
        check(plan(milvus_server, "flat", "x", token), 1, 2)
    assert not token or token not in str(told.value)


def test_a_cancel_at_any_moment_leaves_no_collection(milvus_server, vectors, tmp_path):
    before = names(milvus_server)

    class Stop(Exception):
        pass

    for moment in ("sending", "waiting", "builds", "loads", "measuring"):

        def progress(done, total, message, moment=moment):
            if moment in message:
                raise Stop

        with pytest.raises(Stop):
            build(vectors, plan(milvus_server, "hnsw", f"cancel_{moment}"), tmp_path, progress)
        assert names(milvus_server) == before


@pytest.mark.prove
def test_a_server_that_is_killed_comes_back_with_its_indexes(
    milvus_server, vectors, tmp_path, monkeypatch
):
    """Killed while vectors are sent: one sentence, and the half-filled collection is swept up later."""
    connection = {"uri": milvus_server.uri, "token": TOKEN}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    facts = build(vectors, plan(milvus_server, "flat", "ours_one"), tmp_path / "one")
    put_in_service(facts.details(), connection)
    index = open_index(tmp_path / "one", facts.details(), connection)
    before = index.search(vectors[:9], 10)
    try:
        with monkeypatch.context() as hasty:
            hasty.setattr(milvus_server_module, "_ANSWERING", 4.0)
            hasty.setattr(milvus_server_module, "_CONNECTING", 3.0)
            hasty.setattr("indexes.milvus.lifecycle._BATCH_BYTES", 32 * 4 * 1_000)

            def kill(done, total, message):
                if message.startswith("sending"):
                    milvus_server.kill()

            with pytest.raises(EngineFailed, match="does not answer any more"):
                build(vectors, plan(milvus_server, "flat", "ours_two"), tmp_path / "two", kill)
            with pytest.raises(EngineFailed, match="does not answer any more"):
                index.search(vectors[:9], 10)
            with pytest.raises(EngineFailed, match="No Milvus server answers"):
                check(plan(milvus_server, "flat", "x"))
    finally:
        milvus_server.start()
    assert {"ours_one", "ours_two"} <= set(names(milvus_server))
    assert sweep(connection, "ours_", {"one"}.__contains__) == ["ours_two"]
    assert "ours_two" not in names(milvus_server)
    back = open_index(tmp_path / "one", facts.details(), connection)
    for found in (back.search(vectors[:9], 10), index.search(vectors[:9], 10)):
        np.testing.assert_array_equal(found[0], before[0])
        np.testing.assert_array_equal(found[1], before[1])
