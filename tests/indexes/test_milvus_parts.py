"""What Milvus is asked for: types and their parameters, filters as expressions, errors in words."""

import numpy as np
import pytest

from indexes.milvus import server
from indexes.milvus.index import expression
from indexes.milvus.types import TYPES, built_with, chosen, smallest
from indexes.opening import build, check, open_index
from indexes.vector_index import BrokenIndex, EngineFailed, IndexFacts, IndexPlan, Unsupported


def allowed_by(written, count):
    """Which positions an expression lets through, by Python itself."""
    code = compile(written or "True", "filter", "eval")
    return [p for p in range(count) if eval(code, {}, {"id": p})]


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 0.7, 0.999, 1.0])
def test_a_filter_lets_exactly_the_allowed_through(share):
    rng = np.random.default_rng(3)
    for count in (1, 7, 900):
        size = max(1, int(count * share))
        allowed = np.sort(rng.choice(count, size, replace=False)).astype(np.int64)
        assert allowed_by(expression(allowed, count), count) == allowed.tolist()


def test_runs_become_ranges_and_the_shorter_side_is_written():
    runs = np.concatenate([np.arange(5, 40_000), np.arange(50_000, 90_000), [99_999]])
    assert expression(runs, 100_000) == (
        "(id >= 5 and id <= 39999) or (id >= 50000 and id <= 89999) or id in [99999]"
    )
    but_odd = np.setdiff1d(np.arange(60_000), [*range(1, 400, 2), *range(30_000, 50_000)])
    scattered = np.union1d(but_odd, np.arange(30_001, 50_000, 2))
    assert expression(but_odd, 60_000).startswith("(id >= 400 and id <= 29999) or (id >= 50000 and")
    assert expression(scattered, 60_000) is None
    # Pairs with one gap between each two: the gaps are fewer than what is allowed.
    gaps = [*range(1, 27_000, 3), *range(59_000, 60_000)]
    most = np.setdiff1d(np.arange(60_000), gaps)
    written = expression(most, 60_000)
    assert written.startswith("(id < 59000 or id > 59999) and id not in [1, 4, 7,")
    first, _, rest = written.partition(" and id not in ")
    assert eval(rest) == gaps[:9_000]
    assert [eval(first, {"id": p}) for p in (58_999, 59_000, 59_999)] == [True, False, False]


def test_what_is_too_scattered_is_not_written_at_all():
    assert expression(np.arange(0, 100_000, 2), 100_000) is None
    assert expression(np.arange(10), 10) == ""


def test_auto_is_exact_while_that_is_fast():
    assert chosen("auto", 20_000)[0] == "flat"
    assert chosen("auto", 20_001)[0] == "hnsw"
    assert chosen("ivf-pq", 5)[0] == "ivf-pq"


@pytest.mark.parametrize("dimension", [1, 7, 100, 384, 1024])
def test_parameters_are_ones_that_milvus_takes(dimension):
    for kind in TYPES:
        for count in (1, 500, 100_000, 10**9):
            made = built_with(kind, count, dimension)
            assert 1 <= made.get("nlist", 1) <= 65_536
            assert dimension % made.get("m", 1) == 0
    assert built_with("ivf-pq", 1_000_000, 384)["m"] == 96
    assert smallest("ivf-pq") == 256


def test_widths_rise_to_the_whole_index():
    assert TYPES["ivf"].widths({"nlist": 100}) == [16, 32, 64, 100]
    assert TYPES["ivf"].widths({"nlist": 3}) == [3]
    assert TYPES["hnsw"].widths({})[0] == 16
    assert TYPES["hnsw"].search_parameters(16, 100) == {"ef": 100}
    assert TYPES["ivf"].search_parameters(16, 100) == {"nprobe": 16}
    assert TYPES["flat"].search_parameters(None, 100) == {}


def plan(uri, type_="auto", **more):
    return IndexPlan("milvus", type_, connection={"uri": uri, **more})


def test_a_server_that_is_away_is_one_sentence_without_the_token(tmp_path):
    away = plan("http://127.0.0.1:9", token="user:sesame")
    with pytest.raises(EngineFailed, match="No Milvus server answers at http") as told:
        check(away)
    assert "sesame" not in str(told.value)
    assert told.value.__cause__ is None
    with pytest.raises(EngineFailed, match="No Milvus server answers"):
        build(np.ones((3, 2), dtype=np.float32), away, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_address_of_nothing_and_a_type_of_nobody(tmp_path):
    with pytest.raises(Unsupported, match="BESPOKE_MILVUS_URI"):
        check(IndexPlan("milvus"))
    with pytest.raises(Unsupported, match=r"no index of type .rabitq. here"):
        check(plan("http://127.0.0.1:9", "rabitq"))
    with pytest.raises(EngineFailed, match="There is no folder"):
        check(plan(str(tmp_path / "none" / "x.db")))
    for type_ in ("ivf-pq", "diskann"):
        with pytest.raises(Unsupported, match="would compare every vector and not say so"):
            check(plan(str(tmp_path / "x.db"), type_))


@pytest.fixture
def lite(tmp_path):
    """A Milvus Lite database, and a function that lists what is in it."""
    from pymilvus import MilvusClient

    uri = str(tmp_path / "lite.db")
    connection = {"uri": uri, "collection": "one", "alias": "the_one"}
    return connection, lambda: MilvusClient(uri).list_collections()


def test_a_build_that_is_cancelled_leaves_no_collection(lite, tmp_path):
    connection, collections = lite
    vectors = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32)

    class Stop(Exception):
        pass

    for moment in ("sending", "waiting", "builds", "measuring"):

        def progress(done, total, message, moment=moment):
            if moment in message:
                raise Stop

        with pytest.raises(Stop):
            build(vectors, IndexPlan("milvus", "hnsw", connection=connection), tmp_path, progress)
        assert collections() == []


def test_an_index_whose_collection_changed_is_broken(lite, tmp_path):
    from pymilvus import MilvusClient

    connection, _ = lite
    vectors = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32)
    facts = build(vectors, IndexPlan("milvus", "flat", connection=connection), tmp_path)
    client = MilvusClient(connection["uri"])
    client.delete("one", ids=[3])
    with pytest.raises(BrokenIndex, match="holds 59 vectors instead of 60"):
        open_index(tmp_path, facts.details(), connection)
    client.drop_collection("one")
    client.create_collection("one", dimension=9)
    with pytest.raises(BrokenIndex, match="9 dimensions instead of 4"):
        open_index(tmp_path, facts.details(), connection)
    client.drop_collection("one")
    with pytest.raises(BrokenIndex, match="the collection one is not on"):
        open_index(tmp_path, facts.details(), connection)
    assert IndexFacts.from_details(facts.details()) == facts
    assert "token" not in str(facts.details())


def test_a_proxy_of_the_environment_gets_no_vectors(monkeypatch):
    from pymilvus.client import grpc_handler

    opened = []

    def channel(address, options=()):
        opened.append((address, dict(options)))
        raise RuntimeError("no server here")

    monkeypatch.setattr(grpc_handler.grpc, "insecure_channel", channel)
    monkeypatch.setattr(server, "_MOMENT", 0.001)
    with pytest.raises(EngineFailed):
        server.Server({"uri": "http://milvus.example:19530"})
    assert {address for address, _ in opened} == {"milvus.example:19530"}
    assert {options.get("grpc.enable_http_proxy") for _, options in opened} == {0}
