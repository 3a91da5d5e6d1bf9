"""Projects whose indexes are on Milvus (here Milvus Lite): found, replaced, deleted, never left behind."""

import json

import numpy as np
import pytest

from indexes.vector_index import IndexPlan
from search.corpus.corpus import current_corpus
from search.corpus.versions import versions
from search.models.registry import ModelInfo
from search.projects.check import repair
from search.projects.errors import Cancelled, Failed, Refused
from search.projects.graves import unfinished
from search.projects.project import project
from search.retrieval.checking import check_left_on_servers
from search.retrieval.deletion import delete, delete_project, finish_deletions, planned
from search.retrieval.indexing.build import build_index, find_index
from search.retrieval.indexing.servers import (
    connection,
    left_on_servers,
    remember_address,
)
from search.retrieval.search import open_dense

INFO = ModelInfo(
    name="generic",
    id="generic",
    kind="generic",
    recipe=None,
    dimension=8,
    created="",
    fingerprint="f",
    origin="",
)
MILVUS = IndexPlan("milvus", "flat")


class Signs:
    """An encoder of made-up vectors: the same text, the same vector."""

    def encode_document(self, inputs):
        return np.vstack(
            [np.random.default_rng(list(text.encode())).normal(size=8) for text in inputs]
        ).astype(np.float32)

    encode_query = encode_document


@pytest.fixture
def lab(import_tiny, tmp_path, monkeypatch):
    """A project of forty documents whose server is a Milvus Lite database."""
    from search.projects.project import project_to_be

    import_tiny(project_to_be("lab"))
    # As the generic model, so that no model has to be trained first.
    remember_address(project("lab"), str(tmp_path / "lite.db"))
    monkeypatch.setenv("BESPOKE_EMBEDDINGS_GB", "0")
    return project("lab")


def collections(of):
    """What is on the server: collection to aliases."""
    from pymilvus import MilvusClient

    client = MilvusClient(connection(of)["uri"])
    return {
        name: client.list_aliases(name)["aliases"] for name in sorted(client.list_collections())
    }


def indexed(lab, plan=MILVUS, **more):
    manifest, corpus = current_corpus(lab)
    return build_index(lab, INFO, Signs(), manifest, corpus, plan=plan, **more)


def searched(lab, index):
    _, corpus = current_corpus(lab)
    searcher = open_dense(lab, INFO, Signs(), index, corpus)
    return searcher.rank(["who helps", "velkorin", "mould"], 7)


def test_an_index_on_a_server_finds_what_one_in_a_folder_finds(lab):
    there, here = indexed(lab), indexed(lab, IndexPlan())
    assert (there.details["engine"], here.details["engine"]) == ("milvus", "faiss")
    assert searched(lab, there) == searched(lab, here)
    (name,) = collections(lab)
    assert there.id.replace("-", "_") in name


def test_a_rebuilt_index_takes_the_place_of_the_last_in_one_step(lab):
    first = indexed(lab)
    _, corpus = current_corpus(lab)
    still_open = open_dense(lab, INFO, Signs(), first, corpus)
    before = still_open.rank(["who helps"], 5)
    second = indexed(lab, IndexPlan("milvus", "hnsw"))
    ((name, aliases),) = collections(lab).items()
    assert name == second.details["parameters"]["collection"]
    assert aliases == [first.details["parameters"]["alias"]]
    assert still_open.rank(["who helps"], 5) == before
    assert [m.id for m in lab.manifests("indexes")] == [second.id]


def test_a_cancel_while_vectors_are_sent_leaves_nothing(lab):
    def progress(done, total, message, metrics=None):
        if "sending" in message:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        indexed(lab, progress=progress)
    assert collections(lab) == {}
    assert lab.manifests("indexes") == []


def test_a_publish_that_fails_leaves_nothing(lab, monkeypatch):
    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("search.projects.project.Drafts.seal", full)
    with pytest.raises(OSError, match="No space left"):
        indexed(lab)
    assert collections(lab) == {}


def test_the_next_build_sweeps_up_what_belongs_to_no_index(lab):
    from pymilvus import MilvusClient

    made = indexed(lab)
    client = MilvusClient(connection(lab)["uri"])
    prefix = made.details["parameters"]["collection"].removesuffix(made.id.replace("-", "_"))
    client.create_collection(f"{prefix}20200101_000000_000000_dead", dimension=8)
    client.create_collection("somebody_elses", dimension=8)
    other = indexed(lab, IndexPlan("milvus", "hnsw"))
    assert sorted(collections(lab)) == sorted(
        ["somebody_elses", other.details["parameters"]["collection"]]
    )


def test_deleting_a_version_or_the_project_takes_the_collections_along(lab, tmp_path):
    from search.corpus.ingest import add_documents

    indexed(lab)
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps({"id": "x", "text": "something new"}) + "\n")
    add_documents(lab, [more])
    newer = indexed(lab)
    assert len(collections(lab)) == 2
    delete(planned(lab, "corpora", versions(lab)[0].id))
    assert list(collections(lab)) == [newer.details["parameters"]["collection"]]
    address = connection(lab)["uri"]
    delete_project(lab)
    from pymilvus import MilvusClient

    assert MilvusClient(address).list_collections() == []
    assert not lab.exists


def test_a_project_can_be_deleted_while_its_server_is_away(lab, monkeypatch):
    from pymilvus import MilvusClient

    indexed(lab)
    monkeypatch.setenv("BESPOKE_MILVUS_URI", "http://127.0.0.1:9")
    made = connection(lab) | {"uri": lab.info.milvus_uri}
    [said] = delete_project(lab)
    assert said.startswith("The server did not answer: its collection ")
    assert not lab.exists
    [finding] = check_left_on_servers()
    assert finding.sentence.startswith(
        f"{lab.folder.parent}/.collections-left.json: {made['uri']} did not answer when "
    )
    assert len(MilvusClient(made["uri"]).list_collections()) == 1
    finish_deletions()  # As each command does: whatever server is in use now, the one that was meant is asked.
    assert MilvusClient(made["uri"]).list_collections() == []
    assert not unfinished(lab.folder.parent)


def test_an_index_that_is_deleted_while_its_server_is_away_is_said_and_removed_by_the_next_build(
    lab, monkeypatch
):
    index = indexed(lab)
    with monkeypatch.context() as patch:
        patch.setenv("BESPOKE_MILVUS_URI", "http://127.0.0.1:9")
        [said] = delete(planned(lab, "indexes", index.id))
        assert index.details["parameters"]["collection"] in said
    assert left_on_servers() == [lab.info.milvus_uri]
    newer = indexed(lab)
    assert list(collections(lab)) == [newer.details["parameters"]["collection"]]
    assert left_on_servers() == []


def test_a_server_that_is_away_is_not_waited_for_and_stays_noted(workspace):
    workspace.mkdir()
    (workspace / ".collections-left.json").write_text('["http://127.0.0.1:9"]')
    finish_deletions()
    assert left_on_servers() == ["http://127.0.0.1:9"]
    [finding] = check_left_on_servers()
    assert "not repaired: No Milvus server answers at http://127.0.0.1:9." in repair([finding])[0]


def test_a_copied_workspace_leaves_the_collections_of_the_first_alone(lab, tmp_path, monkeypatch):
    import shutil

    made = indexed(lab)
    shutil.copytree(lab.folder.parent, tmp_path / "copy")
    monkeypatch.setenv("BESPOKE_HOME", str(tmp_path / "copy"))
    copy = project("lab")
    copied = indexed(copy, IndexPlan("milvus", "hnsw"))
    monkeypatch.setenv("BESPOKE_HOME", str(lab.folder.parent))
    assert copied.details["parameters"]["alias"] != made.details["parameters"]["alias"]
    indexed(project("lab"))
    assert copied.details["parameters"]["collection"] in collections(lab)


def test_a_server_that_went_away_is_one_sentence(lab, monkeypatch):
    made = indexed(lab)
    monkeypatch.setenv("BESPOKE_MILVUS_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("BESPOKE_MILVUS_TOKEN", "root:sesame")
    with pytest.raises(Failed, match="No Milvus server answers at http"):
        searched(lab, made)
    with pytest.raises(Failed, match="No Milvus server answers"):
        indexed(lab)
    manifest, _ = current_corpus(lab)
    assert find_index(lab, INFO, manifest).id == made.id


def test_no_token_is_ever_written(lab, monkeypatch, tree):
    monkeypatch.setenv("BESPOKE_MILVUS_TOKEN", "root:sesame")
    indexed(lab)
    for path, content in tree(lab.folder.parent).items():
        assert content is None or b"sesame" not in content, path
    from search.projects.settings import settings

    assert "sesame" not in repr(settings())


@pytest.mark.parametrize("address", ["http://root:pw@here:1", "here", "ftp://here", ""])
def test_addresses_that_are_none_or_hold_a_password_are_refused(lab, address):
    with pytest.raises(Refused):
        remember_address(lab, address)
    assert lab.info.milvus_uri.endswith("lite.db")
